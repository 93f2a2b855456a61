//! Recorded management requests, replayed in one go: the files build on one another.

mod comparison;
mod slice;

use crate::face::{Face, Reply};
use crate::flagsmith::golden::recording::{self, Exchange};
use comparison::Comparison;
use flagstaff_testkit::contract;
use slice::Place;

const FILES: [&str; 12] = [
    "01-auth",
    "02-organisation-project-environment",
    "03-master-api-keys",
    "04-tags",
    "05-features",
    "06-featurestates",
    "06b-featurestates-simple-patch",
    "07-segments",
    "08-segment-overrides",
    "09-identities-admin",
    "16-v2-versioning",
    "19-clone-import-export",
];

contract! {
    async fn management_is_answered_as_recorded(database: Database) {
        let face = Face::start_open_to_all_on(database.open().await).await;
        let mut comparison = Comparison::default();
        let mut report = Vec::new();
        for file in FILES {
            for exchange in recording::read(file) {
                let number = exchange.number;
                slice::prepare(&database, &mut comparison, file, number).await;
                face.pass_seconds(1);
                // Between two recorded requests there was time for what was asked for.
                face.service.make_feature_files().await.unwrap();
                let exchange_is_refused = exchange.expected.status >= 400;
                let problems = match slice::place(file, number) {
                    Place::Elsewhere => continue,
                    Place::Here => {
                        let reply = send(&face, &exchange, &comparison).await;
                        comparison.problems(&exchange.expected, &reply)
                    }
                };
                if exchange_is_refused {
                    database.close_gaps().await;
                }
                if !problems.is_empty() {
                    let problems = problems.join("\n  ");
                    report.push(format!("{file} row {number}:\n  {problems}"));
                }
            }
        }
        let count = report.len();
        assert!(
            report.is_empty(),
            "{count} rows differ\n{}",
            report.join("\n")
        );
    }
}

async fn send(face: &Face, exchange: &Exchange, comparison: &Comparison) -> Reply {
    let path = comparison.in_our_words(&exchange.path);
    let mut ask = face.keyless(&exchange.method, &path);
    for (name, value) in &exchange.request_headers {
        let value = comparison.in_our_words(value);
        ask = ask.header(&name.to_ascii_lowercase(), &value);
    }
    if let Some(body) = &exchange.request_body {
        let body = String::from_utf8(body.clone()).unwrap();
        ask = ask.body(comparison.in_our_words(&body));
    }
    ask.send().await
}
