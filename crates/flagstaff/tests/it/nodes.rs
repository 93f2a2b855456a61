//! Two processes on one Postgres: what one is told, the other serves.

use crate::database::Database;
use crate::desk::{Desk, Prepared};
use crate::http::block_on;
use crate::server::Server;
use crate::skipped::is_full;
use flagstaff_core::{EnvironmentId, FeatureId, StateValue, Timestamp};
use flagstaff_store::{
    Action, Actor, AuditEntry, Change, NewFeatureState, NewStateOwner, Noun, Store, Touched,
};
use flagstaff_wire::time::{UtcMark, iso};
use reqwest::Method;
use serde_json::{Value as Json, json};
use std::io::Write as _;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A change has to be served so soon after its commit, told of or not.
const PROMISED: Duration = Duration::from_secs(2);
/// The same, and what a busy machine adds.
const COMPARED: Duration = Duration::from_secs(3);

/// A database with two servers on it.
struct Nodes {
    one: Server,
    two: Server,
    desk: Desk,
    // Dropped last.
    database: Database,
}

impl Nodes {
    async fn start() -> Option<Self> {
        let database = Database::postgres()?;
        let prepared = Desk::prepare(&database);
        Some(Self::start_on(database, prepared).await)
    }

    /// Two that are told nothing of each other's changes, and compare revisions every two seconds.
    async fn start_without_notices() -> Option<Self> {
        let database = Database::postgres()?;
        let prepared = Desk::prepare(&database);
        // Notices go into a function that does nothing: found first, as the schema stands before the system's.
        database.sql(
            "CREATE FUNCTION public.pg_notify(text, text) RETURNS void LANGUAGE sql AS 'SELECT'",
        );
        let name = database.sql("SELECT current_database()");
        database.sql(&format!(
            "ALTER DATABASE {} SET search_path = public, pg_catalog",
            name.trim()
        ));
        Some(Self::start_on(database, prepared).await)
    }

    /// All flags by OFREP, with what a client was told of a change.
    async fn evaluate(&self, server: &Server, hint: &str) -> Json {
        let url = format!("{}/ofrep/v1/evaluate/flags{hint}", server.url);
        let request = self
            .desk
            .client
            .post(url)
            .bearer_auth(&self.desk.client_key);
        let answer = self.desk.send(request.json(&json!({}))).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json
    }

    async fn start_on(database: Database, prepared: Prepared) -> Self {
        let (one, two) = (Server::start(&database), Server::start(&database));
        let desk = prepared.sign_in(&one).await;
        Self {
            one,
            two,
            desk,
            database,
        }
    }

    /// Changes the value through the first node; gives the times until it was answered, and until the second served it.
    async fn change(&self, state: i64, name: &str, value: &str) -> (Duration, Duration) {
        let begun = Instant::now();
        let changed = self.desk.set(&self.one, state, value).await;
        assert_eq!(changed.status, 200, "{changed:?}");
        let answered = begun.elapsed();
        while self.desk.flag(&self.two, name).await != value {
            assert!(begun.elapsed() < Duration::from_secs(20), "never served");
        }
        (answered, begun.elapsed())
    }
}

fn percentile(times: &mut [Duration], percent: usize) -> Duration {
    times.sort();
    times[(times.len() - 1) * percent / 100]
}

#[test]
fn a_change_through_one_node_is_served_by_the_other_in_no_time() {
    block_on(async {
        let Some(nodes) = Nodes::start().await else {
            return;
        };
        let state = nodes.desk.feature(&nodes.one, "banner").await;
        nodes.desk.flag(&nodes.two, "banner").await;
        let mut after_answer = Vec::new();
        let mut after_request = Vec::new();

        for number in 1..=if is_full() { 500 } else { 100 } {
            let (answered, served) = nodes.change(state, "banner", &number.to_string()).await;
            after_answer.push(served.saturating_sub(answered));
            after_request.push(served);
        }

        // Past the test runner: figures are for people.
        let _ = writeln!(
            std::io::stderr(),
            "served by the other node: p50 {:?}, p99 {:?} after the answer; p50 {:?}, p99 {:?} after the request",
            percentile(&mut after_answer, 50),
            percentile(&mut after_answer, 99),
            percentile(&mut after_request, 50),
            percentile(&mut after_request, 99),
        );
        // The comparison alone would take a second in the middle.
        assert!(percentile(&mut after_answer, 50) < Duration::from_millis(300));
        assert!(percentile(&mut after_answer, 100) < COMPARED);
        let heard = nodes
            .desk
            .metric(&nodes.two, "flagstaff_changes_followed_total", "notice");
        assert!(heard.await > 50.0);
    });
}

