//! Answers that go on: messages whose bytes may be shared with other streams, and the status at the end.
//!
//! The codec of the library copies each message into a buffer of each stream. Here the bytes of a document are the
//! same memory for everybody who is sent it.

use super::message::set_kind;
use axum::body::Body;
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures::Stream;
use http_body::Frame;
use std::convert::Infallible;
use tonic::Status;

/// What a stream says next.
pub(crate) enum StreamPart {
    /// Bytes of messages in their frames; where these end does not matter.
    Bytes(Bytes),
    /// The end.
    End(Status),
}

/// The answer of a call that is streamed. What follows its end is not sent.
pub(crate) fn answer_stream(parts: impl Stream<Item = StreamPart> + Send + 'static) -> Response {
    use futures::StreamExt as _;
    let frames = parts.map(|part| {
        Ok::<_, Infallible>(match part {
            StreamPart::Bytes(bytes) => Frame::data(bytes),
            StreamPart::End(status) => Frame::trailers(trailers(&status)),
        })
    });
    let mut response = Body::new(http_body_util::StreamBody::new(frames)).into_response();
    set_kind(&mut response);
    response
}

fn trailers(status: &Status) -> HeaderMap {
    let mut trailers = HeaderMap::new();
    // Fails only for words that no header can hold; the code is there then all the same.
    if status.add_header(&mut trailers).is_err() {
        tracing::warn!(code = ?status.code(), "a status could not be said in full");
    }
    trailers
}
