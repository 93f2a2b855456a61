//! States of one feature under change: live ones where they are changed directly, or those of a version.

use crate::Service;
use crate::change::Told;
use crate::environments::EnvironmentPlace;
use crate::error::{Noun, Problem, ServiceError, ServiceResult, VersioningProblem};
use crate::feature_states::StatePatch;
use crate::override_order::write_order;
use crate::override_order::{make_room, move_link, priority_after};
use crate::rollouts::RolloutGuard;
use crate::segment_overrides::{OVERRIDE_LIMIT, SegmentOverrideRequest};
use crate::state_values::check_value_of;
use crate::versions::{VersionPlan, VersionUpdate};
use crate::weights::weights_after;
use flagstaff_core::{
    Feature, FeatureSegment, FeatureState, FeatureStateId, FeatureVersion, MultivariateOption,
    SegmentId, StateOwner, StateValue, Timestamp,
};
use flagstaff_store::{NewFeatureSegment, NewFeatureState, NewStateOwner, NewWeight, Write};
use uuid::Uuid;

/// A change of several states of one feature, in one transaction.
pub(crate) struct StateEdit<'a> {
    service: &'a Service,
    place: &'a EnvironmentPlace,
    feature: &'a Feature,
    /// The version they belong to; `None` where they stand for themselves.
    version: Option<FeatureVersion>,
    states: Vec<FeatureState>,
    /// The links of overrides, also of those that have no state yet.
    links: Vec<FeatureSegment>,
    options: Vec<MultivariateOption>,
    now: Timestamp,
    /// What a rollout manages.
    pub(crate) guard: RolloutGuard,
    pub(crate) write: Write,
    /// What was done to single states, in the words of the audit log.
    pub(crate) told: Vec<Told>,
}

impl<'a> StateEdit<'a> {
    /// Begins to edit the states of a version, which were just written or read in the turn of the write.
    pub(crate) async fn of_version(
        service: &'a Service,
        write: Write,
        (place, feature): (&'a EnvironmentPlace, &'a Feature),
        version: FeatureVersion,
        states: Vec<FeatureState>,
    ) -> ServiceResult<Self> {
        let links = states.iter().filter_map(|state| match &state.owner {
            StateOwner::Segment(link) => Some(link.clone()),
            StateOwner::Environment | StateOwner::Identity { .. } => None,
        });
        Ok(Self {
            links: links.collect(),
            options: service.store().options(feature.id).await?,
            now: service.now_in(place),
            guard: service
                .rollout_guard(place.environment.id, feature.id)
                .await?,
            version: Some(version),
            service,
            place,
            feature,
            states,
            write,
            told: Vec::new(),
        })
    }

    /// Begins to edit what is live, in an environment that is changed directly.
    pub(crate) async fn of_live(
        service: &'a Service,
        write: Write,
        (place, feature): (&'a EnvironmentPlace, &'a Feature),
    ) -> ServiceResult<Self> {
        let (store, now) = (service.store(), service.now_in(place));
        let environment = place.environment.id;
        let mut states = store.segment_states(environment, feature.id, now).await?;
        states.extend(store.default_state(environment, feature.id, now).await?);
        let mut links = store.feature_segments(environment, feature.id, now).await?;
        // The override of a rollout stands behind all others, and is none of theirs.
        let guard = service.rollout_guard(environment, feature.id).await?;
        links.retain(|link| !guard.manages(link.segment_id));
        Ok(Self {
            guard,
            links,
            options: store.options(feature.id).await?,
            version: None,
            service,
            place,
            feature,
            states,
            now,
            write,
            told: Vec::new(),
        })
    }

