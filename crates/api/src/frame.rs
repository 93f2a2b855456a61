//! The one middleware: what every request passes through, in one piece, because stacked layers cost throughput.
//!
//! Request id, time limit, span, survival of panics, CORS, headers that every answer carries, `HEAD` without a
//! body, and metrics.

use crate::cors;
use crate::grpc;
use crate::meters::{Meters, RouteMeters, UNMATCHED};
use crate::state::ApiState;
use axum::Router;
use axum::body::{Body, HttpBody as _};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures::FutureExt as _;
use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tonic::Status;
use tracing::{Instrument as _, Span};

/// The Flagsmith release whose API is answered; SDKs and dashboards look at it.
const FLAGSMITH_VERSION: HeaderValue = HeaderValue::from_static("2.265.0");
const NEVER_CACHE: HeaderValue =
    HeaderValue::from_static("max-age=0, no-cache, no-store, must-revalidate, private");
const LONG_AGO: HeaderValue = HeaderValue::from_static("Thu, 01 Jan 1970 00:00:00 GMT");
const NO_CACHE: HeaderValue = HeaderValue::from_static("no-cache");
const DENY: HeaderValue = HeaderValue::from_static("DENY");
const NO_SNIFF: HeaderValue = HeaderValue::from_static("nosniff");
const SAME_ORIGIN: HeaderValue = HeaderValue::from_static("same-origin");
const ORIGIN: HeaderValue = HeaderValue::from_static("Origin");
const VERSION_NAME: HeaderName = HeaderName::from_static("flagsmith-version");
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// A request id from outside is kept up to this length.
const REQUEST_ID_LIMIT: usize = 128;

/// The frame as a layer around the routes of a router.
pub(crate) async fn frame(
    State((state, meters)): State<(ApiState, Arc<Meters>)>,
    request: Request,
    next: Next,
) -> Response {
    let route = request.extensions().get::<MatchedPath>();
    let template = route.map_or(UNMATCHED, MatchedPath::as_str);
    let meters = meters.of(template);
    framed(&state, &meters, request, |request| next.run(request)).await
}

/// The frame around one answer. `meters` are those of the route that answers.
pub(crate) async fn framed<F: Future<Output = Response>>(
    state: &ApiState,
    meters: &RouteMeters,
    request: Request,
    run: impl FnOnce(Request) -> F,
) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let template = meters.route();
    let id = request_id(state, request.headers());
    let has_origin = request.headers().contains_key(header::ORIGIN);
    let is_call = grpc::is_call(request.headers());

    let mut response = if cors::is_preflight(&method, request.headers()) {
        cors::preflight(template)
    } else {
        let span = tracing::info_span!(
            "request",
            http.method = method.as_str(),
            http.route = template,
            request.id = id.to_str().unwrap_or_default(),
        );
        let limit = Duration::from_secs(state.config().answer_seconds);
        if is_call {
            // Headers are metadata for callers, who pay for each and look at few.
            answer_call(request, run, limit).instrument(span).await
        } else {
            let mut response = answer(run(request), limit, failure_of(template))
                .instrument(span)
                .await;
            never_cache(&mut response);
            response
        }
    };
    if is_call {
        let headers = response.headers_mut();
        headers.insert(REQUEST_ID, id);
        if has_origin {
            cors::open_to_any_origin(headers);
        }
        grpc::count(template, response.headers());
    } else {
        finish_headers(response.headers_mut(), id, has_origin);
    }
    if method == Method::HEAD {
        drop_body(&mut response);
    }
    meters.count(&method, response.status(), started.elapsed());
    state.keep_metrics_small();
    response
}

/// Waits for the answer to a call of gRPC; what goes wrong is said in its way.
async fn answer_call<F: Future<Output = Response>>(
    request: Request,
    run: impl FnOnce(Request) -> F,
    limit: Duration,
) -> Response {
    let kind = request.headers().get(header::CONTENT_TYPE).cloned();
    let waiting = AssertUnwindSafe(run(request)).catch_unwind();
    let status = match tokio::time::timeout(limit, waiting).await {
        Ok(Ok(response)) => return response,
        Ok(Err(panic)) => {
            log_panic(&*panic);
            Status::internal("internal error")
        }
        Err(_) => {
            log_slowness(limit);
            Status::deadline_exceeded("the answer took too long")
        }
    };
    grpc::refuse(kind.as_ref(), status)
}

