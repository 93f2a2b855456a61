//! `deny.toml`: which foreign crates may be used where, under which licences, from where.

use std::path::PathBuf;
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

const VERSION: &str = "0.20.2";

/// Advisories are left out: their database cannot be fetched everywhere that this runs.
fn run(run: &mut Run<'_>) -> Result<Report> {
    let Some(program) = program(run)? else {
        return Ok(Report::skipped(Missing {
            what: "cargo-deny not found".to_owned(),
            remedy: "cargo install cargo-deny --locked".to_owned(),
        }));
    };
    succeed(
        Command::new(program)
            .current_dir(&run.workspace.root)
            .args(["--locked", "check", "bans", "licenses", "sources"]),
    )?;
    Ok(Report::default())
}

/// The `cargo-deny` that is there, or one of our own below `target` where that may take a minute.
fn program(run: &Run<'_>) -> Result<Option<PathBuf>> {
    let tools = run.workspace.target.join("tools");
    let candidates = [PathBuf::from("cargo-deny"), tools.join("bin/cargo-deny")];
    for candidate in &candidates {
        if works(Command::new(candidate).arg("--version")) {
            return Ok(Some(candidate.clone()));
        }
    }
    if !run.machine.root && !run.machine.ci {
        return Ok(None);
    }
    // Without optimisation it is built in a third of the time and still done in three seconds.
    let mut install = run
        .workspace
        .cargo(&["install", "cargo-deny", "--version", VERSION]);
    install
        .args(["--locked", "--debug", "--quiet", "--root"])
        .arg(&tools)
        .arg("--target-dir")
        .arg(tools.join("build"));
    succeed(&mut install)?;
    Ok(candidates.into_iter().nth(1))
}
