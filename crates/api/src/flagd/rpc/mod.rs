//! Flags evaluated here for flagd's remote clients: `flagd.evaluation.v1`, `.v2` and the older `schema.v1`.
//!
//! The same methods are answered over gRPC, gRPC-Web and Connect. What carries a call is told by its content type, and
//! only its frame depends on it.

mod all;
mod answer;
mod connect;
mod context;
mod envelope;
mod evaluation;
mod event;
mod events;
mod impressions;
mod json_read;
mod json_write;
mod metadata;
mod methods;

pub(crate) use impressions::FlagLabels;

use super::grpc::FlagdKey;
use crate::auth::KeyedEnvironment;
use crate::grpc::{self, StreamPart, answer_framed, answer_stream};
use crate::listener::Connection;
use crate::routes::Routes;
use crate::state::ApiState;
use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Request, header};
use axum::response::Response;
use bytes::Bytes;
use connect::ConnectCall;
use envelope::{enveloped, only_message};
use evaluation::{Ask, Codec};
use events::{Said, events};
use futures::StreamExt as _;
use http_body_util::BodyExt as _;
use methods::{Method, Version};
use std::convert::Infallible;
use tonic::Status;
use tonic_web::GrpcWebLayer;
use tower::{Layer as _, ServiceExt as _};

pub(crate) fn routes(routes: Routes) -> Routes {
    let is_stream = |path: &&str| matches!(methods::method(path), Some((_, Method::Events)));
    let (streams, questions): (Vec<_>, Vec<_>) =
        methods::PATHS.iter().copied().partition(is_stream);
    routes
        .calls(&questions, FlagdKey, refuse_question, answer)
        .calls(&streams, FlagdKey, refuse_stream, answer)
}

/// True for the routes of these methods.
pub(crate) fn serves(template: &str) -> bool {
    methods::method(template).is_some()
}

fn refuse_question(kind: Option<&HeaderValue>, status: Status) -> Response {
    match kind {
        Some(kind) if grpc::is_kind_of_call(kind) => grpc::refuse_for_good(Some(kind), status),
        kind => connect::refuse(kind, &status),
    }
}

fn refuse_stream(kind: Option<&HeaderValue>, status: Status) -> Response {
    match kind {
        Some(kind) if grpc::is_kind_of_call(kind) => grpc::refuse(Some(kind), status),
        kind => connect::refuse(kind, &status),
    }
}

async fn answer(
    state: ApiState,
    keyed: KeyedEnvironment,
    parts: Parts,
    body: Bytes,
) -> Result<Response, Status> {
    let found = methods::method(parts.uri.path());
    let (version, method) = found.ok_or_else(|| Status::unimplemented("no such method"))?;
    if !grpc::is_call(&parts.headers) {
        let call = ConnectCall {
            state,
            keyed,
            version,
            method,
            parts,
            body,
        };
        return Ok(call.answer().await);
    }
    let connection = parts.extensions.get().cloned();
    let call = GrpcCall {
        state,
        keyed,
        version,
        method,
        connection,
        headers: parts.headers.clone(),
    };
    if is_web(&parts.headers) {
        return Ok(web(call, Request::from_parts(parts, Body::from(body))).await);
    }
    call.answer(&body).await
}

fn is_web(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc-web"))
}

/// Answers a call of gRPC-Web: the library unwraps the question and wraps the answer.
async fn web(call: GrpcCall, request: Request<Body>) -> Response {
    let inner = tower::service_fn(move |request: Request<tonic::body::Body>| {
        let call = call.clone();
        async move {
            let body = request.into_body().collect().await;
            let answer = match body {
                Ok(body) => call.answer(&body.to_bytes()).await,
                Err(status) => Err(status),
            };
            let answer = answer.unwrap_or_else(|status| status.into_http());
            Ok::<_, Infallible>(answer)
        }
    });
    match GrpcWebLayer::new().layer(inner).oneshot(request).await {
        Ok(response) => response.map(Body::new),
    }
}

/// A call of gRPC, without its message.
#[derive(Clone)]
struct GrpcCall {
    state: ApiState,
    keyed: KeyedEnvironment,
    version: Version,
    method: Method,
    connection: Option<Connection>,
    headers: HeaderMap,
}

impl GrpcCall {
    async fn answer(self, body: &Bytes) -> Result<Response, Status> {
        let message = only_message(body)?;
        if self.method == Method::Events {
            let limit = grpc::timeout(&self.headers)?;
            let events = events(&self.state, self.keyed, self.connection, limit)?;
            return Ok(answer_stream(events.map(|said| match said {
                Said::Event(event) => StreamPart::Bytes(event.proto),
                Said::End(status) => StreamPart::End(status),
            })));
        }
        let ask = Ask {
            state: &self.state,
            open: &self.keyed.open,
            headers: &self.headers,
            version: self.version,
            method: self.method,
            codec: Codec::Proto,
            message: &message,
        };
        Ok(answer_framed([enveloped(&ask.answer().await?)]))
    }
}
