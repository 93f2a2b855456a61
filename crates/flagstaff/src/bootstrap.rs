//! `flagstaff bootstrap`: the first set-up, for scripts. Doing it again leaves what is there.

use crate::command::BootstrapArgs;
use crate::failure::Failure;
use crate::product::{open_store, service};
use crate::server_key::given_server_key;
use crate::settings::{Settings, read_secret};
use anyhow::Context as _;
use flagstaff_service::{BootstrapRequest, Bootstrapped};
use secrecy::{ExposeSecret, SecretString};
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Makes organisation, project, environment, server key and first member, as far as they are not there, and serves
/// the project to flagd.
///
/// # Errors
/// When the database cannot be written, a name or the password is refused, or the output file cannot be written.
pub(crate) async fn run(args: &BootstrapArgs, settings: &Settings) -> Result<(), Failure> {
    let request = request(args)?;
    let (store, _lock) = open_store(settings).await?;
    let service = service(store.clone(), settings);
    let done = service
        .bootstrap(request)
        .await
        .context("cannot set up the server")?;
    store.close().await;
    let line = key_line(&done);
    if let Some(path) = &args.output {
        write_output(path, &line)?;
    }
    print(&done, &line)?;
    Ok(())
}

/// What the options ask for.
///
/// # Errors
/// A file that cannot be read, and a server key that is none.
pub(crate) fn request(args: &BootstrapArgs) -> Result<BootstrapRequest, Failure> {
    Ok(BootstrapRequest {
        organisation: args.organisation.clone(),
        project: args.project.clone(),
        environment: args.environment.clone(),
        server_key_name: args.api_key_name.clone(),
        server_key: given_server_key(
            "--api-key",
            args.api_key.as_deref(),
            args.api_key_file.as_deref(),
        )?,
        email: args.admin_email.clone(),
        password: given_password(args)?,
    })
}

/// The line that other programs take the key from.
pub(crate) fn key_line(done: &Bootstrapped) -> String {
    format!("FLAGSMITH_SERVER_KEY={}\n", done.server_key.key)
}

fn given_password(args: &BootstrapArgs) -> Result<Option<SecretString>, Failure> {
    match (&args.admin_password, &args.admin_password_file) {
        (Some(password), _) => Ok(Some(password.as_str().into())),
        (None, Some(path)) => Ok(Some(read_secret(path).map_err(Failure::usage)?.into())),
        (None, None) => Ok(None),
    }
}

/// Writes the file that other programs take the key from, with the folders above it.
pub(crate) fn write_output(path: &Path, line: &str) -> Result<(), Failure> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot make {}", folder.display()))?;
    }
    write_private(path, line).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(())
}

/// Writes a file that only its owner can read: a server key is in it.
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())
}

fn print(done: &Bootstrapped, line: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(line.as_bytes())?;
    writeln!(out, "client key      {}", done.environment.api_key)?;
    writeln!(out, "sign in with    {}", done.member.email)?;
    // Shown this once: nothing but its hash is kept.
    if let Some(password) = &done.invented_password {
        writeln!(out, "password        {}", password.expose_secret())?;
    }
    out.flush()
}
