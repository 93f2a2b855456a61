//! `flagstaff audit verify`: whether the audit log is whole.

use crate::failure::Failure;
use crate::product::{SETTING, open_existing};
use crate::settings::Settings;
use anyhow::Context as _;
use flagstaff_store::AuditVerdict;
use std::io::Write;

/// Follows every chain and prints a line for each. A server may have the database.
///
/// # Errors
/// When an entry was changed or is missing, or the database cannot be read.
pub(crate) async fn verify(settings: &Settings) -> Result<(), Failure> {
    let store = open_existing(&settings.server.database_url, SETTING).await?;
    let organisations = store
        .organisations_with_audit()
        .await
        .context("cannot read the organisations")?;
    let chains = organisations.into_iter().map(|(id, name)| {
        let name = match id.get() {
            1.. => format!("organisation {} `{name}`", id.get()),
            _ => "the dashboard's own flags".to_owned(),
        };
        (Some(id), name)
    });
    let installation = (None, "the installation".to_owned());
    let mut out = std::io::stdout().lock();
    let mut are_whole = true;
    for (organisation, name) in [installation].into_iter().chain(chains) {
        let verdict = store.verify_audit(organisation).await;
        match verdict.with_context(|| format!("cannot read the entries of {name}"))? {
            AuditVerdict::Whole { entries } => {
                writeln!(out, "ok       {name}: {entries} entries")?;
            }
            AuditVerdict::Broken { sequence } => {
                are_whole = false;
                writeln!(
                    out,
                    "problem  {name}: entry {sequence} was changed or is missing"
                )?;
            }
        }
    }
    store.close().await;
    if are_whole {
        Ok(())
    } else {
        Err(Failure::Reported)
    }
}
