//! Versions of a feature in an environment where features change by published versions only.

use crate::{EnvironmentId, FeatureId, FeatureVersionId, MemberId, Timestamp};
use uuid::Uuid;

/// All defaults and segment overrides of a feature in one environment, which become true together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeatureVersion {
    /// Row id; grows with every version that is made.
    pub id: FeatureVersionId,
    /// Stable id across installations.
    pub uuid: Uuid,
    /// The environment.
    pub environment_id: EnvironmentId,
    /// The feature.
    pub feature_id: FeatureId,
    /// Free text.
    pub description: Option<String>,
    /// Who made it; `None` for the product itself or a program.
    pub created_by: Option<MemberId>,
    /// Who published it; `None` for a draft, for the product itself or a program.
    pub published_by: Option<MemberId>,
    /// When it was published; `None` for a draft.
    pub published_at: Option<Timestamp>,
    /// When it becomes true once it is published; `None` for a draft without a plan.
    pub live_from: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl FeatureVersion {
    /// False for a draft, whose states can still change.
    #[must_use]
    pub const fn is_published(&self) -> bool {
        self.published_at.is_some()
    }

    /// True once its time has come, also when a later version has replaced it.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.is_published() && self.live_from.is_some_and(|live_from| live_from <= now)
    }
}