#[test]
fn a_change_nobody_is_told_of_is_served_within_two_seconds() {
    block_on(async {
        let Some(nodes) = Nodes::start_without_notices().await else {
            return;
        };
        let state = nodes.desk.feature(&nodes.one, "banner").await;
        nodes.desk.flag(&nodes.two, "banner").await;

        // Each is made when the one before was found, so right after a comparison: it has to wait for all of the interval.
        let mut late = Vec::new();
        for number in 1..=5 {
            let (answered, served) = nodes.change(state, "banner", &number.to_string()).await;
            late.push(served.saturating_sub(answered));
        }

        assert!(percentile(&mut late, 50) < PROMISED, "{late:?}");
        assert!(percentile(&mut late, 100) < COMPARED, "{late:?}");
        let followed = |by| {
            nodes
                .desk
                .metric(&nodes.two, "flagstaff_changes_followed_total", by)
        };
        assert_eq!(followed("notice").await, 0.0);
        assert!(followed("comparison").await > 0.0);
    });
}

#[test]
fn changes_are_served_in_time_while_the_listening_connection_is_ended_again_and_again() {
    const END: &str = "
        DO $$ BEGIN FOR turn IN 1..600 LOOP
            PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE application_name = 'flagstaff listener' AND datname = current_database();
            PERFORM pg_sleep(0.01);
            PERFORM pg_stat_clear_snapshot();
        END LOOP; END $$";
    block_on(async {
        let Some(nodes) = Nodes::start().await else {
            return;
        };
        let state = nodes.desk.feature(&nodes.one, "banner").await;
        nodes.desk.flag(&nodes.two, "banner").await;
        let mut ending = std::process::Command::new("psql")
            .args(["-X", "-q", "-d", &nodes.database.url(), "-c", END])
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();

        let mut number = 0;
        while ending.try_wait().unwrap().is_none() {
            number += 1;
            let (_, served) = nodes.change(state, "banner", &number.to_string()).await;
            assert!(served < COMPARED, "{served:?}");
        }
        let mut heard_again = Vec::new();
        while heard_again.len() < 5 {
            number += 1;
            let (_, served) = nodes.change(state, "banner", &number.to_string()).await;
            heard_again.push(served);
        }

        assert!(number > 5);
        assert!(percentile(&mut heard_again, 50) < Duration::from_secs(1));
        assert!(!nodes.two.log().contains("panicked"));
    });
}

#[test]
fn a_key_made_or_withdrawn_through_one_node_opens_or_closes_the_other() {
    block_on(async {
        let Some(nodes) = Nodes::start().await else {
            return;
        };
        let desk = &nodes.desk;
        let path = format!("environments/{}/api-keys/", desk.client_key);
        desk.flag(&nodes.two, "none").await;
        let document = "/api/v1/environment-document/";

        let made = desk
            .manage(&nodes.one, Method::POST, &path, json!({ "name": "second" }))
            .await;
        assert_eq!(made.status, 201, "{made:?}");
        let key = made.json["key"].as_str().unwrap();
        let opened = desk.ask(&nodes.two, key, document).await;
        let first = desk.ask(&nodes.two, &desk.server_key, document).await;
        let one = format!("{path}{}/", made.json["id"]);
        let deleted = desk
            .manage(&nodes.one, Method::DELETE, &one, Json::Null)
            .await;
        let begun = Instant::now();
        while desk.ask(&nodes.two, key, document).await.status == 200 {
            assert!(begun.elapsed() < COMPARED, "still open");
        }

        assert_eq!((opened.status, first.status), (200, 200));
        assert_eq!(deleted.status, 204);
        assert!(begun.elapsed() < COMPARED);
    });
}

#[test]
fn a_deleted_environment_is_closed_on_the_other_node() {
    block_on(async {
        let Some(nodes) = Nodes::start().await else {
            return;
        };
        let desk = &nodes.desk;
        assert_eq!(
            desk.ask(&nodes.two, &desk.client_key, "/api/v1/flags/")
                .await
                .status,
            200
        );

        let path = format!("environments/{}/", desk.client_key);
        let deleted = desk
            .manage(&nodes.one, Method::DELETE, &path, Json::Null)
            .await;
        assert_eq!(deleted.status, 204);

        let begun = Instant::now();
        while desk
            .ask(&nodes.two, &desk.client_key, "/api/v1/flags/")
            .await
            .status
            == 200
        {
            assert!(begun.elapsed() < COMPARED, "still served");
        }
    });
}

