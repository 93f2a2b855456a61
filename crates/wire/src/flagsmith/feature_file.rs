//! Files of features: what one environment exports and another imports.

use crate::json::value_to_json;
use crate::malformed::{Malformed, Problem, quoted};
use crate::node::Node;
use flagstaff_core::{FeatureName, Hash, StateValue, ValueType, fold};
use serde_json::{Value as Json, json};
use std::collections::HashMap;

/// A feature with its value in one environment.
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureInFile {
    /// Unique in the file without regard to case.
    pub name: FeatureName,
    /// Whether it starts enabled in a new environment.
    pub default_enabled: bool,
    /// Never shown to a client-side key.
    pub is_server_key_only: bool,
    /// What places identities among its variants. Files of Flagsmith have none, and Flagsmith passes over ours.
    pub hash: Option<Hash>,
    /// What kind of values it has. Files of Flagsmith have none, and Flagsmith passes over ours.
    pub value_type: ValueType,
    /// What it starts with in a new environment, as text.
    pub initial_value: Option<String>,
    /// Whether it is on.
    pub enabled: bool,
    /// Its value, the control value of a multivariate feature.
    pub value: StateValue,
    /// Its options, in the order of the buckets.
    pub variants: Vec<VariantInFile>,
}

/// An option with its weight in one environment.
#[derive(Debug, Clone, PartialEq)]
pub struct VariantInFile {
    /// Its name. Files of Flagsmith have none, and Flagsmith passes over ours.
    pub key: Option<String>,
    /// Its value.
    pub value: StateValue,
    /// Percent, 0 to 100.
    pub percentage_allocation: f64,
    /// Percent a new environment starts with, 0 to 100.
    pub default_percentage_allocation: f64,
}

/// Writes a file.
#[must_use]
pub fn write_feature_file(features: &[FeatureInFile]) -> String {
    let features: Vec<Json> = features.iter().map(feature_to_json).collect();
    Json::from(features).to_string()
}

fn feature_to_json(feature: &FeatureInFile) -> Json {
    let mut json = json!({
        "name": feature.name.as_str(),
        "default_enabled": feature.default_enabled,
        "is_server_key_only": feature.is_server_key_only,
        "initial_value": feature.initial_value,
        "value": value_to_json(&feature.value.effective()),
        "type": kind_text(&feature.value),
        "enabled": feature.enabled,
        "multivariate": feature.variants.iter().map(variant_to_json).collect::<Json>(),
    });
    if let Some(hash) = feature.hash {
        json["hash"] = hash.name().into();
    }
    if feature.value_type != ValueType::Auto {
        json["value_type"] = feature.value_type.name().into();
    }
    json
}

fn variant_to_json(variant: &VariantInFile) -> Json {
    let mut json = json!({
        "percentage_allocation": variant.percentage_allocation,
        "default_percentage_allocation": variant.default_percentage_allocation,
        "value": value_to_json(&variant.value.effective()),
        "type": kind_text(&variant.value),
    });
    if let Some(key) = &variant.key {
        json["key"] = key.as_str().into();
    }
    json
}

const fn kind_text(value: &StateValue) -> &'static str {
    match value.kind {
        flagstaff_core::ValueKind::Text => "unicode",
        flagstaff_core::ValueKind::Integer => "int",
        flagstaff_core::ValueKind::Boolean => "bool",
    }
}

/// Reads a file of ours or of Flagsmith.
///
/// # Errors
/// Where the text is not JSON, is nested more than 128 levels deep, or is no file of features.
pub fn parse_feature_file(text: &[u8]) -> Result<Vec<FeatureInFile>, Malformed> {
    let json: Json = serde_json::from_slice(text).map_err(|error| Malformed::not_json(&error))?;
    let root = Node::root(&json);
    let mut names: HashMap<String, String> = HashMap::new();
    let mut features = Vec::new();
    for node in root.items()? {
        let feature = feature(&node)?;
        let name = feature.name.as_str();
        if let Some(other) = names.insert(fold(name), name.to_owned()) {
            let other = quoted(&other);
            return Err(node.malformed(Problem::Collides { other }));
        }
        features.push(feature);
    }
    Ok(features)
}

fn feature(node: &Node<'_>) -> Result<FeatureInFile, Malformed> {
    let name = node.required("name")?;
    let flag = |member| match node.optional(member)? {
        Some(flag) => flag.boolean(),
        None => Ok(false),
    };
    let mut variants = Vec::new();
    if let Some(list) = node.optional("multivariate")? {
        for item in list.items()? {
            variants.push(variant(&item)?);
        }
    }
    Ok(FeatureInFile {
        name: FeatureName::parse(name.text()?).map_err(|_| {
            name.malformed(Problem::Text {
                expected: "the name of a feature",
                found: quoted(name.text().unwrap_or_default()),
            })
        })?,
        default_enabled: flag("default_enabled")?,
        is_server_key_only: flag("is_server_key_only")?,
        hash: word(node, "hash", HASHES, Hash::parse)?,
        value_type: word(node, "value_type", VALUE_TYPES, ValueType::parse)?.unwrap_or_default(),
        initial_value: match node.optional("initial_value")? {
            Some(text) => Some(text.text()?.to_owned()),
            None => None,
        },
        enabled: node.required("enabled")?.boolean()?,
        value: value(node)?,
        variants,
    })
}

