//! `deny.toml`: which foreign crates may be used where, under which licences, from where.

use std::process::Command;

use anyhow::Result;

use super::{Lane, Run};
use crate::cargo_program::CargoProgram;
use crate::command::succeed;
use crate::summary::Report;

pub(super) const LANE: Lane = Lane {
    name: "deny",
    about: "bans, licences and sources of deny.toml",
    run,
};

const CARGO_DENY: CargoProgram = CargoProgram {
    name: "cargo-deny",
    version: "0.20.2",
    features: &[],
};

/// Advisories are left out: their database cannot be fetched everywhere that this runs.
fn run(run: &mut Run<'_>) -> Result<Report> {
    let program = match CARGO_DENY.find(run.workspace, run.machine)? {
        Ok(program) => program,
        Err(missing) => return Ok(Report::skipped(missing)),
    };
    succeed(
        Command::new(program)
            .current_dir(&run.workspace.root)
            .args(["--locked", "check", "bans", "licenses", "sources"]),
    )?;
    Ok(Report::default())
}
