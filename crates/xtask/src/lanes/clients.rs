//! Unmodified Flagsmith SDKs and OpenFeature providers against the real binary, on SQLite and on Postgres.

use std::process::Command;

use anyhow::Result;

use super::tests::{OF_ALL_CRATES, cargo_test, rollops_plugin};
use super::{Lane, Run};
use crate::command::works;
use crate::postgres::URL_VARIABLE;
use crate::summary::Report;
use crate::system_packages::ensure;
use crate::{flagd, go_program, java, node, python, rust_program};

pub(super) const LANE: Lane = Lane {
    name: "clients",
    about: "unmodified SDKs and providers against the real binary",
    run,
};

/// The modules of `crates/flagstaff/tests/it` with these tests: what SDKs and providers do, and the pages that show how
/// to use them.
pub(super) const MODULES: [&str; 5] = [
    "clients::",
    "docs::the_programs_",
    "guides::",
    "openfeature::",
    "rollops::observed::",
];

fn run(run: &mut Run<'_>) -> Result<Report> {
    let mut variables = vec![rollops_plugin(run.workspace)];
    let mut skipped = Vec::new();
    let has_curl = || works(Command::new("curl").arg("--version"));
    skipped.extend(ensure(run.machine, "curl", &["curl"], has_curl)?);
    for (name, variable) in [
        ("clients", "FLAGSTAFF_CLIENTS_PYTHON"),
        ("openfeature", "FLAGSTAFF_OPENFEATURE_PYTHON"),
    ] {
        match python::environment(run.workspace, run.machine, name)? {
            Ok(python) => variables.push((variable, python.display().to_string())),
            Err(missing) => skipped.push(missing),
        }
    }
    for (name, variable) in [
        ("node", "FLAGSTAFF_CLIENTS_NODE"),
        ("browser", "FLAGSTAFF_CLIENTS_BROWSER"),
        ("openfeature/node", "FLAGSTAFF_OPENFEATURE_NODE"),
    ] {
        match node::packages(run.workspace, run.machine, name)? {
            Ok(folder) => variables.push((variable, folder.display().to_string())),
            Err(missing) => skipped.push(missing),
        }
    }
    for (name, variable) in [
        ("java", "FLAGSTAFF_CLIENTS_JAVA"),
        ("openfeature/java", "FLAGSTAFF_OPENFEATURE_JAVA"),
    ] {
        match java::class_path(run.workspace, run.machine, name)? {
            Ok(path) => variables.push((variable, path)),
            Err(missing) => skipped.push(missing),
        }
    }
    let program = rust_program::program(run.workspace, "rust", "flagstaff-client-tests")?;
    variables.push(("FLAGSTAFF_CLIENTS_RUST", program.display().to_string()));
    // One of the providers runs the compiler of protocol files while it is built.
    let protoc = || works(Command::new("protoc").arg("--version"));
    let packages = ["protobuf-compiler", "libprotobuf-dev"];
    match ensure(run.machine, "protoc", &packages, protoc)? {
        None => {
            let package = "flagstaff-openfeature-tests";
            let program = rust_program::program(run.workspace, "openfeature/rust", package)?;
            variables.push(("FLAGSTAFF_OPENFEATURE_RUST", program.display().to_string()));
        }
        Some(missing) => skipped.push(missing),
    }
    let mut left_out = Vec::new();
    for (name, variable) in [
        ("go", "FLAGSTAFF_CLIENTS_GO"),
        ("openfeature/go", "FLAGSTAFF_OPENFEATURE_GO"),
    ] {
        match go_program::program(run.workspace, name)? {
            Ok(program) => variables.push((variable, program.display().to_string())),
            Err(reason) => left_out.push(reason),
        }
    }
    match flagd::program(run.workspace)? {
        Ok(program) => variables.push((flagd::VARIABLE, program.display().to_string())),
        Err(reason) => left_out.push(reason),
    }
    match run.postgres()? {
        Ok(url) => variables.push((URL_VARIABLE, url)),
        Err(missing) => skipped.push(missing),
    }
    let mut report = cargo_test(run.workspace, OF_ALL_CRATES, &MODULES, &variables)?;
    report.skipped = skipped;
    report.left_out = left_out;
    Ok(report)
}
