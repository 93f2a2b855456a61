//! What the headers of a call say: how its messages are written, and how long it may take.

use super::super::evaluation::Codec;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use std::time::Duration;
use tonic::Status;

static PROTOCOL_VERSION: HeaderName = HeaderName::from_static("connect-protocol-version");
static TIMEOUT: HeaderName = HeaderName::from_static("connect-timeout-ms");
static STREAM_ENCODING: HeaderName = HeaderName::from_static("connect-content-encoding");
/// Digits that a timeout may have.
const TIMEOUT_DIGITS: usize = 10;

/// How messages are written, and whether they stand in envelopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Carrier {
    pub(super) codec: Codec,
    pub(super) is_streamed: bool,
}

impl Carrier {
    /// The carrier of a content type; `None` for one that is not Connect's.
    pub(super) fn of(kind: Option<&HeaderValue>) -> Option<Self> {
        let kind = kind?.to_str().ok()?;
        let (name, parameters) = kind.split_once(';').unwrap_or((kind, ""));
        let (codec, is_streamed) = match name.trim().to_ascii_lowercase().as_str() {
            "application/json" => (Codec::Json, false),
            "application/proto" => (Codec::Proto, false),
            "application/connect+json" => (Codec::Json, true),
            "application/connect+proto" => (Codec::Proto, true),
            _ => return None,
        };
        let parameters = parameters.trim();
        let is_utf_8 = parameters.is_empty()
            || (codec == Codec::Json && parameters.eq_ignore_ascii_case("charset=utf-8"));
        is_utf_8.then_some(Self { codec, is_streamed })
    }

    pub(super) const fn name(self) -> &'static str {
        match (self.codec, self.is_streamed) {
            (Codec::Json, false) => "application/json",
            (Codec::Proto, false) => "application/proto",
            (Codec::Json, true) => "application/connect+json",
            (Codec::Proto, true) => "application/connect+proto",
        }
    }
}

/// Whether the call is one that is understood.
///
/// # Errors
/// `INVALID_ARGUMENT` for another version of the protocol, `UNIMPLEMENTED` for compressed messages.
pub(super) fn check(headers: &HeaderMap, carrier: Carrier) -> Result<(), Status> {
    if let Some(version) = headers.get(&PROTOCOL_VERSION)
        && version.as_bytes() != b"1"
    {
        return Err(Status::invalid_argument(
            "`connect-protocol-version` must be 1",
        ));
    }
    let encoding = if carrier.is_streamed {
        &STREAM_ENCODING
    } else {
        &header::CONTENT_ENCODING
    };
    match headers.get(encoding).map(HeaderValue::as_bytes) {
        None | Some(b"identity" | b"") => Ok(()),
        Some(_) => Err(Status::unimplemented("compressed messages are not read")),
    }
}

/// How long the caller waits.
///
/// # Errors
/// `INVALID_ARGUMENT` for what is no number of milliseconds.
pub(super) fn timeout(headers: &HeaderMap) -> Result<Option<Duration>, Status> {
    let Some(value) = headers.get(&TIMEOUT) else {
        return Ok(None);
    };
    let digits = value.to_str().ok().filter(|text| {
        (1..=TIMEOUT_DIGITS).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    });
    match digits.and_then(|digits| digits.parse().ok()) {
        Some(milliseconds) => Ok(Some(Duration::from_millis(milliseconds))),
        None => Err(Status::invalid_argument(
            "`connect-timeout-ms` must be 1 to 10 digits",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_static(value));
        headers
    }

    #[test]
    fn carriers_are_told_by_the_content_type() {
        let check = |kind: &'static str, expected: Option<(Codec, bool)>| {
            let carrier = Carrier::of(Some(&HeaderValue::from_static(kind)));
            let found = carrier.map(|carrier| (carrier.codec, carrier.is_streamed));
            assert_eq!(found, expected, "{kind}");
        };

        check("application/json", Some((Codec::Json, false)));
        check(
            "Application/JSON; charset=UTF-8",
            Some((Codec::Json, false)),
        );
        check("application/json; charset=latin1", None);
        check("application/proto", Some((Codec::Proto, false)));
        check("application/proto; charset=utf-8", None);
        check("application/connect+json", Some((Codec::Json, true)));
        check("application/connect+proto", Some((Codec::Proto, true)));
        check("text/plain", None);
        assert_eq!(Carrier::of(None), None);
    }

    #[test]
    fn timeouts_are_a_few_digits() {
        let read = |value| timeout(&headers("connect-timeout-ms", value)).ok();

        assert_eq!(timeout(&HeaderMap::new()).unwrap(), None);
        assert_eq!(read("0"), Some(Some(Duration::ZERO)));
        assert_eq!(
            read("9999999999"),
            Some(Some(Duration::from_millis(9_999_999_999)))
        );
        for refused in ["", "-1", "1.5", "1s", "10000000000", "+1"] {
            assert_eq!(read(refused), None, "{refused}");
        }
    }

    #[test]
    fn other_versions_and_compressed_messages_are_refused() {
        let carrier = |is_streamed| Carrier {
            codec: Codec::Json,
            is_streamed,
        };
        let code = |name, value, is_streamed| {
            let checked = check(&headers(name, value), carrier(is_streamed));
            checked.map_err(|status| status.code())
        };

        assert_eq!(code("connect-protocol-version", "1", false), Ok(()));
        assert_eq!(
            code("connect-protocol-version", "2", false),
            Err(tonic::Code::InvalidArgument)
        );
        let gzip = Err(tonic::Code::Unimplemented);
        assert_eq!(code("content-encoding", "gzip", false), gzip);
        assert_eq!(code("content-encoding", "identity", false), Ok(()));
        assert_eq!(code("connect-content-encoding", "gzip", true), gzip);
        assert_eq!(code("content-encoding", "gzip", true), Ok(()));
    }
}
