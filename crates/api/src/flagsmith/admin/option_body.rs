//! Options of multivariate features as bodies say and answers show them.

use super::super::fields::{Fields, Need, Sent, Text};
use super::state_values::{INTEGER, KINDS, TEXT, kind_text, read_percentage};
use flagstaff_core::{MultivariateOption, StateValue};
use flagstaff_service::{OptionPatch, OptionRequest, ValueChange};
use serde_json::{Value as Json, json};

const KEY: Text = Text::up_to(255).or_blank();
const PERCENTAGE: &str = "default_percentage_allocation";

/// Reads an option to be made.
pub(super) fn read_request(fields: &mut Fields<'_>) -> OptionRequest {
    let patch = read_patch(fields);
    let mut value = StateValue::default();
    if let Some(change) = patch.value {
        change.apply(&mut value);
    }
    OptionRequest {
        key: patch.key.flatten(),
        value,
        // Nothing was said, or an error, which is answered before the number counts.
        default_percentage_allocation: patch.default_percentage_allocation.unwrap_or(100.0),
    }
}

/// Reads what of an option is to change.
pub(super) fn read_patch(fields: &mut Fields<'_>) -> OptionPatch {
    let (least, most) = INTEGER;
    let kind = fields.choice("type", Need::Optional, &KINDS).value();
    let integer = fields.integer("integer_value", Need::OptionalOrNull, least, most);
    let text = fields.text("string_value", Need::OptionalOrNull, TEXT);
    let boolean = fields.boolean("boolean_value", Need::OptionalOrNull);
    let percentage = match read_percentage(fields, PERCENTAGE, Need::Optional) {
        Sent::Given(percentage) => Some(percentage),
        Sent::Absent | Sent::Null => None,
    };
    let key = fields.text("key", Need::OptionalOrNull, KEY).change();
    if matches!(&key, Some(Some(key)) if key == "control") {
        fields.fail("key", "\"control\" is a reserved variant key.");
    }
    OptionPatch {
        // An empty name is none.
        key: key.map(|key| key.filter(|key| !key.is_empty())),
        value: Some(ValueChange::Columns {
            kind,
            text: text.change(),
            integer: integer.change(),
            boolean: boolean.change(),
        }),
        default_percentage_allocation: percentage,
    }
}

/// An option as an answer shows it beside its feature.
pub(super) fn shape(option: &MultivariateOption) -> Json {
    json!({
        "id": option.id.get(),
        "uuid": option.uuid.to_string(),
        "type": kind_text(option.value.kind),
        "integer_value": option.value.integer,
        "string_value": option.value.text,
        "boolean_value": option.value.boolean,
        "default_percentage_allocation": option.default_percentage_allocation,
        "key": option.key,
    })
}

/// An option by itself: it names its feature.
pub(super) fn shape_alone(option: &MultivariateOption) -> Json {
    let mut json = shape(option);
    json["feature"] = option.feature_id.get().into();
    json
}
