//! One port for HTTP/1.1 and HTTP/2: accepting, bounding and closing connections.

use super::client_address::client_address;
use super::deadline::HeaderTimer;
use super::guarded::{Guarded, Spoken};
use crate::config::ConnectionConfig;
use axum::body::Body;
use axum::response::Response;
use flagstaff_api::{Connection, Entrance, Pacer, Peer};
use futures::future::BoxFuture;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tracing::{debug, warn};

/// Pause after the system refused a connection (no file descriptors left, say): trying at once would spin.
const PAUSE_AFTER_REFUSAL: Duration = Duration::from_millis(50);
/// How often an HTTP/2 peer is asked whether it is still there.
const PING_EVERY: Duration = Duration::from_secs(20);

/// Serves what is behind `entrance` until `stopping` turns true, then lets requests under way end for at most `drain`.
pub(super) async fn accept_until_stopped(
    listener: TcpListener,
    entrance: Entrance,
    config: &ConnectionConfig,
    trusted_proxies: Arc<[IpAddr]>,
    mut stopping: watch::Receiver<bool>,
    drain: Duration,
) {
    let connections = Connections {
        protocols: Arc::new(Protocols::of(config)),
        entrance,
        trusted_proxies,
        header: Duration::from_secs(config.header_seconds.into()),
        stall: Duration::from_secs(config.stall_seconds.into()),
        stopping: stopping.clone(),
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

/// How the two kinds of HTTP are served.
struct Protocols {
    http1: http1::Builder,
    http2: http2::Builder<TokioExecutor>,
}

impl Protocols {
    fn of(config: &ConnectionConfig) -> Self {
        let header = Duration::from_secs(config.header_seconds.into());
        // Hyper refuses a smaller buffer than 8 KiB.
        let header_bytes = config.header_bytes.max(8192);
        let mut http1 = http1::Builder::new();
        http1
            .header_read_timeout(header)
            .max_buf_size(usize::try_from(header_bytes).unwrap_or(8192));
        let mut http2 = http2::Builder::new(TokioExecutor::new());
        http2
            .timer(TokioTimer::new())
            .max_concurrent_streams(config.streams)
            .max_header_list_size(header_bytes)
            .keep_alive_interval(PING_EVERY)
            .keep_alive_timeout(header);
        Self { http1, http2 }
    }

    /// Serves a connection until it ends. Each kind is boxed: one that waits holds no room for the other.
    fn serve(
        &self,
        spoken: Spoken,
        stream: Guarded<TcpStream>,
        caller: Caller,
        watcher: Watcher,
    ) -> BoxFuture<'static, hyper::Result<()>> {
        let stream = TokioIo::new(stream);
        match spoken {
            Spoken::Http1 => {
                let service = service_fn(move |request| caller.clone().answer(request));
                let mut builder = self.http1.clone();
                builder.timer(HeaderTimer::default());
                Box::pin(watcher.watch(builder.serve_connection(stream, service)))
            }
            Spoken::Http2 => {
                // Each request has a task, which stays for as long as its answer goes on: without the box it would keep
                // the room that finding the answer took.
                let service = service_fn(move |request| Box::pin(caller.clone().answer(request)));
                Box::pin(watcher.watch(self.http2.serve_connection(stream, service)))
            }
        }
    }
}

/// Whoever is at the other end of a connection, and what they can ask.
#[derive(Clone)]
struct Caller {
    entrance: Entrance,
    peer: SocketAddr,
    trusted_proxies: Arc<[IpAddr]>,
    connection: Connection,
}

impl Caller {
    async fn answer(self, request: hyper::Request<Incoming>) -> Result<Response, Infallible> {
        let peer = Peer {
            address: client_address(self.peer, request.headers(), &self.trusted_proxies),
            connection: self.connection,
        };
        Ok(self.entrance.answer(request.map(Body::new), peer).await)
    }
}

/// What every connection shares.
struct Connections {
    protocols: Arc<Protocols>,
    entrance: Entrance,
    trusted_proxies: Arc<[IpAddr]>,
    header: Duration,
    stall: Duration,
    stopping: watch::Receiver<bool>,
    graceful: GracefulShutdown,
}

impl Connections {
    /// Serves one connection in a task of its own.
    fn open(&self, stream: TcpStream, peer: SocketAddr, slot: OwnedSemaphorePermit) {
        // Answers are small and complete: waiting to fill a packet only delays them.
        let _ = stream.set_nodelay(true);
        let itself = Connection::default();
        let caller = Caller {
            entrance: self.entrance.clone(),
            peer,
            trusted_proxies: Arc::clone(&self.trusted_proxies),
            connection: itself.clone(),
        };
        let beginning = Beginning {
            protocols: Arc::clone(&self.protocols),
            stream: Guarded::new(stream, self.stall),
            caller,
            header: self.header,
            stopping: self.stopping.clone(),
            watcher: self.graceful.watcher(),
        };
        // Boxed: a connection that is served, and may be for days, holds no room for how it began.
        let beginning = Box::pin(beginning.serve());
        tokio::spawn(async move {
            let _slot = slot;
            let Some(connection) = beginning.await else {
                return;
            };
            tokio::select! {
                biased;
                ended = connection => if let Err(error) = ended {
                    // A peer that goes away, is too slow or speaks no HTTP is its own affair.
                    debug!(%error, "connection ended early");
                },
                () = itself.closed() => debug!("connection closed: nothing is taken off a stream"),
            }
        });
    }
}

/// A connection that was accepted, and on which nothing was said yet.
struct Beginning {
    protocols: Arc<Protocols>,
    stream: Guarded<TcpStream>,
    caller: Caller,
    header: Duration,
    stopping: watch::Receiver<bool>,
    watcher: Watcher,
}

impl Beginning {
    /// Finds out what is spoken, and gives what serves it; `None` where nothing is said.
    async fn serve(mut self) -> Option<BoxFuture<'static, hyper::Result<()>>> {
        let spoken = tokio::select! {
            biased;
            // Who has said nothing yet is not waited for.
            _ = self.stopping.wait_for(|stopping| *stopping) => return None,
            spoken = self.stream.spoken(self.header) => spoken,
        };
        match spoken {
            Ok(spoken) => {
                let Self {
                    stream,
                    caller,
                    watcher,
                    ..
                } = self;
                Some(self.protocols.serve(spoken, stream, caller, watcher))
            }
            Err(error) => {
                debug!(%error, "nothing was said on a connection");
                None
            }
        }
    }
}
