//! Where the engine inside an SDK answers otherwise than the reference engine, by name.
//!
//! `differences.json` of an SDK's folder is all that excuses a flag which that SDK evaluates otherwise than the server.
//! Each entry says on which conditions it bears, and has a case that shows it without any server: the SDK's engine
//! gives the answer that the entry says, the reference engine gives the right one.

use super::environments::{Environment, Identity};
use super::sdk::{self, Sdk};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::path::Path;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Difference {
    pub name: String,
    /// A sentence for people; `docs/reference/compatibility.md` has it too.
    meaning: String,
    /// It bears on a flag when one of these does.
    bears_on: Vec<Bearing>,
    /// The engine gives no answer at all, for any flag.
    #[serde(default)]
    fails: bool,
    alone: Case,
}

/// Which conditions and features are meant; what is left out is not asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Bearing {
    operators: Vec<String>,
    /// `trait`, `path` or `blank`.
    property: Option<String>,
    /// Kinds of what the condition looks at, see [`kind_of`].
    traits: Vec<String>,
    /// The texts that it is compared with.
    values: Vec<String>,
    /// Kinds of these texts, see [`kind_of_text`].
    compared_with: Vec<String>,
    /// A rule of one of these types has rules in it.
    rules: Vec<String>,
    /// The feature has variants.
    variants: bool,
    /// Names of environments.
    environments: Vec<String>,
    /// Names of features, where the condition itself does not tell.
    features: Vec<String>,
    /// The identifier begins with this.
    identifier: String,
    /// The identity has flags of its own.
    overridden: bool,
}

/// One feature in an environment of its own, and one identity.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    identifier: String,
    #[serde(default)]
    traits: Map<String, Value>,
    /// Rules of the segment that turns the feature on; none without them.
    rules: Option<Value>,
    /// What the hash takes in; 1 unless it matters.
    segment_id: Option<i64>,
    /// Weight and value of each variant of the feature.
    #[serde(default)]
    variants: Vec<(f64, Value)>,
    /// The document knows the identity, as it does when there are flags of its own.
    #[serde(default)]
    overridden: bool,
    /// What the reference engine says: `enabled` and `value`.
    right: Value,
    /// What this SDK's engine says, or a part of the `error` with which it fails.
    answer: Value,
}

/// The key of the environment in each case.
const KEY: &str = "AloneKey22345678901234";

/// All differences of an SDK; one without the file has none.
pub fn of(sdk: Sdk) -> Vec<Difference> {
    let path = sdk.folder().join("differences.json");
    if !path.exists() {
        return Vec::new();
    }
    let text = std::fs::read_to_string(path).unwrap();
    serde_json::from_str(&text).unwrap()
}

impl Difference {
    /// True when it explains why this flag of this identity differs.
    pub fn excuses(&self, environment: &Environment, identity: &Identity, feature: &str) -> bool {
        !self.fails
            && self.bears_on.iter().any(|bearing| {
                bearing.bears_on(environment, identity, |segment| {
                    touches(segment, feature).then_some(feature)
                }) || bearing.bears_on_variants(environment, identity, feature)
            })
    }

    /// True when it explains why this identity has no flags at all.
    pub fn excuses_failure(
        &self,
        environment: &Environment,
        identity: &Identity,
        error: &str,
    ) -> bool {
        self.fails
            && self
                .alone
                .error()
                .is_some_and(|known| error.contains(known))
            && self
                .bears_on
                .iter()
                .any(|bearing| bearing.bears_on(environment, identity, |_| Some("")))
    }
}

fn touches(segment: &Value, feature: &str) -> bool {
    let mut states = segment["feature_states"].as_array().unwrap().iter();
    states.any(|state| state["feature"]["name"] == feature)
}

