//! Feature states by their own ids: whichever environment they are in, and whomever they belong to.

use crate::environments::EnvironmentPlace;
use crate::error::{Noun, Problem, ServiceError, ServiceResult};
use crate::feature_states::{StatePatch, StateQuery, ValueChange};
use crate::identity_overrides::IdentityOverrideRequest;
use crate::state_values::check_value_of;
use crate::weights::{WeightChange, weights_after};
use crate::{Caller, Service};
use flagstaff_core::{
    EnvironmentId, EnvironmentPermission, Feature, FeatureId, FeatureSegmentId, FeatureState,
    FeatureStateId, Identity, IdentityId, OptionId, ProjectPermission, StateOwner, StateValue,
};
use flagstaff_store::{
    IdentitySearch, NewFeatureState, NewStateOwner, NewWeight, Page, PageRequest,
};
use uuid::Uuid;

/// An identity, as a body names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StateIdentity {
    /// By its row id.
    Id(IdentityId),
    /// By its identifier.
    Identifier(String),
}

/// A state to be made: the default where neither a link nor an identity is named.
#[derive(Debug, Clone, PartialEq)]
pub struct NewStateRequest {
    /// The feature.
    pub feature_id: FeatureId,
    /// The link of the segment that it overrides the feature for.
    pub feature_segment: Option<FeatureSegmentId>,
    /// The identity that it overrides the feature for.
    pub identity: Option<StateIdentity>,
    /// On or off.
    pub enabled: bool,
    /// Its value; columns it does not name start as the feature's initial value has them.
    pub value: Option<ValueChange>,
    /// Weights; options not named start at the environment's weight, or at their own.
    pub weights: Vec<WeightChange>,
}

/// Where a state is, as a body says it: none of it can change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StatePlaces {
    /// The feature.
    pub feature: Option<FeatureId>,
    /// The environment.
    pub environment: Option<EnvironmentId>,
    /// The link of its segment; `Some(None)` says that there is none.
    pub feature_segment: Option<Option<FeatureSegmentId>>,
    /// Its identity; `Some(None)` says that there is none.
    pub identity: Option<Option<IdentityId>>,
}

impl Service {
    /// Live states of an environment.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`] where there is no such environment, or the caller may not see it.
    pub async fn feature_states_of(
        &self,
        caller: &Caller,
        environment: EnvironmentId,
        query: StateQuery,
        page: PageRequest,
    ) -> ServiceResult<Page<FeatureState>> {
        let viewing = EnvironmentPermission::ViewEnvironment;
        let place = self.environment_by_id(caller, environment, viewing).await;
        let place = place.map_err(ServiceError::hidden)?;
        self.states_in(&place, query, page).await
    }

    /// One state by its stable id.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] unless the caller may see its project.
    pub async fn feature_state_by_uuid(
        &self,
        caller: &Caller,
        uuid: Uuid,
    ) -> ServiceResult<FeatureState> {
        let noun = Noun::FeatureState;
        let state = self.store().feature_state_by_uuid(uuid).await?;
        let state = state.ok_or(ServiceError::NotFound { noun })?;
        let environment = self.store().environment(state.environment_id).await?;
        let environment = environment.ok_or(ServiceError::NotFound { noun })?;
        let viewing = ProjectPermission::ViewProject;
        self.project_for(caller, environment.project_id, viewing)
            .await
            .map_err(|error| error.about(noun))?;
        Ok(state)
    }

    /// Makes a state by the id of its environment.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`] where there is no such environment, or the caller may not change such states in it;
    /// a feature, link or identity of elsewhere; [`ServiceError::Conflict`] when there is such a state already; invalid
    /// values or weights.
    pub async fn create_feature_state(
        &self,
        caller: &Caller,
        environment: EnvironmentId,
        request: NewStateRequest,
    ) -> ServiceResult<FeatureState> {
        let changing = match request.feature_segment {
            Some(_) => EnvironmentPermission::ManageSegmentOverrides,
            None => EnvironmentPermission::UpdateFeatureState,
        };
        let place = self.environment_by_id(caller, environment, changing).await;
        let place = place.map_err(ServiceError::hidden)?;
        self.insert_state(caller, &place, request).await
    }

