//! The Connect protocol, which browsers speak: plain `POST`s over any version of HTTP, and streams in envelopes.

mod error;
mod headers;

pub(super) use error::error_json;

use super::envelope::{self, only_message};
use super::evaluation::{Ask, Codec};
use super::events::{Said, events};
use super::methods::{Method, Version};
use crate::auth::KeyedEnvironment;
use crate::grpc::within;
use crate::listener::Connection;
use crate::state::ApiState;
use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures::StreamExt as _;
use headers::Carrier;
use std::convert::Infallible;
use std::time::Duration;
use tonic::Status;

/// A call of Connect, with its whole body.
pub(super) struct ConnectCall {
    pub(super) state: ApiState,
    pub(super) keyed: KeyedEnvironment,
    pub(super) version: Version,
    pub(super) method: Method,
    pub(super) parts: Parts,
    pub(super) body: Bytes,
}

impl ConnectCall {
    pub(super) async fn answer(self) -> Response {
        let kind = self.parts.headers.get(header::CONTENT_TYPE);
        match Carrier::of(kind) {
            Some(carrier) if carrier.is_streamed == (self.method == Method::Events) => {
                match self.answered(carrier).await {
                    Ok(response) => response,
                    Err(status) => refusal(carrier, &status),
                }
            }
            Some(_) | None => unsupported(self.method),
        }
    }

    async fn answered(self, carrier: Carrier) -> Result<Response, Status> {
        headers::check(&self.parts.headers, carrier)?;
        let limit = headers::timeout(&self.parts.headers)?;
        let most = self.state.config().body_bytes;
        if self.body.len() > most {
            return Err(Status::resource_exhausted(format!(
                "the message has more than {most} bytes"
            )));
        }
        if carrier.is_streamed {
            return self.stream(carrier, limit);
        }
        let ask = Ask {
            state: &self.state,
            open: &self.keyed.open,
            headers: &self.parts.headers,
            version: self.version,
            method: self.method,
            codec: carrier.codec,
            message: &self.body,
        };
        let message = within(limit, ask.answer()).await?;
        let mut response = Body::from(message).into_response();
        set_kind(&mut response, carrier.name());
        Ok(response)
    }

    fn stream(self, carrier: Carrier, limit: Option<Duration>) -> Result<Response, Status> {
        // What it says does not matter: there is nothing to be said.
        only_message(&self.body)?;
        let connection: Option<Connection> = self.parts.extensions.get().cloned();
        let events = events(&self.state, self.keyed, connection, limit)?;
        let parts = events.map(move |said| {
            Ok::<_, Infallible>(match (said, carrier.codec) {
                (Said::Event(event), Codec::Proto) => event.proto,
                (Said::Event(event), Codec::Json) => event.json,
                (Said::End(status), _) => envelope::end(&status),
            })
        });
        let mut response = Body::from_stream(parts).into_response();
        set_kind(&mut response, carrier.name());
        // Proxies that collect answers before they pass them on would hold events back.
        let no = HeaderValue::from_static("no");
        response.headers_mut().insert("x-accel-buffering", no);
        Ok(response)
    }
}

/// Says a refusal to whoever sent this content type.
pub(super) fn refuse(kind: Option<&HeaderValue>, status: &Status) -> Response {
    match Carrier::of(kind) {
        Some(carrier) => refusal(carrier, status),
        None => error::refusal(status),
    }
}

fn refusal(carrier: Carrier, status: &Status) -> Response {
    if !carrier.is_streamed {
        return error::refusal(status);
    }
    // Streams always begin well; how they end stands in their last envelope.
    let mut response = Body::from(envelope::end(status)).into_response();
    set_kind(&mut response, carrier.name());
    response
}

fn set_kind(response: &mut Response, kind: &'static str) {
    let kind = HeaderValue::from_static(kind);
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
}

/// The answer to a content type that the method does not take.
fn unsupported(method: Method) -> Response {
    let takes = match method {
        Method::Events => "application/connect+json, application/connect+proto",
        _ => "application/json, application/proto",
    };
    let mut response = StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response();
    let takes = HeaderValue::from_static(takes);
    response.headers_mut().insert("accept-post", takes);
    response
}
