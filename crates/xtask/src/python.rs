//! Virtual environments with exactly the packages that a list pins.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::command::{output, succeed, works};
use crate::machine::Machine;
use crate::system_packages::{Missing, ensure};
use crate::workspace::Workspace;

/// Left in an environment once it is complete; holds what it was made from.
const STAMP: &str = "flagstaff-made-from.txt";

/// Makes `target/venvs/<name>` from `crates/xtask/requirements/<name>.txt` and returns its Python.
///
/// One that was made from the same list by the same Python is used again.
pub(crate) fn environment(
    workspace: &Workspace,
    machine: Machine,
    name: &str,
) -> Result<Result<PathBuf, Missing>> {
    let packages = ["python3", "python3-venv"];
    let present = || works(Command::new("python3").args(["-c", "import ensurepip, venv"]));
    if let Some(missing) = ensure(machine, "Python 3 with venv", &packages, present)? {
        return Ok(Err(missing));
    }
    let list = workspace
        .root
        .join(format!("crates/xtask/requirements/{name}.txt"));
    let wanted = workspace.read(&list)?;
    let version = output(
        Command::new("python3").args(["-c", "import sys; print(sys.version, sys.executable)"]),
    )?;
    let made_from = format!("{version}{wanted}");

    let folder = workspace.target.join("venvs").join(name);
    let python = folder.join("bin/python");
    let stamp = folder.join(STAMP);
    let is_complete = fs::read_to_string(&stamp).is_ok_and(|text| text == made_from)
        && works(Command::new(&python).arg("--version"));
    if !is_complete {
        if folder.exists() {
            fs::remove_dir_all(&folder)
                .with_context(|| format!("cannot remove {}", folder.display()))?;
        }
        succeed(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
        succeed(
            Command::new(&python)
                .args([
                    "-m",
                    "pip",
                    "install",
                    "--quiet",
                    "--disable-pip-version-check",
                    "--no-deps",
                    "--requirement",
                ])
                .arg(&list),
        )?;
        // The list names every package, so nothing may be missing or at odds.
        succeed(Command::new(&python).args(["-m", "pip", "check", "--disable-pip-version-check"]))?;
        fs::write(&stamp, made_from)?;
    }
    Ok(Ok(python))
}
