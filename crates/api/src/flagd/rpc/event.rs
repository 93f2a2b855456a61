//! What is said on a stream of events: the same bytes for everybody who follows an environment.
//!
//! What changed between two snapshots is found out once, by whoever asks first, and kept with the later one.

use super::envelope::enveloped;
use super::json_write::object_json;
use bytes::Bytes;
use flagstaff_core::{FlagChange, FlagChanges, Snapshot};
use flagstaff_proto::flagd::evaluation::v1::EventStreamResponse;
use flagstaff_service::{Form, Published};
use prost::Message as _;
use prost_types::value::Kind;
use prost_types::{Struct, Value};
use serde_json::{Value as Json, json};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use tokio::sync::OnceCell;

/// Earlier snapshots whose difference to one snapshot is kept: all streams but those that were away come from one.
const EARLIER: usize = 8;

/// A message, written in every way it is sent. A frame of gRPC and an envelope of Connect are the same bytes.
#[derive(Debug, Clone)]
pub(super) struct Event {
    pub(super) proto: Bytes,
    pub(super) json: Bytes,
}

impl Event {
    pub(super) fn provider_ready() -> Self {
        Self::new("provider_ready", None)
    }

    pub(super) fn keep_alive() -> Self {
        Self::new("keep_alive", None)
    }

    pub(super) fn provider_shutdown() -> Self {
        Self::new("provider_shutdown", None)
    }

    fn configuration_change(changes: &FlagChanges) -> Self {
        let flags = changes.iter().map(|(name, change)| {
            let word = match change {
                FlagChange::Write => "write",
                FlagChange::Update => "update",
                FlagChange::Delete => "delete",
            };
            let change = [("type", value(Kind::StringValue(word.to_owned())))];
            (name.to_string(), value(Kind::StructValue(object(change))))
        });
        let flags = Struct {
            fields: flags.collect(),
        };
        let data = object([("flags", value(Kind::StructValue(flags)))]);
        Self::new("configuration_change", Some(data))
    }

    /// Version 2 has the same message under another name.
    fn new(kind: &str, data: Option<Struct>) -> Self {
        let json = json!({
            "type": kind,
            "data": data.as_ref().map_or(Json::Null, object_json),
        });
        let message = EventStreamResponse {
            r#type: kind.to_owned(),
            data,
        };
        Self {
            proto: enveloped(&message.encode_to_vec()),
            json: enveloped(json.to_string().as_bytes()),
        }
    }
}

fn object<const N: usize>(members: [(&str, Value); N]) -> Struct {
    let members = members.into_iter();
    Struct {
        fields: members
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    }
}

fn value(kind: Kind) -> Value {
    Value { kind: Some(kind) }
}

/// What tells one snapshot from earlier ones.
#[derive(Default)]
struct Differences(Mutex<Vec<(Weak<Published>, Arc<Difference>)>>);

/// `None` within: nobody is served anything else.
type Difference = OnceCell<Option<Event>>;

impl Form for Differences {
    fn render(_: &Snapshot) -> Self {
        Self::default()
    }
}

impl Differences {
    fn from(&self, before: &Arc<Published>) -> Arc<Difference> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever is still referred to weakly keeps its address for itself.
        let place = known
            .iter()
            .find(|(earlier, _)| earlier.as_ptr() == Arc::as_ptr(before));
        if let Some((_, difference)) = place {
            return Arc::clone(difference);
        }
        known.retain(|(earlier, _)| earlier.strong_count() > 0);
        if known.len() == EARLIER {
            known.remove(0);
        }
        let difference = Arc::new(Difference::new());
        known.push((Arc::downgrade(before), Arc::clone(&difference)));
        difference
    }
}

/// What whoever knows `before` has to hear of `after`; `None` where no flag is served differently.
pub(super) async fn change(before: &Arc<Published>, after: &Arc<Published>) -> Option<Event> {
    if Arc::ptr_eq(before, after) {
        return None;
    }
    let difference = after.form::<Differences>().from(before);
    let event = difference.get_or_init(|| compare(Arc::clone(before), Arc::clone(after)));
    event.await.clone()
}

async fn compare(before: Arc<Published>, after: Arc<Published>) -> Option<Event> {
    metrics::counter!("flagstaff_flagd_change_comparisons_total").increment(1);
    let compare = move || {
        let changes = after.snapshot.flag_changes_since(&before.snapshot);
        (!changes.is_empty()).then(|| Event::configuration_change(&changes))
    };
    // Thousands of overrides may have changed: not on an async thread.
    match tokio::task::spawn_blocking(compare).await {
        Ok(event) => event,
        Err(error) => {
            tracing::error!(%error, "what changed could not be found out");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_names_flags_with_what_became_of_them() {
        let changes: FlagChanges = [
            ("one".into(), FlagChange::Update),
            ("two".into(), FlagChange::Delete),
        ]
        .into_iter()
        .collect();

        let event = Event::configuration_change(&changes);

        let json: Json = serde_json::from_slice(&event.json[5..]).unwrap();
        let flags = json!({"one": {"type": "update"}, "two": {"type": "delete"}});
        assert_eq!(
            json,
            json!({"type": "configuration_change", "data": {"flags": flags}})
        );
        let message = EventStreamResponse::decode(&event.proto[5..]).unwrap();
        assert_eq!(message.r#type, "configuration_change");
        assert_eq!(object_json(&message.data.unwrap())["flags"], flags);
    }

    #[test]
    fn other_events_have_no_data() {
        let json = Event::provider_ready().json;

        assert_eq!(&json[5..], br#"{"type":"provider_ready","data":null}"#);
        assert_eq!(Event::keep_alive().proto[5..], *b"\x0a\x0akeep_alive");
    }
}
