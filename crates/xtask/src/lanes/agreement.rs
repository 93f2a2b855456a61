//! One environment asked through every protocol, and evaluated by every client that evaluates for itself.

use anyhow::Result;

use super::tests::{OF_ALL_CRATES, cargo_test};
use super::{Lane, Run, evaluators};
use crate::python;
use crate::summary::Report;

pub(super) const LANE: Lane = Lane {
    name: "agreement",
    about: "made-up environments through all protocols: the same answer, or a named difference",
    run,
};

/// The module of `crates/api/tests/it` with this test.
pub(super) const MODULE: &str = "across_protocols::";

fn run(run: &mut Run<'_>) -> Result<Report> {
    let (mut variables, left_out) = match evaluators::programs(run)? {
        Ok(programs) => programs,
        Err(missing) => return Ok(Report::skipped(missing)),
    };
    match python::environment(run.workspace, run.machine, "clients")? {
        Ok(python) => variables.push(("FLAGSTAFF_CLIENTS_PYTHON", python.display().to_string())),
        Err(missing) => return Ok(Report::skipped(missing)),
    }
    let modules = [MODULE, "--show-output"];
    let mut report = cargo_test(run.workspace, OF_ALL_CRATES, &modules, &variables)?;
    report.left_out = left_out;
    Ok(report)
}
