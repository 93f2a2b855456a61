//! One evaluation by our core, by the crate `flagsmith-flag-engine` and by the Python package of that name.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use serde_json::Value;

use super::context::evaluation_context;
use super::median;
use super::server::pinned;
use super::size::Size;
use crate::command::{output, succeed};
use crate::machine::Machine;
use crate::python;
use crate::workspace::Workspace;

/// Where the two Rust programs are: a workspace of its own.
const PROGRAMS: &str = "benches/engines";

/// What one of the programs says about one context.
#[derive(Deserialize)]
struct Report {
    /// One for each round.
    nanoseconds: Vec<f64>,
    #[serde(default)]
    allocations: u64,
    #[serde(default)]
    bytes: u64,
    result: Value,
}

/// The programs, built.
pub(super) struct Programs {
    pub(super) ours: std::path::PathBuf,
    peer: std::path::PathBuf,
}

/// Builds the programs one after the other: together, cargo would give both the features of serde_json that one needs.
pub(super) fn build(workspace: &Workspace) -> Result<Programs> {
    let manifest = workspace.root.join(PROGRAMS).join("Cargo.toml");
    let target = workspace.target.join("bench/engines");
    for package in ["ours", "peer"] {
        let mut build = workspace.cargo(&["build", "--release", "--locked", "--package", package]);
        build
            .arg("--manifest-path")
            .arg(&manifest)
            .arg("--target-dir")
            .arg(&target);
        succeed(&mut build)?;
    }
    Ok(Programs {
        ours: target.join("release/ours"),
        peer: target.join("release/peer"),
    })
}

/// Writes the contexts of all sizes into a folder.
pub(super) fn contexts(folder: &Path) -> Result<Vec<(Size, std::path::PathBuf)>> {
    let sizes = [Size::SMALL, Size::MANY_SEGMENTS, Size::LARGE];
    let write = |(number, size): (usize, Size)| {
        let path = folder.join(format!("context-{number}.json"));
        fs::write(&path, evaluation_context(size).to_string())?;
        Ok((size, path))
    };
    sizes.into_iter().enumerate().map(write).collect()
}

/// Measures all three and gives a table.
pub(super) fn run(workspace: &Workspace, programs: &Programs, folder: &Path) -> Result<String> {
    let python = match python::environment(workspace, Machine::look(), "engine11")? {
        Ok(python) => python,
        Err(missing) => bail!("{}; to enable: {}", missing.what, missing.remedy),
    };
    let script = workspace.root.join(PROGRAMS).join("peer.py");
    let mut lines = vec![
        "| features/segments | flagstaff | allocations | crate | allocations | of the crate's time | PyPI | of PyPI's time |"
            .to_owned(),
        "|---|--:|--:|--:|--:|--:|--:|--:|".to_owned(),
    ];
    for (size, context) in contexts(folder)? {
        println!("evaluation of {}", size.name());
        let ours = report(pinned(&programs.ours).arg(&context))?;
        let peer = report(pinned(&programs.peer).arg(&context))?;
        let slow = report(pinned(&python).arg(&script).arg(&context))?;
        for (name, other) in [("the crate", &peer), ("PyPI's engine", &slow)] {
            if flags(&ours.result) != flags(&other.result) {
                bail!("{}: {name} gives other flags than we do", size.name());
            }
        }
        lines.push(row(size, ours, peer, slow));
    }
    Ok(lines.join("\n"))
}

fn row(size: Size, ours: Report, peer: Report, slow: Report) -> String {
    let allocated = |report: &Report| format!("{} ({} bytes)", report.allocations, report.bytes);
    let (our_allocations, peer_allocations) = (allocated(&ours), allocated(&peer));
    let [ours, peer, slow] = [ours, peer, slow].map(|report| median(report.nanoseconds) / 1000.0);
    format!(
        "| {} | {ours:.2} µs | {our_allocations} | {peer:.1} µs | {peer_allocations} | 1/{:.1} | {slow:.0} µs | 1/{:.0} |",
        size.name(),
        peer / ours,
        slow / ours,
    )
}

fn report(command: &mut Command) -> Result<Report> {
    let text = output(command)?;
    serde_json::from_str(&text).context("a report that cannot be read")
}

/// Name, state, value and variant of every flag; reasons and metadata are worded differently.
fn flags(result: &Value) -> Vec<(String, Value, Value)> {
    let flags = result["flags"].as_object().into_iter().flatten();
    let mut flags: Vec<_> = flags
        .map(|(name, flag)| (name.clone(), flag["enabled"].clone(), flag["value"].clone()))
        .collect();
    flags.sort_by(|a, b| a.0.cmp(&b.0));
    flags
}
