//! How routes are put together: each is declared with its authentication.

use crate::auth::{Auth, Presented};
use crate::entrance::{Direct, Endpoint, Entrance};
use crate::flagsmith::error::Failure;
use crate::flagsmith::view::View;
use crate::frame;
use crate::grpc;
use crate::listener::Listener;
use crate::meters::Meters;
use crate::state::ApiState;
use axum::Router;
use axum::body::Body;
use axum::extract::{OriginalUri, RawPathParams, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodFilter, MethodRouter, any, get, on};
use flagstaff_service::ServiceError;
use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::sync::Arc;

/// A request on its way to a handler outside of the Flagsmith API.
pub(crate) struct Arrived {
    pub(crate) parts: Parts,
    /// Decoded pieces of the path.
    pub(crate) path_parameters: Vec<(String, String)>,
    pub(crate) body: Body,
}

/// How a face says what is refused before its handlers see it.
#[derive(Clone, Copy)]
pub(crate) struct Refusals {
    pub(crate) unauthenticated: fn(ServiceError) -> Response,
    pub(crate) method: fn(Method) -> Response,
}

/// The routes of all faces while they are collected.
pub(crate) struct Routes {
    router: Router<ApiState>,
    paths: HashSet<&'static str>,
    /// What is answered without the router, by its path.
    direct: HashMap<&'static str, Direct>,
}

impl Routes {
    pub(crate) fn new() -> Self {
        Self {
            router: Router::new(),
            paths: HashSet::new(),
            direct: HashMap::new(),
        }
    }

    /// Adds a path of the Flagsmith face. Its methods carry their authentication.
    pub(crate) fn view(mut self, path: &'static str, view: View) -> Self {
        self.paths.insert(path);
        let view = view.at(path);
        if !path.contains('{') {
            let direct = Direct::View(Arc::clone(&view));
            self.direct.insert(path, direct);
        }
        self.router = self.router.route(path, view.into_route());
        self
    }

    /// Adds a path that only answers `GET` and has no shapes of the Flagsmith API around it.
    ///
    /// `refuse` says a failed authentication in the words of the face.
    pub(crate) fn plain<A, H, F>(
        mut self,
        path: &'static str,
        auth: A,
        refuse: fn(ServiceError) -> Response,
        handler: H,
    ) -> Self
    where
        A: Auth,
        H: Fn(ApiState, A::Subject, Parts) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Response> + Send,
    {
        self.paths.insert(path);
        let endpoint = move |State(state): State<ApiState>, request: Request| async move {
            let (mut parts, _) = request.into_parts();
            let path_parameters = path_parameters(&mut parts).await;
            let presented = Presented::of(&parts, &path_parameters);
            match auth.authenticate(&state, presented).await {
                Ok(subject) => handler(state, subject, parts).await,
                Err(error) => refuse(error),
            }
        };
        self.router = self.router.route(path, get(endpoint).fallback(only_get));
        self
    }

    /// Adds a path that only answers `POST` and has no shapes of the Flagsmith API around it.
    ///
    /// `face` says in the words of the face what was refused before the handler saw the request.
    pub(crate) fn post<A, H, F>(
        self,
        path: &'static str,
        auth: A,
        face: Refusals,
        handler: H,
    ) -> Self
    where
        A: Auth,
        H: Fn(ApiState, A::Subject, Arrived) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Response> + Send,
    {
        let methods = (MethodFilter::POST, "POST, OPTIONS");
        self.on(methods, path, auth, face, handler)
    }

    /// The same for a path that answers `GET` and `POST`, by one handler.
    pub(crate) fn get_or_post<A, H, F>(
        self,
        path: &'static str,
        auth: A,
        face: Refusals,
        handler: H,
    ) -> Self
    where
        A: Auth,
        H: Fn(ApiState, A::Subject, Arrived) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Response> + Send,
    {
        let methods = MethodFilter::GET.or(MethodFilter::POST);
        self.on(
            (methods, "GET, HEAD, POST, OPTIONS"),
            path,
            auth,
            face,
            handler,
        )
    }

