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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ApiConfig, metrics_recorder};
    use axum::body::Body;
    use flagstaff_core::Timestamp;
    use flagstaff_service::{Clock, Service, ServiceConfig, Store, Work};
    use http_body_util::BodyExt as _;
    use secrecy::ExposeSecret as _;
    use std::time::Duration;

    struct Both {
        entrance: Entrance,
        keys: [String; 2],
        _work: Work,
        _folder: tempfile::TempDir,
    }

    impl Both {
        async fn open() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let url = format!("sqlite:{}", folder.path().join("flagstaff.db").display());
            let store = Store::connect(&url).await.unwrap();
            let clock = Clock::new(|| Timestamp::from_micros(1_795_220_400_250_001));
            store.migrate(clock.now()).await.unwrap();
            let service = Service::new(store, clock, ServiceConfig::default());
            let work = service.start().await.unwrap();
            let demo = service.create_demo().await.unwrap().unwrap();
            let state = ApiState::new(service, ApiConfig::default(), metrics_recorder());
            Self {
                entrance: crate::entrance(state, Router::new()),
                keys: [
                    demo.client_key.to_string(),
                    demo.server_key.expose_secret().to_owned(),
                ],
                _work: work,
                _folder: folder,
            }
        }

        /// Asks by the map of paths where it has the path, and by the router alone.
        async fn ask(&self, asked: &Asked<'_>) -> [Told; 2] {
            let peer = Peer::unknown();
            let mut by_router = asked.request();
            let extensions = by_router.extensions_mut();
            extensions.insert(ConnectInfo(peer.address));
            extensions.insert(peer.connection.clone());
            let router = self.entrance.0.router.clone();
            let by_router = router.oneshot(by_router).await.unwrap();
            let by_entrance = self.entrance.answer(asked.request(), peer).await;
            [told(by_entrance).await, told(by_router).await]
        }
    }

    #[derive(Debug)]
    struct Asked<'a> {
        method: Method,
        path: &'a str,
        key: Option<&'a str>,
        body: &'static str,
    }

    impl Asked<'_> {
        fn request(&self) -> Request {
            let mut request = Request::builder()
                .method(&self.method)
                .uri(self.path)
                .header("content-type", "application/json")
                .header("origin", "https://app.example.com");
            if let Some(key) = self.key {
                request = request.header("x-environment-key", key);
            }
            request.body(Body::from(self.body)).unwrap()
        }
    }

    /// Status, headers but for the request's own id, and body.
    type Told = (u16, Vec<(String, String)>, Vec<u8>);

    async fn told(response: Response) -> Told {
        let (parts, mut body) = response.into_parts();
        let headers = parts.headers.iter();
        let headers = headers.filter(|(name, _)| *name != "x-request-id");
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let mut headers: Vec<_> = headers
            .map(|(name, value)| (name.to_string(), text(value)))
            .collect();
        headers.sort();
        // A stream has no end: what it begins with is compared.
        let mut bytes = Vec::new();
        let patience = Duration::from_millis(200);
        while let Ok(Some(Ok(frame))) = tokio::time::timeout(patience, body.frame()).await {
            bytes.extend(frame.into_data().unwrap_or_default());
        }
        (parts.status.as_u16(), headers, bytes)
    }

    #[tokio::test]
    async fn what_is_found_by_its_path_is_answered_as_the_router_answers_it() {
        let both = Both::open().await;
        let [client_key, server_key] = &both.keys;
        let mut paths: Vec<&str> = both.entrance.0.direct.keys().copied().collect();
        paths.sort_unstable();
        assert!(paths.contains(&"/api/v1/flags/") && paths.contains(&"/ofrep/v1/evaluate/flags"));

        for path in paths {
            // Any other way to write it is no path of the map, and so the router's.
            let with_query = format!("{path}?a=b");
            for (method, body) in [
                (Method::GET, ""),
                (Method::HEAD, ""),
                (Method::OPTIONS, ""),
                // Whoever is not named gets a name by chance.
                (Method::POST, "{\"identifier\": \"grace\"}"),
                (Method::POST, "nonsense"),
                (Method::PUT, "{}"),
                (Method::PATCH, "{}"),
                (Method::DELETE, ""),
                (Method::TRACE, ""),
            ] {
                for (path, key) in [
                    (path, Some(client_key)),
                    (path, Some(server_key)),
                    (path, None),
                    (&*with_query, Some(client_key)),
                ] {
                    let asked = Asked {
                        method: method.clone(),
                        path,
                        key: key.map(String::as_str),
                        body,
                    };
                    let [by_entrance, by_router] = both.ask(&asked).await;
                    assert_eq!(by_entrance, by_router, "{asked:?}");
                }
            }
        }
    }
}
