//! The real binary, started on a free port and stopped when it is dropped.

use crate::database::Database;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

const BINARY: &str = env!("CARGO_BIN_EXE_flagstaff");
/// A debug build on a busy machine takes its time.
const START: Duration = Duration::from_secs(60);

/// The binary with one database, whose settings come from nowhere else.
pub fn flagstaff(database: &Database) -> Command {
    let mut command = Command::new(BINARY);
    command
        .current_dir(database.folder())
        .env_remove("DATABASE_URL")
        .env("FLAGSTAFF_SERVER__DATABASE_URL", database.url())
        .env("FLAGSTAFF_SERVER__LISTEN", "127.0.0.1:0");
    command
}

/// Runs a command to its end and insists that it succeeds.
pub fn succeed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}\n{}",
        output.status,
        text(&output.stdout),
        text(&output.stderr)
    );
    text(&output.stdout)
}

/// Runs a command to its end and insists that it ends with this code; gives both outputs.
pub fn fail_with(code: i32, command: &mut Command) -> (String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    let (stdout, stderr) = (text(&stdout), text(&stderr));
    assert_eq!(status.code(), Some(code), "{stdout}\n{stderr}");
    (stdout, stderr)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A running server.
pub struct Server {
    child: Child,
    /// `http://127.0.0.1:<port>`
    pub url: String,
    /// Lines on standard output before the one with the address.
    pub printed: Vec<String>,
    log: PathBuf,
}

impl Server {
    pub fn start(database: &Database) -> Self {
        Self::start_with(database, &[])
    }

    pub fn start_with(database: &Database, variables: &[(&str, &str)]) -> Self {
        Self::start_as(&["serve"], database, variables)
    }

    /// Starts it by another command that serves.
    pub fn start_as(arguments: &[&str], database: &Database, variables: &[(&str, &str)]) -> Self {
        // Several servers may have one database.
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let log = database.folder().join(format!("server-{number}.log"));
        let mut child = flagstaff(database)
            .envs(variables.iter().copied())
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let lines = read_lines(&mut child);
        let mut printed = Vec::new();
        let url = loop {
            match lines.recv_timeout(START) {
                Ok(line) => match line.strip_prefix("listening on ") {
                    Some(url) => break url.to_owned(),
                    None => printed.push(line),
                },
                Err(problem) => {
                    let _ = child.kill();
                    let log = std::fs::read_to_string(&log).unwrap_or_default();
                    panic!("the server did not start: {problem}\n{printed:?}\n{log}");
                }
            }
        };
        Self {
            child,
            url,
            printed,
            log,
        }
    }

    /// Memory that the process has in use, in KiB.
    pub fn resident_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let mut lines = status.lines();
        let line = lines.find_map(|line| line.strip_prefix("VmRSS:"));
        let number = line.and_then(|line| line.split_whitespace().next());
        number.unwrap().parse().unwrap()
    }

    /// What was logged so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// What follows a word at the beginning of a printed line.
    pub fn printed_after(&self, word: &str) -> Option<&str> {
        let mut lines = self.printed.iter();
        lines.find_map(|line| line.strip_prefix(word).map(str::trim))
    }

    pub fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        succeed(Command::new("kill").args([name, &id]));
    }

    /// Waits for the end, and says how long that took.
    pub fn wait(&mut self, limit: Duration) -> (ExitStatus, Duration) {
        let begin = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status, begin.elapsed());
            }
            assert!(begin.elapsed() < limit, "still running after {limit:?}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Stops it as an operator does.
    pub fn stop(mut self) {
        self.signal("-TERM");
        let (status, _) = self.wait(Duration::from_secs(12));
        assert!(status.success(), "{status}\n{}", self.log());
    }

    /// Ends it as a crash does.
    pub fn kill(mut self) {
        self.kill_now();
    }

    /// The same, where it stays in its place until another takes it.
    pub fn kill_now(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Lines of standard output as they come; reading goes on, so that the server never waits for us.
fn read_lines(child: &mut Child) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    let stdout = child.stdout.take().unwrap();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    receiver
}
