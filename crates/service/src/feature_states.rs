//! Feature states: defaults of an environment and how values and weights change.

use crate::environments::EnvironmentPlace;
use crate::error::{Noun, ServiceError, ServiceResult, VersioningProblem};
use crate::state_values::check_value_of;
use crate::weights::{WeightChange, weights_after};
use crate::{Caller, Service};
use flagstaff_core::{
    EnvironmentPermission, FeatureId, FeatureSegmentId, FeatureState, FeatureStateId, StateOwner,
    StateValue, ValueKind,
};
use flagstaff_store::{Page, PageRequest, StateFilter, StateOwners};

/// A new value for a state; the columns it does not name keep what they held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValueChange {
    /// Text, or no value.
    Text(Option<String>),
    /// A 32-bit integer.
    Integer(i64),
    /// True or false.
    Boolean(bool),
    /// Any of the columns, and which one counts.
    Columns {
        /// The column that counts from now on.
        kind: Option<ValueKind>,
        /// `Some(None)` empties the column.
        text: Option<Option<String>>,
        /// `Some(None)` empties the column.
        integer: Option<Option<i64>>,
        /// `Some(None)` empties the column.
        boolean: Option<Option<bool>>,
    },
}

impl ValueChange {
    /// The value becomes exactly this one: the columns that do not count, too.
    #[must_use]
    pub fn exactly(value: &StateValue) -> Self {
        Self::Columns {
            kind: Some(value.kind),
            text: Some(value.text.clone()),
            integer: Some(value.integer),
            boolean: Some(value.boolean),
        }
    }

    /// Makes the change.
    pub fn apply(self, value: &mut StateValue) {
        match self {
            Self::Text(text) => {
                value.kind = ValueKind::Text;
                value.text = text;
            }
            Self::Integer(integer) => {
                value.kind = ValueKind::Integer;
                value.integer = Some(integer);
            }
            Self::Boolean(boolean) => {
                value.kind = ValueKind::Boolean;
                value.boolean = Some(boolean);
            }
            Self::Columns {
                kind,
                text,
                integer,
                boolean,
            } => {
                value.kind = kind.unwrap_or(value.kind);
                value.text = text.unwrap_or_else(|| value.text.take());
                value.integer = integer.unwrap_or(value.integer);
                value.boolean = boolean.unwrap_or(value.boolean);
            }
        }
    }
}

/// What of a state a person may change; `None` leaves a field as it is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StatePatch {
    /// On or off.
    pub enabled: Option<bool>,
    /// Its value.
    pub value: Option<ValueChange>,
    /// Weights of options; those not named keep theirs.
    pub weights: Option<Vec<WeightChange>>,
}

/// Which states of an environment are asked for.
#[derive(Debug, Clone, Default)]
pub struct StateQuery {
    /// Of one feature.
    pub feature: Option<FeatureId>,
    /// Of the feature with this name, without regard to case.
    pub feature_name: Option<String>,
    /// Whose.
    pub owners: StateOwners,
    /// Of the override behind one link.
    pub feature_segment: Option<FeatureSegmentId>,
}

impl Service {
    /// Live states of an environment.
    ///
    /// # Errors
    /// As [`Service::environment`].
    pub async fn feature_states(
        &self,
        caller: &Caller,
        api_key: &str,
        query: StateQuery,
        page: PageRequest,
    ) -> ServiceResult<Page<FeatureState>> {
        let place = self.visible_environment(caller, api_key).await?;
        self.states_in(&place, query, page).await
    }

    pub(crate) async fn states_in(
        &self,
        place: &EnvironmentPlace,
        query: StateQuery,
        page: PageRequest,
    ) -> ServiceResult<Page<FeatureState>> {
        let filter = StateFilter {
            feature: query.feature,
            feature_name: query.feature_name,
            owners: query.owners,
            feature_segment: query.feature_segment,
        };
        let (environment, now) = (place.environment.id, self.now_in(place));
        Ok(self
            .store()
            .feature_states(environment, &filter, now, page)
            .await?)
    }

    /// One state of an environment, whoever it belongs to.
    ///
    /// # Errors
    /// As [`Service::environment`], and [`ServiceError::NotFound`] when the environment has no such state.
    pub async fn feature_state(
        &self,
        caller: &Caller,
        api_key: &str,
        id: FeatureStateId,
    ) -> ServiceResult<FeatureState> {
        let place = self.visible_environment(caller, api_key).await?;
        self.state_in(&place, id).await
    }

