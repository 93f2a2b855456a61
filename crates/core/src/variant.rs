//! Multivariate options and their weights.

use crate::{FeatureId, OptionId, StateValue, VariantWeightId};
use uuid::Uuid;

/// One of the values a multivariate feature can take besides its control value.
#[derive(Debug, Clone, PartialEq)]
pub struct MultivariateOption {
    /// Row id.
    pub id: OptionId,
    /// Stable id across installations.
    pub uuid: Uuid,
    /// The feature it belongs to.
    pub feature_id: FeatureId,
    /// Name of the variant; `control` is reserved; unique within the feature.
    pub key: Option<String>,
    /// What a caller in this variant gets.
    pub value: StateValue,
    /// Percent a new environment starts with, 0 to 100.
    pub default_percentage_allocation: f64,
}

/// The weight of an option in one feature state.
#[derive(Debug, Clone, PartialEq)]
pub struct VariantWeight {
    /// Row id. Variants of a state are ordered by it.
    pub id: VariantWeightId,
    /// Stable id across installations.
    pub uuid: Uuid,
    /// The option.
    pub option_id: OptionId,
    /// Percent, 0 to 100.
    pub percentage_allocation: f64,
}