/// Gives pages that are no part of a protocol what every request has: an id, a span, a limit of time, survival of
/// panics and metrics. Their headers stay as they are, so no other site may read them.
///
/// `templates` are the paths of the pages' routes: metrics name no others.
pub fn watch_pages(pages: Router, state: &ApiState, templates: &[&'static str]) -> Router {
    let meters = Arc::new(Meters::new(templates.iter().copied()));
    let watched = axum::middleware::from_fn_with_state((state.clone(), meters), watch);
    pages.layer(watched)
}

async fn watch(
    State((state, meters)): State<(ApiState, Arc<Meters>)>,
    request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let template = route.as_ref().map_or(UNMATCHED, MatchedPath::as_str);
    let id = request_id(&state, request.headers());
    let span = span(&method, template, &id);
    let limit = Duration::from_secs(state.config().answer_seconds);
    let mut response = answer(next.run(request), limit, detail)
        .instrument(span)
        .await;
    response.headers_mut().insert(REQUEST_ID, id);
    let meters = meters.of(template);
    meters.count(&method, response.status(), started.elapsed());
    state.keep_metrics_small();
    response
}

fn span(method: &Method, template: &str, id: &HeaderValue) -> Span {
    tracing::info_span!(
        "request",
        http.method = %method,
        http.route = template,
        request.id = id.to_str().unwrap_or_default(),
    )
}

/// Waits for an answer: a panic is answered too, and so is having waited too long.
async fn answer(
    answer: impl Future<Output = Response>,
    limit: Duration,
    failed: Failed,
) -> Response {
    let guarded = AssertUnwindSafe(answer).catch_unwind();
    match tokio::time::timeout(limit, guarded).await {
        Ok(Ok(response)) => response,
        Ok(Err(panic)) => {
            log_panic(&*panic);
            failed(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error.")
        }
        Err(_) => {
            log_slowness(limit);
            failed(StatusCode::SERVICE_UNAVAILABLE, "The answer took too long.")
        }
    }
}

fn log_panic(panic: &(dyn Any + Send)) {
    let message = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned());
    tracing::error!(panic = message, "a request panicked");
}

fn log_slowness(limit: Duration) {
    tracing::error!(limit_seconds = limit.as_secs(), "a request took too long");
}

/// Says a failure that no handler could say, in the shape of a protocol.
type Failed = fn(StatusCode, &str) -> Response;

fn failure_of(template: &str) -> Failed {
    if crate::ofrep::serves(template) {
        crate::ofrep::failure
    } else {
        detail
    }
}

fn detail(status: StatusCode, text: &str) -> Response {
    let body = serde_json::json!({ "detail": text }).to_string();
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// The id a request came with when it is fit for logs, or a new one.
fn request_id(state: &ApiState, headers: &HeaderMap) -> HeaderValue {
    let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:/+=".contains(byte);
    match headers.get(&REQUEST_ID) {
        Some(id)
            if !id.is_empty() && id.len() <= REQUEST_ID_LIMIT && id.as_bytes().iter().all(fits) =>
        {
            id.clone()
        }
        Some(_) | None => state.next_request_id(),
    }
}

fn never_cache(response: &mut Response) {
    if response.status() == StatusCode::MOVED_PERMANENTLY {
        return;
    }
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, NEVER_CACHE);
    headers.insert(header::EXPIRES, LONG_AGO);
    headers.insert(header::PRAGMA, NO_CACHE);
    headers.insert(header::X_FRAME_OPTIONS, DENY);
}

fn finish_headers(headers: &mut HeaderMap, id: HeaderValue, has_origin: bool) {
    headers.insert(REQUEST_ID, id);
    headers.insert(VERSION_NAME, FLAGSMITH_VERSION);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, NO_SNIFF);
    headers.insert(header::REFERRER_POLICY, SAME_ORIGIN);
    headers.insert(OPENER_POLICY, SAME_ORIGIN);
    if !headers.contains_key(header::VARY) {
        headers.insert(header::VARY, ORIGIN);
    }
    if has_origin {
        cors::open_to_any_origin(headers);
    }
}

/// Leaves the length that the body would have had.
fn drop_body(response: &mut Response) {
    let length = response.body().size_hint().exact();
    if let Some(length) = length.filter(|_| response.status() != StatusCode::NOT_MODIFIED) {
        response
            .headers_mut()
            .insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    *response.body_mut() = Body::empty();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_answered_and_ends_nothing_else() {
        let panicking = async { panic!("by a handler") };

        let response = answer(panicking, Duration::from_secs(30), detail).await;

        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json");
    }

    #[tokio::test]
    async fn an_answer_that_takes_too_long_is_given_up() {
        let response = answer(std::future::pending(), Duration::ZERO, detail).await;

        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    }
}
