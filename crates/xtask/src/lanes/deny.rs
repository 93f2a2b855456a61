//! `deny.toml`: which foreign crates may be used where, under which licences, from where.

use std::process::Command;

use anyhow::Result;

use super::{Lane, Run};
use crate::command::{succeed, works};
use crate::summary::Report;
use crate::system_packages::Missing;

pub(super) const LANE: Lane = Lane {
    name: "deny",
    about: "bans, licences and sources of deny.toml",
    run,
};

/// Advisories are left out: their database cannot be fetched everywhere that this runs.
fn run(run: &mut Run<'_>) -> Result<Report> {
    if !works(Command::new("cargo-deny").arg("--version")) {
        return Ok(Report::skipped(Missing {
            what: "cargo-deny not found".to_owned(),
            remedy: "cargo install cargo-deny --locked".to_owned(),
        }));
    }
    succeed(
        Command::new("cargo-deny")
            .current_dir(&run.workspace.root)
            .args([
                "--locked",
                "--all-features",
                "check",
                "bans",
                "licenses",
                "sources",
            ]),
    )?;
    Ok(Report::default())
}
