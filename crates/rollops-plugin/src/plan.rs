//! What a flag has to serve after a change: computed from what it serves now, and from nothing else.

use crate::change::Change;
use crate::failure::Failure;
use crate::flagsmith::{Feature, State, Weight};
use crate::mode::{Mode, Others};
use serde_json::{Value as Json, json};

/// Weights that differ by less are the same.
const TOLERANCE: f64 = 1e-6;
/// Parts of a percent that weights are rounded to.
const PARTS: f64 = 10_000.0;

/// What the default of a flag has to say.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Target {
    pub(crate) enabled: bool,
    /// `None` leaves the value as it is.
    pub(crate) value: Option<Json>,
    /// `None` leaves the weights as they are.
    pub(crate) weights: Option<Vec<Weight>>,
}

/// How what is there compares with what has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Same,
    Different,
    /// The server does not say enough.
    Unknown,
}

impl Target {
    /// What a change asks for in a mode.
    ///
    /// # Errors
    /// Where the flag has no such variant.
    pub(crate) fn of(
        mode: &Mode,
        change: &Change,
        feature: &Feature,
        state: &State,
    ) -> Result<Self, Failure> {
        let percentage = change.percentage;
        let enabled = !change.disabled;
        let (enabled, value, weights) = match mode {
            Mode::Value => (enabled, Some(percentage.to_string().into()), None),
            Mode::ValueInt => (enabled, Some(percentage.into()), None),
            Mode::EnabledOnly => (enabled && percentage > 0, None, None),
            // Those who are in have it from their segment; nobody else has it.
            Mode::SegmentSplit { .. } => (false, None, None),
            Mode::Multivariate { variant, others } => {
                let share = if change.disabled { 0 } else { percentage };
                let weights = weights(feature, state, variant, *others, f64::from(share))?;
                (enabled, None, Some(weights))
            }
        };
        Ok(Self {
            enabled,
            value,
            weights,
        })
    }

    /// Whether a state is what it has to be.
    pub(crate) fn compare(&self, state: &State) -> Comparison {
        let enabled = state.enabled.map(|enabled| enabled == self.enabled);
        let value = match (&self.value, &state.feature_state_value) {
            (None, _) => Some(true),
            (Some(_), None) => None,
            (Some(target), Some(value)) => Some(target == value),
        };
        let weights = self.weights.as_ref().is_none_or(|weights| {
            let rows = &state.multivariate_feature_state_values;
            weights.iter().all(|weight| {
                let row = rows.iter().find(|row| row.option == weight.option);
                row.is_some_and(|row| (row.percentage - weight.percentage).abs() < TOLERANCE)
            })
        });
        match (enabled, value, weights) {
            (Some(true), Some(true), true) => Comparison::Same,
            (Some(false), _, _) | (_, Some(false), _) | (_, _, false) => Comparison::Different,
            (None, _, _) | (_, None, _) => Comparison::Unknown,
        }
    }

    /// The target in a log line.
    pub(crate) fn to_json(&self) -> Json {
        shown(
            Some(self.enabled),
            self.value.as_ref(),
            self.weights.as_deref(),
        )
    }
}

/// A state in a log line.
pub(crate) fn state_to_json(state: &State) -> Json {
    let weights = &state.multivariate_feature_state_values;
    let weights = (!weights.is_empty()).then_some(weights.as_slice());
    shown(state.enabled, state.feature_state_value.as_ref(), weights)
}

fn shown(enabled: Option<bool>, value: Option<&Json>, weights: Option<&[Weight]>) -> Json {
    let mut shown = json!({ "enabled": enabled });
    if let Some(value) = value {
        // A value may be a document, or what nobody should read in a log.
        let is_short = value.as_str().is_none_or(|text| text.len() <= 20);
        shown["value"] = if is_short {
            value.clone()
        } else {
            json!("…")
        };
    }
    if let Some(weights) = weights {
        let shape = |weight: &Weight| (weight.option.to_string(), weight.percentage.into());
        shown["weights"] = Json::Object(weights.iter().map(shape).collect());
    }
    shown
}

