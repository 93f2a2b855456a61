//! What is said about a flag beside its value: where it comes from, and why it has its value.
//!
//! Only server-side keys are answered here, so segments may be named.

use flagstaff_core::{ReasonWords, Resolution, Snapshot};
use flagstaff_service::{Form, OpenEnvironment};
use flagstaff_wire::flagd::{TRANSLATOR_VERSION, flag_set_id, version};
use prost_types::value::Kind;
use prost_types::{Struct, Value};
use std::sync::Arc;

/// The metadata of all flags of an environment, as its flagd document has them.
pub(super) struct SetMetadata(Struct);

impl Form for SetMetadata {
    fn render(snapshot: &Snapshot) -> Self {
        let mut set = Struct::default();
        let mut say = |name: &str, kind: Kind| {
            set.fields.insert(name.to_owned(), value(kind));
        };
        say("flagSetId", Kind::StringValue(flag_set_id(snapshot)));
        say("version", Kind::StringValue(version(snapshot.updated_at)));
        // Row ids are below 2³¹: a double holds them exactly.
        let id = snapshot.environment.id.get() as f64;
        say("flagsmith.environmentId", Kind::NumberValue(id));
        let version = TRANSLATOR_VERSION.to_owned();
        say("flagsmith.translatorVersion", Kind::StringValue(version));
        Self(set)
    }
}

impl SetMetadata {
    /// Written once for each snapshot.
    pub(super) fn of(open: &OpenEnvironment) -> Arc<Self> {
        open.published.form()
    }

    pub(super) fn alone(&self) -> Struct {
        self.0.clone()
    }

    /// With what is to be said about one flag.
    pub(super) fn with(&self, resolution: &Resolution<'_>) -> Struct {
        let mut metadata = self.0.clone();
        let mut say = |name: &str, kind: Kind| {
            metadata.fields.insert(name.to_owned(), value(kind));
        };
        let reason = resolution.flagsmith_reason.text(ReasonWords::default());
        say("flagsmith.reason", Kind::StringValue(reason.into_owned()));
        if let Some(segment) = resolution.segment {
            say("flagsmith.segment", Kind::StringValue(segment.to_owned()));
        }
        if resolution.targeting_key_missing {
            say("targeting_key_missing", Kind::BoolValue(true));
        }
        metadata
    }
}

fn value(kind: Kind) -> Value {
    Value { kind: Some(kind) }
}
