//! rustfmt has nothing to change.

use anyhow::Result;

use super::{Lane, Run};
use crate::command::succeed;
use crate::summary::Report;

pub(super) const LANE: Lane = Lane {
    name: "format",
    about: "rustfmt has nothing to change",
    run,
};

fn run(run: &mut Run<'_>) -> Result<Report> {
    succeed(&mut run.workspace.cargo(&["fmt", "--all", "--check"]))?;
    Ok(Report::default())
}