    /// Makes a state by the key of its environment.
    ///
    /// # Errors
    /// As [`Service::create_feature_state`]; [`ServiceError::NotFound`] for an environment that the caller may not see.
    pub async fn create_environment_state(
        &self,
        caller: &Caller,
        api_key: &str,
        request: NewStateRequest,
    ) -> ServiceResult<FeatureState> {
        let changing = EnvironmentPermission::UpdateFeatureState;
        let place = self.environment_for(caller, api_key, changing).await?;
        self.insert_state(caller, &place, request).await
    }

    /// Changes a state in place.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] unless the caller may see its environment, [`ServiceError::Forbidden`] unless they may
    /// change it; a place that it is not in; invalid values or weights.
    pub async fn update_feature_state_row(
        &self,
        caller: &Caller,
        id: FeatureStateId,
        places: StatePlaces,
        patch: StatePatch,
    ) -> ServiceResult<FeatureState> {
        let noun = Noun::FeatureState;
        let state = self.store().feature_state(id).await?;
        let state = state.ok_or(ServiceError::NotFound { noun })?;
        let changing = match state.owner {
            StateOwner::Segment(_) => EnvironmentPermission::ManageSegmentOverrides,
            StateOwner::Environment | StateOwner::Identity { .. } => {
                EnvironmentPermission::UpdateFeatureState
            }
        };
        let place = self
            .environment_by_id(caller, state.environment_id, changing)
            .await
            .map_err(|error| error.about(noun))?;
        check_places(&state, places)?;
        self.change_state(caller, &place, id, patch).await
    }

    async fn insert_state(
        &self,
        caller: &Caller,
        place: &EnvironmentPlace,
        request: NewStateRequest,
    ) -> ServiceResult<FeatureState> {
        let feature = self.feature_in(&place.project, request.feature_id).await;
        let feature = feature.map_err(|error| match error {
            ServiceError::NotFound { .. } => ServiceError::invalid(
                "feature",
                Problem::FeatureOfAnotherProject(request.feature_id),
            ),
            other => other,
        })?;
        match (request.feature_segment, &request.identity) {
            (Some(_), Some(_)) => Err(ServiceError::invalid("identity", Problem::TwoOwners)),
            (Some(link), None) => {
                self.check_link(place, &feature, link).await?;
                let owner = NewStateOwner::Segment(link);
                self.insert_owned_state(caller, place, &feature, owner, request)
                    .await
            }
            (None, None) => {
                let owner = NewStateOwner::Environment;
                self.insert_owned_state(caller, place, &feature, owner, request)
                    .await
            }
            (None, Some(identity)) => {
                let identity = self.named_identity(place, identity).await?;
                let request = IdentityOverrideRequest {
                    feature_id: feature.id,
                    enabled: request.enabled,
                    value: request.value,
                    weights: request.weights,
                };
                self.insert_identity_override(Some(caller), place, &identity, &feature, request)
                    .await
            }
        }
    }

