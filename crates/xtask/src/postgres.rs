//! A Postgres server of our own for the time of the tests: new, empty, on a free port, gone afterwards.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::command::{output, works};
use crate::machine::Machine;
use crate::processes::is_running;
use crate::system_packages::{Missing, ensure};
use crate::workspace::Workspace;

/// The variable that tells tests where Postgres is; one that is already set is used as it is.
pub(crate) const URL_VARIABLE: &str = "FLAGSTAFF_TEST_POSTGRES";

/// Starts the server, and stops it when its standard input ends: that happens when this process ends in whatever
/// way, a kill included. Ctrl-C reaches Postgres by itself (a fast stop) and is left to it.
const KEEPER: &str = r#"
trap '' INT TERM HUP
"$@" </dev/null >>"$FLAGSTAFF_POSTGRES_LOG" 2>&1 &
server=$!
while read -r _; do :; done
kill -INT "$server" 2>/dev/null
wait "$server"
"#;

/// Someone who may run Postgres, which refuses root.
#[derive(Clone, Copy)]
struct Account {
    user: u32,
    group: u32,
}

/// A running server; dropping it stops it and removes its files.
pub(crate) struct Postgres {
    pub(crate) url: String,
    keeper: Child,
    folder: PathBuf,
}

impl Postgres {
    /// Installs Postgres where that is allowed, makes a cluster and starts it.
    pub(crate) fn start(workspace: &Workspace, machine: Machine) -> Result<Result<Self, Missing>> {
        let packages = ["postgresql", "postgresql-client"];
        if let Some(missing) = ensure(machine, "Postgres server", &packages, || {
            programs().is_some()
        })? {
            return Ok(Err(missing));
        }
        let programs = programs().context("initdb and postgres vanished")?;
        let account = if machine.root { Some(account()?) } else { None };
        let folder = folder(workspace, account)?;
        make_cluster(&programs, account, &folder)
            .and_then(|()| start_server(&programs, account, &folder))
            .map(Ok)
            .inspect_err(|_| {
                let _ = fs::remove_dir_all(&folder);
            })
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        stop(&mut self.keeper);
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The folder with the newest `initdb` and `postgres`: Debian keeps them out of the PATH.
fn programs() -> Option<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .collect();
    versions.sort();
    let mut folders: Vec<PathBuf> = versions
        .into_iter()
        .rev()
        .map(|(_, folder)| folder)
        .collect();
    folders.extend(std::env::split_paths(
        &std::env::var_os("PATH").unwrap_or_default(),
    ));
    folders
        .into_iter()
        .find(|folder| folder.join("initdb").is_file() && folder.join("postgres").is_file())
}

/// The distribution's `postgres`, or `nobody`.
fn account() -> Result<Account> {
    for name in ["postgres", "nobody"] {
        let id = |flag| {
            output(Command::new("id").args([flag, name]))
                .ok()?
                .trim()
                .parse()
                .ok()
        };
        if let (Some(user), Some(group)) = (id("-u"), id("-g")) {
            return Ok(Account { user, group });
        }
    }
    bail!("Postgres refuses to run as root, and there is no user `postgres` or `nobody`")
}

/// A new folder below `target/postgres`, or in the temporary folder when the account cannot get at the former.
fn folder(workspace: &Workspace, account: Option<Account>) -> Result<PathBuf> {
    let base = workspace.target.join("postgres");
    fs::create_dir_all(&base)?;
    let mut reach = Command::new("test");
    reach.arg("-x").arg(&base).current_dir("/");
    let base = if works(as_account(&mut reach, account)) {
        base
    } else {
        std::env::temp_dir()
    };
    remove_left_over(&base);
    let folder = base.join(format!("{PREFIX}{}", std::process::id()));
    fs::create_dir(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    if let Some(account) = account {
        chown(&folder, Some(account.user), Some(account.group))?;
    }
    Ok(folder)
}

const PREFIX: &str = "flagstaff-postgres-";

/// Removes the folders of runs that were killed before they could.
fn remove_left_over(base: &Path) {
    for entry in fs::read_dir(base).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let run = name
            .to_str()
            .and_then(|name| name.strip_prefix(PREFIX)?.parse().ok());
        if run.is_some_and(|run: u32| !is_running(run)) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Sorts text as English does where that is to be had (15 and later, ICU): a query that relies on the order of bytes
/// without saying so then shows itself.
fn make_cluster(programs: &Path, account: Option<Account>, folder: &Path) -> Result<()> {
    let plain = ["--locale=C.UTF-8"].as_slice();
    let english = [
        "--locale=C.UTF-8",
        "--locale-provider=icu",
        "--icu-locale=en-US",
    ]
    .as_slice();
    let mut last = None;
    for locale in [english, plain] {
        let mut initdb = Command::new(programs.join("initdb"));
        initdb
            .current_dir(folder)
            .args([
                "--username=flagstaff",
                "--auth=trust",
                "--encoding=UTF8",
                "--no-sync",
                "--no-instructions",
            ])
            .args(locale)
            .arg(format!("--pgdata={}", folder.join("data").display()));
        match output(as_account(&mut initdb, account)) {
            Ok(_) => return Ok(()),
            Err(error) => last = Some(error),
        }
    }
    Err(last.context("initdb was not tried")?)
}

fn start_server(programs: &Path, account: Option<Account>, folder: &Path) -> Result<Postgres> {
    let log = folder.join("log");
    // Somebody else may take the free port before Postgres does.
    for _ in 0..5 {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut keeper = Command::new("sh");
        keeper
            .current_dir(folder)
            .env("FLAGSTAFF_POSTGRES_LOG", &log)
            .args(["-c", KEEPER, "sh"])
            .arg(programs.join("postgres"))
            .arg("-D")
            .arg(folder.join("data"))
            .args(["-h", "127.0.0.1", "-p", &port.to_string()]);
        for setting in SETTINGS {
            keeper.args(["-c", setting]);
        }
        let mut keeper = as_account(&mut keeper, account)
            .stdin(Stdio::piped())
            .spawn()
            .context("cannot start Postgres")?;
        if wait_until_ready(programs, port, &log) {
            return Ok(Postgres {
                url: format!("postgres://flagstaff@127.0.0.1:{port}/postgres"),
                keeper,
                folder: folder.to_owned(),
            });
        }
        stop(&mut keeper);
        fs::rename(&log, folder.join("log-of-the-last-try"))?;
    }
    let said = fs::read_to_string(folder.join("log-of-the-last-try")).unwrap_or_default();
    bail!(
        "Postgres does not start: {}",
        said.lines().last().unwrap_or("it left no log")
    )
}

/// Nothing here survives a power cut, and nothing needs to.
const SETTINGS: &[&str] = &[
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "unix_socket_directories=",
    "max_connections=300",
    "shared_buffers=64MB",
    "log_min_messages=warning",
];

fn wait_until_ready(programs: &Path, port: u16, log: &Path) -> bool {
    for _ in 0..300 {
        let port = port.to_string();
        if works(Command::new(programs.join("pg_isready")).args(["-h", "127.0.0.1", "-p", &port])) {
            // Another server on that port would answer as well; ours would have said that it cannot bind.
            return !log_says(log, "could not");
        }
        if log_says(log, "FATAL") {
            return false;
        }
        thread::sleep(Duration::from_millis(100));
    }
    false
}

fn log_says(log: &Path, what: &str) -> bool {
    fs::read_to_string(log).is_ok_and(|text| text.contains(what))
}

fn stop(keeper: &mut Child) {
    drop(keeper.stdin.take());
    let _ = keeper.wait();
}

fn as_account(command: &mut Command, account: Option<Account>) -> &mut Command {
    match account {
        Some(account) => command
            .uid(account.user)
            .gid(account.group)
            .env("HOME", "/"),
        None => command,
    }
}
