//! The real flagd: built from its Go module where that can be had.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::command::{output, works};
use crate::workspace::Workspace;

/// Names a flagd that is there already.
pub(crate) const VARIABLE: &str = "FLAGSTAFF_FLAGD_BINARY";

const MODULE: &str = "github.com/open-feature/flagd/flagd@v0.16.1";

/// The program, or why there is none. That is no failure, in CI neither: not every module proxy offers this module.
pub(crate) fn program(workspace: &Workspace) -> Result<Result<PathBuf, String>> {
    if let Some(named) = std::env::var_os(VARIABLE) {
        return Ok(Ok(named.into()));
    }
    let folder = workspace.target.join("clients/flagd");
    let made = folder.join("flagd");
    if works(Command::new(&made).arg("version")) {
        return Ok(Ok(made));
    }
    let because = |problem: &str| format!("flagd: {problem}; {VARIABLE} may name one");
    if !works(Command::new("go").arg("version")) {
        return Ok(Err(because("no Go to build it with")));
    }
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    // A proxy that refuses one module says so at once; the rest would be fetched before the build finds out.
    let mut install = Command::new("go");
    install.env("GOBIN", &folder).args(["install", MODULE]);
    Ok(match output(&mut install) {
        Ok(_) => Ok(made),
        Err(error) => {
            let said = format!("{error:#}");
            let refusal = said.lines().find(|line| line.contains(MODULE));
            let reason = refusal.unwrap_or_else(|| said.lines().last().unwrap_or_default());
            Err(because(&format!(
                "it cannot be installed: {}",
                reason.trim()
            )))
        }
    })
}
