//! How much work the server does for each second of CPU time, beside a bare axum handler that sends the same bytes.
//!
//! The server under test has core 0 to itself, the load generator core 1. Requests per CPU-second rather than per
//! second: it says the same on a machine that is busy with something else.

mod document;
mod load;
mod requests;
mod server;
mod table;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::command::{output, succeed};
use crate::machine::Machine;
use crate::system_packages::ensure;
use crate::workspace::Workspace;
use requests::Scenario;
use server::Server;
use table::Row;

/// Rounds per scenario; the median counts.
const ROUNDS: usize = 3;

/// Run before each measurement, so that caches are filled and connections are known to work.
const WARM_UP: Duration = Duration::from_secs(1);

/// Measures every scenario and prints a table in Markdown.
pub(crate) fn run(workspace: &Workspace, seconds: u64) -> Result<()> {
    check_machine()?;
    let mut build = workspace.cargo(&["build", "--release", "--locked", "--package", "flagstaff"]);
    succeed(&mut build)?;
    let mut build = workspace.cargo(&[
        "build",
        "--release",
        "--locked",
        "--package",
        "flagstaff-api",
    ]);
    succeed(build.args(["--example", "bare"]))?;

    let folder = Folder::new(workspace)?;
    let binary = workspace.target.join("release/flagstaff");
    import(&binary, &folder.0)?;
    let ours = Server::flagstaff(&binary, &folder.0)?;
    let mut rows = Vec::new();
    for scenario in requests::scenarios() {
        println!("{}: {ROUNDS} rounds of {seconds} s on each", scenario.name);
        let bare = Server::bare(
            &workspace.target.join("release/examples/bare"),
            &ours.address,
            &scenario,
        )?;
        rows.push(measure(
            &ours,
            &bare,
            &scenario,
            Duration::from_secs(seconds),
            &folder.0,
        )?);
    }
    println!("\n{}", table::text(&rows, ours.peak_memory()?));
    Ok(())
}

fn check_machine() -> Result<()> {
    let cores = std::thread::available_parallelism()?.get();
    if cores < 2 {
        bail!(
            "two cores are needed, one for the server and one for the load, but {cores} is there"
        );
    }
    let wanted = [("wrk", "wrk"), ("taskset", "util-linux")];
    for (program, package) in wanted {
        let present = || {
            std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
                .any(|folder| folder.join(program).is_file())
        };
        if let Some(missing) = ensure(Machine::look(), program, &[package], present)? {
            bail!("{}; to enable: {}", missing.what, missing.remedy);
        }
    }
    Ok(())
}

/// One scenario on both servers in turn, so that a slow minute of the machine hits both.
fn measure(
    ours: &Server,
    bare: &Server,
    scenario: &Scenario,
    time: Duration,
    folder: &Path,
) -> Result<Row> {
    let script = folder.join("requests.lua");
    let first = scenario
        .requests
        .first()
        .context("a scenario without requests")?;
    let answer = ours.answer(first)?;
    if bare.answer(first)? != answer {
        bail!(
            "{}: the bare handler does not send the same bytes and headers",
            scenario.name
        );
    }
    let (mut of_ours, mut of_bare) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        for (server, results) in [(ours, &mut of_ours), (bare, &mut of_bare)] {
            fs::write(&script, load::script(&scenario.requests, &server.address))?;
            load::run(&server.address, &script, WARM_UP)?;
            let before = server.cpu_seconds()?;
            let requests = load::run(&server.address, &script, time)?;
            let used = server.cpu_seconds()? - before;
            results.push(requests as f64 / used);
        }
    }
    Ok(Row {
        scenario: scenario.name,
        bytes: answer.body.len(),
        ours: median(of_ours),
        bare: median(of_bare),
    })
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Makes the database from a document, as somebody who comes from Flagsmith would.
fn import(binary: &Path, folder: &Path) -> Result<()> {
    let file = folder.join("document.json");
    fs::write(&file, document::environment().to_string())?;
    let mut command = server::flagstaff_command(binary, folder);
    output(
        command
            .args(["import", "flagsmith", "--server-key", document::SERVER_KEY])
            .arg(&file),
    )?;
    Ok(())
}

/// A folder for this run, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(workspace: &Workspace) -> Result<Self> {
        let path = workspace
            .target
            .join(format!("bench/run-{}", std::process::id()));
        fs::create_dir_all(&path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
