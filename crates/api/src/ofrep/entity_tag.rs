//! Strong tags of lists of flags: hashes of everything an answer is made from.

use axum::http::HeaderValue;
use flagstaff_core::{Snapshot, Value};
use flagstaff_service::{OpenEnvironment, Recognised};
use sha2::{Digest as _, Sha256};
use std::fmt::{self, Write as _};

/// Grows when the same snapshot and context come to be answered in other bytes.
const EVALUATOR: u8 = 1;

/// A hash of what evaluation reads of an environment, whatever its revision is called: revisions repeat where a database
/// was restored.
#[derive(Clone)]
pub(super) struct Content(Sha256);

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
        Self(hashing.0)
    }

    /// The tag of an answer. `period` counts the hours for which the same way to the stream is given out.
    pub(super) fn tag(
        &self,
        open: &OpenEnvironment,
        recognised: &Recognised,
        period: Option<i64>,
    ) -> HeaderValue {
        let mut hash = self.0.clone();
        hash.update([u8::from(open.server_side)]);
        hash.update(period.unwrap_or(-1).to_le_bytes());
        add_optional_text(&mut hash, recognised.identifier());
        add_optional_text(&mut hash, recognised.hash_key());
        for (name, value) in recognised.attributes().iter() {
            add_text(&mut hash, name);
            add_value(&mut hash, value);
        }
        if let Some(overrides) = recognised.overrides() {
            let mut hashing = Hashing(hash);
            let _ = write!(hashing, "{overrides:?}");
            hash = hashing.0;
        }
        tag(&hash.finalize())
    }
}

fn tag(hash: &[u8]) -> HeaderValue {
    let mut text = String::with_capacity(34);
    text.push('"');
    for byte in &hash[..16] {
        let _ = write!(text, "{byte:02x}");
    }
    text.push('"');
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("\"\""))
}

/// Each text with its length, so that no two lists of texts are the same bytes.
fn add_text(hash: &mut Sha256, text: &str) {
    hash.update((text.len() as u64).to_le_bytes());
    hash.update(text.as_bytes());
}

fn add_optional_text(hash: &mut Sha256, text: Option<&str>) {
    hash.update([u8::from(text.is_some())]);
    add_text(hash, text.unwrap_or_default());
}

fn add_value(hash: &mut Sha256, value: &Value) {
    match value {
        Value::Null => hash.update([0]),
        Value::Boolean(boolean) => hash.update([1, u8::from(*boolean)]),
        Value::Integer(integer) => {
            hash.update([2]);
            hash.update(integer.to_le_bytes());
        }
        Value::BigInteger(digits) => {
            hash.update([3]);
            add_text(hash, digits);
        }
        Value::Float(float) => {
            hash.update([4]);
            hash.update(float.to_bits().to_le_bytes());
        }
        Value::Text(text) => {
            hash.update([5]);
            add_text(hash, text);
        }
    }
}
