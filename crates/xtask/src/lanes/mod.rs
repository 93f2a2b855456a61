//! The test lanes, in the order in which they run; a lane that fails does not stop the next.

mod agreement;
mod browser;
mod clients;
mod clippy;
mod deny;
mod deploy;
mod differential;
mod evaluators;
mod format;
mod layers;
mod quick;
mod site;
mod tests;

use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;

use crate::machine::Machine;
use crate::postgres::{Postgres, URL_VARIABLE};
use crate::summary::{Finished, Report, is_good, text};
use crate::system_packages::Missing;
use crate::workspace::Workspace;

/// One way of looking at the repository.
pub(crate) struct Lane {
    pub(crate) name: &'static str,
    /// What it does, for a person who watches.
    about: &'static str,
    run: fn(&mut Run<'_>) -> Result<Report>,
}

/// What `cargo xtask test` runs: quick answers first.
const ALL: &[Lane] = &[
    format::LANE,
    layers::LANE,
    clippy::LANE,
    deny::LANE,
    deploy::LANE,
    site::LANE,
    tests::LANE,
    differential::LANE,
    evaluators::LANE,
    agreement::LANE,
    clients::LANE,
    browser::LANE,
];

const BEFORE_A_COMMIT: &[Lane] = &[format::LANE, layers::LANE, clippy::LANE, quick::LANE];

/// What the lanes of one run share.
pub(crate) struct Run<'a> {
    pub(crate) workspace: &'a Workspace,
    pub(crate) machine: Machine,
    /// The long versions of the generated tests.
    pub(crate) full: bool,
    postgres: Option<Postgres>,
}

impl Run<'_> {
    /// The address of a Postgres server for tests; started by the first lane that asks.
    pub(crate) fn postgres(&mut self) -> Result<Result<String, Missing>> {
        if let Ok(url) = std::env::var(URL_VARIABLE) {
            return Ok(Ok(url));
        }
        if let Some(server) = &self.postgres {
            return Ok(Ok(server.url.clone()));
        }
        Ok(Postgres::start(self.workspace, self.machine)?
            .map(|server| self.postgres.insert(server).url.clone()))
    }
}

/// The names that `--lane` takes.
pub(crate) fn names() -> Vec<&'static str> {
    ALL.iter().map(|lane| lane.name).collect()
}

/// The lanes of these names, in their usual order; all of them when none is named.
pub(crate) fn chosen(names: &[String]) -> Vec<&'static Lane> {
    ALL.iter()
        .filter(|lane| names.is_empty() || names.iter().any(|name| name == lane.name))
        .collect()
}

/// The lanes of `cargo xtask check`.
pub(crate) fn before_a_commit() -> Vec<&'static Lane> {
    BEFORE_A_COMMIT.iter().collect()
}

/// Runs lanes one after the other and ends with a table and the line `N passed, N failed`.
pub(crate) fn run(workspace: &Workspace, lanes: &[&Lane], full: bool) -> Result<ExitCode> {
    let machine = Machine::look();
    let mut run = Run {
        workspace,
        machine,
        full,
        postgres: None,
    };
    let mut finished = Vec::new();
    for (number, lane) in lanes.iter().enumerate() {
        println!(
            "\n── {} ({} of {}): {}",
            lane.name,
            number + 1,
            lanes.len(),
            lane.about
        );
        let started = Instant::now();
        let report =
            (lane.run)(&mut run).unwrap_or_else(|error| Report::broken(format!("{error:#}")));
        finished.push(Finished {
            name: lane.name,
            took: started.elapsed(),
            report,
        });
    }
    drop(run);
    println!("{}", text(&finished, machine));
    Ok(ExitCode::from(u8::from(!is_good(&finished, machine))))
}