#[test]
fn alternating_writes_of_one_trait_through_two_nodes_lose_nothing() {
    block_on(async {
        let Some(nodes) = Nodes::start().await else {
            return;
        };
        let plan = |value: &str| json!([{ "trait_key": "plan", "trait_value": value }]);
        let stored = || {
            nodes.database.sql(
                "SELECT t.string_value FROM identity_traits t JOIN identities i ON i.id = t.identity_id
                WHERE i.identifier = 'ada' AND t.key = 'plan'",
            )
        };

        for _ in 0..10 {
            // Each node is told again what it remembers; in between the other wrote something else.
            for (node, value) in [(&nodes.one, "free"), (&nodes.two, "paid")] {
                let answer = nodes.desk.identify(node, "ada", plan(value)).await;
                assert_eq!(answer.status, 200);
                assert_eq!(stored().trim(), value);
            }
        }

        let rows = nodes
            .database
            .sql("SELECT COUNT(*) FROM identity_traits WHERE key = 'plan'");
        assert_eq!(rows.trim(), "1");
    });
}

#[test]
fn increments_through_two_nodes_at_once_all_count() {
    block_on(async {
        let Some(nodes) = Nodes::start().await else {
            return;
        };
        let body = json!({ "identifier": "ada", "trait_key": "visits", "increment_by": 1 });
        let visit = |server: &Server| {
            let url = format!("{}/api/v1/traits/increment-value/", server.url);
            let request = nodes.desk.client.post(url).json(&body);
            let key = &nodes.desk.client_key;
            nodes.desk.send(request.header("X-Environment-Key", key))
        };
        let each = (0..100).map(|number| {
            visit(if number % 2 == 0 {
                &nodes.one
            } else {
                &nodes.two
            })
        });

        let answers = futures::future::join_all(each).await;

        assert!(
            answers.iter().all(|answer| answer.status == 200),
            "{answers:?}"
        );
        let mut sums: Vec<_> = answers
            .iter()
            .map(|answer| answer.json["trait_value"].as_i64())
            .collect();
        sums.sort();
        let expected: Vec<_> = (1..=100).map(Some).collect();
        assert_eq!(sums, expected, "no sum was answered twice");
    });
}

#[test]
fn a_trait_written_through_one_node_is_read_through_the_other_within_a_second() {
    block_on(async {
        let Some(nodes) = Nodes::start().await else {
            return;
        };
        let (desk, two) = (&nodes.desk, &nodes.two);

        for value in 1..=5 {
            let traits = json!([{ "trait_key": "age", "trait_value": value }]);
            // Kept by the second node, so that it has something old to say.
            desk.trait_value(two, "ada", "age").await;
            assert_eq!(desk.identify(&nodes.one, "ada", traits).await.status, 200);
            let begun = Instant::now();
            while desk.trait_value(two, "ada", "age").await != value {
                assert!(begun.elapsed() < Duration::from_millis(1500), "still old");
            }
        }
    });
}

/// Publishes a version of the only feature that says another value from a time on, through the first node.
async fn publish(nodes: &Nodes, value: &str, due: Timestamp) {
    let (environment, feature) = ids(nodes);
    let versions = format!("environments/{environment}/features/{feature}/versions/");
    let say = async |method, path: &str, body| {
        let path = format!("{versions}{path}");
        let answer = nodes.desk.manage(&nodes.one, method, &path, body).await;
        assert!((200..300).contains(&answer.status), "{path}: {answer:?}");
        answer.json
    };
    let draft = say(Method::POST, "", json!({})).await;
    let states = format!("{}/featurestates/", draft["uuid"].as_str().unwrap());
    let state = say(Method::GET, &states, Json::Null).await[0]["id"].clone();
    let value = json!({ "type": "unicode", "string_value": value });
    let body = json!({ "feature_state_value": value });
    say(Method::PATCH, &format!("{states}{state}/"), body).await;
    let publish = format!("{}/publish/", draft["uuid"].as_str().unwrap());
    let live_from = iso(due, UtcMark::Zulu);
    say(Method::POST, &publish, json!({ "live_from": live_from })).await;
}

