//! `flagstaff serve`: wiring, start and stop.

mod accept;
mod client_address;
mod deadline;
mod faces;
mod greeting;
mod guarded;
mod listening;
mod signals;

use crate::dev::Dev;
use crate::failure::Failure;
use crate::product::{self, open_store};
use crate::settings::Settings;
use anyhow::Context as _;
use faces::FaceListener;
use flagstaff_api::{ApiState, Entrance};
use flagstaff_dashboard::DashboardConfig;
use flagstaff_service::Service;
use greeting::Greeting;
use signals::Signals;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tracing::{info, warn};

/// Ten seconds is what whoever stops us grants: most of it for requests under way, the rest for last writes.
const DRAIN: Duration = Duration::from_secs(6);
const LAST_WRITES: Duration = Duration::from_secs(3);
const LEFT_BEHIND: Duration = Duration::from_millis(300);

/// Runs the server until a signal stops it; with `dev`, what that asks for is made first.
///
/// # Errors
/// When the database cannot be opened, or the address not be listened on.
pub(crate) fn run(settings: Settings, dev: Option<Dev>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let result = runtime.block_on(serve(settings, dev));
    // A task that a thread is stuck in must not keep the process.
    runtime.shutdown_timeout(LEFT_BEHIND);
    result
}

async fn serve(settings: Settings, dev: Option<Dev>) -> Result<(), Failure> {
    let mut signals = Signals::listen().context("cannot listen for signals")?;
    let (store, _lock) = open_store(&settings).await?;
    let listen = settings.server.listen;
    // Before anything is made in the database: a taken address is the commonest reason to fail.
    let listener = listening::on(listen).with_context(|| format!("cannot listen on {listen}"))?;
    let local = listener
        .local_addr()
        .context("the listener has no address")?;
    let faces = faces::bind(&settings.flagd)?;
    let service = product::service(store, &settings);
    let work = service.start().await.context("cannot start the service")?;
    let own_flags = service.make_own_flags().await;
    own_flags.context("cannot make the dashboard's own flags")?;
    let public_url: Arc<str> = match &settings.server.public_url {
        Some(url) => url.as_str().into(),
        None => format!("http://{}", reachable(local)).into(),
    };
    let (entrance, state) = entrance(&service, &settings, &public_url);
    let places: Vec<_> = faces.iter().map(FaceListener::place).collect();
    let dev = match dev {
        Some(dev) => Some(dev.prepare(&service, &public_url, &places).await?),
        None => None,
    };
    Greeting::prepare(&service, &settings, &public_url, dev)
        .await?
        .print(reachable(local));
    info!(address = %local, version = env!("CARGO_PKG_VERSION"), "serving");

    let (stop, stopping) = watch::channel(false);
    let serve = |listener, entrance| {
        accept::accept_until_stopped(
            listener,
            entrance,
            &settings.connections,
            settings.server.trusted_proxies.as_slice().into(),
            stopping.clone(),
            DRAIN,
        )
    };
    let faces = faces.into_iter().map(|face| {
        let (listener, entrance) = face.announce(&state);
        serve(listener, entrance)
    });
    let faces = futures::future::join_all(faces);
    let serving = serve(listener, entrance);
    let ending = async {
        signals.next().await;
        info!("stopping: no new connections, streams end, requests under way are answered");
        state.close_streams();
        // The receiver lives as long as the accept loop.
        let _ = stop.send(true);
        signals.exit_on_next();
    };
    tokio::join!(serving, faces, ending);
    if tokio::time::timeout(LAST_WRITES, work.stop())
        .await
        .is_err()
    {
        warn!(
            "not everything was written within {} s",
            LAST_WRITES.as_secs()
        );
    }
    info!("stopped");
    Ok(())
}

/// Everything that is served on the one port.
fn entrance(service: &Service, settings: &Settings, public_url: &Arc<str>) -> (Entrance, ApiState) {
    let mut config = settings.limits.clone();
    config.public_url = public_url.to_string();
    config.flagd = settings.flagd.clone();
    config.metrics = settings.metrics.clone();
    let state = ApiState::new(service.clone(), config, flagstaff_api::metrics_recorder());
    let pages = DashboardConfig {
        public_url: Arc::clone(public_url),
        session_hours: settings.sign_in.session_hours,
        flagd_identity_limit: settings.flagd.identity_override_limit,
        closing: state.closing(),
    };
    let pages = flagstaff_dashboard::pages(service.clone(), pages);
    let pages = flagstaff_api::watch_pages(pages.router, &state, &pages.paths);
    (flagstaff_api::entrance(state.clone(), pages), state)
}

/// The address by which this machine reaches the listener: `0.0.0.0` is none that can be opened.
pub(crate) fn reachable(local: SocketAddr) -> SocketAddr {
    let ip = match local.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, local.port())
}
