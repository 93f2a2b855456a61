//! Java clients and the programs with their journeys.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::command::{output, succeed, works};
use crate::machine::Machine;
use crate::system_packages::{Missing, ensure};
use crate::workspace::Workspace;

/// Where folders with `pom.xml`, `jars.sha256` and sources are kept.
const CLIENTS: &str = "crates/flagstaff/tests/clients";

/// The oldest Java that the program is written for.
const OLDEST: &str = "17";

const STAMP: &str = "flagstaff-made-from.txt";

/// Copies a client and what it needs to `target/clients/<name>`, compiles the program and returns its class path.
///
/// Maven has no lock file, so `jars.sha256` lists every jar with its hash; another one is an error.
pub(crate) fn class_path(
    workspace: &Workspace,
    machine: Machine,
    name: &str,
) -> Result<Result<String, Missing>> {
    let what = format!("a JDK {OLDEST} or later with Maven");
    if let Some(missing) = ensure(machine, &what, &["default-jdk-headless", "maven"], is_there)? {
        return Ok(Err(missing));
    }
    let sources = workspace.root.join(CLIENTS).join(name);
    let mut names: Vec<_> = fs::read_dir(&sources)
        .with_context(|| format!("cannot list {}", sources.display()))?
        .collect::<Result<_, _>>()?;
    names.retain(|entry| !entry.file_name().to_string_lossy().ends_with(".json"));
    names.sort_by_key(fs::DirEntry::file_name);
    let mut made_from = output(Command::new("javac").arg("--version"))?;
    for entry in &names {
        made_from += &workspace.read(entry.path())?;
    }

    let folder = workspace.target.join("clients").join(name);
    let stamp = folder.join(STAMP);
    if !fs::read_to_string(&stamp).is_ok_and(|text| text == made_from) {
        make(&sources, &folder)?;
        fs::write(&stamp, made_from)?;
    }
    Ok(Ok(std::env::join_paths([
        folder.join("classes"),
        folder.join("lib/*"),
    ])?
    .into_string()
    .map_err(|path| {
        anyhow::anyhow!("{} is not UTF-8", path.display())
    })?))
}

fn make(sources: &Path, folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)
            .with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    let jars = folder.join("lib");
    fs::create_dir_all(&jars).with_context(|| format!("cannot make {}", jars.display()))?;
    succeed(
        Command::new("mvn")
            .args(["--batch-mode", "--quiet", "--strict-checksums", "--file"])
            .arg(sources.join("pom.xml"))
            .arg("dependency:copy-dependencies")
            .arg(format!("-DoutputDirectory={}", jars.display())),
    )?;
    let listed = sources.join("jars.sha256");
    succeed(
        Command::new("sha256sum")
            .current_dir(&jars)
            .args(["--check", "--strict", "--quiet"])
            .arg(&listed),
    )?;
    refuse_unlisted(&jars, &listed)?;
    let mut compile = Command::new("javac");
    compile
        .args(["-nowarn", "--release", OLDEST, "-cp"])
        .arg(jars.join("*"))
        .arg("-d")
        .arg(folder.join("classes"));
    for entry in fs::read_dir(sources)? {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "java")
        {
            compile.arg(path);
        }
    }
    succeed(&mut compile)
}

/// What is not in the list must not be on the class path: nobody has looked at it.
fn refuse_unlisted(jars: &Path, list: &Path) -> Result<()> {
    let listed = fs::read_to_string(list)?;
    for entry in fs::read_dir(jars)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if !listed
            .lines()
            .any(|line| line.ends_with(&format!("  {name}")))
        {
            anyhow::bail!("{name} is not in {}", list.display());
        }
    }
    Ok(())
}

fn is_there() -> bool {
    works(Command::new("javac").args(["--release", OLDEST, "--version"]))
        && works(Command::new("mvn").arg("--version"))
}
