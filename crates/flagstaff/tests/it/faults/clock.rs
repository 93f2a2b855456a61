//! The clock is set back: time as clients see it goes on all the same.

use crate::database::Database;
use crate::desk::Desk;
use crate::http::block_on;
use crate::server::Server;
use crate::skipped::required;
use flagstaff_store::{AuditVerdict, Store};
use futures::StreamExt as _;
use serde_json::json;

/// Says where `libfaketimeMT.so.1` is.
const VARIABLE: &str = "FLAGSTAFF_TEST_FAKETIME";

/// The document's time, and that in the header of a list of flags.
async fn times(server: &Server, desk: &Desk) -> (String, f64) {
    let document = desk
        .ask(server, &desk.server_key, "/api/v1/environment-document/")
        .await;
    let url = format!("{}/api/v1/flags/", server.url);
    let request = desk
        .client
        .get(url)
        .header("X-Environment-Key", &desk.client_key);
    let answer = request.send().await.unwrap();
    let header = answer.headers()["x-flagsmith-document-updated-at"]
        .to_str()
        .unwrap();
    let text = document.json["updated_at"].as_str().unwrap();
    (text.to_owned(), header.parse().unwrap())
}

/// The id of the first event of a stream.
async fn event(server: &Server, desk: &Desk) -> i64 {
    let url = format!("{}/sse/environments/{}/stream", server.url, desk.client_key);
    let mut stream = desk.client.get(url).send().await.unwrap().bytes_stream();
    let mut text = String::new();
    loop {
        let part = stream.next().await.unwrap().unwrap();
        text.push_str(&String::from_utf8_lossy(&part));
        let id = text
            .lines()
            .find_map(|line| line.strip_prefix("id: ")?.parse().ok());
        if let Some(id) = id {
            return id;
        }
    }
}

#[test]
fn a_clock_that_is_set_back_makes_no_change_look_older() {
    let Some(library) = required(VARIABLE) else {
        return;
    };
    let database = Database::sqlite();
    let prepared = Desk::prepare(&database);
    let offset = database.folder().join("offset");
    std::fs::write(&offset, "+0").unwrap();
    let variables = [
        ("LD_PRELOAD", library.as_str()),
        ("FAKETIME_TIMESTAMP_FILE", offset.to_str().unwrap()),
        ("FAKETIME_NO_CACHE", "1"),
        // Only the clock on the wall is wrong: what sleeps goes on sleeping.
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
        ("DONT_FAKE_MONOTONIC", "1"),
    ];
    let server = Server::start_with(&database, &variables);
    block_on(async {
        let desk = prepared.sign_in(&server).await;
        let state = desk.feature(&server, "banner").await;
        assert_eq!(desk.set(&server, state, "before").await.status, 200);
        let mut earlier = (times(&server, &desk).await, event(&server, &desk).await);

        for (number, back) in ["-1d", "-400d", "-1d", "+0"].iter().enumerate() {
            std::fs::write(&offset, back).unwrap();
            let value = format!("value {number}");
            assert_eq!(desk.set(&server, state, value.as_str()).await.status, 200);

            let later = (times(&server, &desk).await, event(&server, &desk).await);
            assert!(later.0.0 > earlier.0.0, "{later:?} after {earlier:?}");
            assert!(later.0.1 > earlier.0.1, "{later:?} after {earlier:?}");
            assert!(later.1 > earlier.1, "{later:?} after {earlier:?}");
            assert_eq!(desk.flag(&server, "banner").await, value.as_str());
            let traits = json!([{ "trait_key": "turn", "trait_value": number }]);
            assert_eq!(desk.identify(&server, "ada", traits).await.status, 200);
            assert_eq!(desk.trait_value(&server, "ada", "turn").await, number);
            earlier = later;
        }
        assert!(!server.log().contains("panicked"), "{}", server.log());
    });
    server.stop();

    block_on(async {
        let store = Store::connect(&database.url()).await.unwrap();
        let organisation = Some(store.all_organisations().await.unwrap()[0].id);
        let verdict = store.verify_audit(organisation).await.unwrap();
        assert!(matches!(verdict, AuditVerdict::Whole { .. }), "{verdict:?}");
        // Entries tell the time as the clock showed it: so it was really set back.
        let entries = store.audit_entries(organisation, 0, 1000).await.unwrap();
        let mut steps = entries.windows(2).map(|pair| pair[1].at - pair[0].at);
        assert!(
            steps.any(|step| step < -300 * 86_400_000_000),
            "{entries:?}"
        );
        store.close().await;
    });
}