impl Bearing {
    fn is_about<'a>(wanted: &[String], found: impl Into<Option<&'a str>>) -> bool {
        let found = found.into();
        wanted.is_empty() || wanted.iter().any(|wanted| Some(wanted.as_str()) == found)
    }

    fn is_here(&self, environment: &Environment, identity: &Identity, feature: &str) -> bool {
        Self::is_about(&self.environments, environment.name)
            && Self::is_about(&self.features, feature)
            && identity.identifier.starts_with(&self.identifier)
            && (!self.overridden || environment.overrides(identity))
    }

    fn bears_on_variants(
        &self,
        environment: &Environment,
        identity: &Identity,
        feature: &str,
    ) -> bool {
        let states = environment.document["feature_states"].as_array().unwrap();
        let state = states
            .iter()
            .find(|state| state["feature"]["name"] == feature);
        self.variants
            && self.is_here(environment, identity, feature)
            && state.is_some_and(|state| state["feature"]["type"] == "MULTIVARIATE")
    }

    fn bears_on<'a>(
        &self,
        environment: &Environment,
        identity: &Identity,
        feature_of: impl Fn(&Value) -> Option<&'a str>,
    ) -> bool {
        let segments = environment.document["project"]["segments"].as_array();
        !self.variants
            && segments.unwrap().iter().any(|segment| {
                feature_of(segment).is_some_and(|feature| {
                    self.is_here(environment, identity, feature)
                        && rules_of(segment)
                            .iter()
                            .any(|rule| self.bears_on_rule(rule, identity))
                })
            })
    }

    fn bears_on_rule(&self, rule: &Value, identity: &Identity) -> bool {
        if !self.rules.is_empty() {
            let has_rules = !rules_of(rule).is_empty();
            return has_rules && Self::is_about(&self.rules, rule["type"].as_str())
                || rules_of(rule)
                    .iter()
                    .any(|rule| self.bears_on_rule(rule, identity));
        }
        let conditions = rule["conditions"].as_array().unwrap();
        conditions
            .iter()
            .any(|condition| self.bears_on_condition(condition, identity))
            || rules_of(rule)
                .iter()
                .any(|rule| self.bears_on_rule(rule, identity))
    }

    fn bears_on_condition(&self, condition: &Value, identity: &Identity) -> bool {
        let property = condition["property_"].as_str().unwrap_or_default();
        let kind_of_property = match property {
            "" => "blank",
            path if path.starts_with("$.") => "path",
            _ => "trait",
        };
        let name = property
            .strip_prefix("$.identity.traits.")
            .unwrap_or(property);
        Self::is_about(&self.operators, condition["operator"].as_str())
            && self
                .property
                .as_deref()
                .is_none_or(|wanted| wanted == kind_of_property)
            && Self::is_about(&self.traits, kind_of(identity.traits.get(name)))
            && Self::is_about(&self.values, condition["value"].as_str())
            && Self::is_about(
                &self.compared_with,
                kind_of_text(condition["value"].as_str().unwrap_or_default()),
            )
    }
}

fn rules_of(parent: &Value) -> &[Value] {
    parent["rules"].as_array().map_or(&[], Vec::as_slice)
}

/// What a trait is: `missing`, `true`, `false`, `zero`, `negative` or `integer`, `whole` (2.0), `fraction`, or a
/// kind of text.
fn kind_of(value: Option<&Value>) -> &'static str {
    match value {
        None => "missing",
        Some(Value::Bool(true)) => "true",
        Some(Value::Bool(false)) => "false",
        Some(Value::Number(number)) => match number.as_i64() {
            Some(0) => "zero",
            Some(..0) => "negative",
            Some(_) => "integer",
            None if number.as_f64().is_some_and(|number| number.fract() == 0.0) => "whole",
            None => "fraction",
        },
        Some(Value::String(text)) => kind_of_text(text),
        Some(Value::Null | Value::Array(_) | Value::Object(_)) => "other",
    }
}

/// What a text is: `empty`, `digits` (an integer), `decimal` (a number with a point), `boolean`, `semver`, `list` (it
/// begins as one in JSON does), or `text`.
fn kind_of_text(text: &str) -> &'static str {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.strip_prefix('-').unwrap_or(text);
    match number.split_once('.') {
        _ if text.is_empty() => "empty",
        _ if text.ends_with(":semver") => "semver",
        _ if text.starts_with('[') => "list",
        _ if text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false") => "boolean",
        None if digits(number) => "digits",
        Some((whole, fraction)) if digits(whole) && digits(fraction) => "decimal",
        _ => "text",
    }
}

impl Case {
    /// A part of the text with which the engine fails.
    fn error(&self) -> Option<&str> {
        self.answer["error"].as_str()
    }

