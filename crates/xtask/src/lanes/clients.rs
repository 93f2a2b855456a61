//! Unmodified Flagsmith SDKs against the real binary, on SQLite and on Postgres.

use std::process::Command;

use anyhow::Result;

use super::tests::{OF_ALL_CRATES, cargo_test};
use super::{Lane, Run};
use crate::command::works;
use crate::postgres::URL_VARIABLE;
use crate::summary::Report;
use crate::system_packages::ensure;
use crate::{java, node, python, rust_program};

pub(super) const LANE: Lane = Lane {
    name: "clients",
    about: "unmodified Flagsmith SDKs against the real binary",
    run,
};

/// The modules of `crates/flagstaff/tests/it` with these tests: what SDKs do, and the pages that show how to use them.
pub(super) const MODULES: [&str; 2] = ["clients::", "guides::"];

fn run(run: &mut Run<'_>) -> Result<Report> {
    let mut variables = Vec::new();
    let mut skipped = Vec::new();
    let has_curl = || works(Command::new("curl").arg("--version"));
    skipped.extend(ensure(run.machine, "curl", &["curl"], has_curl)?);
    match python::environment(run.workspace, run.machine, "clients")? {
        Ok(python) => variables.push(("FLAGSTAFF_CLIENTS_PYTHON", python.display().to_string())),
        Err(missing) => skipped.push(missing),
    }
    for (name, variable) in [
        ("node", "FLAGSTAFF_CLIENTS_NODE"),
        ("browser", "FLAGSTAFF_CLIENTS_BROWSER"),
    ] {
        match node::packages(run.workspace, run.machine, name)? {
            Ok(folder) => variables.push((variable, folder.display().to_string())),
            Err(missing) => skipped.push(missing),
        }
    }
    match java::class_path(run.workspace, run.machine)? {
        Ok(path) => variables.push(("FLAGSTAFF_CLIENTS_JAVA", path)),
        Err(missing) => skipped.push(missing),
    }
    let program = rust_program::program(run.workspace, "rust", "flagstaff-client-tests")?;
    variables.push(("FLAGSTAFF_CLIENTS_RUST", program.display().to_string()));
    match run.postgres()? {
        Ok(url) => variables.push((URL_VARIABLE, url)),
        Err(missing) => skipped.push(missing),
    }
    let mut report = cargo_test(run.workspace, OF_ALL_CRATES, &MODULES, &variables)?;
    report.skipped = skipped;
    Ok(report)
}
