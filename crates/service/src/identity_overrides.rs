//! Overrides of a feature for one identity.

use crate::environments::EnvironmentPlace;
use crate::error::{Noun, ServiceError, ServiceResult};
use crate::feature_states::{StatePatch, ValueChange};
use crate::state_values::check_value_of;
use crate::weights::{WeightChange, weights_after};
use crate::{Caller, Service};
use flagstaff_core::{
    EnvironmentPermission, Feature, FeatureId, FeatureState, FeatureStateId, Identity, IdentityId,
    StateOwner, StateValue,
};
use flagstaff_store::{NewFeatureState, NewStateOwner, NewWeight};
use std::sync::Arc;
use uuid::Uuid;

/// An override to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct IdentityOverrideRequest {
    /// Of which feature.
    pub feature_id: FeatureId,
    /// On or off.
    pub enabled: bool,
    /// Its value; `None` is the feature's initial value.
    pub value: Option<ValueChange>,
    /// Weights of options; those not named have none.
    pub weights: Vec<WeightChange>,
}

impl Service {
    /// The overrides of an identity.
    ///
    /// # Errors
    /// As [`Service::identity`].
    pub async fn identity_overrides(
        &self,
        caller: &Caller,
        api_key: &str,
        identity: IdentityId,
    ) -> ServiceResult<(Identity, Vec<FeatureState>)> {
        let place = self.visible_environment(caller, api_key).await?;
        let identity = self.identity_in(&place, identity).await?;
        let states = self
            .store()
            .identity_states(place.environment.id, identity.id, self.clock().now())
            .await?;
        Ok((identity, states))
    }

    /// One override of an identity.
    ///
    /// # Errors
    /// As [`Service::identity`], and [`ServiceError::NotFound`] when the identity has no such override.
    pub async fn identity_override(
        &self,
        caller: &Caller,
        api_key: &str,
        identity: IdentityId,
        id: FeatureStateId,
    ) -> ServiceResult<FeatureState> {
        let place = self.visible_environment(caller, api_key).await?;
        self.override_in(&place, identity, id).await
    }

    /// Makes an override of a feature for an identity.
    ///
    /// # Errors
    /// As [`Service::identity`]; [`ServiceError::Forbidden`] for a feature of another project;
    /// [`ServiceError::Conflict`] when there is one already; invalid values or weights.
    pub async fn create_identity_override(
        &self,
        caller: &Caller,
        api_key: &str,
        identity: IdentityId,
        request: IdentityOverrideRequest,
    ) -> ServiceResult<FeatureState> {
        let permission = EnvironmentPermission::UpdateFeatureState;
        let place = self.environment_for(caller, api_key, permission).await?;
        let identity = self.identity_in(&place, identity).await?;
        let feature = self.feature_in(&place.project, request.feature_id).await;
        // The recorded server looks for the permission on the feature first.
        let feature = feature.map_err(|error| match error {
            ServiceError::NotFound { .. } => ServiceError::Forbidden,
            other => other,
        })?;
        self.insert_identity_override(Some(caller), &place, &identity, &feature, request)
            .await
    }

    pub(crate) async fn insert_identity_override(
        &self,
        caller: Option<&Caller>,
        place: &EnvironmentPlace,
        identity: &Identity,
        feature: &Feature,
        request: IdentityOverrideRequest,
    ) -> ServiceResult<FeatureState> {
        let mut value = StateValue::typed_by_content(feature.initial_value.as_deref());
        if let Some(change) = request.value {
            change.apply(&mut value);
        }
        check_value_of(feature.name.as_str(), feature.value_type, &value)?;
        let options = self.store().options(feature.id).await?;
        let mut weights = weights_after(&options, |_| 0.0, &request.weights)?;
        weights.retain(|weight| {
            let mut named = request.weights.iter().map(|named| named.option_id);
            named.any(|option| option == weight.option_id)
        });
        let now = self.clock().now();
        let new_state = NewFeatureState {
            uuid: Uuid::new_v4(),
            feature_id: feature.id,
            environment_id: place.environment.id,
            owner: NewStateOwner::Identity(identity.id),
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
        let mut write = self.store().write().await?;
        let state = write.insert_feature_state(&new_state, now).await?;
        let told = self.told_of_new_state(feature, &state).await?;
        let subject = place
            .subject()
            .with_identity(Arc::clone(&identity.identifier));
        self.finish(write, caller, subject, told).await?;
        Ok(state)
    }

    /// Changes an override.
    ///
    /// # Errors
    /// As [`Service::identity_override`], and invalid values or weights.
    pub async fn update_identity_override(
        &self,
        caller: &Caller,
        api_key: &str,
        identity: IdentityId,
        id: FeatureStateId,
        patch: StatePatch,
    ) -> ServiceResult<FeatureState> {
        let permission = EnvironmentPermission::UpdateFeatureState;
        let place = self.environment_for(caller, api_key, permission).await?;
        self.override_in(&place, identity, id).await?;
        self.change_state(caller, &place, id, patch).await
    }

    /// Takes an override away.
    ///
    /// # Errors
    /// As [`Service::identity_override`].
    pub async fn delete_identity_override(
        &self,
        caller: &Caller,
        api_key: &str,
        identity: IdentityId,
        id: FeatureStateId,
    ) -> ServiceResult<()> {
        let permission = EnvironmentPermission::UpdateFeatureState;
        let place = self.environment_for(caller, api_key, permission).await?;
        let state = self.override_in(&place, identity, id).await?;
        let feature = self.feature_in(&place.project, state.feature_id).await?;
        let mut write = self.store().write().await?;
        write.delete_feature_state(id, self.clock().now()).await?;
        let told = self.told_of_deleted_state(&feature, &state).await?;
        let mut subject = place.subject();
        if let StateOwner::Identity { identifier, .. } = &state.owner {
            subject = subject.with_identity(Arc::clone(identifier));
        }
        self.finish(write, Some(caller), subject, told).await
    }

    async fn override_in(
        &self,
        place: &EnvironmentPlace,
        identity: IdentityId,
        id: FeatureStateId,
    ) -> ServiceResult<FeatureState> {
        let state = self.state_in(place, id).await?;
        match &state.owner {
            StateOwner::Identity { id, .. } if *id == identity => Ok(state),
            StateOwner::Identity { .. } | StateOwner::Environment | StateOwner::Segment(_) => {
                Err(ServiceError::NotFound {
                    noun: Noun::FeatureState,
                })
            }
        }
    }
}