    fn on<A, H, F>(
        mut self,
        (methods, allowed): (MethodFilter, &'static str),
        path: &'static str,
        auth: A,
        face: Refusals,
        handler: H,
    ) -> Self
    where
        A: Auth,
        H: Fn(ApiState, A::Subject, Arrived) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Response> + Send,
    {
        self.paths.insert(path);
        let has_parameters = path.contains('{');
        let endpoint = move |state: ApiState, request: Request| async move {
            let (mut parts, body) = request.into_parts();
            let path_parameters = if has_parameters {
                path_parameters(&mut parts).await
            } else {
                Vec::new()
            };
            let presented = Presented::of(&parts, &path_parameters);
            match auth.authenticate(&state, presented).await {
                Ok(subject) => {
                    let arrived = Arrived {
                        parts,
                        path_parameters,
                        body,
                    };
                    handler(state, subject, arrived).await
                }
                Err(error) => (face.unauthenticated)(error),
            }
        };
        if !has_parameters {
            let endpoint = endpoint.clone();
            let boxed: Endpoint = Arc::new(move |state, request| {
                let endpoint = endpoint.clone();
                Box::pin(endpoint(state, request))
            });
            self.direct.insert(path, Direct::Post(boxed));
        }
        let endpoint = move |State(state): State<ApiState>, request| endpoint(state, request);
        let other_method = move |method: Method| async move {
            let mut response = (face.method)(method);
            let allow = HeaderValue::from_static(allowed);
            response.headers_mut().insert(header::ALLOW, allow);
            response
        };
        self.router = self
            .router
            .route(path, on(methods, endpoint).fallback(other_method));
        self
    }

    /// Adds a path as it is. Whoever calls this has declared its authentication.
    pub(crate) fn route(mut self, path: &'static str, route: MethodRouter<ApiState>) -> Self {
        self.paths.insert(path);
        self.router = self.router.route(path, route);
        self
    }

    /// Closes the list: slashes that were left out are pointed to, everything else is not found. `pages` are routes that
    /// bring all they need; requests on a `listener` of its own carry that.
    pub(crate) fn finish(
        self,
        state: ApiState,
        pages: Router,
        listener: Option<Listener>,
    ) -> Entrance {
        let mut router = self.router;
        let mut bare_paths = Vec::new();
        for path in &self.paths {
            let bare = path.trim_end_matches('/');
            if bare != *path && !bare.is_empty() && !self.paths.contains(bare) {
                router = router.route(bare, any(add_slash));
                bare_paths.push(bare);
            }
        }
        let meters = Arc::new(Meters::new(self.paths.into_iter().chain(bare_paths)));
        let router = router
            .fallback(not_found)
            .layer(axum::middleware::from_fn_with_state(
                (state.clone(), Arc::clone(&meters)),
                frame::frame,
            ))
            .with_state(state.clone())
            .merge(pages);
        Entrance::new(state, self.direct, &meters, listener, router)
    }
}

/// The decoded parameters of a path; none where one of them is not UTF-8.
pub(crate) async fn path_parameters(parts: &mut Parts) -> Vec<(String, String)> {
    use axum::extract::FromRequestParts as _;
    let parameters = RawPathParams::from_request_parts(parts, &()).await;
    parameters.map_or_else(
        |_| Vec::new(),
        |parameters| {
            let pairs = parameters.iter();
            pairs
                .map(|(name, text)| (name.to_owned(), text.to_owned()))
                .collect()
        },
    )
}

/// The recorded answer to a path whose last slash is missing.
async fn add_slash(OriginalUri(uri): OriginalUri) -> Response {
    let query = uri.query().map(|query| format!("?{query}"));
    let location = format!("{}/{}", uri.path(), query.unwrap_or_default());
    let Ok(location) = HeaderValue::from_str(&location) else {
        return Failure::NoSuchPath.into_response();
    };
    let mut response = StatusCode::MOVED_PERMANENTLY.into_response();
    response.headers_mut().insert(header::LOCATION, location);
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    response
}

async fn only_get(method: Method) -> Response {
    let mut response = Failure::MethodNotAllowed(method).into_response();
    let allow = HeaderValue::from_static("GET, HEAD");
    response.headers_mut().insert(header::ALLOW, allow);
    response
}

async fn not_found(headers: HeaderMap) -> Response {
    match grpc::unknown_method(&headers) {
        Some(refusal) => refusal,
        None => Failure::NoSuchPath.into_response(),
    }
}
