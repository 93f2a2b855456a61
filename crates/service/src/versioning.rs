//! Whether features of an environment change by published versions only.

use crate::change::Told;
use crate::environments::EnvironmentPlace;
use crate::error::{Noun, ServiceError, ServiceResult, VersioningProblem};
use crate::{Caller, Service};
use flagstaff_core::{FeatureState, Timestamp};

impl Service {
    /// Lets features of an environment change by published versions only: each gets a first version with the states
    /// that are live. What was planned stays planned; overrides of identities are changed directly as before.
    ///
    /// # Errors
    /// As [`Service::environment`], [`ServiceError::Forbidden`] for who is not its admin, and
    /// [`VersioningProblem::AlreadyOn`].
    pub async fn enable_versions(&self, caller: &Caller, api_key: &str) -> ServiceResult<()> {
        self.own_environment(caller, api_key).await?;
        // In turn from here: what is read now is what the change is made to.
        let mut write = self.store().write().await?;
        let place = self.own_environment(caller, api_key).await?;
        if place.environment.use_v2_feature_versioning {
            return Err(ServiceError::Versioning(VersioningProblem::AlreadyOn));
        }
        self.require_no_rollout_in(&place).await?;
        write
            .enable_versions(place.environment.id, self.now_in(&place))
            .await?;
        let told = switched(&place, "enabled");
        self.finish(write, Some(caller), place.subject(), told)
            .await
    }

    /// Lets states of an environment be changed directly again: those that are live stay. Drafts, earlier versions
    /// and planned ones are deleted.
    ///
    /// # Errors
    /// As [`Service::environment`], [`ServiceError::Forbidden`] for who is not its admin, and
    /// [`VersioningProblem::AlreadyOff`].
    pub async fn disable_versions(&self, caller: &Caller, api_key: &str) -> ServiceResult<()> {
        self.own_environment(caller, api_key).await?;
        // In turn from here: what is read now is what the change is made to.
        let mut write = self.store().write().await?;
        let place = self.own_environment(caller, api_key).await?;
        if !place.environment.use_v2_feature_versioning {
            return Err(ServiceError::Versioning(VersioningProblem::AlreadyOff));
        }
        self.require_no_rollout_in(&place).await?;
        write
            .disable_versions(place.environment.id, self.now_in(&place))
            .await?;
        let told = switched(&place, "disabled");
        self.finish(write, Some(caller), place.subject(), told)
            .await
    }

    /// The time up to which what is planned is live. A change that another node made is true here, however far this
    /// node's clock is behind; snapshots are read in the same way.
    pub(crate) fn now_in(&self, place: &EnvironmentPlace) -> Timestamp {
        self.clock().now().max(place.environment.updated_at)
    }

    /// Passes where defaults and segment overrides are changed directly. To be asked in the turn of a change.
    pub(crate) async fn require_direct_changes(
        &self,
        place: &EnvironmentPlace,
    ) -> ServiceResult<()> {
        let environment = self.store().environment(place.environment.id).await?;
        let environment = environment.ok_or(ServiceError::NotFound {
            noun: Noun::Environment,
        })?;
        if environment.use_v2_feature_versioning {
            return Err(ServiceError::Versioning(VersioningProblem::ByVersionsOnly));
        }
        Ok(())
    }

    /// Passes states that may be changed in place: all but those of published versions. To be asked in the turn of a
    /// change.
    pub(crate) async fn require_changeable(&self, state: &FeatureState) -> ServiceResult<()> {
        let Some(uuid) = state.feature_version else {
            return Ok(());
        };
        let version = self.store().feature_version(uuid).await?;
        if version.is_some_and(|version| !version.is_published()) {
            return Ok(());
        }
        Err(ServiceError::Versioning(VersioningProblem::ByVersionsOnly))
    }
}

fn switched(place: &EnvironmentPlace, verb: &str) -> Told {
    let environment = &place.environment;
    Told::updated(Noun::Environment, environment.id.get(), environment.uuid).saying(format!(
        "Feature versioning {verb} for environment: {}",
        environment.name
    ))
}
