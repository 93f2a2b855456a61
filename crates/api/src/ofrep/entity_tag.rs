//! Strong tags of lists of flags: hashes of everything an answer is made from.

use axum::http::HeaderValue;
use bytes::Bytes;
use flagstaff_core::{Snapshot, Value};
use flagstaff_service::{OpenEnvironment, Recognised};
use sha2::{Digest as _, Sha256};
use std::fmt::{self, Write as _};
use std::hash::{DefaultHasher, Hasher as _};

/// Bytes that a tag is made from, as a rule.
const INPUT: usize = 512;
/// Grows when the same snapshot and context come to be answered in other bytes.
const EVALUATOR: u8 = 1;

/// A hash of what evaluation reads of an environment, whatever its revision is called: revisions repeat where a database
/// was restored.
pub(super) struct Content([u8; 32]);

/// Hashes texts as they are written.
struct Hashing(Sha256);

impl fmt::Write for Hashing {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.update(text.as_bytes());
        Ok(())
    }
}

impl Content {
    /// Goes over all of it, so that a field that is new some day is part of it without being named here. Overrides of
    /// identities are left to the tags of those whom they concern.
    pub(super) fn of(snapshot: &Snapshot) -> Self {
        let mut hashing = Hashing(Sha256::new());
        let Snapshot {
            project,
            environment,
            features,
            segments,
            ..
        } = snapshot;
        // Writing to a hash cannot fail.
        let _ = write!(
            hashing,
            "{EVALUATOR} {project:?} {environment:?} {features:?} {segments:?}"
        );
        Self(hashing.0.finalize().into())
    }

    /// The tag of an answer. `period` counts the hours for which the same way to the stream is given out.
    pub(super) fn tag(
        &self,
        open: &OpenEnvironment,
        recognised: &Recognised,
        period: Option<i64>,
    ) -> HeaderValue {
        let mut input = Vec::with_capacity(INPUT);
        input.extend_from_slice(&self.0);
        input.push(u8::from(open.server_side));
        input.extend_from_slice(&period.unwrap_or(-1).to_le_bytes());
        add_optional_text(&mut input, recognised.identifier());
        add_optional_text(&mut input, recognised.hash_key());
        for (name, value) in recognised.attributes().iter() {
            add_text(&mut input, name);
            add_value(&mut input, value);
        }
        if let Some(overrides) = recognised.overrides() {
            let mut hashing = Hashing(Sha256::new());
            let _ = write!(hashing, "{overrides:?}");
            input.extend_from_slice(&hashing.0.finalize());
        }
        tag(&input)
    }
}

/// A tag of 128 bits by SipHash, twice, with keys that all nodes know: a tenth of the work of SHA-256. Who finds two
/// contexts with one tag is told 304 for the one they made up themselves. A release with another hash costs an answer.
fn tag(input: &[u8]) -> HeaderValue {
    let mut first = DefaultHasher::new();
    first.write(input);
    let first = first.finish();
    let mut second = DefaultHasher::new();
    second.write_u64(first);
    second.write(input);
    let text = format!("\"{first:016x}{:016x}\"", second.finish());
    HeaderValue::from_maybe_shared(Bytes::from(text)).unwrap_or(HeaderValue::from_static("\"\""))
}

/// Each text with its length, so that no two lists of texts are the same bytes.
fn add_text(input: &mut Vec<u8>, text: &str) {
    input.extend_from_slice(&(text.len() as u64).to_le_bytes());
    input.extend_from_slice(text.as_bytes());
}

fn add_optional_text(input: &mut Vec<u8>, text: Option<&str>) {
    input.push(u8::from(text.is_some()));
    add_text(input, text.unwrap_or_default());
}

fn add_value(input: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => input.push(0),
        Value::Boolean(boolean) => input.extend([1, u8::from(*boolean)]),
        Value::Integer(integer) => {
            input.push(2);
            input.extend_from_slice(&integer.to_le_bytes());
        }
        Value::BigInteger(digits) => {
            input.push(3);
            add_text(input, digits);
        }
        Value::Float(float) => {
            input.push(4);
            input.extend_from_slice(&float.to_bits().to_le_bytes());
        }
        Value::Text(text) => {
            input.push(5);
            add_text(input, text);
        }
    }
}