const HASHES: &str = "flagsmith, flagd-v2, flagd-v3, flipt, fnv1a32";
const VALUE_TYPES: &str = "auto, boolean, integer, number, string, json";

/// One of the words of a closed list, where there is one.
fn word<T>(
    node: &Node<'_>,
    member: &str,
    expected: &'static str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, Malformed> {
    let Some(node) = node.optional(member)? else {
        return Ok(None);
    };
    let text = node.text()?;
    let found = || Problem::Word {
        expected,
        found: quoted(text),
    };
    parse(text).map(Some).ok_or_else(|| node.malformed(found()))
}

fn variant(node: &Node<'_>) -> Result<VariantInFile, Malformed> {
    let percentage = node
        .required("percentage_allocation")
        .and_then(|node| node.number())?;
    Ok(VariantInFile {
        key: match node.optional("key")? {
            Some(key) => Some(key.text()?.to_owned()),
            None => None,
        },
        value: value(node)?,
        percentage_allocation: percentage,
        default_percentage_allocation: match node.optional("default_percentage_allocation")? {
            Some(number) => number.number()?,
            None => percentage,
        },
    })
}

/// `value` as its `type` says.
fn value(node: &Node<'_>) -> Result<StateValue, Malformed> {
    let kind = node.required("type")?;
    let value = node.optional("value")?;
    let value = value.as_ref();
    Ok(match kind.text()? {
        "unicode" => StateValue::of_text(value.map(Node::text).transpose()?),
        "int" => match value {
            Some(value) => StateValue::of_integer(value.integer()?),
            None => StateValue {
                kind: flagstaff_core::ValueKind::Integer,
                ..StateValue::default()
            },
        },
        "bool" => match value {
            Some(value) => StateValue::of_boolean(value.boolean()?),
            None => StateValue {
                kind: flagstaff_core::ValueKind::Boolean,
                ..StateValue::default()
            },
        },
        other => {
            return Err(kind.malformed(Problem::Word {
                expected: "unicode, int, bool",
                found: quoted(other),
            }));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &Json) -> Result<Vec<FeatureInFile>, String> {
        parse_feature_file(json.to_string().as_bytes()).map_err(|error| error.to_string())
    }

    fn colour() -> Json {
        json!([{
            "name": "colour", "default_enabled": true, "is_server_key_only": false,
            "initial_value": "red", "value": "red", "type": "unicode", "enabled": true,
            "multivariate": [
                { "percentage_allocation": 30.5, "default_percentage_allocation": 30.0,
                    "value": "blue", "type": "unicode", "key": "b" },
                { "percentage_allocation": 0.0, "default_percentage_allocation": 20.0,
                    "value": 7, "type": "int" },
                { "percentage_allocation": 1.0, "default_percentage_allocation": 1.0,
                    "value": false, "type": "bool" },
                { "percentage_allocation": 1.0, "default_percentage_allocation": 1.0,
                    "value": null, "type": "int" },
            ],
        }])
    }

    #[test]
    fn what_is_written_is_what_was_read() {
        let json = colour();

        let features = parse(&json).unwrap();

        assert_eq!(write_feature_file(&features), json.to_string());
        assert_eq!(features[0].variants[1].value, StateValue::of_integer(7));
    }

    #[test]
    fn hash_and_type_are_written_where_they_are_set() {
        let mut json = colour();
        json[0]["hash"] = json!("flagd-v2");
        json[0]["value_type"] = json!("json");

        let features = parse(&json).unwrap();

        let read = (features[0].hash, features[0].value_type);
        assert_eq!(read, (Some(Hash::FlagdV2), ValueType::Json));
        assert_eq!(write_feature_file(&features), json.to_string());
    }

    #[test]
    fn what_is_no_file_of_features_is_refused_with_its_place() {
        let check = |change: fn(&mut Json), expected: &str| {
            let mut json = colour();
            change(&mut json);
            assert_eq!(parse(&json), Err(expected.to_owned()));
        };

        check(
            |json| *json = json!({}),
            "the document must be a list, not an object",
        );
        check(
            |json| json[0]["name"] = json!(""),
            "[0].name is not the name of a feature: ``",
        );
        check(
            |json| json[0]["enabled"] = json!("x"),
            "[0].enabled must be true or false, not text",
        );
        check(
            |json| json[0]["hash"] = json!("md5"),
            "[0].hash must be one of flagsmith, flagd-v2, flagd-v3, flipt, fnv1a32, not `md5`",
        );
        check(
            |json| json[0]["type"] = json!("float"),
            "[0].type must be one of unicode, int, bool, not `float`",
        );
        check(
            |json| json[0]["multivariate"][1]["value"] = json!("7"),
            "[0].multivariate[1].value must be a whole number, not text",
        );
        check(
            |json| {
                let mut again = json[0].clone();
                again["name"] = json!("COLOUR");
                json.as_array_mut().unwrap().push(again);
            },
            "[1] collides with `colour`",
        );
    }

    #[test]
    fn the_words_of_refusals_are_all_there_are() {
        assert_eq!(Hash::ALL.map(Hash::name).join(", "), HASHES);
        assert_eq!(ValueType::ALL.map(ValueType::name).join(", "), VALUE_TYPES);
    }
}
