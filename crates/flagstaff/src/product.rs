//! The product as every command but `evaluate` needs it: the database at this version, and the service over it.

use crate::clock;
use crate::failure::Failure;
use crate::lock::DatabaseLock;
use crate::settings::Settings;
use anyhow::Context as _;
use flagstaff_service::{Clock, Service, ServiceConfig};
use flagstaff_store::Store;

/// Opens the database, takes it for this process and brings it to this version.
///
/// # Errors
/// When it cannot be reached or opened, another process has it, or a migration fails.
pub(crate) async fn open_store(settings: &Settings) -> Result<(Store, DatabaseLock), Failure> {
    let url = settings.server.database_url.expose();
    // The address may hold a password, so it is not repeated.
    let store = Store::connect(url)
        .await
        .context("cannot open the database that `server.database_url` names")?;
    let lock = DatabaseLock::take(&store)?;
    store
        .migrate(clock::now())
        .await
        .context("cannot bring the database to this version")?;
    Ok((store, lock))
}

/// The service with the real clock.
pub(crate) fn service(store: Store, settings: &Settings) -> Service {
    let config = ServiceConfig {
        sign_in: settings.sign_in.clone(),
        memory: settings.memory.clone(),
        usage: settings.usage.clone(),
        outbound: settings.outbound.clone(),
        mail: settings.mail.clone(),
        google: settings.google.clone(),
        github: settings.github.clone(),
        oidc: settings.oidc.clone(),
        own_flags: settings.own_flags.clone(),
        public_url: settings
            .server
            .public_url
            .as_ref()
            .map(|url| url.as_str().into()),
    };
    Service::new(store, Clock::new(clock::now), config)
}
