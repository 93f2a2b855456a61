//! A rollout that a real Prometheus watches takes itself back.

use crate::database::Database;
use crate::desk::Desk;
use crate::http::block_on;
use crate::server::Server;
use crate::skipped::required;
use reqwest::Method;
use serde_json::{Value as Json, json};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

const VARIABLE: &str = "FLAGSTAFF_TEST_PROMETHEUS";
/// How often Prometheus asks the sample service.
const SCRAPE: Duration = Duration::from_secs(3);
/// A busy machine starts a server slowly.
const START: Duration = Duration::from_secs(60);

/// A service that tells Prometheus how many of its requests failed: from a moment on, every fourth one does.
struct Sample {
    port: u16,
    fails: Arc<AtomicBool>,
}

impl Sample {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let fails = Arc::new(AtomicBool::new(false));
        let (is_failing, total, failed) =
            (Arc::clone(&fails), AtomicU64::new(0), AtomicU64::new(0));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A hundred requests between two scrapes.
                let served = total.fetch_add(100, Ordering::Relaxed) + 100;
                let bad = if is_failing.load(Ordering::Relaxed) {
                    25
                } else {
                    0
                };
                let failed = failed.fetch_add(bad, Ordering::Relaxed) + bad;
                answer(stream, served - failed, failed);
            }
        });
        Self { port, fails }
    }
}

fn answer(mut stream: TcpStream, good: u64, bad: u64) {
    let mut request = [0; 4096];
    let _ = stream.read(&mut request);
    let body = format!(
        "# TYPE checkout_requests_total counter\n\
         checkout_requests_total{{variant=\"new\",outcome=\"success\"}} {good}\n\
         checkout_requests_total{{variant=\"new\",outcome=\"failure\"}} {bad}\n"
    );
    let length = body.len();
    let _ = write!(
        stream,
        "HTTP/1.1 200 OK\r\ncontent-type: text/plain; version=0.0.4\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
}

/// A real Prometheus that asks one service.
struct Prometheus {
    child: Child,
    url: String,
}

impl Prometheus {
    fn start(program: &str, folder: &Path, target: u16) -> Self {
        let seconds = SCRAPE.as_secs();
        let config = folder.join("prometheus.yml");
        let text = format!(
            "global:\n  scrape_interval: {seconds}s\n  scrape_timeout: {seconds}s\n\
             scrape_configs:\n  - job_name: sample\n    static_configs:\n      - targets: ['127.0.0.1:{target}']\n"
        );
        std::fs::write(&config, text).unwrap();
        // It cannot say which port it was given, so a free one is looked for.
        let port = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = port.local_addr().unwrap();
        drop(port);
        let child = Command::new(program)
            .arg(format!("--config.file={}", config.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                folder.join("tsdb").display()
            ))
            .arg(format!("--web.listen-address={address}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(folder.join("prometheus.log")).unwrap())
            .spawn()
            .unwrap();
        let url = format!("http://{address}");
        Self { child, url }
    }

    /// The number that a query answers.
    async fn number(&self, query: &str) -> Option<f64> {
        let url = format!("{}/api/v1/query", self.url);
        let form = [("query", query)];
        let answer = crate::http::client()
            .post(url)
            .form(&form)
            .send()
            .await
            .ok()?;
        let json: Json = answer.json().await.ok()?;
        let number = json["data"]["result"][0]["value"][1].as_str()?;
        number.parse().ok().filter(|number: &f64| !number.is_nan())
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks until the answer is there.
async fn until<T>(limit: Duration, what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(found) = ask().await {
            return found;
        }
        assert!(begin.elapsed() < limit, "no {what} within {limit:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The share of failures over the last scrapes.
fn query() -> String {
    let window = SCRAPE.as_secs() * 2 + 1;
    let of =
        |outcome: &str| format!("sum(increase(checkout_requests_total{{{outcome}}}[{window}s]))");
    format!("{} / {}", of("outcome=\"failure\""), of(""))
}

async fn is_on_for_somebody(desk: &Desk, server: &Server) -> bool {
    for number in 0..40 {
        let path = format!("/api/v1/identities/?identifier=person-{number}");
        let flags = desk.ask(server, &desk.client_key, &path).await.json;
        let mut flags = flags["flags"].as_array().into_iter().flatten();
        if flags.any(|flag| flag["feature"]["name"] == "checkout" && flag["enabled"] == true) {
            return true;
        }
    }
    false
}

#[test]
fn a_guarded_rollout_rolls_itself_back_within_two_scrapes_of_a_real_prometheus() {
    let Some(program) = required(VARIABLE) else {
        return;
    };
    let database = Database::sqlite();
    let prepared = Desk::prepare(&database);
    let sample = Sample::start();
    let prometheus = Prometheus::start(&program, database.folder(), sample.port);
    let url = ("FLAGSTAFF_PROMETHEUS__MAIN__URL", prometheus.url.as_str());
    let server = Server::start_with(&database, &[url]);

    block_on(async {
        let desk = prepared.sign_in(&server).await;
        let limit = START + SCRAPE * 4;
        until(limit, "measurement", async || {
            prometheus.number(&query()).await
        })
        .await;
        desk.feature(&server, "checkout").await;
        let rollout = json!({
            "environment": desk.client_key,
            "feature": "checkout",
            "steps": [{ "percentage": 50, "hold_seconds": 3600 }, { "percentage": 100 }],
        });
        let made = desk
            .manage(&server, Method::POST, "rollouts/", rollout)
            .await;
        assert_eq!(made.status, 201, "{made:?}");
        let path = format!("rollouts/{}/", made.json["id"]);
        let guard = json!({
            "name": "failures", "kind": "metric", "source": "main", "query": query(),
            "harm": "above", "limit": 0.02, "every_seconds": 1,
        });
        let guards = format!("{path}guards/");
        let guard = desk.manage(&server, Method::POST, &guards, guard).await;
        assert_eq!(guard.status, 201, "{guard:?}");
        until(START, "healthy look", async || {
            let guards = desk.manage(&server, Method::GET, &guards, Json::Null).await;
            (guards.json[0]["verdict"] == "healthy").then_some(())
        })
        .await;
        assert!(is_on_for_somebody(&desk, &server).await);

        sample.fails.store(true, Ordering::Relaxed);
        let begin = Instant::now();
        let ended = until(START, "rollback", async || {
            let rollout = desk
                .manage(&server, Method::GET, &path, Json::Null)
                .await
                .json;
            (rollout["state"] != "running").then_some(rollout)
        })
        .await;
        let took = begin.elapsed();

        assert_eq!(ended["state"], "rolled_back", "{ended}");
        assert!(took <= SCRAPE * 2, "{took:?}");
        let reason = ended["reason"].as_str().unwrap();
        assert!(
            reason.starts_with("guard `failures`: 0.") && reason.ends_with("is above 0.02"),
            "{reason}"
        );
        let last = ended["timeline"]
            .as_array()
            .unwrap()
            .last()
            .unwrap()
            .clone();
        assert_eq!(
            (&last["kind"], &last["actor"]),
            (&json!("rolled_back"), &json!("guard"))
        );
        assert_eq!(last["is_system"], true);
        assert!(!is_on_for_somebody(&desk, &server).await);
    });
    server.stop();
}
