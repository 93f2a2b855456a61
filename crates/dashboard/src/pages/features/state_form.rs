//! The fields of a state: on or off, value, weights of variants. Shown by `templates/features/state_fields.html`.

use crate::fields::{FieldProblems, Fields};
use crate::values::{change, text_of, typed};
use flagstaff_core::{Feature, FeatureState, MultivariateOption, StateValue, ValueType};
use flagstaff_service::{ServiceError, StatePatch, ValueChange, WeightChange};

/// What the fields show.
pub(crate) struct StateForm {
    /// On or off.
    pub(crate) is_enabled: bool,
    /// The value as text.
    pub(crate) value: String,
    /// Each variant with its weight.
    pub(crate) weights: Vec<WeightRow>,
    /// True where the value has to be JSON.
    pub(crate) is_json: bool,
    /// True for a choice between true and false instead of text.
    pub(crate) is_boolean: bool,
}

/// A variant and its weight.
pub(crate) struct WeightRow {
    /// The option's id.
    pub(crate) id: i64,
    /// Its name, or its number.
    pub(crate) label: String,
    /// Its value as text.
    pub(crate) value: String,
    /// Percent as text.
    pub(crate) weight: String,
}

impl StateForm {
    /// As a state is.
    pub(crate) fn of_state(
        feature: &Feature,
        options: &[MultivariateOption],
        state: &FeatureState,
    ) -> Self {
        Self::new(
            feature,
            options,
            state.enabled,
            text_of(&state.value),
            |option| state.weight_of(option.id).to_string(),
        )
    }

    /// As it was sent, to be corrected.
    pub(crate) fn of_fields(
        feature: &Feature,
        options: &[MultivariateOption],
        fields: &Fields,
    ) -> Self {
        let value = fields.text("value").to_owned();
        Self::new(feature, options, fields.is_on("enabled"), value, |option| {
            fields.text(&weight_field(option)).to_owned()
        })
    }

    fn new(
        feature: &Feature,
        options: &[MultivariateOption],
        is_enabled: bool,
        value: String,
        weight: impl Fn(&MultivariateOption) -> String,
    ) -> Self {
        let row = |(position, option): (usize, &MultivariateOption)| WeightRow {
            id: option.id.get(),
            label: variant_label(position, option),
            value: text_of(&option.value),
            weight: weight(option),
        };
        Self {
            is_enabled,
            is_boolean: feature.value_type == ValueType::Boolean,
            is_json: feature.value_type == ValueType::Json,
            value,
            weights: options.iter().enumerate().map(row).collect(),
        }
    }
}

/// What people call a variant.
pub(crate) fn variant_label(position: usize, option: &MultivariateOption) -> String {
    let key = option.key.clone().filter(|key| !key.is_empty());
    key.unwrap_or_else(|| format!("Variant {}", position + 1))
}

fn weight_field(option: &MultivariateOption) -> String {
    format!("weight.{}", option.id.get())
}

/// What was sent, as a change of a state.
///
/// # Errors
/// What is wrong with the fields.
pub(crate) fn patch(
    feature: &Feature,
    options: &[MultivariateOption],
    before: &FeatureState,
    fields: &Fields,
) -> Result<StatePatch, FieldProblems> {
    let value = change(fields.text("value"), &before.value, feature.value_type);
    with_value(feature, options, value, fields)
}

/// What was sent, as a state of its own.
///
/// # Errors
/// What is wrong with the fields.
pub(crate) fn whole(
    feature: &Feature,
    options: &[MultivariateOption],
    fields: &Fields,
) -> Result<StatePatch, FieldProblems> {
    let value = typed(fields.text("value"), feature.value_type);
    with_value(feature, options, Some(ValueChange::exactly(&value)), fields)
}

fn with_value(
    feature: &Feature,
    options: &[MultivariateOption],
    value: Option<ValueChange>,
    fields: &Fields,
) -> Result<StatePatch, FieldProblems> {
    let mut problems = FieldProblems::default();
    let text = fields.text("value");
    if feature.value_type == ValueType::Json
        && !text.trim().is_empty()
        && let Err(error) = serde_json::from_str::<serde_json::Value>(text)
    {
        problems.add("value", format!("This is no JSON: {error}."));
    }
    let mut weights = Vec::new();
    for option in options {
        match fields.parsed(&weight_field(option)) {
            Some(percentage_allocation) => weights.push(WeightChange {
                option_id: option.id,
                percentage_allocation,
            }),
            None => problems.add("weights", "Every weight is a number from 0 to 100."),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    Ok(StatePatch {
        enabled: Some(fields.is_on("enabled")),
        value,
        weights: (!options.is_empty()).then_some(weights),
    })
}

/// What a refusal says beside the fields of a state.
///
/// # Errors
/// The page for a refusal that no field can help.
pub(crate) fn problems(error: ServiceError) -> Result<FieldProblems, crate::answer::Refused> {
    Ok(FieldProblems::from_refusal(error)?.under(&[
        ("feature_state_value", "value"),
        ("string_value", "value"),
        ("integer_value", "value"),
        ("multivariate_feature_state_values", "weights"),
        ("variants", "weights"),
    ]))
}

/// What a state would be after a change, for a look at it beforehand.
pub(crate) fn value_after(patch: &StatePatch, before: &StateValue) -> StateValue {
    let mut value = before.clone();
    if let Some(change) = patch.value.clone() {
        change.apply(&mut value);
    }
    value
}
