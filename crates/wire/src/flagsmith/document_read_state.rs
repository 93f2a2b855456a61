//! Features and states of environment documents.

use super::context_read::name_text;
use super::document_read::optional_integer;
use super::import::{
    ImportWarning, ImportedFeature, ImportedOption, ImportedState, ImportedWeight,
};
use super::priority::Priority;
use crate::json::json_to_scalar;
use crate::malformed::{Malformed, Problem, quoted};
use crate::node::Node;
use flagstaff_core::text::python_text;
use flagstaff_core::{FeatureKind, FeatureName, StateValue, Value, fold};
use serde_json::Number;
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

type Read<T> = Result<T, Malformed>;

/// The features of a document, and the options that turn up while states are read.
pub(super) struct Features {
    pub(super) list: Vec<ImportedFeature>,
    pub(super) warnings: Vec<ImportWarning>,
    by_folded_name: HashMap<String, usize>,
}

impl Features {
    pub(super) fn read(root: &Node<'_>, project: &Node<'_>) -> Read<Self> {
        let server_only = server_only_ids(project)?;
        let mut features = Self {
            list: Vec::new(),
            warnings: Vec::new(),
            by_folded_name: HashMap::new(),
        };
        for node in root.required("feature_states")?.items()? {
            features.add(&node, &server_only)?;
        }
        Ok(features)
    }

    pub(super) fn index(&self, name: &str) -> Option<usize> {
        self.by_folded_name.get(&fold(name)).copied()
    }

    pub(super) fn name(&self, feature: usize) -> String {
        self.list
            .get(feature)
            .map(|feature| feature.name.as_str().to_owned())
            .unwrap_or_default()
    }

    fn add(&mut self, node: &Node<'_>, server_only: &HashSet<i64>) -> Read<()> {
        let feature = node.required("feature")?;
        let name_node = feature.required("name")?;
        let text = name_node.text()?;
        let name = FeatureName::parse(text).map_err(|_| {
            name_node.malformed(Problem::Text {
                expected: "a feature name of 1 to 2,000 characters",
                found: quoted(text),
            })
        })?;
        let index = self.list.len();
        if let Some(other) = self.by_folded_name.insert(fold(text), index) {
            return Err(name_node.malformed(Problem::Collides {
                other: quoted(&self.name(other)),
            }));
        }
        let row_id = optional_integer(&feature, "id")?;
        self.list.push(ImportedFeature {
            row_id,
            name,
            kind: kind(&feature)?,
            is_server_key_only: row_id.is_some_and(|id| server_only.contains(&id)),
            options: Vec::new(),
            state: ImportedState {
                hash_seed: None,
                uuid: None,
                enabled: false,
                value: StateValue::default(),
                weights: Vec::new(),
            },
        });
        let state = state(node, index, self)?;
        if let Some(feature) = self.list.get_mut(index) {
            for weight in &state.weights {
                if let Some(option) = feature.options.get_mut(weight.option) {
                    option.percentage_allocation = weight.percentage_allocation;
                }
            }
            feature.state = state;
        }
        Ok(())
    }

    /// Index of an option among those of its feature; a new one is added.
    fn option(&mut self, feature: usize, option: ImportedOption) -> usize {
        let Some(feature) = self.list.get_mut(feature) else {
            return 0;
        };
        feature.kind = FeatureKind::Multivariate;
        let known = feature.options.iter().position(|known| {
            if known.row_id.is_some() || option.row_id.is_some() {
                known.row_id == option.row_id
            } else {
                (&known.key, &known.value) == (&option.key, &option.value)
            }
        });
        known.unwrap_or_else(|| {
            feature.options.push(option);
            feature.options.len() - 1
        })
    }
}

fn server_only_ids(project: &Node<'_>) -> Read<HashSet<i64>> {
    let mut ids = HashSet::new();
    if let Some(list) = project.optional("server_key_only_feature_ids")? {
        for item in list.items()? {
            ids.insert(item.integer()?);
        }
    }
    Ok(ids)
}

fn kind(feature: &Node<'_>) -> Read<FeatureKind> {
    let Some(node) = feature.optional("type")? else {
        return Ok(FeatureKind::Standard);
    };
    match node.text()? {
        // Some documents of old versions hold other words, which mean a plain feature.
        "MULTIVARIATE" => Ok(FeatureKind::Multivariate),
        _ => Ok(FeatureKind::Standard),
    }
}

