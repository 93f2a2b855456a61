//! Generated contexts, evaluated by us and by Flagsmith's own Python engines.

use anyhow::Result;

use super::tests::{OF_ALL_CRATES, cargo_test};
use super::{Lane, Run};
use crate::python;
use crate::summary::Report;

pub(super) const LANE: Lane = Lane {
    name: "differential",
    about: "generated contexts against Flagsmith's own engines, 10 and 11",
    run,
};

/// The module of `crates/wire/tests/it` with these tests.
pub(super) const MODULE: &str = "differential::";

fn run(run: &mut Run<'_>) -> Result<Report> {
    let mut variables = Vec::new();
    for (name, variable) in [
        ("engine10", "FLAGSTAFF_ENGINE10_PYTHON"),
        ("engine11", "FLAGSTAFF_ENGINE11_PYTHON"),
    ] {
        match python::environment(run.workspace, run.machine, name)? {
            Ok(python) => variables.push((variable, python.display().to_string())),
            Err(missing) => return Ok(Report::skipped(missing)),
        }
    }
    if run.full {
        variables.push(("FLAGSTAFF_FULL", "1".to_owned()));
    }
    cargo_test(
        run.workspace,
        OF_ALL_CRATES,
        &[MODULE, "--show-output"],
        &variables,
    )
}
