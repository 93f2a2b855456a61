//! Our flagd documents in flagd's own evaluators, and against flagd's own schema.

use anyhow::Result;

use super::tests::{OF_ALL_CRATES, cargo_test};
use super::{Lane, Run};
use crate::summary::Report;
use crate::system_packages::Missing;
use crate::{flagd, node, python, rust_program};

pub(super) const LANE: Lane = Lane {
    name: "evaluators",
    about: "flagd documents in flagd's evaluators (JavaScript, Python, Rust, Go), and by flagd's schema",
    run,
};

/// The modules with these tests.
pub(super) const MODULE: &str = "evaluators::";

/// Where the evaluators' programs are kept.
const FOLDER: &str = "evaluators";

/// Variables that say where programs are, and what can do without.
pub(super) type Programs = (Vec<(&'static str, String)>, Vec<String>);

fn run(run: &mut Run<'_>) -> Result<Report> {
    let (mut variables, left_out) = match programs(run)? {
        Ok(programs) => programs,
        Err(missing) => return Ok(Report::skipped(missing)),
    };
    // The crate that brings the schemas along is fetched, never built.
    let rust = format!("{FOLDER}/rust");
    let provider = rust_program::sources(run.workspace, &rust, "open-feature-flagd")?;
    let schemas = provider.join("schemas/json");
    variables.push(("FLAGSTAFF_FLAGD_SCHEMAS", schemas.display().to_string()));
    let modules = [MODULE, "--show-output"];
    let mut report = cargo_test(run.workspace, OF_ALL_CRATES, &modules, &variables)?;
    report.left_out = left_out;
    Ok(report)
}

/// Sets up the evaluators, and flagd itself where it can be had.
pub(super) fn programs(run: &Run<'_>) -> Result<Result<Programs, Missing>> {
    let mut variables = Vec::new();
    match node::packages(run.workspace, run.machine, &format!("{FOLDER}/node"))? {
        Ok(folder) => variables.push(("FLAGSTAFF_EVALUATOR_NODE", folder.display().to_string())),
        Err(missing) => return Ok(Err(missing)),
    }
    match python::environment(run.workspace, run.machine, FOLDER)? {
        Ok(python) => variables.push(("FLAGSTAFF_EVALUATOR_PYTHON", python.display().to_string())),
        Err(missing) => return Ok(Err(missing)),
    }
    let rust = format!("{FOLDER}/rust");
    let program = rust_program::program(run.workspace, &rust, "flagstaff-evaluator-tests")?;
    variables.push(("FLAGSTAFF_EVALUATOR_RUST", program.display().to_string()));
    let mut left_out = Vec::new();
    match flagd::program(run.workspace)? {
        Ok(program) => variables.push((flagd::VARIABLE, program.display().to_string())),
        Err(reason) => left_out.push(reason),
    }
    if run.full {
        variables.push(("FLAGSTAFF_FULL", "1".to_owned()));
    }
    Ok(Ok((variables, left_out)))
}
