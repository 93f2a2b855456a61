//! Builders for this crate's own tests, with only the fields that matter.

pub(crate) mod rows;
pub(crate) mod shop;

use crate::{
    Condition, FeatureRules, FlagState, Hash, PatternBudget, Rule, RuleKind, Ruleset,
    SegmentOverride, SegmentRules, Value, Variant,
};
use std::sync::Arc;

pub(crate) fn condition(operator: &str, property: &str, value: &str) -> Condition {
    Condition {
        id: None,
        operator: operator.to_owned(),
        property: Some(property.to_owned()),
        value: Some(value.to_owned()),
        description: None,
    }
}

pub(crate) fn rule(kind: RuleKind, conditions: Vec<Condition>, rules: Vec<Rule>) -> Rule {
    Rule {
        id: None,
        kind,
        rules,
        conditions,
    }
}

pub(crate) fn all(conditions: Vec<Condition>) -> Rule {
    rule(RuleKind::All, conditions, Vec::new())
}

pub(crate) fn state(enabled: bool, value: &str) -> FlagState {
    FlagState {
        enabled,
        value: Value::text(value),
        seed: "1".into(),
        ..FlagState::default()
    }
}

/// A state whose options are named and weighted.
pub(crate) fn split(options: &[(&str, f64)]) -> FlagState {
    FlagState {
        variants: options
            .iter()
            .enumerate()
            .map(|(option, (name, weight))| Variant {
                option,
                key: Some((*name).into()),
                value: Value::text(*name),
                weight: *weight,
                weight_text: weight.to_string().into(),
            })
            .collect(),
        ..state(true, "control")
    }
}

pub(crate) fn feature(name: &str, state: FlagState) -> Arc<FeatureRules> {
    Arc::new(FeatureRules {
        name: name.into(),
        hash: Hash::Flagsmith,
        state,
    })
}

pub(crate) fn over(feature: &str, priority: Option<f64>, state: FlagState) -> SegmentOverride {
    SegmentOverride {
        feature: feature.into(),
        priority,
        state,
    }
}

/// A segment whose key is its name.
pub(crate) fn segment(
    name: &str,
    rules: &[Rule],
    overrides: Vec<SegmentOverride>,
) -> Arc<SegmentRules> {
    let budget = &mut PatternBudget::new();
    let (segment, _) = SegmentRules::compile(name.into(), name.into(), rules, overrides, budget);
    Arc::new(segment)
}

/// A ruleset of an environment with key `env` and name `Production`.
pub(crate) fn ruleset(
    features: Vec<Arc<FeatureRules>>,
    segments: Vec<Arc<SegmentRules>>,
) -> Ruleset {
    Ruleset::new("env".into(), "Production".into(), features, segments)
}
