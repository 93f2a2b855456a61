//! What is answered: a flag, a failure, and what frames a list of them.

use crate::json::{write_boolean, write_float, write_integer, write_text};
use flagstaff_core::{ReasonWords, Resolution, TypedValue};

/// Who reads an answer. A client-side key learns of no segment and no identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// Whoever holds a client-side key.
    Client,
    /// Whoever holds a server-side key.
    Server,
}

/// Why a flag, or the whole request, has no answer: the words of OFREP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorCode {
    /// There is no such flag, or none that the caller may see.
    FlagNotFound,
    /// The context cannot be read, or breaks a limit.
    InvalidContext,
}

impl ErrorCode {
    const fn word(self) -> &'static str {
        match self {
            Self::FlagNotFound => "FLAG_NOT_FOUND",
            Self::InvalidContext => "INVALID_CONTEXT",
        }
    }
}

/// Writes a flag: `{"key":…,"reason":…,"variant":…,"value":…,"metadata":{…}}`.
///
/// Without a value the caller is to use its own default; then there is no variant either.
pub fn write_resolution(resolution: &Resolution<'_>, reader: Reader, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"key\":");
    write_text(out, resolution.key);
    out.extend_from_slice(b",\"reason\":\"");
    out.extend_from_slice(resolution.reason.name().as_bytes());
    out.push(b'"');
    if let Some(variant) = &resolution.variant {
        out.extend_from_slice(b",\"variant\":");
        write_text(
            out,
            match reader {
                Reader::Client => variant.client_name(),
                Reader::Server => variant.name(),
            },
        );
    }
    if let Some(value) = &resolution.value {
        out.extend_from_slice(b",\"value\":");
        write_typed(value, out);
    }
    out.extend_from_slice(b",\"metadata\":{");
    write_metadata(resolution, reader, out);
    out.extend_from_slice(b"}}");
}

fn write_metadata(resolution: &Resolution<'_>, reader: Reader, out: &mut Vec<u8>) {
    let mut first = true;
    let mut member = |name: &[u8], out: &mut Vec<u8>| {
        if !first {
            out.push(b',');
        }
        first = false;
        out.extend_from_slice(name);
    };
    if reader == Reader::Server {
        member(b"\"flagsmith.reason\":", out);
        write_text(
            out,
            &resolution.flagsmith_reason.text(ReasonWords::default()),
        );
        if let Some(segment) = resolution.segment {
            member(b"\"flagsmith.segment\":", out);
            write_text(out, segment);
        }
    }
    if resolution.targeting_key_missing {
        member(b"\"targeting_key_missing\":true", out);
    }
}

/// Whole numbers have no fraction and others have one: typed clients tell them apart by that.
fn write_typed(value: &TypedValue<'_>, out: &mut Vec<u8>) {
    match value {
        TypedValue::Boolean(boolean) => write_boolean(out, *boolean),
        TypedValue::Integer(integer) => write_integer(out, *integer),
        TypedValue::Number(number) => write_float(out, *number),
        TypedValue::String(text) => write_text(out, text),
        // Checked when it was stored.
        TypedValue::Json(object) => out.extend_from_slice(object.as_bytes()),
    }
}

/// Writes why there is no answer: `{"key":…,"errorCode":…,"errorDetails":…}`, without `key` where all flags were asked for.
pub fn write_failure(key: Option<&str>, code: ErrorCode, details: &str, out: &mut Vec<u8>) {
    out.push(b'{');
    if let Some(key) = key {
        out.extend_from_slice(b"\"key\":");
        write_text(out, key);
        out.push(b',');
    }
    out.extend_from_slice(b"\"errorCode\":\"");
    out.extend_from_slice(code.word().as_bytes());
    out.extend_from_slice(b"\",\"errorDetails\":");
    write_text(out, details);
    out.push(b'}');
}

/// Writes a failure that has no code: `{"errorDetails":…}`.
pub fn write_details(details: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"errorDetails\":");
    write_text(out, details);
    out.push(b'}');
}

/// What a list of flags begins with; flags follow with commas between them.
pub const LIST_START: &[u8] = b"{\"flags\":[";

/// Seconds after which a client that nobody looks at should close its stream.
const INACTIVITY_SECONDS: i64 = 120;

/// Writes what ends a list of flags. `stream` is the path, with its query, under which changes are told.
pub fn write_list_end(stream: Option<&str>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"],\"metadata\":{}");
    if let Some(stream) = stream {
        out.extend_from_slice(
            b",\"eventStreams\":[{\"type\":\"sse\",\"endpoint\":{\"requestUri\":",
        );
        write_text(out, stream);
        out.extend_from_slice(b"},\"inactivityDelaySec\":");
        write_integer(out, INACTIVITY_SECONDS);
        out.extend_from_slice(b"}]");
    }
    out.push(b'}');
}

#[cfg(test)]
mod tests {
    use super::*;
    use flagstaff_core::{Reason, ResolutionReason, ResolvedVariant};

    fn split() -> Resolution<'static> {
        Resolution {
            feature: 0,
            key: "a \"b\"",
            value: Some(TypedValue::String("x".into())),
            variant: Some(ResolvedVariant::Override("override_beta".into())),
            reason: ResolutionReason::TargetingMatch,
            targeting_key_missing: true,
            segment: Some("beta"),
            flagsmith_reason: Reason::TargetingMatch { segment: "beta" },
        }
    }

    #[track_caller]
    fn check(resolution: &Resolution<'_>, reader: Reader, expected: &str) {
        let mut out = Vec::new();
        write_resolution(resolution, reader, &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn only_servers_learn_of_segments() {
        check(
            &split(),
            Reader::Server,
            r#"{"key":"a \"b\"","reason":"TARGETING_MATCH","variant":"override_beta","value":"x","metadata":{"flagsmith.reason":"TARGETING_MATCH; segment=beta","flagsmith.segment":"beta","targeting_key_missing":true}}"#,
        );
        check(
            &split(),
            Reader::Client,
            r#"{"key":"a \"b\"","reason":"TARGETING_MATCH","variant":"override","value":"x","metadata":{"targeting_key_missing":true}}"#,
        );
    }

    #[test]
    fn a_flag_that_is_off_has_neither_value_nor_variant() {
        let off = Resolution {
            value: None,
            variant: None,
            reason: ResolutionReason::Disabled,
            targeting_key_missing: false,
            ..split()
        };

        check(
            &off,
            Reader::Client,
            r#"{"key":"a \"b\"","reason":"DISABLED","metadata":{}}"#,
        );
    }

    #[test]
    fn values_keep_their_types() {
        for (value, expected) in [
            (TypedValue::Boolean(true), "true"),
            (TypedValue::Integer(-5), "-5"),
            (TypedValue::Number(5.0), "5.0"),
            (TypedValue::Number(0.25), "0.25"),
            (TypedValue::String("5".into()), "\"5\""),
            (TypedValue::Json("{\"a\": [1]}".into()), "{\"a\": [1]}"),
        ] {
            let mut out = Vec::new();
            write_typed(&value, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }
}
