//! The project that is measured, as an environment document: for one size always the same.

use serde_json::{Value, json};

use super::size::Size;

/// The environment's client key, kept by the import.
pub(super) const CLIENT_KEY: &str = "bench-client-key";
pub(super) const SERVER_KEY: &str = "ser.bench-server-key";

const OVERRIDDEN_IDENTITIES: u32 = 100;

/// An environment document as Flagsmith writes it: every fifth feature has variants, every segment overrides one feature.
pub(super) fn environment(size: Size) -> Value {
    let features: Vec<Value> = (1..=size.features)
        .map(|number| feature_state(number, number, None))
        .collect();
    let segments: Vec<Value> = (1..=size.segments)
        .map(|number| segment(number, size))
        .collect();
    let identities: Vec<Value> = (1..=OVERRIDDEN_IDENTITIES)
        .map(|number| identity(number, size))
        .collect();
    json!({
        "id": 1,
        "api_key": CLIENT_KEY,
        "name": "Production",
        "updated_at": "2026-01-01T00:00:00.000000Z",
        "allow_client_traits": true,
        "hide_sensitive_data": false,
        "hide_disabled_flags": null,
        "use_identity_composite_key_for_hashing": true,
        "use_identity_overrides_in_local_eval": true,
        "project": {
            "id": 1,
            "name": "Measured",
            "hide_disabled_flags": false,
            "enable_realtime_updates": false,
            "server_key_only_feature_ids": [],
            "organisation": {
                "id": 1,
                "name": "Bench",
                "feature_analytics": false,
                "stop_serving_flags": false,
                "persist_trait_data": true,
            },
            "segments": segments,
        },
        "feature_states": features,
        "identity_overrides": identities,
    })
}

fn feature_state(feature: u32, id: u32, priority: Option<u32>) -> Value {
    let has_variants = Size::has_variants(feature);
    let options: Vec<Value> = ["blue", "green"]
        .into_iter()
        .filter(|_| has_variants)
        .zip(0..)
        .map(|(value, position)| option(feature, id, position, value))
        .collect();
    json!({
        "django_id": id,
        "featurestate_uuid": uuid(1, id),
        "feature": {
            "id": feature,
            "name": format!("feature_{feature:02}"),
            "type": if has_variants { "MULTIVARIATE" } else { "STANDARD" },
        },
        "enabled": feature.is_multiple_of(2) || priority.is_some(),
        "feature_segment": priority.map(|priority| json!({ "priority": priority })),
        "feature_state_value": format!("value of feature {feature}"),
        "multivariate_feature_state_values": options,
    })
}

fn option(feature: u32, state: u32, position: u32, value: &str) -> Value {
    json!({
        "id": state * 2 + position,
        "mv_fs_value_uuid": uuid(2, state * 2 + position),
        "percentage_allocation": 30.0,
        "multivariate_feature_option": { "id": feature * 2 + position, "value": value, "key": value },
    })
}

fn segment(number: u32, size: Size) -> Value {
    let overridden = size.overridden_feature(number);
    json!({
        "id": number,
        "name": format!("segment_{number:02}"),
        "rules": size.rules(number, "property_"),
        "feature_states": [feature_state(overridden, size.features + number, Some(0))],
    })
}

fn identity(number: u32, size: Size) -> Value {
    let state = size.features + size.segments + number;
    let identifier = format!("overridden-{number}");
    json!({
        "identifier": identifier,
        "environment_api_key": CLIENT_KEY,
        "composite_key": format!("{CLIENT_KEY}_{identifier}"),
        "created_date": "2026-01-01T00:00:00.000000Z",
        "identity_uuid": uuid(3, number),
        "identity_traits": [],
        "identity_features": [feature_state(1, state, None)],
        "django_id": number,
        "dashboard_alias": null,
    })
}

fn uuid(kind: u32, number: u32) -> String {
    format!("00000000-0000-4000-8{kind:03}-{number:012}")
}