    async fn insert_owned_state(
        &self,
        caller: &Caller,
        place: &EnvironmentPlace,
        feature: &Feature,
        owner: NewStateOwner,
        request: NewStateRequest,
    ) -> ServiceResult<FeatureState> {
        // In turn from here: what is read now is what the change is made to.
        let mut write = self.store().write().await?;
        self.require_direct_changes(place).await?;
        self.require_free_owner(place, feature, owner).await?;
        let now = self.clock().now();
        let mut value = if place.project.prevent_flag_defaults {
            StateValue::default()
        } else {
            StateValue::typed_by_content(feature.initial_value.as_deref())
        };
        if let Some(change) = request.value {
            change.apply(&mut value);
        }
        check_value_of(feature.name.as_str(), feature.value_type, &value)?;
        let environment = place.environment.id;
        let default = self
            .store()
            .default_state(environment, feature.id, now)
            .await?;
        let options = self.store().options(feature.id).await?;
        let present = |id: OptionId| match &default {
            Some(default) => default.weight_of(id),
            None => options
                .iter()
                .find(|option| option.id == id)
                .map_or(0.0, |option| option.default_percentage_allocation),
        };
        let weights = weights_after(&options, present, &request.weights)?;
        let new = NewFeatureState {
            uuid: Uuid::new_v4(),
            feature_id: feature.id,
            environment_id: environment,
            owner,
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
        let state = write.insert_feature_state(&new, now).await?;
        let told = self.told_of_new_state(feature, &state).await?;
        self.finish(write, Some(caller), place.subject(), told)
            .await?;
        Ok(state)
    }

    /// Passes owners whose state no rollout manages.
    async fn require_free_owner(
        &self,
        place: &EnvironmentPlace,
        feature: &Feature,
        owner: NewStateOwner,
    ) -> ServiceResult<()> {
        let guard = self.rollout_guard(place.environment.id, feature.id).await?;
        match owner {
            NewStateOwner::Environment => guard.check_state(&StateOwner::Environment),
            NewStateOwner::Segment(link) => match self.store().feature_segment(link).await? {
                Some(link) => guard.check_override(link.segment_id),
                None => Ok(()),
            },
            NewStateOwner::Identity(_) => Ok(()),
        }
    }

    /// Passes links of the feature in this environment.
    async fn check_link(
        &self,
        place: &EnvironmentPlace,
        feature: &Feature,
        id: FeatureSegmentId,
    ) -> ServiceResult<()> {
        let field = "feature_segment";
        let unknown = || ServiceError::invalid(field, Problem::UnknownId(id.get()));
        let link = self.store().feature_segment(id).await?;
        let link = link.ok_or_else(unknown)?;
        if link.environment_id != place.environment.id || link.feature_id != feature.id {
            return Err(ServiceError::invalid(field, Problem::LinkElsewhere));
        }
        Ok(())
    }

    async fn named_identity(
        &self,
        place: &EnvironmentPlace,
        named: &StateIdentity,
    ) -> ServiceResult<Identity> {
        match named {
            StateIdentity::Id(id) => {
                let identity = self.identity_in(place, *id).await;
                identity.map_err(|error| match error {
                    ServiceError::NotFound { .. } => {
                        ServiceError::invalid("identity", Problem::IdentityElsewhere)
                    }
                    other => other,
                })
            }
            StateIdentity::Identifier(text) => {
                let unknown = || ServiceError::invalid("identifier", Problem::UnknownIdentifier);
                let search = IdentitySearch::Exactly(text.clone());
                let mut found = self
                    .store()
                    .identities(place.environment.id, &search, PageRequest::first())
                    .await?;
                found.items.pop().ok_or_else(unknown)
            }
        }
    }
}

fn check_places(state: &FeatureState, places: StatePlaces) -> ServiceResult<()> {
    let (link, identity) = match &state.owner {
        StateOwner::Environment => (None, None),
        StateOwner::Segment(link) => (Some(link.id), None),
        StateOwner::Identity { id, .. } => (None, Some(*id)),
    };
    let is_elsewhere = [
        (
            "feature",
            places.feature.is_some_and(|id| id != state.feature_id),
        ),
        (
            "environment",
            places
                .environment
                .is_some_and(|id| id != state.environment_id),
        ),
        (
            "feature_segment",
            places.feature_segment.is_some_and(|id| id != link),
        ),
        ("identity", places.identity.is_some_and(|id| id != identity)),
    ];
    for (field, differs) in is_elsewhere {
        if differs {
            return Err(ServiceError::invalid(field, Problem::Fixed));
        }
    }
    Ok(())
}
