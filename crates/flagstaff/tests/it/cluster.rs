//! A Postgres server of one test's own, which it may stop and start.

use crate::server::succeed;
use crate::skipped::skip;
use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Ends the server when its standard input is closed, which happens however the test ends: at once, as in a crash.
const KEEPER: &str = r#"
trap '' INT TERM HUP
"$@" </dev/null >>log 2>&1 &
server=$!
while read -r _; do :; done
kill -QUIT "$server" 2>/dev/null
wait "$server"
"#;

/// The server and its files; both go when it is dropped.
pub struct Cluster {
    programs: PathBuf,
    account: Option<(u32, u32)>,
    folder: TempDir,
    port: u16,
    keeper: Option<Child>,
}

impl Cluster {
    /// Makes a cluster and starts it; `None`, said aloud, where Postgres is not installed here.
    pub fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            skip("no `initdb` and `postgres` on this machine");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let account = account();
        if let Some((user, group)) = account {
            chown(folder.path(), Some(user), Some(group)).unwrap();
        }
        let mut cluster = Self {
            programs,
            account,
            folder,
            port: TcpListener::bind("127.0.0.1:0")
                .unwrap()
                .local_addr()
                .unwrap()
                .port(),
            keeper: None,
        };
        let data = cluster.folder.path().join("data");
        let mut initdb = cluster.command("initdb");
        initdb.args(["--username=flagstaff", "--auth=trust", "--encoding=UTF8"]);
        succeed(
            initdb
                .args(["--locale=C.UTF-8", "--no-sync", "--no-instructions"])
                .arg("-D")
                .arg(data),
        );
        cluster.go_on();
        Some(cluster)
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("postgres://flagstaff@127.0.0.1:{}/postgres", self.port)
    }

    /// Starts it, and waits until it answers.
    pub fn go_on(&mut self) {
        let mut keeper = Command::new("sh");
        keeper
            .args(["-c", KEEPER, "sh"])
            .arg(self.programs.join("postgres"));
        keeper.args([
            "-D",
            "data",
            "-h",
            "127.0.0.1",
            "-p",
            &self.port.to_string(),
        ]);
        for setting in [
            "unix_socket_directories=",
            "max_connections=100",
            "shared_buffers=32MB",
        ] {
            keeper.args(["-c", setting]);
        }
        let keeper = self.as_account(&mut keeper).stdin(Stdio::piped()).spawn();
        self.keeper = Some(keeper.unwrap());
        let begun = Instant::now();
        let port = self.port.to_string();
        let ready = || {
            let mut asked = self.command("pg_isready");
            asked.args(["-q", "-h", "127.0.0.1", "-p", &port]).status()
        };
        while !ready().unwrap().success() {
            assert!(
                begun.elapsed() < Duration::from_secs(60),
                "Postgres does not start"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Stops it as a crash does; files stay.
    pub fn crash(&mut self) {
        if let Some(mut keeper) = self.keeper.take() {
            self.stand_still(false);
            drop(keeper.stdin.take());
            let _ = keeper.wait();
        }
    }

    /// Lets every process of it stand still, or go on: connections stay open, and nothing is answered.
    pub fn stand_still(&self, still: bool) {
        let signal = if still { "-STOP" } else { "-CONT" };
        let main = std::fs::read_to_string(self.folder.path().join("data/postmaster.pid")).unwrap();
        let main = main.lines().next().unwrap().to_owned();
        // Stopped first, the main process makes no further ones.
        succeed(Command::new("kill").args([signal, &main]));
        let others = Command::new("ps")
            .args(["-o", "pid=", "--ppid", &main])
            .output()
            .unwrap();
        for id in String::from_utf8_lossy(&others.stdout).split_whitespace() {
            // One may have ended meanwhile.
            let _ = Command::new("kill").args([signal, id]).output();
        }
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        self.as_account(&mut command);
        command
    }

    fn as_account<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command.current_dir(self.folder.path());
        match self.account {
            // Postgres refuses root.
            Some((user, group)) => command.uid(user).gid(group).env("HOME", "/"),
            None => command,
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.crash();
    }
}

/// The folder with the newest programs: Debian keeps them out of the PATH.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let mut versions: Vec<(u32, PathBuf)> = versions
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .collect();
    versions.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = versions
        .into_iter()
        .rev()
        .map(|(_, folder)| folder)
        .collect();
    folders.extend(std::env::split_paths(&path));
    let has = |folder: &Path, program: &str| folder.join(program).is_file();
    folders
        .into_iter()
        .find(|folder| has(folder, "initdb") && has(folder, "postgres"))
}

/// The user and group to run as, where this is root.
fn account() -> Option<(u32, u32)> {
    let id = |arguments: &[&str]| -> Option<u32> {
        let output = Command::new("id").args(arguments).output().ok()?;
        String::from_utf8(output.stdout).ok()?.trim().parse().ok()
    };
    if id(&["-u"]) != Some(0) {
        return None;
    }
    let named = |name| Some((id(&["-u", name])?, id(&["-g", name])?));
    named("postgres").or_else(|| named("nobody"))
}
