//! Features as bodies say and answers show them.

use super::super::field_errors::FieldErrors;
use super::super::fields::{Fields, Need, Sent, Text};
use super::super::scalar::{self, Integer};
use super::super::words;
use super::state_bodies;
use super::state_values::{INTEGER, KINDS, TEXT, kind_text, read_percentage};
use super::times;
use flagstaff_core::{FeatureKind, Member, MultivariateOption, StateValue};
use flagstaff_service::{FeaturePatch, FeatureRequest, FeatureView, OptionRequest};
use flagstaff_wire::python;
use serde_json::{Map, Value as Json, json};

const NAME: Text = Text::up_to(2000);
const DESCRIPTION: Text = Text::up_to(20_000).or_blank();
const OPTION_KEY: Text = Text::up_to(255).or_blank();
/// Options in one body.
const OPTION_LIMIT: usize = 1000;
const KINDS_OF_FEATURE: [(&str, FeatureKind); 2] = [
    ("STANDARD", FeatureKind::Standard),
    ("MULTIVARIATE", FeatureKind::Multivariate),
];

/// Which members an answer has: the original's differ by request, as recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    Created,
    Patched,
    Whole,
}

/// Reads a feature to be made.
pub(super) fn read_request(fields: &mut Fields<'_>) -> FeatureRequest {
    read_tags(fields);
    let description = fields.text("description", Need::OptionalOrNull, DESCRIPTION);
    let kind = fields.choice("type", Need::Optional, &KINDS_OF_FEATURE);
    let options = fields.list(
        "multivariate_options",
        Need::Optional,
        OPTION_LIMIT,
        read_option,
    );
    let mut boolean = |name| fields.boolean(name, Need::Optional).or_default();
    FeatureRequest {
        default_enabled: boolean("default_enabled"),
        is_archived: boolean("is_archived"),
        is_server_key_only: boolean("is_server_key_only"),
        name: fields.text("name", Need::Required, NAME).or_default(),
        initial_value: read_initial_value(fields),
        description: description.value(),
        options: options.or_default(),
        kind: kind.value().unwrap_or_default(),
    }
}

/// Reads what of a feature may change; name, type and initial value are passed over, as recorded.
pub(super) fn read_patch(fields: &mut Fields<'_>) -> FeaturePatch {
    read_tags(fields);
    let description = fields.text("description", Need::OptionalOrNull, DESCRIPTION);
    FeaturePatch {
        description: description.change(),
        is_archived: fields.boolean("is_archived", Need::Optional).value(),
        is_server_key_only: fields.boolean("is_server_key_only", Need::Optional).value(),
    }
}

/// Whatever is sent becomes text, as Python prints it.
fn read_initial_value(fields: &mut Fields<'_>) -> Option<String> {
    let json = fields.json("initial_value")?;
    if json.is_null() {
        return None;
    }
    // The limits are those of every value.
    let text = json!({ "initial_value": python::text(json) });
    let read = Fields::read_nested(&text, |inner| {
        inner.text("initial_value", Need::Optional, TEXT).value()
    });
    match read {
        Ok(text) => text,
        Err(FieldErrors::Fields(errors)) => {
            for (_, errors) in errors {
                fields.fail_with("initial_value", errors);
            }
            None
        }
        Err(_) => None,
    }
}

fn read_option(fields: &mut Fields<'_>) -> OptionRequest {
    let (least, most) = INTEGER;
    let value = StateValue {
        kind: fields.choice("type", Need::Optional, &KINDS).or_default(),
        integer: fields
            .integer("integer_value", Need::OptionalOrNull, least, most)
            .value(),
        text: fields
            .text("string_value", Need::OptionalOrNull, TEXT)
            .value(),
        boolean: fields
            .boolean("boolean_value", Need::OptionalOrNull)
            .value(),
    };
    let name = "default_percentage_allocation";
    let percentage = match read_percentage(fields, name, Need::Optional) {
        Sent::Given(percentage) => percentage,
        // Nothing was said, or an error, which is answered before the number counts.
        Sent::Absent | Sent::Null => 100.0,
    };
    let key = fields.text("key", Need::OptionalOrNull, OPTION_KEY).value();
    if key.as_deref() == Some("control") {
        fields.fail("key", "\"control\" is a reserved variant key.");
    }
    OptionRequest {
        // An empty name is none.
        key: key.filter(|key| !key.is_empty()),
        value,
        default_percentage_allocation: percentage,
    }
}

