//! The product as every command but `evaluate` needs it: the database at this version, and the service over it.

use crate::clock;
use crate::config::DatabaseUrl;
use crate::failure::Failure;
use crate::lock::DatabaseLock;
use crate::settings::Settings;
use anyhow::{Context as _, anyhow};
use flagstaff_service::{Clock, Service, ServiceConfig};
use flagstaff_store::Store;

/// Where the address of the database stands.
pub(crate) const SETTING: &str = "server.database_url";

/// Opens the database, takes it for this process and brings it to this version.
///
/// # Errors
/// When it cannot be reached or opened, another process has it, or a migration fails.
pub(crate) async fn open_store(settings: &Settings) -> Result<(Store, DatabaseLock), Failure> {
    let (store, lock) = take_store(&settings.server.database_url, SETTING).await?;
    store
        .migrate(clock::now())
        .await
        .context("cannot bring the database to this version")?;
    Ok((store, lock))
}

/// Opens a database and takes it for this process, whatever its version; `named_by` says where its address was given.
///
/// # Errors
/// When it cannot be reached or opened, or another process has it.
pub(crate) async fn take_store(
    url: &DatabaseUrl,
    named_by: &'static str,
) -> Result<(Store, DatabaseLock), Failure> {
    let store = connect(url, named_by).await?;
    let lock = DatabaseLock::take(&store)?;
    Ok((store, lock))
}

/// Opens a database that is there already, beside a server that may have it.
///
/// # Errors
/// When it is not there, or cannot be reached or opened.
pub(crate) async fn open_existing(
    url: &DatabaseUrl,
    named_by: &'static str,
) -> Result<Store, Failure> {
    if let Some(missing) = missing_file(url.expose()) {
        return Err(Failure::Failed(anyhow!("{missing} does not exist")));
    }
    connect(url, named_by).await
}

async fn connect(url: &DatabaseUrl, named_by: &'static str) -> Result<Store, Failure> {
    // The address may hold a password, so it is not repeated.
    let opened = Store::connect(url.expose()).await;
    Ok(opened.with_context(|| format!("cannot open the database that `{named_by}` names"))?)
}

/// The file a SQLite address names, when it is not there.
pub(crate) fn missing_file(url: &str) -> Option<&str> {
    let path = url.strip_prefix("sqlite:")?;
    let path = path.strip_prefix("//").unwrap_or(path);
    let path = path.split('?').next().unwrap_or(path);
    let is_file = !path.is_empty() && path != ":memory:";
    (is_file && !std::path::Path::new(path).exists()).then_some(path)
}

/// The service with the real clock.
pub(crate) fn service(store: Store, settings: &Settings) -> Service {
    let config = ServiceConfig {
        sign_in: settings.sign_in.clone(),
        memory: settings.memory.clone(),
        usage: settings.usage.clone(),
        outbound: settings.outbound.clone(),
        prometheus: settings.prometheus.clone(),
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
