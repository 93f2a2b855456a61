//! Rust programs of client tests: workspaces of their own, built with their own lock files.

use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::command::{output, succeed};
use crate::metadata::Metadata;
use crate::workspace::Workspace;

/// Where folders with such a workspace are kept.
const MANIFESTS: &str = "crates/flagstaff/tests/clients";

/// Builds the package of one folder into `target/clients/<folder>` and returns the program; cargo itself knows when
/// nothing is to be done.
pub(crate) fn program(workspace: &Workspace, folder: &str, package: &str) -> Result<PathBuf> {
    let target = workspace.target.join("clients").join(folder);
    let mut command = workspace.cargo(&["build", "--locked", "--quiet"]);
    command
        .arg("--manifest-path")
        .arg(manifest(workspace, folder))
        .arg("--target-dir")
        .arg(&target);
    succeed(&mut command)?;
    Ok(target.join("debug").join(package))
}

/// The folder of a crate's sources that the package of one folder names, built or not.
pub(crate) fn sources(workspace: &Workspace, folder: &str, dependency: &str) -> Result<PathBuf> {
    let mut command = workspace.cargo(&["metadata", "--locked", "--format-version=1"]);
    command
        .arg("--manifest-path")
        .arg(manifest(workspace, folder));
    let metadata = Metadata::parse(&output(&mut command)?)?;
    let mut packages = metadata.packages.into_iter();
    let found = packages.find(|package| package.name == dependency);
    let manifest = found.with_context(|| format!("no dependency is called {dependency}"))?;
    let sources = manifest.manifest_path.parent().map(PathBuf::from);
    sources.with_context(|| format!("{dependency} has no folder"))
}

fn manifest(workspace: &Workspace, folder: &str) -> PathBuf {
    workspace
        .root
        .join(MANIFESTS)
        .join(folder)
        .join("Cargo.toml")
}
