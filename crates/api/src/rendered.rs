//! Bytes that are the same for everybody: written once, tagged, and compressed at most once.

use crate::flagsmith::answer::Answer;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::{Arc, OnceLock};

/// Bytes beyond which compressing takes longer than an async thread may be held up.
const LARGE: usize = 256 * 1024;

/// A rendered document or list.
#[derive(Debug)]
pub(crate) struct Rendered {
    plain: Encoded,
    packed: OnceLock<Option<Encoded>>,
}

/// One encoding of it; the tag is a hash of exactly these bytes.
#[derive(Debug, Clone)]
struct Encoded {
    bytes: Bytes,
    tag: HeaderValue,
}

impl Encoded {
    fn new(bytes: Vec<u8>) -> Self {
        let mut tag = String::with_capacity(34);
        tag.push('"');
        for byte in &Sha256::digest(&bytes)[..16] {
            let _ = write!(tag, "{byte:02x}");
        }
        tag.push('"');
        Self {
            bytes: bytes.into(),
            tag: HeaderValue::from_str(&tag).unwrap_or(HeaderValue::from_static("\"\"")),
        }
    }
}

impl Rendered {
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        Self {
            plain: Encoded::new(bytes),
            packed: OnceLock::new(),
        }
    }

    /// All of it, as it is.
    pub(crate) fn bytes(&self) -> Bytes {
        self.plain.bytes.clone()
    }

    /// What tells these bytes from others.
    pub(crate) fn tag(&self) -> &HeaderValue {
        &self.plain.tag
    }

    /// The answer to a request: compressed when it asks for that and there are more than `least` bytes,
    /// 304 when it holds these very bytes already. `vary` names what decides about it.
    pub(crate) fn answer(&self, request: &HeaderMap, least: usize, vary: &'static str) -> Answer {
        let packs = self.plain.bytes.len() > least && takes_gzip(request);
        let packed = packs.then(|| self.packed()).flatten();
        let encoded = packed.unwrap_or(&self.plain);
        let answer = if holds(request, &encoded.tag) {
            Answer::empty(StatusCode::NOT_MODIFIED)
        } else if packed.is_some() {
            Answer::json(encoded.bytes.clone())
                .with_header(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"))
        } else {
            Answer::json(encoded.bytes.clone())
        };
        answer
            .with_header(header::ETAG, encoded.tag.clone())
            .with_header(header::VARY, HeaderValue::from_static(vary))
    }

    fn packed(&self) -> Option<&Encoded> {
        let packed = self.packed.get_or_init(|| {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(&self.plain.bytes).ok()?;
            encoder.finish().ok().map(Encoded::new)
        });
        packed.as_ref()
    }
}

/// Compresses a large part of a form off the async threads, where a request takes it so and nobody had it so yet.
pub(crate) async fn pack_off_thread<F: Send + Sync + 'static>(
    form: &Arc<F>,
    part: fn(&F) -> &Rendered,
    request: &HeaderMap,
) {
    let rendered = part(form);
    let is_large = rendered.plain.bytes.len() > LARGE;
    if is_large && rendered.packed.get().is_none() && takes_gzip(request) {
        let form = Arc::clone(form);
        let packing = tokio::task::spawn_blocking(move || part(&form).packed().is_some());
        // Where that comes to nothing, whoever answers compresses.
        let _ = packing.await;
    }
}

/// True where `Accept-Encoding` names gzip, or anything, and does not rule it out with a weight of 0.
fn takes_gzip(request: &HeaderMap) -> bool {
    let lines = request.get_all(header::ACCEPT_ENCODING).iter();
    let codings = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','));
    let mut takes_others = false;
    for coding in codings {
        let mut parts = coding.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let weight = parts.find_map(|part| part.strip_prefix("q=")?.parse::<f32>().ok());
        let is_taken = weight.unwrap_or(1.0) > 0.0;
        if name.eq_ignore_ascii_case("gzip") {
            return is_taken;
        }
        takes_others |= name == "*" && is_taken;
    }
    takes_others
}

/// True where `If-None-Match` names this tag, or any.
pub(crate) fn holds(request: &HeaderMap, tag: &HeaderValue) -> bool {
    let lines = request.get_all(header::IF_NONE_MATCH).iter();
    let tags = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','));
    let mut known = tags.map(|each| each.trim());
    known.any(|each| each == "*" || each.trim_start_matches("W/").as_bytes() == tag.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_taken_where_it_is_named_and_not_ruled_out() {
        let check = |value: &str, expected: bool| {
            let mut headers = HeaderMap::new();
            headers.insert(
                header::ACCEPT_ENCODING,
                HeaderValue::from_str(value).unwrap(),
            );
            assert_eq!(takes_gzip(&headers), expected, "{value}");
        };

        check("gzip, deflate, br", true);
        check("br;q=1.0, GZIP;q=0.5", true);
        check("gzip;q=0", false);
        check("identity", false);
        check("*", true);
        check("gzip;q=0, *", false);
    }

    #[test]
    fn a_tag_matches_weakly_and_in_lists() {
        let rendered = Rendered::new(b"[]".to_vec());
        let tag = rendered.plain.tag.to_str().unwrap().to_owned();
        let check = |value: &str, expected: bool| {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_NONE_MATCH, HeaderValue::from_str(value).unwrap());
            assert_eq!(holds(&headers, &rendered.plain.tag), expected, "{value}");
        };

        check(&tag, true);
        check(&format!("\"other\", W/{tag}"), true);
        check("*", true);
        check("\"other\"", false);
    }
}