    /// Where the states are.
    pub(crate) const fn place(&self) -> &'a EnvironmentPlace {
        self.place
    }

    /// Whose states they are.
    pub(crate) const fn feature(&self) -> &'a Feature {
        self.feature
    }

    /// One of the states.
    pub(crate) fn state(&self, id: FeatureStateId) -> ServiceResult<FeatureState> {
        let found = self.states.iter().find(|state| state.id == id);
        found.cloned().ok_or(ServiceError::NotFound {
            noun: Noun::FeatureState,
        })
    }

    /// The environment's default.
    pub(crate) fn default_state(&self) -> ServiceResult<FeatureState> {
        let mut states = self.states.iter();
        let found = states.find(|state| state.owner == StateOwner::Environment);
        found.cloned().ok_or(ServiceError::NotFound {
            noun: Noun::FeatureState,
        })
    }

    /// The override for a segment; of two the stronger one.
    pub(crate) fn override_for(
        &self,
        segment: SegmentId,
    ) -> Option<(FeatureState, FeatureSegment)> {
        let of_segment = self.links.iter().filter(|link| link.segment_id == segment);
        let with_state = of_segment.filter_map(|link| {
            let mut states = self.states.iter();
            let is_its = |owner: &StateOwner| matches!(owner, StateOwner::Segment(known) if known.id == link.id);
            Some((states.find(|state| is_its(&state.owner))?, link))
        });
        let strongest = with_state.min_by_key(|(_, link)| (link.priority.is_none(), link.priority));
        strongest.map(|(state, link)| (state.clone(), link.clone()))
    }

    /// Changes one of the states.
    pub(crate) async fn change(
        &mut self,
        mut state: FeatureState,
        patch: StatePatch,
    ) -> ServiceResult<FeatureStateId> {
        self.guard.check_state(&state.owner)?;
        let before = state.clone();
        state.enabled = patch.enabled.unwrap_or(state.enabled);
        if let Some(change) = patch.value {
            change.apply(&mut state.value);
            let feature = self.feature;
            check_value_of(feature.name.as_str(), feature.value_type, &state.value)?;
        }
        let weights = patch.weights.unwrap_or_default();
        weights_after(&self.options, |option| before.weight_of(option), &weights)?;
        state.updated_at = self.service.clock().now().after(state.updated_at);
        self.write.update_feature_state(&state).await?;
        for weight in &weights {
            self.write
                .set_weight(state.id, weight.option_id, weight.percentage_allocation)
                .await?;
        }
        let told = self
            .service
            .told_of_changed_state(self.feature, &before, &state, &weights)
            .await?;
        self.told.extend(told);
        let id = state.id;
        if let Some(known) = self.states.iter_mut().find(|known| known.id == id) {
            *known = state;
        }
        Ok(id)
    }

    /// Moves an override to a priority; others give way.
    pub(crate) async fn prioritise(
        &mut self,
        link: &FeatureSegment,
        priority: Option<i64>,
    ) -> ServiceResult<()> {
        let Some(priority) = priority else {
            return Ok(());
        };
        let mut moved = self.links.clone();
        move_link(&mut moved, link.id, priority);
        self.reorder(moved).await
    }

    /// Gives an override a priority, wherever others stand.
    pub(crate) async fn put_at(
        &mut self,
        link: &FeatureSegment,
        priority: i64,
    ) -> ServiceResult<()> {
        let mut moved = self.links.clone();
        for known in moved.iter_mut().filter(|known| known.id == link.id) {
            known.priority = Some(priority);
        }
        self.reorder(moved).await
    }

    /// The links of overrides, also of those that have no state yet.
    pub(crate) fn links(&self) -> &[FeatureSegment] {
        &self.links
    }

    async fn reorder(&mut self, links: Vec<FeatureSegment>) -> ServiceResult<()> {
        self.guard.check_order(&self.links, &links)?;
        write_order(&mut self.write, &self.links, &links).await?;
        self.links = links;
        Ok(())
    }

    /// Adds an override for a segment that has none.
    pub(crate) async fn insert_new_override(
        &mut self,
        request: SegmentOverrideRequest,
    ) -> ServiceResult<FeatureStateId> {
        if self.override_for(request.segment_id).is_some() {
            return Err(self
                .segment_problem(request.segment_id, VersioningProblem::OverrideExists)
                .await?);
        }
        self.insert_override(request).await
    }

    /// Adds an override.
    pub(crate) async fn insert_override(
        &mut self,
        request: SegmentOverrideRequest,
    ) -> ServiceResult<FeatureStateId> {
        self.service
            .check_segment(self.place, self.feature, request.segment_id)
            .await?;
        self.guard.check_override(request.segment_id)?;
        let default = self.default_state().ok();
        // The recorded server fills the columns that are not named from the feature's initial value.
        let mut value = StateValue::typed_by_content(self.feature.initial_value.as_deref());
        request.value.apply(&mut value);
        let feature = self.feature;
        check_value_of(feature.name.as_str(), feature.value_type, &value)?;
        let present = |option| {
            let default = default.as_ref();
            default.map_or(0.0, |default| default.weight_of(option))
        };
        let weights = weights_after(&self.options, present, &request.weights)?;
        let link = self
            .insert_link(request.segment_id, request.priority)
            .await?;
        let new = NewFeatureState {
            uuid: Uuid::new_v4(),
            feature_id: self.feature.id,
            environment_id: self.place.environment.id,
            owner: NewStateOwner::Segment(link.id),
            version: 1,
            enabled: request.enabled,
            value,
            hash_seed: None,
            weights: weights
                .iter()
                .map(|weight| NewWeight::from((weight.option_id, weight.percentage_allocation)))
                .collect(),
            live_from: self.now,
        };
        let state = match &self.version {
            Some(version) => {
                let version = version.id;
                self.write
                    .insert_version_state(&new, version, self.now)
                    .await?
            }
            None => self.write.insert_feature_state(&new, self.now).await?,
        };
        let told = self.service.told_of_new_state(self.feature, &state);
        self.told.push(told.await?);
        let id = state.id;
        self.states.push(state);
        Ok(id)
    }

    async fn insert_link(
        &mut self,
        segment_id: SegmentId,
        priority: Option<i64>,
    ) -> ServiceResult<FeatureSegment> {
        if self.links.len() >= OVERRIDE_LIMIT {
            let problem = Problem::OverridesExceed;
            return Err(ServiceError::invalid("environment", problem));
        }
        let priority = priority.unwrap_or_else(|| priority_after(&self.links));
        let mut moved = self.links.clone();
        make_room(&mut moved, priority);
        self.reorder(moved).await?;
        let new = NewFeatureSegment {
            uuid: Uuid::new_v4(),
            feature_id: self.feature.id,
            segment_id,
            environment_id: self.place.environment.id,
            priority: Some(priority),
        };
        let link = match &self.version {
            Some(version) => {
                self.write
                    .insert_version_link(&new, version.id, self.now)
                    .await?
            }
            None => self.write.insert_feature_segment(&new, self.now).await?,
        };
        self.links.push(link.clone());
        Ok(link)
    }

    /// Takes every override for a segment away; answers whether there was one.
    pub(crate) async fn delete_override(&mut self, segment: SegmentId) -> ServiceResult<bool> {
        let mut is_deleted = false;
        while let Some((state, link)) = self.override_for(segment) {
            self.guard.check_override(segment)?;
            self.write.delete_feature_segment(link.id, self.now).await?;
            // The others keep their priorities, as recorded of every route that deletes by segment.
            self.links.retain(|known| known.id != link.id);
            let told = self.service.told_of_deleted_state(self.feature, &state);
            self.told.push(told.await?);
            self.states.retain(|known| known.id != state.id);
            is_deleted = true;
        }
        Ok(is_deleted)
    }

    /// What is to be said of an override for a segment that is there, or is not.
    pub(crate) async fn segment_problem(
        &self,
        segment: SegmentId,
        problem: fn(String) -> VersioningProblem,
    ) -> ServiceResult<ServiceError> {
        let name = self.service.store().segment(segment).await?;
        let name = name.map_or_else(|| segment.to_string(), |segment| segment.name);
        Ok(ServiceError::Versioning(problem(name)))
    }
}

/// Adds, changes and takes away, in this order: what is added must not be there yet.
pub(crate) async fn carry_out(edit: &mut StateEdit<'_>, plan: VersionPlan) -> ServiceResult<()> {
    for request in plan.created {
        edit.insert_new_override(request).await?;
    }
    for VersionUpdate {
        segment_id,
        priority,
        patch,
    } in plan.updated
    {
        let Some(segment) = segment_id else {
            edit.change(edit.default_state()?, patch).await?;
            continue;
        };
        let Some((state, link)) = edit.override_for(segment) else {
            return Err(edit
                .segment_problem(segment, VersioningProblem::OverrideMissing)
                .await?);
        };
        edit.change(state, patch).await?;
        edit.prioritise(&link, priority).await?;
    }
    for segment in plan.deleted {
        edit.delete_override(segment).await?;
    }
    Ok(())
}
