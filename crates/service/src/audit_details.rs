//! What was before and after a change, as the audit log keeps it: JSON of the form
//! `{"changes": [{"field": "enabled", "old": false, "new": true}]}`.

use flagstaff_core::text::python_text;
use flagstaff_core::{FeatureState, Value};
use serde_json::{Value as Json, json};

/// Characters of a value that are kept.
const KEPT: usize = 2_000;

/// What of a state is another now; `None` where nothing that is told is.
pub(crate) fn of_states(
    before: Option<&FeatureState>,
    after: Option<&FeatureState>,
) -> Option<String> {
    let mut changes = Vec::new();
    let mut compare = |field: &str, old: Json, new: Json| {
        if old != new {
            changes.push(json!({ "field": field, "old": old, "new": new }));
        }
    };
    let enabled = |state: Option<&FeatureState>| state.map(|state| state.enabled).into();
    compare("enabled", enabled(before), enabled(after));
    let value = |state: Option<&FeatureState>| {
        state.map_or(Json::Null, |state| kept(&state.value.effective()))
    };
    compare("value", value(before), value(after));
    (!changes.is_empty()).then(|| json!({ "changes": changes }).to_string())
}

/// A value as JSON; long texts are cut.
fn kept(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Boolean(value) => Json::Bool(*value),
        Value::Integer(value) => (*value).into(),
        Value::BigInteger(_) | Value::Float(_) | Value::Text(_) => {
            let text = python_text(value);
            let mut kept: String = text.chars().take(KEPT).collect();
            if kept.len() < text.len() {
                kept.push('…');
            }
            Json::String(kept)
        }
    }
}
