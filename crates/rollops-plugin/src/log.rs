//! Events on standard error, one JSON object a line.
//!
//! The host relays a megabyte and drops the rest, so we stop before. A pipe that nobody reads is no reason to fail.

use serde_json::{Map, Value as Json};
use std::io::Write;
use std::sync::{Mutex, PoisonError};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Below what the host relays.
const LIMIT: usize = 900 * 1024;
/// Texts from outside are cut.
const TEXT_LIMIT: usize = 300;

/// Where events go.
pub(crate) struct Log {
    state: Mutex<State>,
}

struct State {
    out: Box<dyn Write + Send>,
    left: usize,
}

impl Log {
    pub(crate) fn to_standard_error() -> Self {
        Self::to(Box::new(std::io::stderr()))
    }

    /// For people who asked on the command line: what they want to know is printed.
    pub(crate) fn silent() -> Self {
        Self::to(Box::new(std::io::sink()))
    }

    fn to(out: Box<dyn Write + Send>) -> Self {
        let state = State { out, left: LIMIT };
        Self {
            state: Mutex::new(state),
        }
    }

    pub(crate) fn info<const N: usize>(&self, event: &str, members: [(&str, Json); N]) {
        self.write("info", event, members);
    }

    pub(crate) fn warn<const N: usize>(&self, event: &str, members: [(&str, Json); N]) {
        self.write("warn", event, members);
    }

    fn write<const N: usize>(&self, level: &str, event: &str, members: [(&str, Json); N]) {
        let mut line = Map::new();
        let now = OffsetDateTime::now_utc().format(&Rfc3339);
        line.insert("ts".to_owned(), now.unwrap_or_default().into());
        line.insert("level".to_owned(), level.into());
        line.insert("event".to_owned(), event.into());
        for (name, value) in members {
            line.insert(name.to_owned(), cut(value));
        }
        let text = format!("{}\n", Json::Object(line));
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(left) = state.left.checked_sub(text.len()) else {
            return;
        };
        state.left = left;
        let _ = state.out.write_all(text.as_bytes());
    }
}

fn cut(value: Json) -> Json {
    match value {
        Json::String(text) if text.chars().count() > TEXT_LIMIT => {
            Json::String(text.chars().take(TEXT_LIMIT).collect())
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn rol_11_an_event_is_a_line_of_json() {
        let kept = Kept::default();

        Log::to(Box::new(kept.clone())).info("applied", [("flag", "a\nb".into())]);

        let text = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.lines().count(), 1);
        let line: Json = serde_json::from_str(&text).unwrap();
        assert_eq!(line["event"], "applied");
        assert_eq!(line["flag"], "a\nb");
        assert!(line["ts"].as_str().unwrap().ends_with('Z'));
    }

    #[test]
    fn rol_11_the_log_ends_before_a_megabyte() {
        let kept = Kept::default();
        let log = Log::to(Box::new(kept.clone()));

        for _ in 0..10_000 {
            log.warn("again", [("text", "x".repeat(1000).into())]);
        }

        let length = kept.0.lock().unwrap().len();
        assert!((LIMIT / 2..=LIMIT).contains(&length), "{length}");
        assert_eq!(kept.0.lock().unwrap().last(), Some(&b'\n'));
    }
}
