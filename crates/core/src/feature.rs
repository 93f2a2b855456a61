//! Features and their states.

use crate::{
    EnvironmentId, FeatureId, FeatureName, FeatureSegmentId, FeatureStateId, Hash, IdentityId,
    OptionId, ProjectId, SegmentId, StateValue, Timestamp, ValueType, VariantWeight,
};
use std::sync::Arc;
use uuid::Uuid;

/// Whether a feature has variants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum FeatureKind {
    /// One value for everybody in an audience.
    #[default]
    Standard,
    /// A control value and weighted options.
    Multivariate,
}

/// A feature of a project: the definition, not its state in an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feature {
    /// Row id.
    pub id: FeatureId,
    /// Stable id across installations.
    pub uuid: Uuid,
    /// The project it belongs to.
    pub project_id: ProjectId,
    /// Unique within the project without regard to case.
    pub name: FeatureName,
    /// Changes by itself when the first option comes or the last one goes.
    pub kind: FeatureKind,
    /// Whether it starts enabled in a new environment.
    pub default_enabled: bool,
    /// The value it starts with, as text.
    pub initial_value: Option<String>,
    /// Free text.
    pub description: Option<String>,
    /// Still served; hidden by dashboards.
    pub is_archived: bool,
    /// True: never shown to a client-side key.
    pub is_server_key_only: bool,
    /// What places identities among its variants; `None`: as the environment has it.
    pub hash: Option<Hash>,
    /// What kind of values it has.
    pub value_type: ValueType,
    /// The first microsecond (UTC) of the day by which it is expected to be gone from the code.
    pub expected_removal: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Whose state it is: everybody's in the environment, a segment's or an identity's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StateOwner {
    /// The environment's default.
    Environment,
    /// An override for a segment.
    Segment(FeatureSegment),
    /// An override for one identity.
    Identity {
        /// Row id of the identity.
        id: IdentityId,
        /// Its identifier.
        identifier: Arc<str>,
    },
}

/// The link between a feature and a segment in an environment: it holds the override's priority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeatureSegment {
    /// Row id.
    pub id: FeatureSegmentId,
    /// Stable id across installations.
    pub uuid: Uuid,
    /// The feature.
    pub feature_id: FeatureId,
    /// The segment.
    pub segment_id: SegmentId,
    /// The environment.
    pub environment_id: EnvironmentId,
    /// Lower is stronger; `None` is weakest.
    pub priority: Option<i64>,
}

/// Enabled and value of a feature in one environment, or for one override.
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureState {
    /// Row id.
    pub id: FeatureStateId,
    /// Stable id across installations.
    pub uuid: Uuid,
    /// The feature.
    pub feature_id: FeatureId,
    /// The environment.
    pub environment_id: EnvironmentId,
    /// Whose state it is.
    pub owner: StateOwner,
    /// On or off.
    pub enabled: bool,
    /// Its value, the control value of a multivariate feature.
    pub value: StateValue,
    /// What variants are hashed by; carried along by copies, so that nobody changes variant.
    /// Decimal digits go out as `django_id`.
    pub hash_seed: Arc<str>,
    /// Weights of the options, in order of their ids.
    pub weights: Vec<VariantWeight>,
    /// Version of the state among those with the same owner; `None` for a draft.
    pub version: Option<i64>,
    /// When it becomes true; `None` never (a draft), or when its feature version does.
    pub live_from: Option<Timestamp>,
    /// Stable id of the feature version it belongs to, where features change by published versions.
    pub feature_version: Option<Uuid>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl FeatureState {
    /// Percent of an option, 0 to 100; an option without a weight has none.
    #[must_use]
    pub fn weight_of(&self, option: OptionId) -> f64 {
        let mut weights = self.weights.iter();
        let weight = weights.find(|weight| weight.option_id == option);
        weight.map_or(0.0, |weight| weight.percentage_allocation)
    }
}
