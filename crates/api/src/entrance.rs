//! Where requests come in: what SDKs ask for all the time is found by its path alone, everything else by the router.
//!
//! A router that has layers clones and boxes a service for each of them with every request, and puts what it found out
//! into a map of the request. For a list of flags that was a fifth of all instructions. Paths without parameters need
//! none of it: they are looked up in a map here and answered within the same frame as all others.

use crate::flagsmith::view::Ready;
use crate::frame::framed;
use crate::listener::{Connection, Listener};
use crate::meters::{Meters, RouteMeters};
use crate::state::ApiState;
use axum::Router;
use axum::body::HttpBody as _;
use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderValue, Method, header};
use axum::response::Response;
use futures::future::BoxFuture;
use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tower::ServiceExt as _;

/// Who is at the other end.
#[derive(Debug, Clone)]
pub struct Peer {
    /// Where the request comes from, behind proxies that are trusted.
    pub address: SocketAddr,
    /// What it came in by.
    pub connection: Connection,
}

impl Peer {
    /// Somebody of whom nothing is known.
    #[must_use]
    pub fn unknown() -> Self {
        Self {
            address: SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
            connection: Connection::default(),
        }
    }
}

/// What answers a path without parameters.
#[derive(Clone)]
pub(crate) enum Direct {
    /// Every method, as a view of the Flagsmith API answers it.
    View(Arc<Ready>),
    /// `POST`; other methods are for the router.
    Post(Endpoint),
}

pub(crate) type Endpoint =
    Arc<dyn Fn(ApiState, Request) -> BoxFuture<'static, Response> + Send + Sync>;

/// Everything that is served on one port. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Entrance(Arc<Parts>);

struct Parts {
    state: ApiState,
    direct: HashMap<&'static str, (Direct, Arc<RouteMeters>)>,
    listener: Option<Listener>,
    router: Router,
}

impl Entrance {
    pub(crate) fn new(
        state: ApiState,
        direct: HashMap<&'static str, Direct>,
        meters: &Meters,
        listener: Option<Listener>,
        router: Router,
    ) -> Self {
        let direct = direct.into_iter();
        let direct = direct.map(|(path, direct)| (path, (direct, meters.of(path))));
        Self(Arc::new(Parts {
            state,
            direct: direct.collect(),
            listener,
            router,
        }))
    }

    /// Answers a request.
    pub async fn answer(&self, mut request: Request, peer: Peer) -> Response {
        let parts = &*self.0;
        if let Some(listener) = &parts.listener {
            request.extensions_mut().insert(listener.clone());
        }
        match parts.direct.get(request.uri().path()) {
            Some((Direct::View(view), meters)) => {
                let run = |request| view.respond(parts.state.clone(), request, peer.address.ip());
                with_length(framed(&parts.state, meters, request, run).await)
            }
            Some((Direct::Post(endpoint), meters)) if request.method() == Method::POST => {
                let run = |request| endpoint(parts.state.clone(), request);
                with_length(framed(&parts.state, meters, request, run).await)
            }
            Some(_) | None => {
                let extensions = request.extensions_mut();
                extensions.insert(ConnectInfo(peer.address));
                extensions.insert(peer.connection);
                // Boxed: by far the larger of the two ways.
                match Box::pin(parts.router.clone().oneshot(request)).await {
                    Ok(response) => response,
                    Err(never) => match never {},
                }
            }
        }
    }
}

/// For whoever has no connection to speak of.
impl From<Entrance> for Router {
    fn from(entrance: Entrance) -> Self {
        Self::new().fallback(move |request: Request| async move {
            entrance.answer(request, Peer::unknown()).await
        })
    }
}

/// Says how long an answer is, as a router does for its routes: also that one without a body has none.
fn with_length(mut response: Response) -> Response {
    let length = response.body().size_hint().exact();
    let headers = response.headers_mut();
    if let Some(length) = length
        && !headers.contains_key(header::CONTENT_LENGTH)
    {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    response
}
