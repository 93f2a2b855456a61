//! Overrides of a feature for a segment.

use crate::environments::EnvironmentPlace;
use crate::error::{Problem, ServiceError, ServiceResult};
use crate::feature_states::ValueChange;
use crate::version_edits::StateEdit;
use crate::weights::WeightChange;
use crate::{Caller, Service};
use flagstaff_core::{EnvironmentPermission, Feature, FeatureId, FeatureState, SegmentId};

/// Overrides one environment may hold.
pub const OVERRIDE_LIMIT: usize = 20_000;

/// An override to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct SegmentOverrideRequest {
    /// For whom.
    pub segment_id: SegmentId,
    /// Lower is stronger; `None` puts it last.
    pub priority: Option<i64>,
    /// On or off.
    pub enabled: bool,
    /// Its value; columns it does not name start as the feature's initial value has them.
    pub value: ValueChange,
    /// Weights; options not named start at the environment's weight.
    pub weights: Vec<WeightChange>,
}

impl Service {
    /// Makes an override of a feature for a segment.
    ///
    /// # Errors
    /// As [`Service::environment`] and [`Service::feature`]; a segment that is unknown or belongs to another
    /// feature; invalid values or weights.
    pub async fn create_segment_override(
        &self,
        caller: &Caller,
        api_key: &str,
        feature: FeatureId,
        request: SegmentOverrideRequest,
    ) -> ServiceResult<FeatureState> {
        let managing = EnvironmentPermission::ManageSegmentOverrides;
        let place = self.environment_for(caller, api_key, managing).await?;
        let feature = self.feature_in(&place.project, feature).await?;
        self.insert_segment_override(Some(caller), &place, &feature, request)
            .await
    }

    pub(crate) async fn insert_segment_override(
        &self,
        caller: Option<&Caller>,
        place: &EnvironmentPlace,
        feature: &Feature,
        request: SegmentOverrideRequest,
    ) -> ServiceResult<FeatureState> {
        // In turn from here: what is read now is what the change is made to.
        let write = self.store().write().await?;
        self.require_direct_changes(place).await?;
        let mut edit = StateEdit::of_live(self, write, (place, feature)).await?;
        let id = edit.insert_override(request).await?;
        self.finish_all(edit.write, caller, place.subject(), edit.told)
            .await?;
        self.state_in(place, id).await
    }

    pub(crate) async fn check_segment(
        &self,
        place: &EnvironmentPlace,
        feature: &Feature,
        id: SegmentId,
    ) -> ServiceResult<()> {
        let unknown = || ServiceError::invalid("segment", Problem::UnknownId(id.get()));
        let segment = self.segment_in(&place.project, id).await;
        let segment = segment.map_err(|error| match error {
            ServiceError::NotFound { .. } => unknown(),
            other => other,
        })?;
        match segment.feature_id {
            Some(owner) if owner != feature.id => Err(ServiceError::invalid(
                "feature",
                Problem::SegmentOfAnotherFeature(owner),
            )),
            Some(_) | None => Ok(()),
        }
    }
}
