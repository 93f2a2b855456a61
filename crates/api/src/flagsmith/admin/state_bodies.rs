//! Feature states as answers show them.

use super::state_values::kind_text;
use super::times;
use flagstaff_core::{FeatureState, StateOwner, StateValue, VariantWeight};
use flagstaff_wire::json::value_to_json;
use serde_json::{Map, Value as Json, json};

/// One state: its identity is an id, its value bare.
pub(super) fn row(state: &FeatureState) -> Json {
    let mut members = start(state);
    add_record(&mut members, state);
    add_version(&mut members, state);
    members.insert("feature".to_owned(), state.feature_id.get().into());
    members.insert("environment".to_owned(), state.environment_id.get().into());
    members.insert("identity".to_owned(), identity_id(state));
    add_links(&mut members, state);
    Json::Object(members)
}

/// One state: its identity is an id, its value an object of columns.
pub(super) fn row_with_columns(state: &FeatureState) -> Json {
    let mut row = row(state);
    if let Some(value) = row.get_mut("feature_state_value") {
        *value = columns(&state.value);
    }
    row
}

/// A state in a list: its identity is an object, its value bare.
pub(super) fn list_item(state: &FeatureState) -> Json {
    let mut members = start(state);
    members.insert("identity".to_owned(), identity_object(state));
    add_record(&mut members, state);
    add_version(&mut members, state);
    members.insert("feature".to_owned(), state.feature_id.get().into());
    members.insert("environment".to_owned(), state.environment_id.get().into());
    add_links(&mut members, state);
    Json::Object(members)
}

/// What a change by `PATCH` answers.
pub(super) fn patched(state: &FeatureState) -> Json {
    json!({ "feature": state.feature_id.get(), "enabled": state.enabled })
}

/// A new segment override: its value is an object of columns.
pub(super) fn segment_override(state: &FeatureState) -> Json {
    json!({
        "id": state.id.get(),
        "feature": state.feature_id.get(),
        "enabled": state.enabled,
        "feature_state_value": columns(&state.value),
        "feature_segment": link_object(state),
        "deleted_at": null,
        "uuid": state.uuid.to_string(),
        "created_at": times::shown(state.created_at),
        "updated_at": times::shown(state.updated_at),
        "live_from": times::shown_optional(state.live_from),
        "environment": state.environment_id.get(),
        "identity": identity_id(state),
        "change_request": null,
        "multivariate_feature_state_values": weights(state),
    })
}

/// A state beside its feature.
pub(super) fn beside_feature(state: &FeatureState) -> Json {
    json!({
        "id": state.id.get(),
        "feature_state_value": value_to_json(&state.value.effective()),
        "environment": state.environment_id.get(),
        "identity": identity_id(state),
        "feature_segment": link_id(state),
        "enabled": state.enabled,
    })
}

fn start(state: &FeatureState) -> Map<String, Json> {
    let mut members = Map::new();
    members.insert("id".to_owned(), state.id.get().into());
    let value = value_to_json(&state.value.effective());
    members.insert("feature_state_value".to_owned(), value);
    let weights = weights(state);
    members.insert("multivariate_feature_state_values".to_owned(), weights);
    members
}

fn add_record(members: &mut Map<String, Json>, state: &FeatureState) {
    members.insert("deleted_at".to_owned(), Json::Null);
    members.insert("uuid".to_owned(), state.uuid.to_string().into());
    members.insert("enabled".to_owned(), state.enabled.into());
    let mut insert_time = |name: &str, time: Option<String>| {
        members.insert(name.to_owned(), time.into());
    };
    insert_time("created_at", Some(times::shown(state.created_at)));
    insert_time("updated_at", Some(times::shown(state.updated_at)));
    insert_time("live_from", times::shown_optional(state.live_from));
}

fn add_version(members: &mut Map<String, Json>, state: &FeatureState) {
    members.insert("version".to_owned(), state.version.into());
}

fn add_links(members: &mut Map<String, Json>, state: &FeatureState) {
    members.insert("feature_segment".to_owned(), link_id(state));
    members.insert("change_request".to_owned(), Json::Null);
    let version = state.feature_version.map(|uuid| uuid.to_string());
    members.insert("environment_feature_version".to_owned(), version.into());
}

fn weights(state: &FeatureState) -> Json {
    let shape = |weight: &VariantWeight| {
        json!({
            "id": weight.id.get(),
            "multivariate_feature_option": weight.option_id.get(),
            "percentage_allocation": weight.percentage_allocation,
        })
    };
    state.weights.iter().map(shape).collect()
}

fn columns(value: &StateValue) -> Json {
    json!({
        "type": kind_text(value.kind),
        "string_value": value.text,
        "integer_value": value.integer,
        "boolean_value": value.boolean,
    })
}

fn identity_id(state: &FeatureState) -> Json {
    match &state.owner {
        StateOwner::Identity { id, .. } => id.get().into(),
        StateOwner::Environment | StateOwner::Segment(_) => Json::Null,
    }
}

fn identity_object(state: &FeatureState) -> Json {
    match &state.owner {
        StateOwner::Identity { id, identifier } => {
            json!({ "id": id.get(), "identifier": &**identifier })
        }
        StateOwner::Environment | StateOwner::Segment(_) => Json::Null,
    }
}

fn link_id(state: &FeatureState) -> Json {
    match &state.owner {
        StateOwner::Segment(link) => link.id.get().into(),
        StateOwner::Environment | StateOwner::Identity { .. } => Json::Null,
    }
}

fn link_object(state: &FeatureState) -> Json {
    match &state.owner {
        StateOwner::Segment(link) => json!({
            "id": link.id.get(),
            "segment": link.segment_id.get(),
            "priority": link.priority,
            "uuid": link.uuid.to_string(),
        }),
        StateOwner::Environment | StateOwner::Identity { .. } => Json::Null,
    }
}
