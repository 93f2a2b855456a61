//! How Python prints what a JSON document holds: the recorded text form of list and object traits.

use crate::json::json_to_scalar;
use flagstaff_core::text::python_text;
use serde_json::Value as Json;
use std::fmt::Write as _;

/// Python's `str()` of a value read from JSON, such as `{'a': [1, None]}`.
///
/// Characters that Python 3 calls unprintable are escaped as it does, save for code points that no
/// Unicode version has assigned yet.
#[must_use]
pub fn text(json: &Json) -> String {
    let mut out = String::new();
    match json {
        Json::String(text) => out.push_str(text),
        other => write_repr(&mut out, other),
    }
    out
}

fn write_repr(out: &mut String, json: &Json) {
    match json {
        Json::String(text) => write_quoted(out, text),
        Json::Array(items) => {
            out.push('[');
            for (position, item) in items.iter().enumerate() {
                if position > 0 {
                    out.push_str(", ");
                }
                write_repr(out, item);
            }
            out.push(']');
        }
        Json::Object(members) => {
            out.push('{');
            for (position, (name, member)) in members.iter().enumerate() {
                if position > 0 {
                    out.push_str(", ");
                }
                write_quoted(out, name);
                out.push_str(": ");
                write_repr(out, member);
            }
            out.push('}');
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => {
            if let Some(scalar) = json_to_scalar(json) {
                out.push_str(&python_text(&scalar));
            }
        }
    }
}

fn write_quoted(out: &mut String, text: &str) {
    // Python takes double quotes only where that saves escaping.
    let quote = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    out.push(quote);
    for character in text.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c if is_printable(c) => out.push(c),
            c => write_escape(out, u32::from(c)),
        }
    }
    out.push(quote);
}

fn write_escape(out: &mut String, code: u32) {
    let _ = match code {
        0..=0xff => write!(out, "\\x{code:02x}"),
        0x100..=0xffff => write!(out, "\\u{code:04x}"),
        _ => write!(out, "\\U{code:08x}"),
    };
}

/// Neither a control, format or private character nor a separator other than the space.
fn is_printable(c: char) -> bool {
    let separator = c.is_whitespace() && c != ' ';
    let hidden = matches!(u32::from(c),
        0xad | 0x600..=0x605 | 0x61c | 0x6dd | 0x70f | 0x890..=0x891 | 0x8e2 | 0x180e
        | 0x200b..=0x200f | 0x202a..=0x202e | 0x2060..=0x206f | 0xe000..=0xf8ff | 0xfeff
        | 0xfff0..=0xfffb | 0xfffe..=0xffff | 0x110bd | 0x110cd | 0x13430..=0x1343f
        | 0x1bca0..=0x1bca3 | 0x1d173..=0x1d17a | 0xe0000..=0xe00ff | 0xe01f0..);
    !(c.is_control() || separator || hidden)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, expected: &str) {
        assert_eq!(text(&serde_json::from_str(json).unwrap()), expected);
    }

    #[test]
    fn composites_are_printed_as_python_prints_them() {
        check("[1, 2]", "[1, 2]");
        check(
            r#"{"a": [true, null, 1.0, "x"]}"#,
            "{'a': [True, None, 1.0, 'x']}",
        );
        check("[]", "[]");
        check(r#"["it's"]"#, r#"["it's"]"#);
        check(r#"["it's \"so\""]"#, r#"['it\'s "so"']"#);
        check(
            r#"["a\\b\n\u0000\u00a0\u2028é"]"#,
            r"['a\\b\n\x00\xa0\u2028é']",
        );
        check(
            "[1e400, 12345678901234567890123]",
            "[inf, 12345678901234567890123]",
        );
    }

    #[test]
    fn a_text_by_itself_has_no_quotes() {
        check(r#""plain""#, "plain");
    }
}
