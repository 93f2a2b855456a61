//! The same project as an evaluation context, which every engine of Flagsmith reads.

use serde_json::{Map, Value, json};

use super::document::CLIENT_KEY;
use super::size::{Size, traits};

/// Traits of the caller.
const TRAITS: usize = 12;

/// A context with one caller.
pub(super) fn evaluation_context(size: Size) -> Value {
    let features: Map<String, Value> = (1..=size.features)
        .map(|number| (name(number), feature(number, number, None)))
        .collect();
    let segments: Map<String, Value> = (1..=size.segments)
        .map(|number| {
            let overridden = size.overridden_feature(number);
            let segment = json!({
                "key": number.to_string(),
                "name": format!("segment_{number:03}"),
                "rules": size.rules(number, "property"),
                "overrides": [feature(overridden, size.features + number, Some(0))],
            });
            (number.to_string(), segment)
        })
        .collect();
    json!({
        "environment": { "key": CLIENT_KEY, "name": "Production" },
        "identity": {
            "identifier": "person-0001",
            "key": format!("{CLIENT_KEY}_person-0001"),
            "traits": Map::from_iter(traits(TRAITS).into_iter().map(|(name, value)| (name.to_owned(), value))),
        },
        "features": features,
        "segments": segments,
    })
}

fn feature(feature: u32, state: u32, priority: Option<u32>) -> Value {
    let options = ["blue", "green"]
        .into_iter()
        .filter(|_| Size::has_variants(feature));
    let variants: Vec<Value> = options
        .zip(0..)
        .map(|(value, position)| json!({ "key": value, "value": value, "weight": 30, "priority": position }))
        .collect();
    let mut json = json!({
        "key": state.to_string(),
        "name": name(feature),
        "enabled": feature.is_multiple_of(2) || priority.is_some(),
        "value": format!("value of feature {feature}"),
        "variants": variants,
    });
    if let Some(priority) = priority {
        json["priority"] = priority.into();
    }
    json
}

fn name(feature: u32) -> String {
    format!("feature_{feature:03}")
}