/// The environment and the feature, where there is one of each beside the hidden project's, whose ids are below zero.
fn ids(nodes: &Nodes) -> (i64, i64) {
    let ids = nodes.database.sql(
        "SELECT environment_id, feature_id FROM feature_states WHERE environment_id > 0 LIMIT 1",
    );
    let mut ids = ids.trim().split('|').map(|id| id.parse::<i64>().unwrap());
    (ids.next().unwrap(), ids.next().unwrap())
}

/// Schedules another value of the only feature, as a third node would.
async fn schedule(nodes: &Nodes, value: &str, version: i64, due: Timestamp) {
    let (environment, feature) = ids(nodes);
    let store = Store::connect(&nodes.database.url()).await.unwrap();
    let mut write = store.write().await.unwrap();
    let state = NewFeatureState {
        uuid: uuid::Uuid::new_v4(),
        feature_id: FeatureId::new(feature),
        environment_id: EnvironmentId::new(environment),
        owner: NewStateOwner::Environment,
        enabled: true,
        value: StateValue::of_text(Some(value)),
        hash_seed: None,
        weights: Vec::new(),
        version,
        live_from: due,
    };
    write.insert_feature_state(&state, now()).await.unwrap();
    let entry = AuditEntry {
        organisation_id: None,
        project_id: None,
        environment_id: None,
        actor: Actor::System {
            name: "test".to_owned(),
        },
        action: Action::Create,
        noun: Noun::FeatureState,
        object_id: None,
        object_uuid: None,
        summary: "scheduled".to_owned(),
        details: None,
        subjects: flagstaff_store::AuditSubjects::default(),
    };
    let touched = Touched {
        environments: vec![EnvironmentId::new(environment)],
        ..Touched::default()
    };
    let change = Change {
        audit: vec![entry],
        touched,
        at: now(),
        outbox: Vec::new(),
    };
    write.commit(change).await.unwrap();
    store.close().await;
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test beside the program has no other clock"
)]
fn now() -> Timestamp {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_micros(i64::try_from(now.as_micros()).unwrap())
}

fn flips_and_revision(nodes: &Nodes) -> (i64, i64) {
    let number = |sql| nodes.database.sql(sql).trim().parse::<i64>().unwrap();
    (
        number("SELECT COUNT(*) FROM audit_entries WHERE actor_name = 'schedule'"),
        number(
            "SELECT SUM(e.revision + p.revision) FROM environments e JOIN projects p ON p.id = e.project_id WHERE e.id > 0",
        ),
    )
}

/// Waits until both nodes serve a value; gives how long after a time the later one did.
async fn served_after(nodes: &Nodes, value: &str, due: Timestamp) -> Duration {
    for node in [&nodes.one, &nodes.two] {
        while nodes.desk.flag(node, "banner").await != value {
            let late = now().micros() - due.micros();
            assert!(late < 20_000_000, "never served");
        }
    }
    let late = now().micros() - due.micros();
    Duration::from_micros(u64::try_from(late).unwrap())
}

/// Usually within a second of its time on both nodes; a machine that does other things may delay one.
fn check_lateness(mut lateness: Vec<Duration>) {
    assert!(
        percentile(&mut lateness, 50) < Duration::from_secs(1),
        "{lateness:?} late"
    );
    assert!(
        percentile(&mut lateness, 100) < Duration::from_secs(5),
        "{lateness:?} late"
    );
}

#[test]
fn a_scheduled_state_comes_true_in_time_and_once_on_two_nodes() {
    block_on(async {
        let Some(nodes) = Nodes::start().await else {
            return;
        };
        nodes.desk.feature(&nodes.one, "banner").await;
        nodes.desk.flag(&nodes.two, "banner").await;

        let mut lateness = Vec::new();
        for turn in 1..=3 {
            let due = now().plus_micros(3_000_000);
            schedule(&nodes, &format!("turn {turn}"), turn + 1, due).await;
            let (flips, revision) = flips_and_revision(&nodes);
            lateness.push(served_after(&nodes, &format!("turn {turn}"), due).await);

            assert_eq!(flips_and_revision(&nodes), (flips + 1, revision + 1));
        }
        check_lateness(lateness);
    });
}

