//! The documentation as a site: it is built, and every link on it leads somewhere.

use anyhow::Result;

use super::{Lane, Run};
use crate::site;
use crate::summary::Report;

pub(super) const LANE: Lane = Lane {
    name: "site",
    about: "the documentation by mdBook, and the links of its pages",
    run,
};

fn run(run: &mut Run<'_>) -> Result<Report> {
    let mdbook = match site::MDBOOK.find(run.workspace, run.machine)? {
        Ok(mdbook) => mdbook,
        Err(missing) => return Ok(Report::skipped(missing)),
    };
    let book = site::build(run.workspace, &mdbook)?;
    Ok(Report {
        problems: site::broken_links(&book)?,
        ..Report::default()
    })
}
