//! `flagstaff doctor`: looks for what would keep the server from working, and says it in plain lines.

use crate::clock;
use crate::failure::Failure;
use crate::lock::{DatabaseLock, Holder};
use crate::product::missing_file;
use crate::settings::Settings;
use flagstaff_core::Timestamp;
use flagstaff_store::Store;
use std::io::Write;
use std::net::TcpListener;

/// 2026-01-01: a clock before that is wrong, because this program is younger.
const YOUNGER_THAN: Timestamp = Timestamp::from_micros(1_767_225_600_000_000);

/// What was found.
#[derive(Debug, Default)]
struct Findings {
    lines: Vec<String>,
    are_good: bool,
}

impl Findings {
    fn good(&mut self, what: &str, finding: impl AsRef<str>) {
        self.lines
            .push(format!("ok       {what}: {}", finding.as_ref()));
    }

    fn note(&mut self, what: &str, finding: impl AsRef<str>) {
        self.lines
            .push(format!("note     {what}: {}", finding.as_ref()));
    }

    fn problem(&mut self, what: &str, finding: impl AsRef<str>) {
        self.lines
            .push(format!("problem  {what}: {}", finding.as_ref()));
        self.are_good = false;
    }
}

/// Checks everything and prints a line for each finding. Settings were read already, else there would be none.
///
/// # Errors
/// When there is a problem; what it is was printed.
pub(crate) async fn run(settings: &Settings) -> Result<(), Failure> {
    let mut findings = Findings {
        are_good: true,
        ..Findings::default()
    };
    findings.good("settings", "all known and well-formed");
    check_clock(&mut findings);
    let is_running = check_database(settings, &mut findings).await;
    check_address(settings, is_running, &mut findings);
    let mut out = std::io::stdout().lock();
    for line in &findings.lines {
        writeln!(out, "{line}")?;
    }
    if findings.are_good {
        Ok(())
    } else {
        Err(Failure::Reported)
    }
}

fn check_clock(findings: &mut Findings) {
    if clock::now() < YOUNGER_THAN {
        findings.problem("clock", "it shows a time before this program was written");
    } else {
        findings.good("clock", "plausible");
    }
}

/// Looks at the database; true when a server has it.
async fn check_database(settings: &Settings, findings: &mut Findings) -> bool {
    let url = settings.server.database_url.expose();
    // Looking must not make a file that is not there.
    if let Some(missing) = missing_file(url) {
        let finding = format!("{missing} does not exist; `flagstaff serve` makes it");
        findings.note("database", finding);
        return false;
    }
    let store = match Store::connect(url).await {
        Ok(store) => store,
        Err(error) => {
            findings.problem("database", format!("cannot be opened: {}", chain(&error)));
            return false;
        }
    };
    let kind = if store.is_shared() {
        "Postgres"
    } else {
        "SQLite"
    };
    findings.good("database", format!("{kind}, it answers"));
    let is_running = check_lock(&store, findings);
    check_version(&store, findings).await;
    store.close().await;
    is_running
}

fn check_lock(store: &Store, findings: &mut Findings) -> bool {
    let Some(path) = store.path() else {
        return false;
    };
    match DatabaseLock::holder(path) {
        Ok(Holder::Nobody) => {
            findings.good("lock", "free");
            false
        }
        Ok(Holder::Process(id)) => {
            let who = id.map_or_else(|| "a process".to_owned(), |id| format!("process {id}"));
            findings.note("lock", format!("held by {who}: a server is running"));
            true
        }
        Err(error) => {
            findings.problem("lock", format!("cannot be looked at: {error}"));
            false
        }
    }
}

async fn check_version(store: &Store, findings: &mut Findings) {
    let state = match store.migration_state().await {
        Ok(state) => state,
        Err(error) => {
            findings.problem("version", format!("cannot be read: {}", chain(&error)));
            return;
        }
    };
    let (applied, known) = (state.applied, state.known);
    if applied > known {
        let finding = format!("migration {applied}, newer than this program, which knows {known}");
        findings.problem("version", finding);
    } else if applied < known {
        let finding =
            format!("migration {applied} of {known}; `flagstaff serve` or `migrate` does the rest");
        findings.note("version", finding);
    } else {
        findings.good("version", format!("migration {applied} of {known}"));
        check_content(store, findings).await;
    }
}

async fn check_content(store: &Store, findings: &mut Findings) {
    match store.try_writing().await {
        Ok(()) => findings.good("writing", "possible"),
        Err(error) => findings.problem("writing", format!("not possible: {}", chain(&error))),
    }
    match store.has_members().await {
        Ok(true) => findings.good("sign-in", "somebody can"),
        Ok(false) => findings.note(
            "sign-in",
            "nobody can yet; `flagstaff serve` prints a one-time link",
        ),
        Err(error) => findings.problem("sign-in", chain(&error)),
    }
}

fn check_address(settings: &Settings, is_running: bool, findings: &mut Findings) {
    let listen = settings.server.listen;
    match TcpListener::bind(listen) {
        Ok(_) => findings.good("address", format!("{listen} is free")),
        Err(error) if is_running && error.kind() == std::io::ErrorKind::AddrInUse => {
            findings.note("address", format!("{listen} is in use, as it should be"));
        }
        Err(error) => findings.problem("address", format!("{listen}: {error}")),
    }
}

/// An error with its causes in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
