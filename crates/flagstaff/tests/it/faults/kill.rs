//! The process is killed in the middle of writing: whatever was acknowledged is there afterwards, once.

use crate::database::Database;
use crate::desk::Desk;
use crate::http::block_on;
use crate::server::Server;
use crate::skipped::is_full;
use flagstaff_core::EnvironmentId;
use flagstaff_store::{AuditVerdict, IdentitySearch, PageRequest, Store};
use reqwest::Method;
use serde_json::{Value as Json, json};
use std::collections::HashSet;
use std::time::{Duration, Instant};

/// Who writes at once.
const WRITERS: usize = 8;

/// What one writer sent and what of it was acknowledged, over all lives of the server.
#[derive(Default)]
struct Written {
    sent: i64,
    acknowledged: i64,
}

/// What was sent and acknowledged until now.
struct Ledger {
    /// Of each writer: new traits, named by their numbers.
    traits: Vec<Written>,
    /// Of each writer: additions of one to a trait.
    sums: Vec<Written>,
    /// Values of the flag.
    flag: Written,
    /// Features, named by their numbers.
    features: Written,
}

impl Written {
    /// What is found has to be at least what was acknowledged, and no more than was sent.
    fn check(&mut self, found: i64, what: &str) {
        assert!(
            (self.acknowledged..=self.sent).contains(&found),
            "{what}: found {found}, acknowledged {}, sent {}",
            self.acknowledged,
            self.sent
        );
        // What was stored without an acknowledgement counts as such from here on.
        self.acknowledged = found;
        self.sent = found;
    }
}

#[test]
fn what_was_acknowledged_on_sqlite_survives_every_kill_under_load() {
    kill_again_and_again(&Database::sqlite());
}

#[test]
fn what_was_acknowledged_on_postgres_survives_every_kill_under_load() {
    if let Some(database) = Database::postgres() {
        kill_again_and_again(&database);
    }
}

fn kill_again_and_again(database: &Database) {
    let prepared = Desk::prepare(database);
    let server = Server::start(database);
    let desk = block_on(prepared.sign_in(&server));
    let state = block_on(desk.feature(&server, "banner"));
    server.stop();
    let writers = || (0..WRITERS).map(|_| Written::default()).collect();
    let mut ledger = Ledger {
        traits: writers(),
        sums: writers(),
        flag: Written::default(),
        features: Written::default(),
    };
    let kills = if is_full() { 20 } else { 3 };

    for kill in 0..kills {
        let mut server = Server::start(database);
        let life = Duration::from_millis(300 + 97 * kill % 500);
        block_on(write_until_killed(
            &desk,
            &mut server,
            state,
            &mut ledger,
            life,
        ));
        let server = Server::start(database);
        block_on(check(&desk, &server, &mut ledger));
        server.kill();
        block_on(check_store(database));
    }

    let acknowledged: i64 = ledger
        .traits
        .iter()
        .map(|written| written.acknowledged)
        .sum();
    // Else nothing was tried; how much a busy machine gets done says nothing.
    assert!(acknowledged > 0 && ledger.flag.acknowledged > 0);
}

async fn write_until_killed(
    desk: &Desk,
    server: &mut Server,
    state: i64,
    ledger: &mut Ledger,
    life: Duration,
) {
    let Ledger {
        traits,
        sums,
        flag,
        features,
    } = ledger;
    let shared = &*server;
    let adding = traits.iter_mut().enumerate().map(async |(writer, written)| loop {
        written.sent += 1;
        let traits = json!([{ "trait_key": format!("t{}", written.sent), "trait_value": written.sent }]);
        let answer = desk.identify(shared, &format!("writer-{writer}"), traits).await;
        if answer.status != 200 {
            return;
        }
        written.acknowledged = written.sent;
    });
    let counting = sums.iter_mut().enumerate().map(async |(writer, written)| loop {
        written.sent += 1;
        let body = json!({ "identifier": format!("writer-{writer}"), "trait_key": "sum", "increment_by": 1 });
        let url = format!("{}/api/v1/traits/increment-value/", shared.url);
        let request = desk.client.post(url).header("X-Environment-Key", &desk.client_key);
        if desk.send(request.json(&body)).await.status != 200 {
            return;
        }
        written.acknowledged = written.sent;
    });
    let changing = async {
        loop {
            flag.sent += 1;
            if desk.set(shared, state, flag.sent).await.status != 200 {
                return;
            }
            flag.acknowledged = flag.sent;
        }
    };
    let projects = desk
        .manage(shared, Method::GET, "projects/", Json::Null)
        .await;
    let path = format!("projects/{}/features/", projects.json[0]["id"]);
    let making = async {
        loop {
            features.sent += 1;
            let body = json!({ "name": format!("feature-{}", features.sent) });
            if desk.manage(shared, Method::POST, &path, body).await.status != 201 {
                return;
            }
            features.acknowledged = features.sent;
        }
    };
    let killing = async {
        tokio::time::sleep(life).await;
        shared.signal("-KILL");
    };
    // Each ends with the first request that is not answered.
    tokio::join!(
        futures::future::join_all(adding),
        futures::future::join_all(counting),
        changing,
        making,
        killing
    );
    server.wait(Duration::from_secs(5));
}

