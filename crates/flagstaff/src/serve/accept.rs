//! One port for HTTP/1.1 and HTTP/2: accepting, bounding and closing connections.

use super::client_address::client_address;
use super::guarded::Guarded;
use crate::config::ConnectionConfig;
use axum::Router;
use axum::extract::ConnectInfo;
use flagstaff_api::{Connection, Pacer};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tower::ServiceExt;
use tracing::{debug, warn};

/// Pause after the system refused a connection (no file descriptors left, say): trying at once would spin.
const PAUSE_AFTER_REFUSAL: Duration = Duration::from_millis(50);
/// How often an HTTP/2 peer is asked whether it is still there.
const PING_EVERY: Duration = Duration::from_secs(20);

/// Serves `router` until `stopping` turns true, then lets requests under way end for at most `drain`.
pub(super) async fn accept_until_stopped(
    listener: TcpListener,
    router: Router,
    config: &ConnectionConfig,
    trusted_proxies: Arc<[IpAddr]>,
    mut stopping: watch::Receiver<bool>,
    drain: Duration,
) {
    let connections = Connections {
        builder: Arc::new(builder(config)),
        router,
        trusted_proxies,
        header: Duration::from_secs(config.header_seconds.into()),
        stall: Duration::from_secs(config.stall_seconds.into()),
        graceful: GracefulShutdown::new(),
    };
    let pacer = Pacer::per_processor(config.per_second);
    let slots = Arc::new(Semaphore::new(
        usize::try_from(config.limit).unwrap_or(usize::MAX >> 4),
    ));
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &slots, &pacer) => accepted,
            _ = stopping.wait_for(|stopping| *stopping) => break,
        };
        match accepted {
            Ok((stream, peer, slot)) => connections.open(stream, peer, slot),
            Err(error) => {
                warn!(%error, "cannot accept a connection");
                tokio::time::sleep(PAUSE_AFTER_REFUSAL).await;
            }
        }
    }
    // New connections are refused from here on, rather than accepted and forgotten.
    drop(listener);
    if tokio::time::timeout(drain, connections.graceful.shutdown())
        .await
        .is_err()
    {
        warn!(
            "requests still under way after {} s are cut off",
            drain.as_secs()
        );
    }
}

async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
    pacer: &Pacer,
) -> std::io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let slot = Arc::clone(slots)
        .acquire_owned()
        .await
        .map_err(std::io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    // Beginning costs the most: whoever is served already is not to wait for thousands who begin.
    pacer.turn().await;
    Ok((stream, peer, slot))
}

fn builder(config: &ConnectionConfig) -> auto::Builder<TokioExecutor> {
    let header = Duration::from_secs(config.header_seconds.into());
    // Hyper refuses a smaller buffer than 8 KiB.
    let header_bytes = config.header_bytes.max(8192);
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(header)
        .max_buf_size(usize::try_from(header_bytes).unwrap_or(8192));
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(config.streams)
        .max_header_list_size(header_bytes)
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(header);
    builder
}

/// What every connection shares.
struct Connections {
    builder: Arc<auto::Builder<TokioExecutor>>,
    router: Router,
    trusted_proxies: Arc<[IpAddr]>,
    header: Duration,
    stall: Duration,
    graceful: GracefulShutdown,
}

impl Connections {
    /// Serves one connection in a task of its own.
    fn open(&self, stream: TcpStream, peer: SocketAddr, slot: OwnedSemaphorePermit) {
        // Answers are small and complete: waiting to fill a packet only delays them.
        let _ = stream.set_nodelay(true);
        let stream = Guarded::new(stream, self.header, self.stall);
        let router = self.router.clone();
        let trusted_proxies = Arc::clone(&self.trusted_proxies);
        let itself = Connection::default();
        let handle = itself.clone();
        let service = service_fn(move |mut request: hyper::Request<Incoming>| {
            let client = client_address(peer, request.headers(), &trusted_proxies);
            request.extensions_mut().insert(ConnectInfo(client));
            request.extensions_mut().insert(handle.clone());
            router.clone().oneshot(request)
        });
        let connection = self
            .builder
            .serve_connection(TokioIo::new(stream), service)
            .into_owned();
        let connection = self.graceful.watch(connection);
        tokio::spawn(async move {
            let _slot = slot;
            tokio::select! {
                ended = connection => if let Err(error) = ended {
                    // A peer that goes away, is too slow or speaks no HTTP is its own affair.
                    debug!(%error, "connection ended early");
                },
                () = itself.closed() => debug!("connection closed: nothing is taken off a stream"),
            }
        });
    }
}
