//! Generated environments: those of the differential test, made into whole ones with odd names, identities and
//! settings.

use crate::flagd::environments::{condition, environment, snapshot_with};
use crate::flagsmith::differential::generate::{Engine, Generator as ContextGenerator};
use flagstaff_core::{DisabledAs, Hash, Snapshot, ValueType};
use flagstaff_testkit::Random;
use serde_json::{Map, Value as Json, json};

/// What `f0`, `f1` and so on are called.
const NAMES: [&str; 7] = [
    "f0",
    "Größe & 日本",
    "a.b",
    "quote\"d \\ name",
    "$ref",
    "x y/z",
    "__proto",
];
const SEGMENT_NAMES: [&str; 5] = [
    "Beta users",
    "beta-users",
    "日本",
    "a \"quoted\" $& one",
    "pro",
];
const IDENTIFIERS: [&str; 6] = ["ana", "bob@example.com", "日本", "x\"y", "id-1", "id_1"];

/// What all values of a feature are, if they are of one type.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Text,
    Number,
    Boolean,
    Mixed,
}

/// Makes environments.
pub struct Generator {
    contexts: ContextGenerator,
    random: Random,
    kinds: [Kind; NAMES.len()],
}

impl Generator {
    pub fn new(seed: u64) -> Self {
        Self {
            contexts: ContextGenerator::new(seed, Engine::Eleven),
            random: Random::new(seed),
            kinds: [Kind::Text; NAMES.len()],
        }
    }

    pub fn snapshot(&mut self) -> Snapshot {
        let context = self.contexts.context();
        for kind in &mut self.kinds {
            *kind = match self.random.below(10) {
                0..4 => Kind::Text,
                4..7 => Kind::Number,
                9 => Kind::Mixed,
                _ => Kind::Boolean,
            };
        }
        let features: Vec<Json> = self.features(&context);
        let segments = self.segments(&context);
        let identities = self.identities(&features);
        let mut environment = environment(json!(features), json!(segments), json!(identities));
        environment["hide_disabled_flags"] = json!(self.random.percent(10));
        let hash = *self.random.pick(&Hash::ALL);
        let disabled_as = *self.random.pick(&DisabledAs::ALL);
        let value_types: Vec<_> = (0..NAMES.len()).map(|_| self.random.percent(20)).collect();
        let kinds = self.kinds;
        snapshot_with(&environment, |rows| {
            rows.environment.hash = hash;
            rows.environment.disabled_as = disabled_as;
            for feature in &mut rows.features {
                let index = usize::try_from(feature.id.get()).unwrap() - 1;
                if value_types[index] {
                    feature.value_type = match kinds[index] {
                        Kind::Text | Kind::Mixed => ValueType::String,
                        Kind::Number => ValueType::Number,
                        Kind::Boolean => ValueType::Boolean,
                    };
                }
            }
        })
    }

    fn features(&mut self, context: &Json) -> Vec<Json> {
        let of_context = context["features"].as_object().into_iter().flatten();
        of_context
            .filter_map(|(name, feature)| self.state(name, feature))
            .collect()
    }

    /// A state of an environment from one of a context.
    fn state(&mut self, name: &str, state: &Json) -> Option<Json> {
        let index: usize = name.strip_prefix('f')?.parse().ok()?;
        let called = NAMES.get(index)?;
        let id = index + 1;
        let weights: Vec<Json> = state["variants"]
            .as_array()
            .into_iter()
            .flatten()
            .enumerate()
            .map(|(position, variant)| {
                let option = id * 100 + position;
                let key = (position % 2 == 0).then(|| format!("option {position}"));
                // Of all states of the feature, as it is one option.
                let value = self.option_value(index, position);
                let percent = variant["weight"].as_f64().unwrap_or_default().min(100.0);
                json!({
                    "id": self.random.below(1 << 20), "percentage_allocation": percent,
                    "multivariate_feature_option": {"id": option, "key": key, "value": value},
                })
            })
            .collect();
        Some(json!({
            "feature": {"id": id, "name": called, "type": "STANDARD"},
            "enabled": state["enabled"],
            "django_id": self.random.below(1 << 20),
            "feature_state_value": self.value(index, &state["value"]),
            "multivariate_feature_state_values": weights,
        }))
    }

    fn option_value(&self, feature: usize, position: usize) -> Json {
        match self.kinds[feature] {
            Kind::Text | Kind::Mixed => json!(format!("option {position}")),
            Kind::Number => json!(position + 40),
            Kind::Boolean => json!(position % 2 == 1),
        }
    }

    fn value(&mut self, feature: usize, value: &Json) -> Json {
        match self.kinds[feature] {
            Kind::Mixed if value.is_array() || value.is_object() => json!(value.to_string()),
            Kind::Mixed => value.clone(),
            Kind::Text => json!(self.random.pick(&["", "a", "b", "é \"\\ 日本"])),
            Kind::Number => json!(self.random.below(4)),
            Kind::Boolean if self.random.percent(30) => Json::Null,
            Kind::Boolean => json!(self.random.percent(50)),
        }
    }

