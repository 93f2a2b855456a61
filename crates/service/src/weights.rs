//! Weights of variants: what may be written.

use crate::error::{Problem, ServiceError, ServiceResult};
use flagstaff_core::{Feature, FeatureKind, MultivariateOption, OptionId};
use std::collections::HashMap;

/// A weight to be written: an option and its percent, 0 to 100.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WeightChange {
    /// The option.
    pub option_id: OptionId,
    /// Percent, 0 to 100.
    pub percentage_allocation: f64,
}

/// The room that rounding may take: thirds as 33.333333 add up to less, sevenths to a little more.
const ROUNDING: f64 = 1e-6;

/// Checks that percentages lie between 0 and 100 and add up to at most 100.
pub(crate) fn check_percentages(
    field: &'static str,
    percentages: impl Iterator<Item = f64>,
) -> ServiceResult<()> {
    let mut sum = 0.0;
    for percentage in percentages {
        // Written so that NaN is refused too.
        if !(0.0..=100.0).contains(&percentage) {
            let problem = Problem::OutOfRange { min: 0, max: 100 };
            return Err(ServiceError::invalid(field, problem));
        }
        sum += percentage;
    }
    if exceeds_whole(sum) {
        return Err(ServiceError::invalid(field, Problem::PercentagesExceed));
    }
    Ok(())
}

/// True for percentages that add up to more than 100.
fn exceeds_whole(sum: f64) -> bool {
    sum > 100.0 + ROUNDING
}

/// The weights of every option of a feature after a change: options that are not named keep `present`.
pub(crate) fn weights_after(
    options: &[MultivariateOption],
    present: impl Fn(OptionId) -> f64,
    changes: &[WeightChange],
) -> ServiceResult<Vec<WeightChange>> {
    const FIELD: &str = "multivariate_feature_state_values";
    for change in changes {
        if !options.iter().any(|option| option.id == change.option_id) {
            let problem = Problem::ForeignOption(change.option_id.get());
            return Err(ServiceError::invalid(FIELD, problem));
        }
    }
    let weight = |option: &MultivariateOption| WeightChange {
        option_id: option.id,
        percentage_allocation: changes
            .iter()
            .rev()
            .find(|change| change.option_id == option.id)
            .map_or_else(|| present(option.id), |change| change.percentage_allocation),
    };
    let weights: Vec<_> = options.iter().map(weight).collect();
    check_percentages(
        FIELD,
        weights.iter().map(|weight| weight.percentage_allocation),
    )?;
    Ok(weights)
}

/// Weights name every option of a multivariate feature once, and leave something to the control value or nothing.
pub(crate) fn check_variants(
    feature: &Feature,
    options: &[MultivariateOption],
    weights: &[WeightChange],
) -> Result<(), Problem> {
    if feature.kind != FeatureKind::Multivariate {
        return Err(Problem::NotMultivariate);
    }
    let named: HashMap<_, f64> = weights
        .iter()
        .map(|weight| (weight.option_id, weight.percentage_allocation))
        .collect();
    let known = |id| options.iter().any(|option| option.id == id);
    if !named.keys().all(|id| known(*id)) {
        return Err(Problem::UnknownVariant);
    }
    if !options.iter().all(|option| named.contains_key(&option.id)) {
        return Err(Problem::VariantsIncomplete);
    }
    if exceeds_whole(named.values().sum()) {
        return Err(Problem::WeightsExceed);
    }
    Ok(())
}
