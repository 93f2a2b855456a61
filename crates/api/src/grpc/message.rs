//! One message in its frame: a byte that says whether it is compressed, four of length, the message.

use super::is_binary;
use crate::state::ApiState;
use axum::body::{Body, HttpBody as _};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use bytes::{BufMut as _, Bytes, BytesMut};
use http_body_util::BodyExt as _;
use prost::Message;
use std::time::Duration;
use tonic::Status;

/// Bytes before a message.
const FRAME: usize = 5;

/// Reads the body of a call whose request is one message, as it was sent.
///
/// Its length is looked at as soon as it is known. Text of gRPC-Web may be longer by the third that base64 costs.
///
/// # Errors
/// `RESOURCE_EXHAUSTED` for one that is too large, `DEADLINE_EXCEEDED` for one that takes too long, and `CANCELLED`
/// where the caller went away.
pub(super) async fn read_body(
    state: &ApiState,
    headers: &HeaderMap,
    body: Body,
) -> Result<Bytes, Status> {
    let limit = state.config().body_bytes;
    let is_binary = is_binary(headers);
    let most = if is_binary {
        limit + FRAME
    } else {
        (limit + FRAME).div_ceil(3) * 4
    };
    let announced = body.size_hint().lower();
    if usize::try_from(announced).unwrap_or(usize::MAX) > most {
        return Err(too_large(limit));
    }
    let seconds = state.config().body_seconds;
    let reading = collect(body, is_binary, limit, most);
    match tokio::time::timeout(Duration::from_secs(seconds), reading).await {
        Ok(read) => read,
        Err(_) => Err(Status::deadline_exceeded(format!(
            "the message did not arrive within {seconds} s"
        ))),
    }
}

async fn collect(
    mut body: Body,
    is_binary: bool,
    limit: usize,
    most: usize,
) -> Result<Bytes, Status> {
    let mut collected = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Status::cancelled("the message ended early"))?;
        let Ok(part) = frame.into_data() else {
            continue;
        };
        if collected.len() + part.len() > most {
            return Err(too_large(limit));
        }
        collected.extend_from_slice(&part);
        if is_binary && announced_length(&collected).is_some_and(|length| length > limit) {
            return Err(too_large(limit));
        }
    }
    Ok(collected.freeze())
}

fn announced_length(frame: &[u8]) -> Option<usize> {
    let length = frame.get(1..FRAME)?.try_into().ok()?;
    usize::try_from(u32::from_be_bytes(length)).ok()
}

fn too_large(limit: usize) -> Status {
    Status::resource_exhausted(format!("the message has more than {limit} bytes"))
}

/// The one message of a body.
///
/// # Errors
/// `UNIMPLEMENTED` for a compressed one, `INVALID_ARGUMENT` for what is no message.
pub(super) fn decode<M: Message + Default>(body: &Bytes) -> Result<M, Status> {
    let incomplete = || Status::invalid_argument("the request is no complete message");
    let length = announced_length(body).ok_or_else(incomplete)?;
    if body.first() != Some(&0) {
        return Err(Status::unimplemented("compressed messages are not read"));
    }
    if body.len() != FRAME + length {
        return Err(incomplete());
    }
    M::decode(body.slice(FRAME..)).map_err(|error| Status::invalid_argument(error.to_string()))
}

/// What stands before a message of this length.
pub(crate) fn frame_header(length: usize) -> [u8; FRAME] {
    let length = u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
    [0, length[0], length[1], length[2], length[3]]
}

/// The answer of a call that ends with one message.
pub(crate) fn answer_message(message: &impl Message) -> Response {
    answer_framed([framed(message)])
}

/// A message in its frame.
pub(crate) fn framed(message: &impl Message) -> Bytes {
    let length = message.encoded_len();
    let mut framed = BytesMut::with_capacity(FRAME + length);
    framed.put_slice(&frame_header(length));
    // Memory grows as it is needed, so this cannot fail.
    let _ = message.encode(&mut framed);
    framed.freeze()
}

/// The same for a message that is there in pieces, its frame's header among them.
pub(crate) fn answer_framed(parts: impl IntoIterator<Item = Bytes>) -> Response {
    let mut frames: Vec<Result<http_body::Frame<Bytes>, std::convert::Infallible>> = Vec::new();
    for part in parts {
        frames.push(Ok(http_body::Frame::data(part)));
    }
    let mut trailers = HeaderMap::new();
    trailers.insert(Status::GRPC_STATUS, HeaderValue::from_static("0"));
    frames.push(Ok(http_body::Frame::trailers(trailers)));
    let body = http_body_util::StreamBody::new(futures::stream::iter(frames));
    let mut response = Body::new(body).into_response();
    set_kind(&mut response);
    response
}

/// Marks an answer as one of a call.
pub(super) fn set_kind(response: &mut Response) {
    let kind = HeaderValue::from_static(super::CONTENT_TYPE);
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(flag: u8, length: u32, message: &[u8]) -> Bytes {
        let mut bytes = vec![flag];
        bytes.extend(length.to_be_bytes());
        bytes.extend(message);
        bytes.into()
    }

    #[test]
    fn what_is_no_complete_message_is_refused_by_its_own_status() {
        let check = |body: Bytes, expected: tonic::Code| {
            let decoded = decode::<String>(&body);
            assert_eq!(decoded.unwrap_err().code(), expected, "{body:?}");
        };

        check(Bytes::new(), tonic::Code::InvalidArgument);
        check(framed(0, 3, b"\x0a\x01"), tonic::Code::InvalidArgument);
        check(framed(0, 2, b"\x0a\x01a"), tonic::Code::InvalidArgument);
        check(framed(1, 3, b"\x0a\x01a"), tonic::Code::Unimplemented);
        check(framed(0, 3, b"\x0a\x01\xff"), tonic::Code::InvalidArgument);
        check(framed(0, 2, b"\x0a\x05"), tonic::Code::InvalidArgument);
    }

    #[test]
    fn a_message_is_read_out_of_its_frame() {
        let decoded = decode::<String>(&framed(0, 3, b"\x0a\x01a"));

        assert_eq!(decoded.unwrap(), "a");
    }
}
