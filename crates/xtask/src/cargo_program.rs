//! Programs that cargo installs: those that are there, or our own below `target/tools`.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::command::{succeed, works};
use crate::machine::Machine;
use crate::system_packages::Missing;
use crate::workspace::Workspace;

/// A program that cargo installs.
pub(crate) struct CargoProgram {
    /// Its name and that of its crate.
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    /// What `cargo install` is told beside it.
    pub(crate) features: &'static [&'static str],
}

impl CargoProgram {
    /// The one that is there, or one that is made where that may take minutes.
    pub(crate) fn find(
        &self,
        workspace: &Workspace,
        machine: Machine,
    ) -> Result<Result<PathBuf, Missing>> {
        let tools = workspace.target.join("tools");
        let own = tools.join("bin").join(self.name);
        for candidate in [PathBuf::from(self.name), own.clone()] {
            if works(Command::new(&candidate).arg("--version")) {
                return Ok(Ok(candidate));
            }
        }
        if !machine.root && !machine.ci {
            let features: String = self
                .features
                .iter()
                .map(|each| format!(" {each}"))
                .collect();
            return Ok(Err(Missing {
                what: format!("{} not found", self.name),
                remedy: format!("cargo install {} --locked{features}", self.name),
            }));
        }
        // Without optimisation it is built in a third of the time and still done in seconds.
        let mut install = workspace.cargo(&["install", self.name, "--version", self.version]);
        install
            .args(["--locked", "--debug", "--quiet"])
            .args(self.features)
            .arg("--root")
            .arg(&tools)
            .arg("--target-dir")
            .arg(tools.join("build"));
        succeed(&mut install)?;
        Ok(Ok(own))
    }
}
