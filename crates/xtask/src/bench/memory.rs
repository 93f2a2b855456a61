//! How much memory the server has after how many requests, and how soon after its start it answers.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::load;
use super::median;
use super::requests::{self, Scenario};
use super::server::Server;

/// Starts whose median counts.
const STARTS: usize = 5;
/// Measurements of memory, evenly over the requests.
const STEPS: u64 = 5;

/// Milliseconds from starting the program to its first answer, on a database that is there.
pub(super) fn cold_start(binary: &Path, folder: &Path) -> Result<String> {
    let first = requests::flags();
    let (mut passed, mut used) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let start = Instant::now();
        let server = Server::flagstaff(binary, folder)?;
        for request in first.requests.iter().take(1) {
            server.answer(request)?;
        }
        passed.push(start.elapsed().as_secs_f64() * 1000.0);
        used.push(server.cpu_seconds()? * 1000.0);
    }
    Ok(format!(
        "Cold start to the first answer: {:.0} ms, of which {:.0} ms CPU time (medians of {STARTS}).",
        median(passed),
        median(used)
    ))
}

/// Sends so many requests and measures memory on the way; gives a table.
pub(super) fn resident(server: &Server, folder: &Path, requests: u64) -> Result<String> {
    let script = folder.join("mixed.lua");
    let mixed = requests::mixed();
    fs::write(&script, load::script(&mixed.requests, &server.address))?;
    let mut lines = vec![
        "| requests | resident memory |".to_owned(),
        "|--:|--:|".to_owned(),
    ];
    let mut sent = 0;
    for step in 1..=STEPS {
        while sent < requests * step / STEPS {
            sent += load::run(&server.address, &script, Duration::from_secs(2))?;
        }
        let mebibytes = server.memory("VmRSS:")?;
        println!("{sent} requests: {mebibytes:.1} MiB");
        lines.push(format!("| {sent} | {mebibytes:.1} MiB |"));
    }
    lines.push(format!(
        "\nThe most it ever had: {:.1} MiB. Requests: {}.",
        server.memory("VmHWM:")?,
        describe(&mixed)
    ));
    Ok(lines.join("\n"))
}

fn describe(scenario: &Scenario) -> &str {
    &scenario.name
}
