//! What Flagsmith answers with, read as leniently as its clients have to.

use crate::failure::{Doing, Failure};
use serde::{Deserialize, Deserializer};
use serde_json::{Value as Json, json};

/// An environment.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Environment {
    /// Absent where something answers that only looks like Flagsmith.
    #[serde(default)]
    pub(crate) id: Option<u64>,
    #[serde(default)]
    pub(crate) project: Option<u64>,
    #[serde(default)]
    pub(crate) name: Option<String>,
    /// Whether features change by versions.
    #[serde(default)]
    pub(crate) use_v2_feature_versioning: Option<bool>,
    /// A number, even zero, where changes have to be asked for.
    #[serde(default)]
    pub(crate) minimum_change_request_approvals: Option<u64>,
}

impl Environment {
    /// The number that some routes want instead of the key.
    ///
    /// # Errors
    /// Where the server did not tell it.
    pub(crate) fn number(&self) -> Result<u64, Failure> {
        self.id.ok_or(Failure::Strange {
            doing: Doing::ReadingEnvironment,
            what: "the environment has no number",
        })
    }
}

/// A flag in an environment.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// The key of the environment.
    pub(crate) key: String,
    pub(crate) environment: Environment,
    pub(crate) feature: Feature,
}

impl Place {
    /// Whether what the flag serves changes by versions.
    pub(crate) fn has_versions(&self) -> bool {
        self.environment.use_v2_feature_versioning == Some(true)
    }
}

/// A flag of a project.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Feature {
    pub(crate) id: u64,
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) multivariate_options: Vec<VariantOption>,
}

/// A variant of a flag.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct VariantOption {
    pub(crate) id: u64,
    #[serde(default)]
    pub(crate) key: Option<String>,
    #[serde(default)]
    string_value: Option<String>,
    #[serde(default)]
    integer_value: Option<i64>,
    #[serde(default)]
    boolean_value: Option<bool>,
}

impl VariantOption {
    /// Whether somebody who writes this means the variant: its key, or its value, or its number after `#`.
    pub(crate) fn is_called(&self, name: &str) -> bool {
        if self.key.as_deref().is_some_and(|key| !key.is_empty()) {
            return self.key.as_deref() == Some(name) || self.is_number(name);
        }
        let integer = self.integer_value.map(|value| value.to_string());
        let boolean = self.boolean_value.map(|value| value.to_string());
        let values = [
            self.string_value.as_deref(),
            integer.as_deref(),
            boolean.as_deref(),
        ];
        values.contains(&Some(name)) || self.is_number(name)
    }

    fn is_number(&self, name: &str) -> bool {
        name.strip_prefix('#') == Some(&self.id.to_string())
    }
}

/// What a flag serves in an environment by default.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct State {
    pub(crate) id: u64,
    #[serde(default)]
    feature: Option<Json>,
    #[serde(default)]
    feature_segment: Option<Json>,
    #[serde(default)]
    identity: Option<Json>,
    #[serde(default)]
    pub(crate) enabled: Option<bool>,
    /// `None` where the answer does not say; `Some(null)` where there is no value.
    #[serde(default, deserialize_with = "present")]
    pub(crate) feature_state_value: Option<Json>,
    #[serde(default)]
    pub(crate) multivariate_feature_state_values: Vec<Weight>,
}

/// The share of a variant.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Weight {
    #[serde(default)]
    pub(crate) id: Option<u64>,
    #[serde(rename = "multivariate_feature_option")]
    pub(crate) option: u64,
    #[serde(rename = "percentage_allocation")]
    pub(crate) percentage: f64,
}

fn present<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Json>, D::Error> {
    Json::deserialize(from).map(Some)
}

impl State {
    /// Whether it is the default of this feature, and nobody's override.
    pub(crate) fn is_default_of(&self, feature: u64) -> bool {
        let absent = |member: &Option<Json>| member.as_ref().is_none_or(Json::is_null);
        let names = |member: &Json| member.as_u64().or_else(|| member.get("id")?.as_u64());
        let of_feature = self.feature.as_ref().and_then(names);
        absent(&self.feature_segment)
            && absent(&self.identity)
            && of_feature.is_none_or(|id| id == feature)
    }
}

/// A value with its type, as versions and overrides want it: the state of a feature has a bare one.
pub(crate) fn typed(value: &Json) -> Json {
    match value {
        Json::Bool(value) => json!({ "type": "bool", "boolean_value": value }),
        Json::Number(number) if number.is_i64() => {
            json!({ "type": "int", "integer_value": number })
        }
        Json::String(text) => json!({ "type": "unicode", "string_value": text }),
        Json::Null => json!({ "type": "unicode", "string_value": null }),
        other => json!({ "type": "unicode", "string_value": other.to_string() }),
    }
}

/// A value without its type: the other way round.
pub(crate) fn bare(value: &Json) -> Json {
    let Json::Object(members) = value else {
        return value.clone();
    };
    let of = |name: &str| members.get(name).cloned().unwrap_or_default();
    match members.get("type").and_then(Json::as_str) {
        Some("int") => of("integer_value"),
        Some("bool") => of("boolean_value"),
        _ => of("string_value"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(body: Json) -> State {
        serde_json::from_value(body).unwrap()
    }

    #[test]
    fn an_override_is_not_the_default() {
        for (body, expected) in [
            (json!({"id": 1}), true),
            (
                json!({"id": 1, "feature": 7, "feature_segment": null, "identity": null}),
                true,
            ),
            (json!({"id": 1, "feature": {"id": 7}}), true),
            (json!({"id": 1, "feature": 8}), false),
            (json!({"id": 1, "feature": 7, "feature_segment": 3}), false),
            (json!({"id": 1, "feature": 7, "identity": {"id": 3}}), false),
        ] {
            assert_eq!(state(body.clone()).is_default_of(7), expected, "{body}");
        }
    }

    #[test]
    fn no_value_is_not_the_same_as_no_word_about_it() {
        let said = state(json!({"id": 1, "feature_state_value": null}));

        assert_eq!(said.feature_state_value, Some(Json::Null));
        assert_eq!(state(json!({"id": 1})).feature_state_value, None);
    }

    #[test]
    fn a_value_goes_to_its_typed_form_and_back() {
        for value in [json!("25"), json!(25), json!(true), json!(null), json!("")] {
            assert_eq!(bare(&typed(&value)), value);
        }
    }

    #[test]
    fn a_variant_is_called_by_its_key_or_else_by_its_value() {
        let option = |body: Json| -> VariantOption { serde_json::from_value(body).unwrap() };
        let keyed = option(json!({"id": 4, "key": "blue", "string_value": "#00f"}));
        let unkeyed = option(json!({"id": 5, "key": null, "integer_value": 12}));

        assert!(keyed.is_called("blue") && keyed.is_called("#4"));
        assert!(!keyed.is_called("#00f"));
        assert!(unkeyed.is_called("12") && !unkeyed.is_called("5"));
    }
}