#[test]
fn a_version_published_for_a_time_comes_true_in_time_and_once_on_two_nodes() {
    block_on(async {
        let Some(nodes) = Nodes::start().await else {
            return;
        };
        nodes.desk.feature(&nodes.one, "banner").await;
        let path = format!(
            "environments/{}/enable-v2-versioning/",
            nodes.desk.client_key
        );
        let enabled = nodes
            .desk
            .manage(&nodes.one, Method::POST, &path, json!({}))
            .await;
        assert_eq!(enabled.status, 202, "{enabled:?}");
        nodes.desk.flag(&nodes.two, "banner").await;

        let mut lateness = Vec::new();
        for turn in 1..=3 {
            let due = now().plus_micros(4_000_000);
            publish(&nodes, &format!("turn {turn}"), due).await;
            let (flips, revision) = flips_and_revision(&nodes);
            assert!(now() < due, "too slow to see anything");
            lateness.push(served_after(&nodes, &format!("turn {turn}"), due).await);

            assert_eq!(flips_and_revision(&nodes), (flips + 1, revision + 1));
        }
        check_lateness(lateness);
    });
}

#[test]
fn a_scheduled_state_survives_the_end_of_both_nodes_and_comes_true_once() {
    block_on(async {
        let Some(mut nodes) = Nodes::start().await else {
            return;
        };
        nodes.desk.feature(&nodes.one, "banner").await;
        let due = now().plus_micros(3_000_000);
        schedule(&nodes, "after", 2, due).await;
        nodes.one.kill_now();
        nodes.two.kill_now();
        let (_, revision) = flips_and_revision(&nodes);

        while now() < due.plus_micros(100_000) {
            std::thread::sleep(Duration::from_millis(20));
        }
        assert_eq!(
            flips_and_revision(&nodes),
            (0, revision),
            "nobody was there"
        );
        nodes.one = Server::start(&nodes.database);
        let started = now();
        nodes.two = Server::start(&nodes.database);

        let late = served_after(&nodes, "after", started).await;
        assert!(late < Duration::from_secs(5), "{late:?}");
        let begun = Instant::now();
        while flips_and_revision(&nodes) != (1, revision + 1) {
            assert!(
                begun.elapsed() < COMPARED,
                "{:?}",
                flips_and_revision(&nodes)
            );
        }
        // Were there another, it would come now.
        std::thread::sleep(Duration::from_secs(1));
        assert_eq!(flips_and_revision(&nodes), (1, revision + 1));
    });
}

