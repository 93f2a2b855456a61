//! Fields of spans as JSON, written once for each request and mostly read by nobody.
//!
//! The formatter that comes with `tracing-subscriber` sorts them in a tree of values first, which took a tenth of the
//! instructions of a small request. These are written as they come.

use std::fmt::{self, Write};
use tracing::field::{Field, Visit};
use tracing::span::Record;
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FormatFields, FormattedFields};

/// Writes the fields of a span as one JSON object.
#[derive(Debug)]
pub(super) struct JsonSpanFields;

impl<'writer> FormatFields<'writer> for JsonSpanFields {
    fn format_fields<R: RecordFields>(&self, mut out: Writer<'writer>, fields: R) -> fmt::Result {
        out.write_char('{')?;
        Members::write(&mut out, false, fields)?;
        out.write_char('}')
    }

    fn add_fields(
        &self,
        current: &'writer mut FormattedFields<Self>,
        fields: &Record<'_>,
    ) -> fmt::Result {
        let has_members = current.fields.len() > "{}".len();
        current.fields.pop();
        Members::write(&mut current.fields, has_members, fields)?;
        current.fields.write_char('}')
    }
}

/// Members of an object that is being written.
struct Members<'a> {
    out: &'a mut dyn Write,
    has_members: bool,
    result: fmt::Result,
}

impl<'a> Members<'a> {
    fn write(out: &'a mut dyn Write, has_members: bool, fields: impl RecordFields) -> fmt::Result {
        let mut members = Self {
            out,
            has_members,
            result: Ok(()),
        };
        fields.record(&mut members);
        members.result
    }

    fn member(&mut self, field: &Field, value: impl FnOnce(&mut dyn Write) -> fmt::Result) {
        if self.result.is_ok() {
            self.result = self.name(field).and_then(|()| value(self.out));
        }
        self.has_members = true;
    }

    fn name(&mut self, field: &Field) -> fmt::Result {
        if self.has_members {
            self.out.write_char(',')?;
        }
        self.out.write_char('"')?;
        // A keyword that is a field's name is written as a raw identifier in the source. Names need no escape.
        let name = field.name();
        self.out
            .write_str(name.strip_prefix("r#").unwrap_or(name))?;
        self.out.write_str("\":")
    }
}

impl Visit for Members<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.member(field, |out| {
            out.write_char('"')?;
            write!(Escaped(out), "{value:?}")?;
            out.write_char('"')
        });
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.member(field, |out| write_text(out, value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.member(field, |out| write!(out, "{value}"));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.member(field, |out| write!(out, "{value}"));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.member(field, |out| write!(out, "{value}"));
    }
}

fn write_text(out: &mut dyn Write, text: &str) -> fmt::Result {
    out.write_char('"')?;
    Escaped(out).write_str(text)?;
    out.write_char('"')
}

/// Writes what may stand between quotes in JSON.
struct Escaped<'a>(&'a mut dyn Write);

impl Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let needs_escape = |byte: &u8| matches!(byte, b'"' | b'\\' | ..=0x1f);
        if !text.as_bytes().iter().any(needs_escape) {
            return self.0.write_str(text);
        }
        for character in text.chars() {
            match character {
                '"' => self.0.write_str("\\\"")?,
                '\\' => self.0.write_str("\\\\")?,
                control @ ..='\u{1f}' => write!(self.0, "\\u{:04x}", u32::from(control))?,
                other => self.0.write_char(other)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::JsonSpanFields;
    use std::io;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_log_line_carries_the_fields_of_its_span() {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt()
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .fmt_fields(JsonSpanFields)
            .with_writer(move || writer.clone())
            .finish();

        tracing::subscriber::with_default(subscriber, || {
            let span = tracing::info_span!(
                "request",
                http.route = "/a\"b\\c\n",
                number = -1_i64,
                size = 2_u64,
                is_new = true,
                id = ?Some("x"),
                late = tracing::field::Empty,
            );
            span.record("late", "now");
            span.in_scope(|| tracing::info!("said"));
        });

        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        let line: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            line["span"],
            serde_json::json!({
                "http.route": "/a\"b\\c\n",
                "number": -1,
                "size": 2,
                "is_new": true,
                "id": "Some(\"x\")",
                "late": "now",
                "name": "request",
            })
        );
    }
}
