//! No lint fires, in tests and examples either.

use anyhow::Result;

use super::{Lane, Run};
use crate::command::succeed;
use crate::summary::Report;

pub(super) const LANE: Lane = Lane {
    name: "clippy",
    about: "no lint fires",
    run,
};

fn run(run: &mut Run<'_>) -> Result<Report> {
    let arguments = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--locked",
        "--",
        "-D",
        "warnings",
    ];
    succeed(&mut run.workspace.cargo(&arguments))?;
    Ok(Report::default())
}
