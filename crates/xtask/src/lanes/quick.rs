//! The tests beside the code: no server, no database, no network.

use anyhow::Result;

use super::tests::cargo_test;
use super::{Lane, Run};
use crate::summary::Report;

pub(super) const LANE: Lane = Lane {
    name: "quick",
    about: "unit and property tests",
    run,
};

fn run(run: &mut Run<'_>) -> Result<Report> {
    cargo_test(run.workspace, &["--workspace", "--lib", "--bins"], &[], &[])
}
