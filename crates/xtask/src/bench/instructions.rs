//! Instructions in user space, counted by valgrind: the same on a busy machine, so that a regression shows anywhere.
//!
//! Each count is the difference between two runs that do a different number of things, divided by that number: what
//! happens once, at start and stop, falls out.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::evaluation::{Programs, contexts};
use super::requests::Scenario;
use super::server::{Server, flagstaff_command};
use crate::command::output;

/// Requests of the shorter and of the longer run. Both ask for every identity once: what is counted finds it in memory.
const REQUESTS: [usize; 2] = [1200, 2200];
/// Evaluations of the two.
const EVALUATIONS: [usize; 2] = [100, 600];

/// Counts for evaluations of every size.
pub(super) fn of_evaluations(programs: &Programs, folder: &Path) -> Result<String> {
    let mut lines = heading("evaluation");
    for (size, context) in contexts(folder)? {
        let counts = EVALUATIONS.map(|times| {
            let out = folder.join("cachegrind.out");
            output(
                cachegrind(&out)
                    .arg(&programs.ours)
                    .arg(&context)
                    .arg(times.to_string()),
            )?;
            summary(&out)
        });
        lines.push(line(&size.name(), counts, EVALUATIONS)?);
    }
    Ok(lines.join("\n"))
}

/// Counts for the requests of some scenarios, on the server with the database in `folder`.
pub(super) fn of_requests(
    binary: &Path,
    folder: &Path,
    scenarios: &[Scenario],
) -> Result<Vec<String>> {
    let count = |scenario: &Scenario| {
        println!("instructions of {}", scenario.name);
        // Whoever is asked for is stored before anything is counted.
        let mut server = Server::flagstaff(binary, folder)?;
        server.answer_all(scenario.requests.iter())?;
        server.stop_gracefully()?;
        let counts = REQUESTS.map(|times| served(binary, folder, scenario, times));
        line(&scenario.name, counts, REQUESTS)
    };
    scenarios.iter().map(count).collect()
}

pub(super) fn heading(what: &str) -> Vec<String> {
    vec![format!("| {what} | instructions |"), "|---|--:|".to_owned()]
}

/// Instructions of a whole life of the server in which it answers so many requests.
fn served(binary: &Path, folder: &Path, scenario: &Scenario, times: usize) -> Result<u64> {
    let out = folder.join("cachegrind.out");
    let mut command = cachegrind(&out);
    let flagstaff = flagstaff_command(binary, folder);
    for (name, value) in flagstaff.get_envs() {
        if let Some(value) = value {
            command.env(name, value);
        }
    }
    command
        .arg(binary)
        .arg("serve")
        .current_dir(folder)
        // One worker: how several look for work is not what is counted.
        .env("TOKIO_WORKER_THREADS", "1")
        .stdin(std::process::Stdio::null())
        .stderr(fs::File::create(folder.join("log"))?);
    let mut server = Server::start(command)?;
    server.answer_all(scenario.requests.iter().cycle().take(times))?;
    server.stop_gracefully()?;
    summary(&out)
}

fn cachegrind(out: &Path) -> Command {
    let mut command = Command::new("valgrind");
    command
        .args(["--tool=cachegrind", "--cache-sim=no", "--quiet"])
        .arg(format!("--cachegrind-out-file={}", out.display()));
    command
}

/// Reads what valgrind counted; no file means that the program was stopped before it could be written.
fn summary(out: &Path) -> Result<u64> {
    let text = fs::read_to_string(out).context("valgrind wrote nothing")?;
    fs::remove_file(out)?;
    let line = text.lines().find_map(|line| line.strip_prefix("summary:"));
    let count = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    count.context("no summary from valgrind")
}

fn line(name: &str, counts: [Result<u64>; 2], times: [usize; 2]) -> Result<String> {
    let [few, many] = counts;
    let (few, many) = (few?, many?);
    let [less, more] = times;
    if many <= few {
        bail!("{name}: more of it took fewer instructions");
    }
    Ok(format!(
        "| {name} | {} |",
        (many - few) / (more - less) as u64
    ))
}