#[test]
fn work_of_one_node_passes_to_the_other_when_it_is_killed() {
    block_on(async {
        let Some(mut nodes) = Nodes::start().await else {
            return;
        };
        let holder = || {
            let sql = "SELECT holder FROM leases WHERE name = 'clean up'";
            nodes.database.sql(sql).trim().to_owned()
        };
        let wait_for = async |what: &str, is_so: &dyn Fn() -> bool| {
            let begun = Instant::now();
            while !is_so() {
                // The lease's ten seconds, the three until the next try, and a busy machine.
                assert!(begun.elapsed() < Duration::from_secs(20), "{what}");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        };
        wait_for("nobody does it", &|| !holder().is_empty()).await;
        let first = holder();
        // The first one that started has it: the second found it taken.
        nodes.database.sql(
            "INSERT INTO sessions (member_id, token_hash, created_at, expires_at)
            SELECT id, 'over', 0, 1 FROM members LIMIT 1",
        );

        nodes.one.kill_now();

        wait_for("nobody took over", &|| holder() != first).await;
        let left = "SELECT COUNT(*) FROM sessions WHERE token_hash = 'over'";
        wait_for("taken over, but not done", &|| {
            nodes.database.sql(left).trim() == "0"
        })
        .await;
        let second = holder();
        assert!(!second.is_empty());
        nodes.two.signal("-TERM");
        nodes.two.wait(Duration::from_secs(12));
        assert_eq!(holder(), "", "given back at the end");
    });
}

#[test]
fn a_trait_that_a_member_changes_through_one_node_counts_on_the_other_within_a_second() {
    block_on(async {
        let Some(nodes) = Nodes::start().await else {
            return;
        };
        let (one, desk) = (&nodes.one, &nodes.desk);
        let plan = json!([{ "trait_key": "plan", "trait_value": "0" }]);
        desk.identify(&nodes.two, "bob", plan).await;
        let list = format!("environments/{}/identities/", desk.client_key);
        let manage =
            async |method, path: &str, body| desk.manage(one, method, path, body).await.json;
        let found = manage(Method::GET, &format!("{list}?q=bob"), Json::Null).await;
        let traits = format!("{list}{}/traits/", found["results"][0]["id"]);
        let found = manage(Method::GET, &traits, Json::Null).await;
        let path = format!("{traits}{}/", found["results"][0]["id"]);

        for number in 1..=5 {
            // Held by the second node as it was.
            desk.trait_value(&nodes.two, "bob", "plan").await;
            let value = number.to_string();
            let changed = manage(Method::PATCH, &path, json!({ "string_value": value })).await;
            assert_eq!(changed["string_value"], value.as_str(), "{changed}");
            assert_eq!(desk.trait_value(one, "bob", "plan").await, value.as_str());
            let begun = Instant::now();
            while desk.trait_value(&nodes.two, "bob", "plan").await != value.as_str() {
                assert!(begun.elapsed() < COMPARED, "the old trait is served on");
            }
        }
    });
}

#[test]
fn a_stream_of_one_node_ends_when_its_key_is_withdrawn_through_the_other() {
    block_on(async {
        let Some(nodes) = Nodes::start().await else {
            return;
        };
        let desk = &nodes.desk;
        let url = format!(
            "{}/sse/environments/{}/stream",
            nodes.two.url, desk.server_key
        );
        let mut stream = crate::http::client().get(url).send().await.unwrap();
        assert!(stream.chunk().await.unwrap().is_some());
        let list = format!("environments/{}/api-keys/", desk.client_key);
        let keys = desk
            .manage(&nodes.one, Method::GET, &list, Json::Null)
            .await;
        let path = format!("{list}{}/", keys.json[0]["id"]);

        let withdrawn = desk
            .manage(&nodes.one, Method::DELETE, &path, Json::Null)
            .await;
        let begun = Instant::now();
        let end = async { while let Ok(Some(_)) = stream.chunk().await {} };
        let ended = tokio::time::timeout(Duration::from_secs(10), end).await;

        assert_eq!(withdrawn.status, 204);
        assert!(ended.is_ok(), "the stream goes on");
        assert!(begun.elapsed() < COMPARED, "{:?}", begun.elapsed());
    });
}

#[test]
fn a_client_that_was_told_of_a_change_gets_it_from_a_node_that_was_not() {
    block_on(async {
        let Some(nodes) = Nodes::start_without_notices().await else {
            return;
        };
        let state = nodes.desk.feature(&nodes.one, "banner").await;
        let path = format!(
            "environments/{}/featurestates/{state}/",
            nodes.desk.client_key
        );
        let on = json!({ "enabled": true });
        nodes
            .desk
            .manage(&nodes.one, Method::PATCH, &path, on)
            .await;
        nodes.evaluate(&nodes.two, "").await;

        for number in 1..=5 {
            let value = number.to_string();
            nodes.desk.set(&nodes.one, state, value.clone()).await;
            let url = format!("{}/api/v1/flags/", nodes.one.url);
            let request = nodes.desk.client.get(url);
            let request = request.header("X-Environment-Key", &nodes.desk.client_key);
            let answer = request.send().await.unwrap();
            let shown = answer.headers()["x-flagsmith-document-updated-at"].to_str();
            // Seconds, without zeros at the end. In microseconds it is what an event calls the configuration's tag.
            let (seconds, fraction) = shown.unwrap().split_once('.').unwrap();
            let tag = format!("{seconds}{fraction:0<6}");

            let all = nodes
                .evaluate(&nodes.two, &format!("?flagConfigEtag={tag}"))
                .await;

            let mut flags = all["flags"].as_array().unwrap().iter();
            let banner = flags.find(|flag| flag["key"] == "banner").unwrap();
            let served = &banner["value"];
            assert!(
                *served == json!(number) || *served == json!(value),
                "{banner} instead of {value}"
            );
        }
    });
}

#[test]
fn the_way_to_a_stream_that_one_node_gives_out_is_good_on_the_other() {
    block_on(async {
        let Some(nodes) = Nodes::start().await else {
            return;
        };
        let state = nodes.desk.feature(&nodes.one, "banner").await;
        let all = nodes.evaluate(&nodes.one, "").await;
        let path = all["eventStreams"][0]["endpoint"]["requestUri"].as_str();
        let url = format!("{}{}", nodes.two.url, path.unwrap());

        let mut stream = crate::http::client().get(url).send().await.unwrap();
        assert_eq!(stream.status(), 200);
        nodes.desk.set(&nodes.one, state, "1").await;
        let begun = Instant::now();
        let told = async {
            let mut told = String::new();
            while !told.contains("refetchEvaluation") {
                let chunk = stream.chunk().await.unwrap().unwrap();
                told.push_str(std::str::from_utf8(&chunk).unwrap());
            }
        };
        let told = tokio::time::timeout(COMPARED, told).await;

        assert!(told.is_ok(), "nothing after {:?}", begun.elapsed());
    });
}
