//! Where the repository and its build folder are.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::command::output;
use crate::metadata::Metadata;

/// The folders that tasks work in.
#[derive(Debug)]
pub(crate) struct Workspace {
    /// The root of the repository.
    pub(crate) root: PathBuf,
    /// Cargo's build folder; everything that a task downloads or generates goes below it.
    pub(crate) target: PathBuf,
}

impl Workspace {
    /// Asks cargo, so that it works from any folder of the repository and with any build folder.
    pub(crate) fn find() -> Result<Self> {
        let text = output(cargo().args(["metadata", "--no-deps", "--format-version=1"]))?;
        let metadata = Metadata::parse(&text)?;
        Ok(Self {
            root: metadata.workspace_root,
            target: metadata.target_directory,
        })
    }

    /// Reads a file of the repository.
    pub(crate) fn read(&self, path: impl AsRef<Path>) -> Result<String> {
        let path = self.root.join(path);
        std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    }

    /// Starts a cargo command in the root of the repository.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = cargo();
        command.current_dir(&self.root).args(arguments);
        command
    }
}

/// The cargo that runs this task, so that a chosen toolchain stays chosen.
///
/// What `cargo run` says about this package in the environment is taken out: build scripts that watch those variables
/// (of ring, for one) would run again each time somebody changes between `cargo build` and `cargo xtask`.
fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in std::env::vars_os() {
        let is_of_this_package = name
            .to_str()
            .is_some_and(|name| OF_THIS_PACKAGE.iter().any(|start| name.starts_with(start)));
        if is_of_this_package {
            command.env_remove(name);
        }
    }
    command
}

const OF_THIS_PACKAGE: &[&str] = &["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_PRIMARY_PACKAGE"];
