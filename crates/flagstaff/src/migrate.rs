//! `flagstaff migrate`: the database, brought to this version.

use crate::failure::Failure;
use crate::product::open_store;
use crate::settings::Settings;
use anyhow::Context as _;
use std::io::Write;

/// Runs the migrations that the database has not had.
///
/// # Errors
/// When the database cannot be opened, is in use, or a migration fails.
pub(crate) async fn run(settings: &Settings) -> Result<(), Failure> {
    let (store, _lock) = open_store(settings).await?;
    let state = store
        .migration_state()
        .await
        .context("cannot read the version")?;
    writeln!(
        std::io::stdout(),
        "the database is at migration {}",
        state.applied
    )?;
    store.close().await;
    Ok(())
}
