//! The npm packages of client tests, exactly as the lock files have them.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::command::{output, succeed};
use crate::machine::Machine;
use crate::system_packages::{Missing, ensure};
use crate::workspace::Workspace;

/// Where folders with a `package.json` and a `package-lock.json` are kept: one for each client.
const CLIENTS: &str = "crates/flagstaff/tests/clients";

/// The oldest Node.js that the clients run on.
const OLDEST: u32 = 18;

const STAMP: &str = "flagstaff-made-from.txt";

/// Installs the locked packages of a client into `target/clients/<name>` and returns that folder.
pub(crate) fn packages(
    workspace: &Workspace,
    machine: Machine,
    name: &str,
) -> Result<Result<PathBuf, Missing>> {
    packages_of(workspace, machine, &format!("{CLIENTS}/{name}"), name)
}

/// The same for a folder that is elsewhere.
pub(crate) fn packages_of(
    workspace: &Workspace,
    machine: Machine,
    manifests: &str,
    name: &str,
) -> Result<Result<PathBuf, Missing>> {
    let what = format!("Node.js {OLDEST} or later with npm");
    if let Some(missing) = ensure(machine, &what, &["nodejs", "npm"], is_there)? {
        return Ok(Err(missing));
    }
    let manifest = workspace.read(format!("{manifests}/package.json"))?;
    let lock = workspace.read(format!("{manifests}/package-lock.json"))?;
    let version = output(Command::new("node").arg("--version"))?;
    let made_from = format!("{version}{manifest}{lock}");

    let folder = workspace.target.join("clients").join(name);
    let stamp = folder.join(STAMP);
    if !fs::read_to_string(&stamp).is_ok_and(|text| text == made_from) {
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let _ = fs::remove_file(&stamp);
        fs::write(folder.join("package.json"), &manifest)?;
        fs::write(folder.join("package-lock.json"), &lock)?;
        succeed(Command::new("npm").current_dir(&folder).args([
            "ci",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--loglevel=error",
        ]))?;
        fs::write(&stamp, made_from)?;
    }
    Ok(Ok(folder))
}

fn is_there() -> bool {
    let version = output(Command::new("node").arg("--version")).ok();
    let major = version.and_then(|text| {
        text.strip_prefix('v')?
            .split('.')
            .next()?
            .parse::<u32>()
            .ok()
    });
    major.is_some_and(|major| major >= OLDEST)
        && output(Command::new("npm").arg("--version")).is_ok()
}