    fn segments(&mut self, context: &Json) -> Vec<Json> {
        let of_context = context["segments"].as_object().into_iter().flatten();
        let mut segments = Vec::new();
        for (number, (_, segment)) in of_context.enumerate() {
            let overrides: Vec<Json> = segment["overrides"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|over| self.ranked(over))
                .collect();
            let rules = if self.random.percent(40) {
                json!([self.rule(1)])
            } else {
                renamed(&segment["rules"])
            };
            segments.push(json!({
                "id": number + 1, "name": self.random.pick(&SEGMENT_NAMES),
                "rules": rules, "feature_states": overrides,
            }));
        }
        segments
    }

    fn ranked(&mut self, over: &Json) -> Option<Json> {
        let mut state = self.state(over["name"].as_str()?, over)?;
        if self.random.percent(80) {
            state["feature_segment"] = json!({"priority": self.random.below(4)});
        }
        Some(state)
    }

    fn identities(&mut self, features: &[Json]) -> Vec<Json> {
        let mut identities = Vec::new();
        for (number, identifier) in IDENTIFIERS.iter().enumerate() {
            let mut states = Vec::new();
            for feature in features {
                if !self.random.percent(20) {
                    continue;
                }
                let mut state = feature.clone();
                let index = usize::try_from(feature["feature"]["id"].as_u64().unwrap()).unwrap();
                state["enabled"] = json!(self.random.percent(50));
                state["feature_state_value"] = self.value(index - 1, &Json::Null);
                states.push(state);
            }
            if !states.is_empty() {
                identities.push(json!({
                    "identifier": identifier, "django_id": number + 1, "identity_features": states,
                }));
            }
        }
        identities
    }

    fn rule(&mut self, depth: usize) -> Json {
        let conditions: Vec<Json> = (0..=self.random.below(2))
            .map(|_| self.condition())
            .collect();
        let rules: Vec<Json> = (0..if depth < 3 { self.random.below(2) } else { 0 })
            .map(|_| self.rule(depth + 1))
            .collect();
        let kind = *self.random.pick(&["ALL", "ALL", "ANY", "ANY", "NONE"]);
        json!({"type": kind, "conditions": conditions, "rules": rules})
    }

    /// A condition that asks for what the attribute is: words of words, numbers of numbers.
    fn condition(&mut self) -> Json {
        let (property, operators, values): (Json, &[&str], &[&str]) = match self.random.below(8) {
            0 => (
                json!("plan"),
                &[
                    "EQUAL",
                    "NOT_EQUAL",
                    "CONTAINS",
                    "NOT_CONTAINS",
                    "LESS_THAN",
                    "REGEX",
                ],
                &["pro", "free", "é", "p"],
            ),
            1 => (
                json!("plan"),
                &["IN"],
                &["pro,free", "[\"é\", \"pro\"]", "x"],
            ),
            2 => (json!("plan"), &["IS_SET", "IS_NOT_SET"], &[""]),
            3 => (
                json!("age"),
                &[
                    "EQUAL",
                    "NOT_EQUAL",
                    "GREATER_THAN",
                    "LESS_THAN_INCLUSIVE",
                    "IN",
                ],
                &["18", "30", "0"],
            ),
            4 => (json!("age"), &["MODULO"], &["2|0", "3|1"]),
            5 => (
                json!("version"),
                &["EQUAL", "NOT_EQUAL", "GREATER_THAN_INCLUSIVE", "LESS_THAN"],
                &["1.2.3:semver", "2.0.0:semver"],
            ),
            6 => (
                json!("$.identity.identifier"),
                &["EQUAL", "IN", "REGEX"],
                &["ana", "bob@"],
            ),
            _ => (Json::Null, &["PERCENTAGE_SPLIT"], &["30", "50", "70.5"]),
        };
        let (operator, value) = (*self.random.pick(operators), *self.random.pick(values));
        condition(operator, property, value)
    }
}

/// Conditions of a context as those of a document.
fn renamed(rules: &Json) -> Json {
    match rules {
        Json::Array(items) => items.iter().map(renamed).collect(),
        Json::Object(members) => {
            let rename = |name: &String| match name.as_str() {
                "property" => "property_".to_owned(),
                other => other.to_owned(),
            };
            let members: Map<String, Json> = members
                .iter()
                .map(|(name, member)| match (name.as_str(), member) {
                    // A document holds a list as its text.
                    ("value", Json::Array(_)) => (name.clone(), json!(member.to_string())),
                    _ => (rename(name), renamed(member)),
                })
                .collect();
            Json::Object(members)
        }
        other => other.clone(),
    }
}