/// Looks through the API of the next life.
async fn check(desk: &Desk, server: &Server, ledger: &mut Ledger) {
    let begun = Instant::now();
    for (writer, (added, summed)) in ledger.traits.iter_mut().zip(&mut ledger.sums).enumerate() {
        let path = format!("/api/v1/identities/?identifier=writer-{writer}");
        let answer = desk.ask(server, &desk.client_key, &path).await;
        assert_eq!(answer.status, 200);
        let traits = answer.json["traits"].as_array().unwrap().clone();
        let keys: HashSet<_> = traits
            .iter()
            .map(|each| each["trait_key"].as_str().unwrap())
            .collect();
        assert_eq!(keys.len(), traits.len(), "a trait is there twice");
        let sum = traits.iter().find(|each| each["trait_key"] == "sum");
        summed.check(
            sum.map_or(0, |sum| sum["trait_value"].as_i64().unwrap()),
            "a sum",
        );
        let numbered = keys.iter().filter(|key| key.starts_with('t')).count();
        added.check(i64::try_from(numbered).unwrap(), "new traits");
        for number in 1..=added.acknowledged {
            assert!(
                keys.contains(format!("t{number}").as_str()),
                "t{number} is missing"
            );
        }
    }
    let flags = desk.ask(server, &desk.client_key, "/api/v1/flags/").await;
    let names = flags
        .json
        .as_array()
        .unwrap()
        .iter()
        .map(|flag| flag["feature"]["name"].to_string());
    let names: Vec<_> = names.filter(|name| name.contains("feature-")).collect();
    let different: HashSet<_> = names.iter().collect();
    assert_eq!(different.len(), names.len(), "a feature is there twice");
    ledger
        .features
        .check(i64::try_from(names.len()).unwrap(), "features");
    let value = crate::desk::value_of(&flags.json, "banner");
    let value = value
        .as_i64()
        .or_else(|| value.as_str()?.parse().ok())
        .unwrap();
    ledger.flag.check(value, "values of the flag");
    assert!(begun.elapsed() < Duration::from_secs(20));
}

/// Looks at the rows, while no server has them.
async fn check_store(database: &Database) {
    let store = Store::connect(&database.url()).await.unwrap();
    let organisation = store.all_organisations().await.unwrap()[0].id;
    for chain in [Some(organisation), None] {
        let verdict = store.verify_audit(chain).await.unwrap();
        assert!(matches!(verdict, AuditVerdict::Whole { .. }), "{verdict:?}");
    }
    let project = store.projects(organisation).await.unwrap()[0].id;
    let environment: EnvironmentId = store.environments(project).await.unwrap()[0].id;
    let page = PageRequest::first();
    let identities = store
        .identities(environment, &IdentitySearch::All, page)
        .await
        .unwrap();
    let mut names: Vec<_> = identities
        .items
        .iter()
        .map(|each| each.identifier.to_string())
        .collect();
    names.sort();
    names.dedup();
    assert_eq!(
        names.len(),
        identities.items.len(),
        "an identity is there twice"
    );
    assert!(names.len() <= WRITERS);
    store.close().await;
    if let Some(path) = store.path() {
        assert_eq!(flagstaff_testkit::sql::integrity(path).await, ["ok"]);
    }
}
