//! Messages in their envelopes: a byte of flags, four of length, the message. gRPC and the streams of Connect have the
//! same ones.

use super::connect::error_json;
use bytes::{BufMut as _, Bytes, BytesMut};
use serde_json::json;
use tonic::{Code, Status};

/// Bytes before a message.
const HEADER: usize = 5;
/// Marks the last envelope of a stream: it holds no message but how the stream ended.
const END: u8 = 2;

/// A message in its envelope.
pub(super) fn enveloped(message: &[u8]) -> Bytes {
    envelope(0, message)
}

/// The last envelope of a stream that ended with this status.
pub(super) fn end(status: &Status) -> Bytes {
    let end = match status.code() {
        Code::Ok => json!({}),
        _ => json!({ "error": error_json(status) }),
    };
    envelope(END, end.to_string().as_bytes())
}

fn envelope(flags: u8, message: &[u8]) -> Bytes {
    let mut bytes = BytesMut::with_capacity(HEADER + message.len());
    bytes.put_u8(flags);
    bytes.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    bytes.put_slice(message);
    bytes.freeze()
}

/// The one message of a request that has it in an envelope.
///
/// # Errors
/// `INVALID_ARGUMENT` for what is no complete envelope, `UNIMPLEMENTED` for a compressed one.
pub(super) fn only_message(body: &Bytes) -> Result<Bytes, Status> {
    let incomplete = || Status::invalid_argument("the request is no complete message");
    let header = body.get(..HEADER).ok_or_else(incomplete)?;
    if header[0] != 0 {
        return Err(Status::unimplemented("compressed messages are not read"));
    }
    let length = u32::from_be_bytes([header[1], header[2], header[3], header[4]]);
    if usize::try_from(length).ok() != Some(body.len() - HEADER) {
        return Err(incomplete());
    }
    Ok(body.slice(HEADER..))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_envelope_comes_back_as_its_message() {
        let message = only_message(&enveloped(b"{}")).unwrap();

        assert_eq!(&*message, b"{}");
        assert_eq!(&*enveloped(b"{}"), b"\x00\x00\x00\x00\x02{}");
    }

    #[test]
    fn what_is_no_complete_envelope_is_refused() {
        let check = |body: &'static [u8], code: Code| {
            let refused = only_message(&Bytes::from_static(body)).unwrap_err();
            assert_eq!(refused.code(), code, "{body:?}");
        };

        check(b"", Code::InvalidArgument);
        check(b"\0\0\0\0", Code::InvalidArgument);
        check(b"\0\0\0\0\x03{}", Code::InvalidArgument);
        check(b"\0\0\0\0\x02{}x", Code::InvalidArgument);
        check(b"\0\xff\xff\xff\xff{}", Code::InvalidArgument);
        check(b"\x01\0\0\0\x02{}", Code::Unimplemented);
    }

    #[test]
    fn the_end_says_how_the_stream_ended() {
        assert_eq!(&*end(&Status::ok("")), b"\x02\x00\x00\x00\x02{}");
        let refused = end(&Status::not_found("gone"));
        assert_eq!(
            &refused[HEADER..],
            br#"{"error":{"code":"not_found","message":"gone"}}"#
        );
    }
}
