//! Requests for each second of CPU time, beside a bare axum handler that sends the same bytes and headers.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use super::load;
use super::median;
use super::requests::Scenario;
use super::server::Server;
use super::table::Row;

/// Rounds per scenario; the median counts.
const ROUNDS: usize = 3;

/// Run before each measurement, so that caches are filled and connections are known to work.
const WARM_UP: Duration = Duration::from_secs(1);

/// Each scenario on both servers.
pub(super) fn run(
    ours: &Server,
    bare: &Path,
    scenarios: &[Scenario],
    time: Duration,
    folder: &Path,
) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for scenario in scenarios {
        println!(
            "{}: {ROUNDS} rounds of {} s on each",
            scenario.name,
            time.as_secs()
        );
        let bare = Server::bare(bare, &ours.address, scenario)?;
        rows.push(measure(ours, &bare, scenario, time, folder)?);
    }
    Ok(rows)
}

/// One scenario on both servers in turn, so that a slow minute of the machine hits both.
fn measure(
    ours: &Server,
    bare: &Server,
    scenario: &Scenario,
    time: Duration,
    folder: &Path,
) -> Result<Row> {
    let first = scenario
        .requests
        .first()
        .context("a scenario without requests")?;
    let answer = ours.answer(first)?;
    if bare.answer(first)? != answer {
        bail!(
            "{}: the bare handler does not send the same bytes and headers",
            scenario.name
        );
    }
    let (of_ours, of_bare) = per_cpu_second([ours, bare], scenario, time, folder)?;
    Ok(Row {
        scenario: scenario.name.clone(),
        bytes: answer.body.len(),
        ours: of_ours,
        bare: of_bare,
    })
}

/// Requests of one scenario for each second of CPU time of two servers, asked in turn; the median of the rounds.
pub(super) fn per_cpu_second(
    servers: [&Server; 2],
    scenario: &Scenario,
    time: Duration,
    folder: &Path,
) -> Result<(f64, f64)> {
    let script = folder.join("requests.lua");
    let mut results = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for (server, results) in servers.into_iter().zip(&mut results) {
            fs::write(&script, load::script(&scenario.requests, &server.address))?;
            load::run(&server.address, &script, WARM_UP)?;
            let before = server.cpu_seconds()?;
            let requests = load::run(&server.address, &script, time)?;
            let used = server.cpu_seconds()? - before;
            results.push(requests as f64 / used);
        }
    }
    let [first, second] = results;
    Ok((median(first), median(second)))
}