fn weights(
    feature: &Feature,
    state: &State,
    variant: &str,
    others: Others,
    share: f64,
) -> Result<Vec<Weight>, Failure> {
    let treated = treated(feature, variant)?;
    let rows = &state.multivariate_feature_state_values;
    let weight_of = |option: u64| {
        let row = rows.iter().find(|row| row.option == option);
        row.map_or((None, 0.0), |row| (row.id, row.percentage))
    };
    let (_, before) = weight_of(treated);
    let scaled = |weight: f64| match others {
        Others::Zero => 0.0,
        // Nothing moves: rounding must not either.
        Others::Scale if (share - before).abs() < TOLERANCE => weight,
        Others::Scale if before >= 100.0 => 0.0,
        Others::Scale => {
            let exact = weight * (100.0 - share) / (100.0 - before);
            (exact * PARTS + TOLERANCE).floor() / PARTS
        }
    };
    let mut weights: Vec<Weight> = feature
        .multivariate_options
        .iter()
        .map(|option| {
            let (id, weight) = weight_of(option.id);
            let is_treated = option.id == treated;
            Weight {
                id,
                option: option.id,
                percentage: if is_treated { share } else { scaled(weight) },
            }
        })
        .collect();
    keep_within_all(&mut weights, treated);
    Ok(weights)
}

/// Sums of fractions may come out a hair above everything, which servers refuse.
fn keep_within_all(weights: &mut [Weight], treated: u64) {
    let mut excess = weights.iter().map(|weight| weight.percentage).sum::<f64>() - 100.0;
    for weight in weights.iter_mut().filter(|weight| weight.option != treated) {
        if excess <= 0.0 {
            return;
        }
        let less = (weight.percentage - excess).max(0.0);
        let less = (less * PARTS).floor() / PARTS;
        excess -= weight.percentage - less;
        weight.percentage = less;
    }
}

