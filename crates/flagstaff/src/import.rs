//! `flagstaff import flagsmith`: an environment document, taken over with everything that places people.

use crate::command::ImportArgs;
use crate::failure::Failure;
use crate::product::{open_store, service};
use crate::server_key::given_server_key;
use crate::settings::Settings;
use anyhow::{Context as _, anyhow};
use flagstaff_core::EnvironmentKey;
use flagstaff_service::{ImportRequest, Imported, Noun, ServiceError};
use flagstaff_wire::flagsmith::document::parse_environment_document;
use flagstaff_wire::flagsmith::import::{ImportWarning, ImportedEnvironment};
use std::io::{Read, Write};
use std::path::Path;

/// Imports a document.
///
/// # Errors
/// When it cannot be read, is none, or its keys are in use here.
pub(crate) async fn run(args: &ImportArgs, settings: &Settings) -> Result<(), Failure> {
    let server_key = given_server_key(
        "--server-key",
        args.server_key.as_deref(),
        args.server_key_file.as_deref(),
    )?;
    let (document, warnings) = read_document(&args.file)?;
    let (store, _lock) = open_store(settings).await?;
    let service = service(store.clone(), settings);
    let request = ImportRequest {
        organisation: args.organisation.clone(),
        project: args.project.clone(),
        environment: args.environment.clone(),
        server_key: server_key.clone(),
    };
    let client_key = document.api_key.clone();
    let imported = service
        .import_environment(document, request)
        .await
        .map_err(|error| explain(error, &client_key, server_key.as_ref()))?;
    store.close().await;
    print(&imported, &warnings)?;
    Ok(())
}

/// Reads the document from a file or standard input.
fn read_document(file: &Path) -> Result<(ImportedEnvironment, Vec<ImportWarning>), Failure> {
    let mut bytes = Vec::new();
    if file == Path::new("-") {
        let read = std::io::stdin().lock().read_to_end(&mut bytes);
        read.context("cannot read standard input")?;
    } else {
        bytes = std::fs::read(file)
            .with_context(|| format!("cannot read {}", file.display()))
            .map_err(Failure::Usage)?;
    }
    let parsed = parse_environment_document(&bytes);
    Ok(parsed.with_context(|| format!("{} is no environment document", file.display()))?)
}

/// Names what stands in the way: the document's client key is no secret, a server key is.
fn explain(error: ServiceError, client_key: &str, server_key: Option<&EnvironmentKey>) -> Failure {
    let refused = match &error {
        ServiceError::Conflict {
            noun: Noun::ClientKey,
        } => {
            anyhow!("the document's client key {client_key} is in use here: it was imported before")
        }
        ServiceError::Conflict {
            noun: Noun::ServerKey,
        } if server_key.is_some() => {
            anyhow!("the key given by --server-key is in use here")
        }
        _ => anyhow::Error::new(error).context("cannot import the document"),
    };
    Failure::Failed(refused)
}

fn print(imported: &Imported, warnings: &[ImportWarning]) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "organisation  {}", imported.organisation.name)?;
    writeln!(out, "project       {}", imported.project.name)?;
    writeln!(out, "environment   {}", imported.environment.name)?;
    writeln!(out, "client key    {}", imported.environment.api_key)?;
    writeln!(out, "server key    {}", imported.server_key.key)?;
    for warning in warnings {
        writeln!(std::io::stderr(), "warning: {warning}")?;
    }
    out.flush()
}
