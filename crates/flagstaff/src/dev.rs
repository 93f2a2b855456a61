//! `flagstaff dev`: a server, a project, a fixed key and everything that flagd speaks, in one process.

use crate::bootstrap;
use crate::command::BootstrapArgs;
use crate::failure::Failure;
use crate::serve;
use crate::settings::Settings;
use anyhow::{Context as _, anyhow};
use flagstaff_api::Face;
use flagstaff_core::EnvironmentKey;
use flagstaff_service::{BootstrapRequest, Bootstrapped, Service};
use secrecy::ExposeSecret;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

/// The server key where none is given: the same on every machine, so that files need not change.
const KEY: &str = "ser.local-dev-only";

/// Where flagd's clients that evaluate for themselves look for their flags.
const SYNC: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8015);

/// Where flagd's clients that ask for each flag look for their server.
const EVALUATION: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8013);

/// What is made before the server answers.
pub(crate) struct Dev {
    request: BootstrapRequest,
    output: Option<PathBuf>,
}

/// Makes what `bootstrap` makes, and serves it until a signal stops it.
///
/// # Errors
/// As `bootstrap` and `serve`; a key that everybody knows on an address that others reach.
pub(crate) fn run(args: &BootstrapArgs, mut settings: Settings) -> Result<(), Failure> {
    let mut request = bootstrap::request(args)?;
    if request.server_key.is_none() {
        let listen = settings.server.listen;
        if !listen.ip().is_loopback() {
            return Err(Failure::usage(anyhow!(
                "{listen} may be reached by others, who know the key of `dev`: give another one with --api-key"
            )));
        }
        request.server_key = EnvironmentKey::parse(KEY);
    }
    let flagd = &mut settings.flagd;
    let sync = *flagd.sync_listen.get_or_insert(SYNC);
    let evaluation = *flagd.evaluation_listen.get_or_insert(EVALUATION);
    // Their clients have no option for a key; others than those of this machine need one all the same.
    for (address, key) in [
        (sync, &mut flagd.sync_key),
        (evaluation, &mut flagd.evaluation_key),
    ] {
        if address.ip().is_loopback() && key.is_none() {
            let known = request.server_key.as_ref();
            *key = known.map(|known| known.expose().into());
        }
    }
    let output = args.output.clone();
    serve::run(settings, Some(Dev { request, output }))
}

impl Dev {
    /// Makes it, and says how to use it.
    ///
    /// # Errors
    /// When the database cannot be written, a name or the password is refused, or the output file cannot be written.
    pub(crate) async fn prepare(
        self,
        service: &Service,
        public_url: &str,
        listeners: &[(Face, SocketAddr)],
    ) -> Result<String, Failure> {
        let done = service.bootstrap(self.request).await;
        let done = done.context("cannot set up the server")?;
        if let Some(path) = &self.output {
            bootstrap::write_output(path, &bootstrap::key_line(&done))?;
        }
        Ok(text(&done, public_url, listeners))
    }
}

fn text(done: &Bootstrapped, url: &str, listeners: &[(Face, SocketAddr)]) -> String {
    let key = &done.server_key.key;
    let mut text = String::new();
    let _ = writeln!(text, "sign in with  {}", done.member.email);
    // Shown this once: nothing but its hash is kept.
    if let Some(password) = &done.invented_password {
        let _ = writeln!(text, "password      {}", password.expose_secret());
    }
    let _ = writeln!(text, "client key    {}", done.environment.api_key);
    let _ = writeln!(text, "server key    {key}");
    let _ = writeln!(text, "\nThe flags as flagd reads them:\n");
    let _ = writeln!(
        text,
        "curl -H 'X-Environment-Key: {key}' {url}/api/v1/flagd/flags.json"
    );
    let _ = writeln!(text, "\nflagd itself, which asks every five seconds:\n");
    let _ = writeln!(
        text,
        "flagd start --sources '[{{\"uri\":\"{url}/api/v1/flagd/flags.json\",\"provider\":\"http\",\"authHeader\":\"Bearer {key}\"}}]'"
    );
    for (face, address) in listeners {
        let (host, port) = (address.ip(), address.port());
        let (who, resolver) = match face {
            Face::FlagdSync => ("that evaluate for themselves", "in-process"),
            Face::FlagdEvaluation => ("that ask for each flag", "rpc"),
            Face::Ofrep => {
                let _ = writeln!(text, "\nClients of OFREP ask http://{address}");
                continue;
            }
        };
        let _ = writeln!(
            text,
            "\nflagd's OpenFeature providers {who}, without flagd:\n"
        );
        let _ = writeln!(
            text,
            "export FLAGD_RESOLVER={resolver} FLAGD_HOST={host} FLAGD_PORT={port} FLAGD_SYNC_PORT={port}"
        );
    }
    text.push('\n');
    text
}