fn treated(feature: &Feature, variant: &str) -> Result<u64, Failure> {
    let options = feature.multivariate_options.iter();
    let mut called = options.filter(|option| option.is_called(variant));
    match (called.next(), called.next()) {
        (Some(only), None) => Ok(only.id),
        (None, _) => Err(Failure::Missing(format!(
            "the flag `{}` has no variant `{variant}`: correct FLAGSTAFF_ROLLOPS__VARIANT or the map of modes",
            feature.name
        ))),
        (Some(_), Some(_)) => Err(Failure::NotPossible(format!(
            "the flag `{}` has several variants `{variant}`: give them keys, or write # and the number of one",
            feature.name
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feature(options: &[(u64, &str)]) -> Feature {
        let options: Json = options
            .iter()
            .map(|(id, key)| json!({ "id": id, "key": key }))
            .collect();
        serde_json::from_value(json!({"id": 7, "name": "x", "multivariate_options": options}))
            .unwrap()
    }

    fn state(enabled: bool, value: Json, weights: &[(u64, f64)]) -> State {
        let weights: Json = weights
            .iter()
            .map(|(option, weight)| {
                json!({"id": option + 100, "multivariate_feature_option": option, "percentage_allocation": weight})
            })
            .collect();
        serde_json::from_value(json!({
            "id": 1, "enabled": enabled, "feature_state_value": value,
            "multivariate_feature_state_values": weights,
        }))
        .unwrap()
    }

    fn change(percentage: u8, disabled: bool) -> Change {
        Change {
            flag: "x".to_owned(),
            environment: "e".to_owned(),
            percentage,
            disabled,
        }
    }

    fn target(mode: &Mode, percentage: u8, disabled: bool) -> (bool, Option<Json>) {
        let state = state(true, json!("hello"), &[]);
        let change = change(percentage, disabled);
        let target = Target::of(mode, &change, &feature(&[]), &state).unwrap();
        (target.enabled, target.value)
    }

    fn variant(others: Others) -> Mode {
        Mode::Multivariate {
            variant: "b".to_owned(),
            others,
        }
    }

    fn shares(mode: &Mode, before: &[(u64, f64)], percentage: u8) -> Vec<f64> {
        let feature = feature(&[(1, "a"), (2, "b"), (3, "c")]);
        let state = state(true, Json::Null, before);
        let target = Target::of(mode, &change(percentage, false), &feature, &state).unwrap();
        let weights = target.weights.unwrap();
        weights.iter().map(|weight| weight.percentage).collect()
    }

    #[test]
    fn rol_6_each_mode_writes_what_it_is_named_after() {
        assert_eq!(target(&Mode::Value, 25, false), (true, Some("25".into())));
        assert_eq!(target(&Mode::Value, 0, false), (true, Some("0".into())));
        assert_eq!(target(&Mode::ValueInt, 25, false), (true, Some(25.into())));
        assert_eq!(target(&Mode::EnabledOnly, 25, false), (true, None));
        assert_eq!(target(&Mode::EnabledOnly, 0, false), (false, None));
        let split = Mode::SegmentSplit { value: None };
        assert_eq!(target(&split, 25, false), (false, None));
    }

    #[test]
    fn rol_9_a_rollback_is_off_and_zero() {
        assert_eq!(target(&Mode::Value, 0, true), (false, Some("0".into())));
        assert_eq!(target(&Mode::ValueInt, 0, true), (false, Some(0.into())));
        assert_eq!(target(&Mode::EnabledOnly, 0, true), (false, None));
    }

    #[test]
    fn rol_6_the_other_variants_share_what_is_left_or_get_nothing() {
        let before = [(1, 30.0), (2, 0.0), (3, 20.0)];

        assert_eq!(
            shares(&variant(Others::Scale), &before, 50),
            [15.0, 50.0, 10.0]
        );
        assert_eq!(
            shares(&variant(Others::Scale), &before, 100),
            [0.0, 100.0, 0.0]
        );
        assert_eq!(
            shares(&variant(Others::Zero), &before, 50),
            [0.0, 50.0, 0.0]
        );
        let full = [(1, 33.333), (2, 33.333), (3, 33.334)];
        assert_eq!(shares(&variant(Others::Scale), &full, 25)[1], 25.0);
    }

    #[test]
    fn rol_8_the_same_step_again_leaves_odd_weights_as_they_are() {
        let before = [(1, 33.333_333), (2, 25.0), (3, 12.000_001)];

        let after = shares(&variant(Others::Scale), &before, 25);

        assert_eq!(after, [33.333_333, 25.0, 12.000_001]);
    }

    #[test]
    fn weights_never_come_to_more_than_everything() {
        for first in 0..=60 {
            for percentage in 0..=100 {
                let first = f64::from(first) + 0.111_111;
                let before = [(1, first), (2, 7.3), (3, 92.7 - first)];
                let after = shares(&variant(Others::Scale), &before, percentage);
                let sum: f64 = after.iter().sum();
                assert!(sum <= 100.0, "{before:?} to {percentage}: {after:?}");
                assert!(sum > 99.99, "{before:?} to {percentage}: {after:?}");
            }
        }
    }

    #[test]
    fn a_variant_that_is_not_there_or_not_the_only_one_is_named() {
        let state = state(true, Json::Null, &[]);
        let of = |feature: &Feature| {
            let target = Target::of(&variant(Others::Scale), &change(5, false), feature, &state);
            target.unwrap_err().to_string()
        };

        assert!(of(&feature(&[(1, "a")])).contains("has no variant `b`"));
        assert!(of(&feature(&[(1, "b"), (2, "b")])).contains("several variants `b`"));
    }

    #[test]
    fn rol_8_text_and_number_are_not_the_same_value() {
        let target = Target {
            enabled: true,
            value: Some("25".into()),
            weights: None,
        };

        assert_eq!(
            target.compare(&state(true, json!("25"), &[])),
            Comparison::Same
        );
        assert_eq!(
            target.compare(&state(true, json!(25), &[])),
            Comparison::Different
        );
        assert_eq!(
            target.compare(&state(false, json!("25"), &[])),
            Comparison::Different
        );
        let silent: State = serde_json::from_value(json!({"id": 1})).unwrap();
        assert_eq!(target.compare(&silent), Comparison::Unknown);
    }
}