    /// An environment with nothing else in it.
    fn document(&self) -> Value {
        let feature = json!({
            "id": 1, "name": "case",
            "type": if self.variants.is_empty() { "STANDARD" } else { "MULTIVARIATE" },
        });
        let variants: Vec<_> = self
            .variants
            .iter()
            .zip(1..)
            .map(|((weight, value), id)| {
                json!({
                    "multivariate_feature_option": {"value": value, "id": id, "key": null},
                    "percentage_allocation": weight, "id": 10 + id,
                    "mv_fs_value_uuid": format!("00000000-0000-4000-8000-{:012}", 10 + id),
                })
            })
            .collect();
        let overrides: Vec<_> = std::iter::once(&self.identifier)
            .filter(|_| self.overridden)
            .map(|identifier| {
                json!({
                    "identifier": identifier, "environment_api_key": KEY, "identity_features": [],
                    "created_date": "2026-11-01T10:00:00.000000Z", "identity_traits": [], "django_id": 77,
                    "identity_uuid": "00000000-0000-4000-8000-000000000077", "dashboard_alias": null,
                    "composite_key": format!("{KEY}_{identifier}"),
                })
            })
            .collect();
        let state = |id: i64, enabled: bool, priority: Option<i64>, variants: &[Value]| {
            json!({
                "feature": feature, "enabled": enabled, "django_id": id, "feature_state_value": "control",
                "feature_segment": priority.map(|priority| json!({"priority": priority})),
                "featurestate_uuid": format!("00000000-0000-4000-8000-{id:012}"),
                "multivariate_feature_state_values": variants,
            })
        };
        let segments: Vec<_> = self
            .rules
            .iter()
            .map(|rules| {
                json!({
                    "id": self.segment_id.unwrap_or(1), "name": "segment", "rules": rules,
                    "feature_states": [state(2, true, Some(0), &[])],
                })
            })
            .collect();
        json!({
            "id": 1, "api_key": KEY, "name": "alone",
            "updated_at": "2026-11-01T12:00:00.000000Z",
            "allow_client_traits": true, "hide_sensitive_data": false, "hide_disabled_flags": null,
            "use_identity_composite_key_for_hashing": true, "use_identity_overrides_in_local_eval": true,
            "project": {
                "id": 1, "name": "alone", "hide_disabled_flags": false, "enable_realtime_updates": false,
                "server_key_only_feature_ids": [],
                "organisation": {
                    "id": 1, "name": "alone", "feature_analytics": false, "stop_serving_flags": false,
                    "persist_trait_data": true,
                },
                "segments": segments,
            },
            "feature_states": [state(1, false, None, &variants)],
            "identity_overrides": overrides,
        })
    }
}

/// The answers of an SDK's engine to all cases, without a server; `None` when the SDK is not there.
fn answers(sdk: Sdk, differences: &[Difference], folder: &Path) -> Option<Vec<Value>> {
    let cases: Vec<_> = differences
        .iter()
        .enumerate()
        .map(|(index, Difference { alone, .. })| {
            let document = folder.join(format!("{index}.json"));
            std::fs::write(&document, alone.document().to_string()).unwrap();
            json!({"document": document, "identifier": alone.identifier, "traits": alone.traits})
        })
        .collect();
    let input = folder.join("cases.json");
    let output = folder.join("answers.json");
    std::fs::write(&input, Value::from(cases).to_string()).unwrap();
    let mut command = sdk.command("alone")?;
    // An address where nobody answers.
    super::tell(&mut command, "http://127.0.0.1:9")
        .env("CASES", &input)
        .env("ANSWERS", &output);
    crate::server::succeed(&mut command);
    let text = std::fs::read_to_string(output).unwrap();
    Some(serde_json::from_str(&text).unwrap())
}

/// Shows each entry on the SDK's engine alone, and that the reference engine is of another mind.
pub fn check_alone(sdk: Sdk) {
    let differences = of(sdk);
    let folder = tempfile::tempdir().unwrap();
    let Some(found) = answers(sdk, &differences, folder.path()) else {
        return;
    };
    let Some(right) = answers(Sdk::Python, &differences, folder.path()) else {
        return;
    };
    assert_eq!(found.len(), differences.len());
    for ((difference, found), right) in differences.iter().zip(&found).zip(&right) {
        let Difference { name, alone, .. } = difference;
        assert!(!difference.meaning.is_empty(), "{name}");
        if !matches!(sdk, Sdk::Python) {
            let right =
                json!({"enabled": right["case"]["enabled"], "value": right["case"]["value"]});
            assert_eq!(right, alone.right, "{name}: the reference engine");
        }
        if difference.fails {
            let expected = alone.error().unwrap();
            let error = found["error"].as_str().unwrap_or_default();
            assert!(error.contains(expected), "{name}: {sdk:?} says {found}");
        } else {
            assert_ne!(alone.answer, alone.right, "{name}: no difference");
            assert_eq!(found["case"], alone.answer, "{name}: {sdk:?}");
        }
    }
}

#[test]
fn every_named_difference_is_on_the_page_of_compatibility() {
    let page = sdk::folder().join("../../../../docs/reference/compatibility.md");
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let page = words(&std::fs::read_to_string(page).unwrap());

    for sdk in [Sdk::Python, Sdk::Node, Sdk::Rust, Sdk::Java, Sdk::Go] {
        for Difference { name, meaning, .. } in of(sdk) {
            assert!(page.contains(&words(&meaning)), "{sdk:?}: {name}");
        }
    }
}
