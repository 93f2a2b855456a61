//! All Rust tests but the ones that need a foreign client or engine: unit, property, vector, contract and face tests.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use super::{Lane, Run, agreement, browser, clients, differential, evaluators};
use crate::command::{End, watch, works};
use crate::machine::Machine;
use crate::postgres::URL_VARIABLE;
use crate::summary::Report;
use crate::system_packages::{Missing, ensure};
use crate::test_output::Tests;
use crate::workspace::Workspace;

pub(super) const LANE: Lane = Lane {
    name: "tests",
    about: "unit, property, vector, contract and face tests",
    run,
};

/// A run that hangs must not eat the summary, and three lanes have to fit into the 90 minutes that CI gives.
const LIMIT: Duration = Duration::from_secs(25 * 60);

const VECTORS_VARIABLE: &str = "FLAGSTAFF_ENGINE_TEST_DATA";

/// Says where `libfaketimeMT.so.1` is.
const FAKETIME_VARIABLE: &str = "FLAGSTAFF_TEST_FAKETIME";

/// Says where Prometheus is.
const PROMETHEUS_VARIABLE: &str = "FLAGSTAFF_TEST_PROMETHEUS";

/// Where the engine's test vectors lie beside a clone.
const VECTORS: &str = "../shared/reference/engine-test-data/test_cases";

/// The `it` binaries as the whole workspace builds them: for one package alone, cargo would choose other features of
/// its dependencies and compile many of them a second time.
pub(super) const OF_ALL_CRATES: &[&str] = &["--workspace", "--test", "it"];

fn run(run: &mut Run<'_>) -> Result<Report> {
    let mut variables = vec![rollops_plugin(run.workspace)];
    let mut skipped = Vec::new();
    match run.postgres()? {
        Ok(url) => variables.push((URL_VARIABLE, url)),
        Err(missing) => skipped.push(missing),
    }
    match vectors(run.workspace) {
        Ok(folder) => variables.push((VECTORS_VARIABLE, folder)),
        Err(missing) => skipped.push(missing),
    }
    match faketime(run.machine)? {
        Ok(library) => variables.push((FAKETIME_VARIABLE, library)),
        Err(missing) => skipped.push(missing),
    }
    match prometheus(run.machine)? {
        Ok(program) => variables.push((PROMETHEUS_VARIABLE, program)),
        Err(missing) => skipped.push(missing),
    }
    if run.full {
        variables.push(("FLAGSTAFF_FULL", "1".to_owned()));
    }
    let elsewhere = [
        agreement::MODULE,
        browser::MODULE,
        differential::MODULE,
        evaluators::MODULE,
    ];
    let elsewhere = elsewhere.into_iter().chain(clients::MODULES);
    let filters: Vec<&str> = elsewhere.flat_map(|module| ["--skip", module]).collect();
    let mut report = cargo_test(run.workspace, &["--workspace"], &filters, &variables)?;
    report.skipped = skipped;
    Ok(report)
}

/// Where the plugin for Rollops is: the tests of its own crate have it built before any test runs.
pub(super) fn rollops_plugin(workspace: &Workspace) -> (&'static str, String) {
    let program = workspace.target.join("debug/rollops-plugin-flagsmith");
    ("FLAGSTAFF_ROLLOPS_PLUGIN", program.display().to_string())
}

/// The library that gives a process another clock.
fn faketime(machine: Machine) -> Result<Result<String, Missing>> {
    if let Ok(library) = std::env::var(FAKETIME_VARIABLE) {
        return Ok(Ok(library));
    }
    let missing = ensure(machine, "libfaketime", &["libfaketime"], || {
        faketime_library().is_some()
    })?;
    Ok(match (faketime_library(), missing) {
        (Some(library), None) => Ok(library.display().to_string()),
        (_, Some(missing)) => Err(missing),
        (None, None) => anyhow::bail!("libfaketime vanished"),
    })
}

/// The server that guards of rollouts are tested with.
fn prometheus(machine: Machine) -> Result<Result<String, Missing>> {
    if let Ok(program) = std::env::var(PROMETHEUS_VARIABLE) {
        return Ok(Ok(program));
    }
    let missing = ensure(machine, "Prometheus", &["prometheus"], || {
        works(Command::new("prometheus").arg("--version"))
    })?;
    Ok(missing.map_or_else(|| Ok("prometheus".to_owned()), Err))
}

/// Debian keeps it in a folder named after the machine's architecture.
fn faketime_library() -> Option<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib")
        .into_iter()
        .flatten()
        .flatten();
    let mut libraries = folders.map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"));
    libraries.find(|library| library.is_file())
}

fn vectors(workspace: &Workspace) -> Result<String, Missing> {
    if let Ok(folder) = std::env::var(VECTORS_VARIABLE) {
        return Ok(folder);
    }
    let folder = workspace.root.join(VECTORS);
    match folder.canonicalize() {
        Ok(folder) => Ok(folder.display().to_string()),
        Err(_) => Err(Missing {
            what: "the evaluation vectors of Flagsmith's engines are not beside the repository"
                .to_owned(),
            remedy: format!("{VECTORS_VARIABLE}=…/engine-test-data/test_cases cargo xtask test"),
        }),
    }
}

/// Runs `cargo test` and counts; to run no test at all is a problem, for a filter that matches nothing looks green.
pub(super) fn cargo_test(
    workspace: &Workspace,
    what: &[&str],
    filters: &[&str],
    variables: &[(&str, String)],
) -> Result<Report> {
    let mut command = workspace.cargo(&["test", "--locked", "--no-fail-fast"]);
    command.args(what).arg("--").args(filters);
    for (name, value) in variables {
        command.env(name, value);
    }
    let mut tests = Tests::default();
    let end = watch(&mut command, LIMIT, |line| tests.read_line(line))?;
    let mut problems = Vec::new();
    match end {
        End::TimedOut => problems.push(format!("stopped after {} minutes", LIMIT.as_secs() / 60)),
        // Failed tests speak for themselves; anything else (a build that breaks, a crash) must be said.
        End::Exited(status) if !status.success() && tests.failed == 0 => {
            problems.push(format!("cargo test: {status}"))
        }
        End::Exited(_) if tests.run() == 0 => problems.push("no test was run".to_owned()),
        End::Exited(_) => {}
    }
    Ok(Report {
        tests: Some(tests),
        problems,
        ..Report::default()
    })
}