/// Reads a feature state: default or override.
pub(super) fn state(
    node: &Node<'_>,
    feature: usize,
    features: &mut Features,
) -> Read<ImportedState> {
    let uuid_text = match node.optional("featurestate_uuid")? {
        Some(uuid) => Some(uuid.text()?),
        None => None,
    };
    let hash_seed = match node.optional("django_id")? {
        Some(id) => Some(name_text(&id)?),
        None => None,
    };
    // SDKs take an id of 0 for none.
    let hash_seed = hash_seed
        .filter(|seed| **seed != *"0")
        .or_else(|| uuid_text.map(Into::into));
    let weights = weights(node, feature, features)?;
    if hash_seed.is_none() && !weights.is_empty() {
        features.warnings.push(ImportWarning::MissingSeed {
            feature: features.name(feature),
        });
    }
    let value = match node.optional("feature_state_value")? {
        Some(value) => state_value(&value, features)?,
        None => StateValue::default(),
    };
    Ok(ImportedState {
        hash_seed,
        uuid: uuid_text.and_then(|text| Uuid::try_parse(text).ok()),
        enabled: node.required("enabled")?.boolean()?,
        value,
        weights,
    })
}

fn weights(node: &Node<'_>, feature: usize, features: &mut Features) -> Read<Vec<ImportedWeight>> {
    let mut found = Vec::new();
    let Some(list) = node.optional("multivariate_feature_state_values")? else {
        return Ok(Vec::new());
    };
    for item in list.items()? {
        let allocation = item.required("percentage_allocation")?;
        let percentage_allocation = allocation.number()?;
        if !(0.0..=100.0).contains(&percentage_allocation) {
            return Err(allocation.malformed(Problem::Limit("between 0 and 100")));
        }
        let option = option(&item.required("multivariate_feature_option")?, features)?;
        let uuid = match item.optional("mv_fs_value_uuid")? {
            Some(uuid) => Uuid::try_parse(uuid.text()?).ok(),
            None => None,
        };
        let position = match optional_integer(&item, "id")? {
            Some(id) if id != 0 => Priority::of(&id.into()),
            Some(_) | None => uuid.map_or(Priority::Missing, uuid_priority),
        };
        let weight = ImportedWeight {
            option: features.option(feature, option),
            uuid,
            percentage_allocation,
        };
        found.push((position, weight));
    }
    found.sort_by(|(left, _), (right, _)| left.compare(right));
    Ok(found.into_iter().map(|(_, weight)| weight).collect())
}

/// SDKs order values without id by their UUID, read as a number.
fn uuid_priority(uuid: Uuid) -> Priority {
    Number::from_u128(uuid.as_u128()).map_or(Priority::Missing, |number| Priority::of(&number))
}

fn option(node: &Node<'_>, features: &mut Features) -> Read<ImportedOption> {
    let key = match node.optional("key")? {
        Some(key) => Some(key.text()?.to_owned()),
        None => None,
    };
    let value = match node.optional("value")? {
        Some(value) => state_value(&value, features)?,
        None => StateValue::default(),
    };
    Ok(ImportedOption {
        row_id: optional_integer(node, "id")?,
        key,
        value,
        percentage_allocation: 0.0,
    })
}

fn state_value(node: &Node<'_>, features: &mut Features) -> Read<StateValue> {
    let Some(value) = json_to_scalar(node.json) else {
        return Err(node.wrong_type("text, a number, true, false or null"));
    };
    Ok(match &value {
        Value::Null => StateValue::default(),
        Value::Boolean(boolean) => StateValue::of_boolean(*boolean),
        Value::Integer(integer) if i32::try_from(*integer).is_ok() => {
            StateValue::of_integer(*integer)
        }
        Value::Text(text) => StateValue::of_text(Some(text)),
        Value::Integer(_) | Value::BigInteger(_) | Value::Float(_) => {
            features
                .warnings
                .push(ImportWarning::NumberAsText { path: node.path() });
            StateValue::of_text(Some(&python_text(&value)))
        }
    })
}
