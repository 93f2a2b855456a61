//! What OFREP's description says an answer looks like (version 0.3.0 of its schemas), checked by hand: the components
//! `evaluationSuccess`, `evaluationFailure`, `flagNotFound`, `bulkEvaluationSuccess` and `bulkEvaluationFailure`.

use crate::face::Reply;
use serde_json::{Map, Value as Json};

/// The words of OpenFeature that clients know; the strict ones take no other.
const REASONS: [&str; 7] = [
    "STATIC",
    "TARGETING_MATCH",
    "SPLIT",
    "DISABLED",
    "UNKNOWN",
    "DEFAULT",
    "ERROR",
];

/// Checks an answer to the request for one flag.
#[track_caller]
pub(super) fn check_single(reply: &Reply) {
    match reply.status {
        200 => check_success(&json(reply)),
        400 => check_failure(&json(reply)),
        404 => check_not_found(&json(reply)),
        _ => check_other(reply),
    }
}

/// Checks an answer to the request for all flags.
#[track_caller]
pub(super) fn check_list(reply: &Reply) {
    match reply.status {
        200 => check_bulk(reply),
        304 => {
            assert!(reply.body.is_empty(), "a 304 has no body");
            assert!(reply.header("etag").is_some(), "a 304 has its tag");
        }
        400 => {
            let body = json(reply);
            let body = members(&body, &["errorCode", "errorDetails"]);
            assert!(body["errorCode"].is_string(), "{body:?}");
            assert!(body["errorDetails"].is_string(), "{body:?}");
        }
        _ => check_other(reply),
    }
}

#[track_caller]
fn check_bulk(reply: &Reply) {
    let body = json(reply);
    let body = members(&body, &["flags", "metadata", "eventStreams"]);
    for flag in body["flags"].as_array().unwrap() {
        if flag.get("errorCode").is_some() {
            check_failure(flag);
        } else {
            check_success(flag);
        }
    }
    check_metadata(&body["metadata"]);
    if let Some(streams) = body.get("eventStreams") {
        for stream in streams.as_array().unwrap() {
            check_event_stream(stream);
        }
    }
    let tag = reply.header("etag").unwrap();
    assert!(
        tag.len() > 2 && tag.starts_with('"') && tag.ends_with('"'),
        "{tag} is a strong tag"
    );
}

#[track_caller]
fn check_success(flag: &Json) {
    let flag = members(flag, &["key", "reason", "variant", "value", "metadata"]);
    assert!(flag["key"].is_string(), "{flag:?}");
    let reason = flag["reason"].as_str().unwrap();
    assert!(REASONS.contains(&reason), "{reason}");
    // A client uses its own default where there is no value; null would be a value of a wrong type.
    if let Some(value) = flag.get("value") {
        assert!(
            value.is_boolean() || value.is_string() || value.is_number() || value.is_object(),
            "{flag:?}"
        );
    }
    // Strict clients take no value without a variant.
    assert_eq!(
        flag.get("value").is_some(),
        flag.get("variant").is_some(),
        "{flag:?}"
    );
    assert!(flag.get("variant").is_none_or(Json::is_string), "{flag:?}");
    check_metadata(&flag["metadata"]);
}

#[track_caller]
fn check_failure(flag: &Json) {
    const CODES: [&str; 4] = [
        "PARSE_ERROR",
        "TARGETING_KEY_MISSING",
        "INVALID_CONTEXT",
        "GENERAL",
    ];
    check_error(flag, &CODES);
}

#[track_caller]
fn check_not_found(flag: &Json) {
    check_error(flag, &["FLAG_NOT_FOUND"]);
}

#[track_caller]
fn check_error(flag: &Json, codes: &[&str]) {
    let flag = members(flag, &["key", "errorCode", "errorDetails"]);
    assert!(flag["key"].is_string(), "{flag:?}");
    let code = flag["errorCode"].as_str().unwrap();
    assert!(codes.contains(&code), "{code}");
    assert!(flag["errorDetails"].is_string(), "{flag:?}");
}

/// 401, 403, 413, 429 and failures: nothing, or `generalErrorResponse`.
#[track_caller]
fn check_other(reply: &Reply) {
    let body = json(reply);
    let body = members(&body, &["errorDetails"]);
    assert!(body["errorDetails"].is_string(), "{body:?}");
    if reply.status == 429 {
        let after = reply.header("retry-after").unwrap();
        assert!(after.parse::<u64>().is_ok_and(|seconds| seconds >= 1));
    }
}

#[track_caller]
fn check_metadata(metadata: &Json) {
    let metadata = metadata.as_object().unwrap();
    for (name, value) in metadata {
        assert!(
            value.is_boolean() || value.is_string() || value.is_number(),
            "{name}: {value}"
        );
    }
}

#[track_caller]
fn check_event_stream(stream: &Json) {
    let stream = members(stream, &["type", "url", "endpoint", "inactivityDelaySec"]);
    assert_eq!(stream["type"], "sse");
    assert!(
        stream.contains_key("url") != stream.contains_key("endpoint"),
        "one of the two"
    );
    if let Some(endpoint) = stream.get("endpoint") {
        let endpoint = members(endpoint, &["origin", "requestUri"]);
        let path = endpoint["requestUri"].as_str().unwrap();
        assert!(path.starts_with('/') && !path.starts_with("//"), "{path}");
    }
    if let Some(delay) = stream.get("inactivityDelaySec") {
        assert!(delay.as_i64().is_some_and(|delay| delay >= 1), "{delay}");
    }
}

#[track_caller]
fn json(reply: &Reply) -> Json {
    assert_eq!(
        reply.header("content-type"),
        Some("application/json"),
        "{} `{}`",
        reply.status,
        reply.text()
    );
    reply.json()
}

/// An object with no other members than these.
#[track_caller]
fn members<'a>(json: &'a Json, known: &[&str]) -> &'a Map<String, Json> {
    let object = json.as_object().unwrap();
    for name in object.keys() {
        assert!(known.contains(&name.as_str()), "`{name}` in {json}");
    }
    object
}
