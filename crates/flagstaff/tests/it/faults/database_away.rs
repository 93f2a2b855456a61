//! Postgres stops and starts again: what needs only memory is answered all the time, the rest as soon as it can be.

use crate::cluster::Cluster;
use crate::database::Database;
use crate::desk::{Answer, Desk};
use crate::http::block_on;
use crate::server::Server;
use reqwest::Method;
use serde_json::{Value as Json, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Nobody waits longer for an answer, or for a refusal, once it is known that the database is away.
const AT_ONCE: Duration = Duration::from_secs(2);
/// From the end of the outage until everything works.
const RECOVERY: Duration = Duration::from_secs(5);

/// Reads all the time, on connections and a thread of its own; every read has to be answered with the flags.
struct ReadLoad {
    goes_on: Arc<AtomicBool>,
    reader: std::thread::JoinHandle<(usize, Vec<String>)>,
}

impl ReadLoad {
    fn start(server: &Server, desk: &Desk) -> Self {
        let goes_on = Arc::new(AtomicBool::new(true));
        let (url, key) = (
            format!("{}/api/v1/flags/", server.url),
            desk.client_key.clone(),
        );
        let still = Arc::clone(&goes_on);
        let reader = std::thread::spawn(move || {
            let client = crate::http::client();
            let request = client.get(url).header("X-Environment-Key", key);
            let readers = (0..4).map(|_| read_all_the_time(&request, &still));
            let read = block_on(futures::future::join_all(readers));
            let problems = read.iter().flat_map(|(_, problems)| problems.clone());
            (
                read.iter().map(|(count, _)| count).sum(),
                problems.collect(),
            )
        });
        Self { goes_on, reader }
    }

    /// Ends it, and gives how many reads were answered.
    fn end(self) -> usize {
        self.goes_on.store(false, Ordering::Relaxed);
        let (count, problems) = self.reader.join().unwrap();
        assert!(problems.is_empty(), "{problems:?}");
        count
    }
}

async fn read_all_the_time(
    request: &reqwest::RequestBuilder,
    goes_on: &AtomicBool,
) -> (usize, Vec<String>) {
    let (mut count, mut problems) = (0, Vec::new());
    while goes_on.load(Ordering::Relaxed) {
        let begun = Instant::now();
        let answer = request.try_clone().unwrap().send().await;
        let status = answer.map(|answer| answer.status().as_u16());
        if !matches!(status, Ok(200)) || begun.elapsed() > AT_ONCE {
            problems.push(format!("{status:?} after {:?}", begun.elapsed()));
        }
        count += 1;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    (count, problems)
}

/// Runs one question and insists on an answer in time.
async fn in_time(what: &str, answer: impl Future<Output = Answer>) -> Answer {
    let begun = Instant::now();
    let answer = answer.await;
    assert!(begun.elapsed() < AT_ONCE, "{what}: {:?}", begun.elapsed());
    answer
}

async fn wait_for_readiness(server: &Server, desk: &Desk, status: u16, limit: Duration) {
    let begun = Instant::now();
    while desk.ask(server, "", "/health/readiness/").await.status != status {
        assert!(
            begun.elapsed() < limit,
            "readiness does not become {status}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[test]
fn with_postgres_away_snapshots_are_served_and_the_rest_is_refused_until_it_is_back() {
    block_on(async {
        let Some(mut cluster) = Cluster::start() else {
            return;
        };
        let database = Database::on(&cluster.url());
        let prepared = Desk::prepare(&database);
        let server = Server::start(&database);
        let desk = prepared.sign_in(&server).await;
        let state = desk.feature(&server, "banner").await;
        assert_eq!(desk.set(&server, state, "before").await.status, 200);
        let pro = json!([{ "trait_key": "plan", "trait_value": "pro" }]);
        assert_eq!(
            desk.identify(&server, "cached", pro.clone()).await.status,
            200
        );
        let load = ReadLoad::start(&server, &desk);
        // Longer than an identity is fresh.
        tokio::time::sleep(Duration::from_millis(1200)).await;

        let stopped = Instant::now();
        cluster.crash();
        wait_for_readiness(&server, &desk, 503, Duration::from_secs(5)).await;
        let noticed = stopped.elapsed();

        let ask = |key, path| in_time(path, desk.ask(&server, key, path));
        for turn in 0..2 {
            assert_eq!(desk.flag(&server, "banner").await, "before");
            let document = ask(&desk.server_key, "/api/v1/environment-document/").await;
            assert_eq!(document.status, 200);
            let known = ask(&desk.client_key, "/api/v1/identities/?identifier=cached").await;
            assert_eq!(known.status, 200);
            assert_eq!(known.json["traits"][0]["trait_value"], "pro");
            let transient = json!([{ "trait_key": "x", "trait_value": 1, "transient": true }]);
            for traits in [json!([]), transient] {
                let known = desk.identify(&server, "cached", traits);
                assert_eq!(in_time("nothing to store", known).await.status, 200);
            }
            let anonymous = desk.identify(&server, "", pro.clone());
            assert_eq!(in_time("nobody in particular", anonymous).await.status, 200);
            assert_eq!(ask("", "/health/liveness/").await.status, 200);
            assert_eq!(ask("", "/health/readiness/").await.status, 503);

            let stored = desk.identify(&server, "cached", pro.clone());
            assert_eq!(in_time("traits to store", stored).await.status, 503);
            let unknown = ask(&desk.client_key, "/api/v1/identities/?identifier=unknown").await;
            assert_eq!(unknown.status, 503);
            assert_eq!(ask("no-such-key", "/api/v1/flags/").await.status, 503);
            let document = ask("ser.no-such-key", "/api/v1/environment-document/").await;
            assert_eq!(document.status, 503);
            assert_eq!(desk.metric(&server, "flagstaff_database_up", "").await, 0.0);
            if turn == 0 {
                // A member waits for the database as long as a connection may take.
                assert_eq!(desk.set(&server, state, "during").await.status, 503);
                let projects = desk.manage(&server, Method::GET, "projects/", Json::Null);
                assert_eq!(projects.await.status, 503);
            }
        }

        cluster.go_on();
        let started = Instant::now();
        wait_for_readiness(&server, &desk, 200, RECOVERY).await;
        let recovered = started.elapsed();
        assert_eq!(desk.identify(&server, "cached", pro).await.status, 200);
        assert_eq!(desk.set(&server, state, "after").await.status, 200);
        assert_eq!(desk.flag(&server, "banner").await, "after");
        let unknown = ask("no-such-key", "/api/v1/flags/").await;
        assert!(matches!(unknown.status, 401 | 403), "{unknown:?}");
        assert_eq!(desk.metric(&server, "flagstaff_database_up", "").await, 1.0);
        let answered = load.end();
        let _ = std::io::Write::write_fmt(
            &mut std::io::stderr(),
            format_args!(
                "outage noticed after {noticed:?}, over {recovered:?} after it ended; {answered} reads\n"
            ),
        );
        assert!(answered > 100, "{answered}");
        let log = server.log();
        let said = log.matches("the database is away").count();
        assert_eq!(said, 1, "{log}");
        assert!(
            log.contains("the database is back") && !log.contains("panicked"),
            "{log}"
        );
    });
}

#[test]
fn a_database_that_stands_still_is_taken_to_be_away_after_a_few_seconds() {
    block_on(async {
        let Some(cluster) = Cluster::start() else {
            return;
        };
        let database = Database::on(&cluster.url());
        let prepared = Desk::prepare(&database);
        let server = Server::start(&database);
        let desk = prepared.sign_in(&server).await;
        desk.flag(&server, "none").await;
        let load = ReadLoad::start(&server, &desk);

        let begun = Instant::now();
        cluster.stand_still(true);
        // The first that needs the database waits until it is known.
        let unknown = "/api/v1/identities/?identifier=unknown";
        let first = desk.ask(&server, &desk.client_key, unknown).await;
        let noticed = begun.elapsed();
        let next = in_time("the next", desk.ask(&server, &desk.client_key, unknown)).await;
        cluster.stand_still(false);
        wait_for_readiness(&server, &desk, 200, RECOVERY).await;
        let again = desk.ask(&server, &desk.client_key, unknown).await;

        assert_eq!((first.status, next.status, again.status), (503, 503, 200));
        assert!(noticed < Duration::from_secs(9), "{noticed:?}");
        assert!(load.end() > 100);
    });
}
