//! gRPC among the routes of everything else: how a call is read, authenticated, refused and answered.
//!
//! A call passes the one middleware as every request does. Its path is the route's template, so metrics and logs
//! name methods. A message is measured before it is read: one that is too large is refused, not collected.

mod auth;
mod deadline;
mod message;
mod operations;
mod routes;
mod status;
mod stream;

pub(crate) use auth::CallAuth;
pub(crate) use deadline::{timeout, within};
pub(crate) use message::{answer_framed, answer_message, frame_header};
pub(crate) use operations::routes as operations;
pub(crate) use routes::{Call, count, unknown_method};
pub(crate) use status::{refuse, refuse_for_good, status_of, too_many_streams, with_pushback};
pub(crate) use stream::{StreamPart, answer_stream};

use axum::http::{HeaderMap, HeaderValue, header};

/// The content type of a call, which all of its kinds begin with.
const CONTENT_TYPE: &str = "application/grpc";

/// True for a call of gRPC or gRPC-Web.
pub(crate) fn is_call(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE);
    kind.is_some_and(is_kind_of_call)
}

/// True for a content type of gRPC or gRPC-Web.
pub(crate) fn is_kind_of_call(content_type: &HeaderValue) -> bool {
    content_type.as_bytes().starts_with(CONTENT_TYPE.as_bytes())
}

/// True where the messages of a call stand in their frames as they are, and not in base64.
fn is_binary(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE);
    let is_text = |kind: &HeaderValue| kind.as_bytes().starts_with(b"application/grpc-web-text");
    kind.is_some_and(|kind| is_kind_of_call(kind) && !is_text(kind))
}
