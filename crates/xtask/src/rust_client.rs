//! The program with the journeys of the Rust SDK: a workspace of its own, built with its own lock file.

use std::path::PathBuf;

use anyhow::Result;

use crate::command::succeed;
use crate::workspace::Workspace;

const MANIFEST: &str = "crates/flagstaff/tests/clients/rust/Cargo.toml";

/// The name of its package, and so of what is built.
const NAME: &str = "flagstaff-client-tests";

/// Builds it under `target/clients/rust` and returns the program; cargo itself knows when nothing is to be done.
pub(crate) fn program(workspace: &Workspace) -> Result<PathBuf> {
    let folder = workspace.target.join("clients/rust");
    let mut command = workspace.cargo(&["build", "--locked", "--quiet"]);
    command
        .arg("--manifest-path")
        .arg(workspace.root.join(MANIFEST))
        .arg("--target-dir")
        .arg(&folder);
    succeed(&mut command)?;
    Ok(folder.join("debug").join(NAME))
}
