//! Crates use each other as the map says.

use anyhow::Result;

use super::{Lane, Run};
use crate::layers;
use crate::summary::Report;

pub(super) const LANE: Lane = Lane {
    name: "layers",
    about: "crates use each other as the map says, files are short",
    run,
};

fn run(run: &mut Run<'_>) -> Result<Report> {
    let problems = layers::check(run.workspace)?;
    for problem in &problems {
        println!("{problem}");
    }
    Ok(Report {
        problems,
        ..Report::default()
    })
}