/// There are no tags yet, so no id is one of a tag.
fn read_tags(fields: &mut Fields<'_>) {
    let items = match fields.any("tags", Need::Optional) {
        Sent::Given(Json::Array(items)) => items,
        Sent::Given(other) => {
            fields.fail("tags", words::no_list(scalar::kind(other)));
            return;
        }
        Sent::Absent | Sent::Null => return,
    };
    let Some(first) = items.first() else {
        return;
    };
    match scalar::integer(first) {
        Some(Integer::Fits(id)) => fields.fail("tags", words::no_such_row(id)),
        Some(Integer::TooLow | Integer::TooHigh) => {
            let digits = scalar::text(first).unwrap_or_default();
            fields.fail("tags", words::no_such_row(digits));
        }
        None => fields.fail("tags", words::no_row_id(scalar::kind(first))),
    }
}

/// A feature as an answer shows it.
pub(super) fn shape(view: &FeatureView, shown: Shown) -> Json {
    let mut members = definition(view);
    let mut insert = |name: &str, value: Json| {
        members.insert(name.to_owned(), value);
    };
    let state = view.state.as_ref().map(state_bodies::beside_feature);
    insert("environment_feature_state", state.into());
    insert("segment_feature_state", Json::Null);
    insert("num_segment_overrides", view.segment_overrides.into());
    // Recorded: none is not a number.
    let identity_overrides = view.identity_overrides.filter(|count| *count > 0);
    insert("num_identity_overrides", identity_overrides.into());
    if shown != Shown::Patched {
        insert("is_num_identity_overrides_complete", true.into());
    }
    insert("is_server_key_only", view.feature.is_server_key_only.into());
    insert("last_modified_in_any_environment", Json::Null);
    insert("last_modified_in_current_environment", Json::Null);
    insert("metadata", json!([]));
    if shown != Shown::Created {
        insert("code_references_counts", json!([]));
    }
    Json::Object(members)
}

fn definition(view: &FeatureView) -> Map<String, Json> {
    let feature = &view.feature;
    let definition = json!({
        "id": feature.id.get(),
        "name": feature.name.as_str(),
        "type": feature_kind_text(feature.kind),
        "default_enabled": feature.default_enabled,
        "initial_value": feature.initial_value,
        "created_date": times::shown(feature.created_at),
        "description": feature.description,
        "tags": [],
        "multivariate_options": view.options.iter().map(option).collect::<Json>(),
        "is_archived": feature.is_archived,
        "owners": view.owners.iter().map(owner).collect::<Json>(),
        "group_owners": [],
        "uuid": feature.uuid.to_string(),
        "project": feature.project_id.get(),
    });
    match definition {
        Json::Object(members) => members,
        _ => Map::new(),
    }
}

/// The word of a kind of feature.
pub(super) const fn feature_kind_text(kind: FeatureKind) -> &'static str {
    match kind {
        FeatureKind::Standard => "STANDARD",
        FeatureKind::Multivariate => "MULTIVARIATE",
    }
}

fn option(option: &MultivariateOption) -> Json {
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

fn owner(member: &Member) -> Json {
    json!({
        "id": member.id.get(),
        "email": member.email,
        "first_name": member.first_name,
        "last_name": member.last_name,
        "last_login": times::shown_optional(member.last_login),
        "uuid": member.uuid.to_string(),
    })
}
