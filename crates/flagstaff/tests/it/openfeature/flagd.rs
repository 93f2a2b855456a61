//! The real flagd, on free ports of its own, with this server as its source of flags.

use crate::http::{block_on, client};
use crate::skipped::left_out;
use serde_json::{Value, json};
use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

/// Where the program is; `cargo xtask test` sets it where the program can be had.
const VARIABLE: &str = "FLAGSTAFF_FLAGD_BINARY";

/// How long it may take to get ready, to follow, or to give up, on a busy machine.
pub const LIMIT: Duration = Duration::from_secs(60);

/// The program; `None`, said aloud, where it is not to be had: also in CI, since not every module proxy offers it.
pub fn binary() -> Option<PathBuf> {
    left_out(VARIABLE).map(PathBuf::from)
}

/// A running flagd; dropping it ends it.
pub struct Flagd {
    child: Child,
    /// Where it answers what OpenFeature's remote clients ask.
    pub rpc_port: u16,
    ofrep_port: u16,
    management_port: u16,
    log: PathBuf,
}

impl Flagd {
    /// Starts it with one source and waits until it serves a flag: it calls itself ready a little before.
    pub fn serving(flag: &str, binary: &Path, folder: &Path, source: &Value) -> Self {
        let mut flagd = Self::start(binary, folder, source);
        let begun = Instant::now();
        while flagd.management("readyz") != 200
            || !flagd.ask(flag, &json!({}))["errorCode"].is_null()
        {
            let gone = flagd.child.try_wait().unwrap();
            assert!(gone.is_none(), "{gone:?}\n{}", flagd.log());
            assert!(begun.elapsed() < LIMIT, "not ready\n{}", flagd.log());
            std::thread::sleep(Duration::from_millis(50));
        }
        flagd
    }

    /// Starts it with one source.
    pub fn start(binary: &Path, folder: &Path, source: &Value) -> Self {
        let [rpc_port, management_port, sync_port, ofrep_port] = free_ports();
        let log = folder.join(format!("flagd-{rpc_port}.log"));
        let errors = File::create(&log).unwrap();
        let child = Command::new(binary)
            .current_dir(folder)
            .args(["start", "--sources", &json!([source]).to_string()])
            .args(["--port", &rpc_port.to_string()])
            .args(["--management-port", &management_port.to_string()])
            .args(["--sync-port", &sync_port.to_string()])
            .args(["--ofrep-port", &ofrep_port.to_string()])
            .stdout(errors.try_clone().unwrap())
            .stderr(errors)
            .spawn()
            .unwrap();
        Self {
            child,
            rpc_port,
            ofrep_port,
            management_port,
            log,
        }
    }

    /// Waits until it gives up by itself.
    pub fn end(mut self) -> (ExitStatus, String) {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status, self.log());
            }
            assert!(begun.elapsed() < LIMIT, "still running\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// What it answers to OFREP.
    pub fn ask(&self, flag: &str, context: &Value) -> Value {
        let port = self.ofrep_port;
        let url = format!("http://127.0.0.1:{port}/ofrep/v1/evaluate/flags/{flag}");
        block_on(async {
            let request = client().post(url).json(&json!({ "context": context }));
            request.send().await.unwrap().json().await.unwrap()
        })
    }

    /// Asks again and again until the value of a flag is this one.
    pub fn wait_for(&self, flag: &str, context: &Value, value: &Value) {
        let begun = Instant::now();
        loop {
            let answer = self.ask(flag, context);
            if answer["value"] == *value {
                return;
            }
            let log = self.log();
            assert!(begun.elapsed() < LIMIT, "{flag}: {answer}\n{log}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The status of its own page; 0 before there is one.
    fn management(&self, page: &str) -> u16 {
        let url = format!("http://127.0.0.1:{}/{page}", self.management_port);
        block_on(async {
            let answer = client().get(url).send().await;
            answer.map_or(0, |answer| answer.status().as_u16())
        })
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Flagd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// It takes no port 0; four that are free a moment before it starts.
fn free_ports() -> [u16; 4] {
    let listeners = [(); 4].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}
