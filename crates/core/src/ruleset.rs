//! What evaluation reads: features, segments and overrides of one environment, compiled.

use crate::segment::Rule;
use crate::{FeatureSegmentId, FeatureStateId, IdentityId, Value};
use std::collections::HashMap;
use std::sync::Arc;

/// Rows a state came from; all `None` where it came from a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StateIds {
    /// The feature state.
    pub state: Option<FeatureStateId>,
    /// The link that makes it a segment's override.
    pub feature_segment: Option<FeatureSegmentId>,
    /// The identity it overrides for.
    pub identity: Option<IdentityId>,
}

/// One of the weighted values of a state.
#[derive(Debug, Clone, PartialEq)]
pub struct Variant {
    /// Its name, when it has one.
    pub key: Option<Arc<str>>,
    /// What a caller in this variant gets.
    pub value: Value,
    /// Percent, 0 to 100.
    pub weight: f64,
    /// The weight as it was given: reasons repeat it (`30` and `30.0` are told apart).
    pub weight_text: Arc<str>,
}

/// Enabled, value and variants of a feature, by default or as an override.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FlagState {
    /// Where it is stored.
    pub ids: StateIds,
    /// On or off.
    pub enabled: bool,
    /// Its value; the control value when there are variants.
    pub value: Value,
    /// What variants are hashed by.
    pub seed: Arc<str>,
    /// In the order in which the buckets are laid out.
    pub variants: Box<[Variant]>,
}

/// A feature with its default in the environment.
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureRules {
    /// The feature's name.
    pub name: Arc<str>,
    /// The environment's default.
    pub state: FlagState,
}

/// An override that holds for a segment.
#[derive(Debug, Clone, PartialEq)]
pub struct SegmentOverride {
    /// Name of the feature it overrides.
    pub feature: Arc<str>,
    /// Lower is stronger; missing is weakest. Negative infinity is stronger than any number.
    pub priority: Option<f64>,
    /// What holds instead of the environment's default.
    pub state: FlagState,
}
