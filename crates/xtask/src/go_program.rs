//! Go programs of client tests: modules of their own, locked by their `go.sum`.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use serde::Deserialize;

use crate::command::{output, succeed, works};
use crate::workspace::Workspace;

/// Folders with modules that the module proxy refuses, separated as in `PATH`. Each stands in for the module that its
/// `go.mod` names.
const CHECKOUTS: &str = "FLAGSTAFF_GO_MODULES";

/// Where folders with such a program are kept.
const SOURCES: &str = "crates/flagstaff/tests/clients";

/// Builds the program of one folder in `target/clients/<folder>`, or says why that cannot be done here.
///
/// That is no failure, in CI neither: not every module proxy offers these modules.
pub(crate) fn program(workspace: &Workspace, folder: &str) -> Result<Result<PathBuf, String>> {
    if !works(Command::new("go").arg("version")) {
        return Ok(Err(format!("{folder}: no Go to build it with")));
    }
    let copy = workspace.target.join("clients").join(folder);
    copy_files(&workspace.root.join(SOURCES).join(folder), &copy)?;
    let named = std::env::var_os(CHECKOUTS).unwrap_or_default();
    let checkouts = checkouts(&named)?;
    for (module, place) in &checkouts {
        let replacement = format!("{module}={}", place.display());
        succeed(go(&copy).args(["mod", "edit", "-replace", &replacement]))?;
    }
    let mut build = go(&copy);
    build.args(["build", "-o", "program"]);
    if !checkouts.is_empty() {
        // Checkouts may need what the lock does not know.
        build.arg("-mod=mod");
    }
    let Err(error) = output(&mut build) else {
        return Ok(Ok(copy.join("program")));
    };
    let refused = refused(workspace, &copy, &checkouts)?;
    if refused.is_empty() {
        return Err(error);
    }
    Ok(Err(format!(
        "{folder}: the module proxy does not give out {}; {CHECKOUTS} may name folders with them",
        refused.join(", ")
    )))
}

fn go(folder: &Path) -> Command {
    let mut command = Command::new("go");
    command.current_dir(folder);
    command
}

/// Copies a program, so that what is replaced is not replaced in the repository.
fn copy_files(from: &Path, to: &Path) -> Result<()> {
    if to.exists() {
        fs::remove_dir_all(to).with_context(|| format!("cannot remove {}", to.display()))?;
    }
    fs::create_dir_all(to).with_context(|| format!("cannot make {}", to.display()))?;
    let files = fs::read_dir(from).with_context(|| format!("cannot list {}", from.display()))?;
    for file in files {
        let file = file?;
        fs::copy(file.path(), to.join(file.file_name()))?;
    }
    Ok(())
}

/// The names of the modules that are there already, and their folders.
fn checkouts(named: &OsStr) -> Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    for folder in std::env::split_paths(named).filter(|folder| !folder.as_os_str().is_empty()) {
        let manifest = folder.join("go.mod");
        let text = fs::read_to_string(&manifest)
            .with_context(|| format!("cannot read {}, named by {CHECKOUTS}", manifest.display()))?;
        let mut lines = text.lines();
        let module = lines.find_map(|line| line.strip_prefix("module "));
        let module = module.with_context(|| format!("{} names no module", manifest.display()))?;
        found.push((module.trim().to_owned(), folder));
    }
    Ok(found)
}

/// The part of `go mod edit -json` that is read here.
#[derive(Debug, Deserialize)]
struct Manifest {
    #[serde(rename = "Require")]
    requirements: Vec<Requirement>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Requirement {
    path: String,
    version: String,
}

/// Which modules cannot be had: each is asked for alone, because a build gives up at the first.
fn refused(
    workspace: &Workspace,
    program: &Path,
    checkouts: &[(String, PathBuf)],
) -> Result<Vec<String>> {
    let text = output(go(program).args(["mod", "edit", "-json"]))?;
    let manifest: Manifest =
        serde_json::from_str(&text).context("go mod edit wrote something unexpected")?;
    let mut refused = Vec::new();
    for Requirement { path, version } in manifest.requirements {
        let module = format!("{path}@{version}");
        // From a folder without a `go.mod`, where other modules have no say.
        let mut download = go(&workspace.root);
        download.args(["mod", "download", &module]);
        if checkouts.iter().all(|(name, _)| *name != path) && !works(&mut download) {
            refused.push(module);
        }
    }
    Ok(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_stands_in_for_the_module_that_it_names() {
        let clients = concat!(env!("CARGO_MANIFEST_DIR"), "/../flagstaff/tests/clients");
        let named = format!("{clients}/go:{clients}/openfeature/go");

        let found = checkouts(OsStr::new(&named)).expect("both have a go.mod");

        let modules: Vec<_> = found.iter().map(|(module, _)| module.as_str()).collect();
        assert_eq!(modules, ["flagstaff/clients", "flagstaff/openfeature"]);
    }

    #[test]
    fn a_folder_without_a_module_is_refused_by_name() {
        let error = checkouts(OsStr::new("/nowhere")).expect_err("nothing is there");

        let text = format!("{error:#}");
        assert!(
            text.contains("/nowhere/go.mod") && text.contains(CHECKOUTS),
            "{text}"
        );
    }

    #[test]
    fn without_folders_nothing_is_replaced() {
        assert!(
            checkouts(OsStr::new(""))
                .expect("nothing to read")
                .is_empty()
        );
    }
}
