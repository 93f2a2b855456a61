//! What browsers on other sites may do: everything, as recorded, because no cookie counts on these routes.

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

const METHODS: &str = "DELETE, GET, OPTIONS, PATCH, POST, PUT";
const HEADERS: &str = "flagsmith-application-name, x-environment-key, x-requested-with, accept-encoding, origin, \
content-type, dnt, accept, user-agent, traceparent, tracestate, flagsmith-sdk-user-agent, sentry-trace, baggage, \
flagsmith-application-version, x-csrftoken, authorization, x-e2e-test-auth-token";
/// What OFREP's clients send.
const OFREP_METHODS: &str = "GET, OPTIONS, POST";
const OFREP_HEADERS: &str = "content-type, authorization, x-api-key, x-environment-key, if-none-match, last-event-id, \
cache-control, accept, traceparent, tracestate, baggage";
/// What flagd's clients send in browsers, by Connect and by gRPC-Web.
const FLAGD_METHODS: &str = "OPTIONS, POST";
const FLAGD_HEADERS: &str = "content-type, authorization, x-environment-key, flagd-selector, connect-protocol-version, \
connect-timeout-ms, connect-content-encoding, connect-accept-encoding, x-grpc-web, grpc-timeout, x-user-agent, accept, \
traceparent, tracestate, baggage";
/// More than the recorded `Retry-After`: browsers may see how old a document is, ask for it by
/// its tag, and see how a call ended.
const EXPOSED: &str = "Retry-After, X-Flagsmith-Document-Updated-At, ETag, Last-Modified, X-Request-Id, Grpc-Status, Grpc-Message";
const MAX_AGE: &str = "86400";

/// True for the question a browser asks before the request itself.
pub(crate) fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
    *method == Method::OPTIONS && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// Answers that question for a route.
pub(crate) fn preflight(template: &str) -> Response {
    let (methods, allowed) = if crate::ofrep::serves(template) {
        (OFREP_METHODS, OFREP_HEADERS)
    } else if crate::flagd::rpc::serves(template) {
        (FLAGD_METHODS, FLAGD_HEADERS)
    } else {
        (METHODS, HEADERS)
    };
    let mut response = StatusCode::OK.into_response();
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &'static str| {
        headers.insert(name, HeaderValue::from_static(value));
    };
    set(header::CONTENT_TYPE, "text/html; charset=utf-8");
    set(header::ACCESS_CONTROL_ALLOW_HEADERS, allowed);
    set(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
    set(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    response
}

/// Opens an answer to the site that asked for it.
pub(crate) fn open_to_any_origin(headers: &mut HeaderMap) {
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        HeaderValue::from_static("*"),
    );
    headers.insert(
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static(EXPOSED),
    );
}
