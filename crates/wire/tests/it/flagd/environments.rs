//! Small environments, written as the Flagsmith documents they could be imported from.

use crate::flagsmith::installation::Installation;
use flagstaff_core::snapshot::SnapshotRows;
use flagstaff_core::{FlagdEvaluators, FlagdForm, Snapshot};
use flagstaff_wire::flagd::{DocumentOptions, WarningReason, diagnostics, document};
use flagstaff_wire::flagsmith::document::parse_environment_document;
use serde_json::{Value as Json, json};

/// An environment with these features, segments and identity overrides.
pub fn environment(features: Json, segments: Json, identities: Json) -> Json {
    json!({
        "id": 1, "api_key": "key", "name": "Production", "use_identity_composite_key_for_hashing": true,
        "project": {"id": 1, "name": "Shop", "segments": segments},
        "feature_states": features,
        "identity_overrides": identities,
    })
}

/// The default of a feature: a number makes up its ids.
pub fn feature(id: i64, name: &str, enabled: bool, value: impl Into<Json>) -> Json {
    json!({
        "feature": {"id": id, "name": name, "type": "STANDARD"},
        "enabled": enabled, "django_id": id, "feature_state_value": value.into(),
    })
}

/// The same state with options: number, key, value and percent of each.
pub fn split(mut state: Json, options: &[(i64, Option<&str>, Json, f64)]) -> Json {
    let weights: Vec<Json> = options
        .iter()
        .map(|(id, key, value, percent)| {
            json!({
                "id": id, "percentage_allocation": percent,
                "multivariate_feature_option": {"id": id, "key": key, "value": value},
            })
        })
        .collect();
    state["multivariate_feature_state_values"] = Json::Array(weights);
    state
}

/// An override of a segment with this priority.
pub fn ranked(mut state: Json, priority: i64) -> Json {
    state["feature_segment"] = json!({"priority": priority});
    state
}

pub fn segment(id: i64, name: &str, rules: Json, overrides: Json) -> Json {
    json!({"id": id, "name": name, "rules": rules, "feature_states": overrides})
}

pub fn identity(id: i64, identifier: &str, overrides: Json) -> Json {
    json!({"identifier": identifier, "django_id": id, "identity_features": overrides})
}

pub fn condition(operator: &str, property: impl Into<Json>, value: impl Into<Json>) -> Json {
    json!({"operator": operator, "property_": property.into(), "value": value.into()})
}

/// One rule that all of these conditions are in.
pub fn rules(conditions: &[Json]) -> Json {
    json!([{"type": "ALL", "rules": [], "conditions": conditions}])
}

pub fn snapshot(environment: &Json) -> Snapshot {
    snapshot_with(environment, |_| {})
}

/// The snapshot of rows that were changed where a Flagsmith document says nothing.
pub fn snapshot_with(environment: &Json, change: impl FnOnce(&mut SnapshotRows)) -> Snapshot {
    let text = environment.to_string();
    let (imported, _) = parse_environment_document(text.as_bytes()).unwrap();
    Installation::new(&imported).snapshot_with(change)
}

pub fn options(form: FlagdForm, evaluators: FlagdEvaluators) -> DocumentOptions {
    DocumentOptions {
        form,
        evaluators,
        ..DocumentOptions::default()
    }
}

/// A document as JSON, and its warnings: reason and detail, those of segments first.
pub struct Translated {
    pub json: Json,
    pub warnings: Vec<(WarningReason, String)>,
    pub diagnostics: Json,
}

impl Translated {
    pub fn of(snapshot: &Snapshot, options: &DocumentOptions) -> Self {
        let document = document(snapshot, options);
        let diagnostics = diagnostics(snapshot, &document.warnings, &document.differences);
        Self {
            json: serde_json::from_slice(&document.bytes).unwrap(),
            warnings: document
                .warnings
                .iter()
                .map(|warning| (warning.reason, warning.detail.clone()))
                .collect(),
            diagnostics: serde_json::from_slice(&diagnostics).unwrap(),
        }
    }

    pub fn flag(&self, name: &str) -> &Json {
        &self.json["flags"][name]
    }

    pub fn reasons(&self) -> Vec<WarningReason> {
        self.warnings.iter().map(|(reason, _)| *reason).collect()
    }
}

/// The document of an environment with the usual options.
pub fn translated(environment: &Json) -> Translated {
    Translated::of(&snapshot(environment), &DocumentOptions::default())
}