    /// Changes a state in place.
    ///
    /// # Errors
    /// As [`Service::feature_state`], and invalid values or weights.
    pub async fn update_feature_state(
        &self,
        caller: &Caller,
        api_key: &str,
        id: FeatureStateId,
        patch: StatePatch,
    ) -> ServiceResult<FeatureState> {
        let changing = EnvironmentPermission::UpdateFeatureState;
        let place = self.environment_for(caller, api_key, changing).await?;
        self.change_state(caller, &place, id, patch).await
    }

    /// Deletes the default of a feature, which is served no more, or the override of an identity.
    ///
    /// # Errors
    /// As [`Service::feature_state`]; overrides for segments are deleted by their links.
    pub async fn delete_feature_state(
        &self,
        caller: &Caller,
        api_key: &str,
        id: FeatureStateId,
    ) -> ServiceResult<()> {
        let changing = EnvironmentPermission::UpdateFeatureState;
        let place = self.environment_for(caller, api_key, changing).await?;
        // In turn from here: what is read now is what the change is made to.
        let mut write = self.store().write().await?;
        let state = self.state_in(&place, id).await?;
        if state.feature_version.is_some() {
            return Err(ServiceError::Versioning(VersioningProblem::ByVersionsOnly));
        }
        let feature = self.feature_in(&place.project, state.feature_id).await?;
        let guard = self.rollout_guard(place.environment.id, feature.id).await?;
        guard.check_state(&state.owner)?;
        let mut subject = place.subject();
        match &state.owner {
            StateOwner::Environment => {}
            StateOwner::Identity { identifier, .. } => {
                subject = subject.with_identity(identifier.clone());
            }
            StateOwner::Segment(_) => {
                return Err(ServiceError::NotFound {
                    noun: Noun::FeatureState,
                });
            }
        }
        write.delete_feature_state(id, self.clock().now()).await?;
        let told = self.told_of_deleted_state(&feature, &state).await?;
        self.finish(write, Some(caller), subject, told).await
    }

    pub(crate) async fn change_state(
        &self,
        caller: &Caller,
        place: &EnvironmentPlace,
        id: FeatureStateId,
        patch: StatePatch,
    ) -> ServiceResult<FeatureState> {
        // In turn from here: what is read now is what the change is made to.
        let mut write = self.store().write().await?;
        let mut state = self.state_in(place, id).await?;
        self.require_changeable(&state).await?;
        let feature = self.feature_in(&place.project, state.feature_id).await?;
        let guard = self.rollout_guard(place.environment.id, feature.id).await?;
        guard.check_state(&state.owner)?;
        let before = state.clone();
        state.enabled = patch.enabled.unwrap_or(state.enabled);
        if let Some(change) = patch.value {
            change.apply(&mut state.value);
            check_value_of(feature.name.as_str(), feature.value_type, &state.value)?;
        }
        let weights = patch.weights.unwrap_or_default();
        self.check_weights(&state, &weights).await?;
        state.updated_at = self.clock().now().after(state.updated_at);
        write.update_feature_state(&state).await?;
        for weight in &weights {
            write
                .set_weight(state.id, weight.option_id, weight.percentage_allocation)
                .await?;
        }
        let mut subject = place.subject();
        if let StateOwner::Identity { identifier, .. } = &state.owner {
            subject = subject.with_identity(identifier.clone());
        }
        let told = self
            .told_of_changed_state(&feature, &before, &state, &weights)
            .await?;
        self.finish_all(write, Some(caller), subject, told).await?;
        self.state_in(place, state.id).await
    }

    /// Checks what the weights of a state would be after a change.
    async fn check_weights(
        &self,
        state: &FeatureState,
        changes: &[WeightChange],
    ) -> ServiceResult<()> {
        let options = self.store().options(state.feature_id).await?;
        weights_after(&options, |option| state.weight_of(option), changes).map(drop)
    }

    pub(crate) async fn state_in(
        &self,
        place: &EnvironmentPlace,
        id: FeatureStateId,
    ) -> ServiceResult<FeatureState> {
        let state = self.store().feature_state(id).await?;
        let state = state.filter(|state| state.environment_id == place.environment.id);
        state.ok_or(ServiceError::NotFound {
            noun: Noun::FeatureState,
        })
    }
}
