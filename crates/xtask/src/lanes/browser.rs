//! People's journeys through the dashboard, in a real headless Chromium, with script and without.

use anyhow::Result;
use std::path::Path;

use super::tests::{OF_ALL_CRATES, cargo_test};
use super::{Lane, Run};
use crate::node;
use crate::summary::Report;
use crate::system_packages::ensure;

pub(super) const LANE: Lane = Lane {
    name: "browser",
    about: "journeys through the dashboard in Chromium, and axe on every page",
    run,
};

/// The module with these tests.
pub(super) const MODULE: &str = "dashboard_journeys::";

/// Where the journeys and their packages are named.
const MANIFESTS: &str = "crates/dashboard/tests/browser";

/// Says where the packages are.
const PACKAGES_VARIABLE: &str = "FLAGSTAFF_DASHBOARD_BROWSER";

/// Where Debian keeps it.
const CHROMIUM: &str = "/usr/bin/chromium";

fn run(run: &mut Run<'_>) -> Result<Report> {
    let has_chromium = || Path::new(CHROMIUM).is_file();
    if let Some(missing) = ensure(run.machine, "Chromium", &["chromium"], has_chromium)? {
        return Ok(Report::skipped(missing));
    }
    let folder = match node::packages_of(run.workspace, run.machine, MANIFESTS, "dashboard")? {
        Ok(folder) => folder,
        Err(missing) => return Ok(Report::skipped(missing)),
    };
    let variables = [(PACKAGES_VARIABLE, folder.display().to_string())];
    cargo_test(
        run.workspace,
        OF_ALL_CRATES,
        &[MODULE, "--show-output"],
        &variables,
    )
}
