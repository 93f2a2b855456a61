//! Overrides of a feature for a segment.

use crate::change::Told;
use crate::environments::EnvironmentPlace;
use crate::error::{Noun, Problem, ServiceError, ServiceResult};
use crate::feature_segments::write_order;
use crate::feature_states::ValueChange;
use crate::override_order::{make_room, priority_after};
use crate::state_values::check_value;
use crate::weights::{WeightChange, weights_after};
use crate::{Caller, Service};
use flagstaff_core::{
    EnvironmentPermission, Feature, FeatureId, FeatureState, SegmentId, StateValue,
};
use flagstaff_store::{NewFeatureSegment, NewFeatureState, NewStateOwner, NewWeight};
use uuid::Uuid;

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
        self.check_segment(place, feature, request.segment_id)
            .await?;
        // In turn from here: what is read now is what the change is made to.
        let mut write = self.store().write().await?;
        let now = self.clock().now();
        let environment = place.environment.id;
        let default = self
            .store()
            .default_state(environment, feature.id, now)
            .await?;
        // The recorded server fills the columns that are not named from the feature's initial value.
        let mut value = StateValue::typed_by_content(feature.initial_value.as_deref());
        request.value.apply(&mut value);
        check_value(&value)?;
        let options = self.store().options(feature.id).await?;
        let present = |option| {
            let weights = default.iter().flat_map(|default| &default.weights);
            let weight = weights
                .into_iter()
                .find(|weight| weight.option_id == option);
            weight.map_or(0.0, |weight| weight.percentage_allocation)
        };
        let weights = weights_after(&options, present, &request.weights)?;
        let links = self
            .store()
            .feature_segments(environment, feature.id)
            .await?;
        if links.len() >= OVERRIDE_LIMIT {
            let problem = Problem::OverridesExceed;
            return Err(ServiceError::invalid("environment", problem));
        }
        let priority = request.priority.unwrap_or_else(|| priority_after(&links));
        let mut moved = links.clone();
        make_room(&mut moved, priority);
        write_order(&mut write, &links, &moved).await?;
        let link = NewFeatureSegment {
            uuid: Uuid::new_v4(),
            feature_id: feature.id,
            segment_id: request.segment_id,
            environment_id: environment,
            priority: Some(priority),
        };
        let link = write.insert_feature_segment(&link, now).await?;
        let new_state = NewFeatureState {
            uuid: Uuid::new_v4(),
            feature_id: feature.id,
            environment_id: environment,
            owner: NewStateOwner::Segment(link.id),
            version: 1,
            enabled: request.enabled,
            value,
            hash_seed: None,
            weights: weights
                .iter()
                .map(|weight| NewWeight::from((weight.option_id, weight.percentage_allocation)))
                .collect(),
            live_from: now,
        };
        let state = write.insert_feature_state(&new_state, now).await?;
        let told = Told::created(Noun::FeatureState, state.id.get(), state.uuid)
            .saying(self.state_summary(feature, &state, "created").await?);
        self.finish(write, caller, place.subject(), told).await?;
        Ok(state)
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
