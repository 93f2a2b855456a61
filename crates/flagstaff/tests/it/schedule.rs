//! A version published for a time to come is served from that time on, also when the server starts again meanwhile.

use crate::database::Database;
use crate::desk::{Answer, Desk};
use crate::http::block_on;
use crate::server::Server;
use flagstaff_core::Timestamp;
use flagstaff_wire::time::{UtcMark, iso};
use reqwest::Method;
use serde_json::{Value as Json, json};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How long after its time a planned change may show.
const LATE: i64 = 1_000_000;

#[expect(
    clippy::disallowed_methods,
    reason = "a test of the real clock compares with the real clock"
)]
pub(crate) fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(now.as_micros()).unwrap()
}

/// A member who has planned `after` for a flag that says `0`.
pub(crate) struct Plan {
    pub(crate) desk: Desk,
    /// Microseconds since 1970.
    pub(crate) due: i64,
}

impl Plan {
    /// Plans for some seconds ahead.
    pub(crate) async fn make(database: &Database, seconds: i64) -> (Server, Self) {
        let prepared = Desk::prepare(database);
        let server = Server::start(database);
        let desk = prepared.sign_in(&server).await;
        let state = desk.feature(&server, "planned").await;
        let key = &desk.client_key;
        let ask = async |method: Method, path: &str, body: Json| -> Answer {
            let answer = desk.manage(&server, method, path, body).await;
            assert!(answer.status < 300, "{path}: {answer:?}");
            answer
        };
        let path = format!("environments/{key}/enable-v2-versioning/");
        ask(Method::POST, &path, Json::Null).await;
        let path = format!("environments/{key}/featurestates/{state}/");
        let row = ask(Method::GET, &path, Json::Null).await.json;
        let (environment, feature) = (&row["environment"], &row["feature"]);
        let versions = format!("environments/{environment}/features/{feature}/versions/");
        let value = json!({ "type": "unicode", "string_value": "after" });
        let change = json!({ "enabled": true, "feature_state_value": value });
        let draft = json!({ "feature_states_to_update": [change] });
        let draft = ask(Method::POST, &versions, draft).await.json;
        let uuid = draft["uuid"].as_str().unwrap();
        let due = now() + seconds * 1_000_000;
        let live_from = iso(Timestamp::from_micros(due), UtcMark::Zulu);
        let path = format!("{versions}{uuid}/publish/");
        ask(Method::POST, &path, json!({ "live_from": live_from })).await;
        assert_eq!(desk.flag(&server, "planned").await, 0);
        (server, Self { desk, due })
    }

    /// Asks until the change is served, and says how long after its time, or after the start, that was.
    async fn lateness(&self, server: &Server) -> i64 {
        let started = now();
        loop {
            let asked = now();
            let value = self.desk.flag(server, "planned").await;
            if value == "after" {
                assert!(now() >= self.due, "served before its time");
                return asked - self.due.max(started);
            }
            assert_eq!(value, 0);
            assert!(asked < self.due.max(started) + 20 * LATE, "never served");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

fn restart_before_its_time(database: &Database) {
    block_on(async {
        let (server, plan) = Plan::make(database, 2).await;

        server.kill();
        let server = Server::start(database);
        let late = plan.lateness(&server).await;

        assert!(late < LATE, "{late} µs late");
        server.stop();
    });
}

#[test]
fn a_change_planned_two_seconds_ahead_is_served_in_time_across_a_restart_on_sqlite() {
    restart_before_its_time(&Database::sqlite());
}

#[test]
fn a_change_planned_two_seconds_ahead_is_served_in_time_across_a_restart_on_postgres() {
    if let Some(database) = Database::postgres() {
        restart_before_its_time(&database);
    }
}

#[test]
fn a_change_whose_time_passes_while_the_server_is_down_is_served_by_the_first_answer() {
    let database = Database::sqlite();
    block_on(async {
        let (server, plan) = Plan::make(&database, 1).await;

        server.kill();
        while now() <= plan.due {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let server = Server::start(&database);

        assert_eq!(plan.desk.flag(&server, "planned").await, "after");
        server.stop();
    });
}
