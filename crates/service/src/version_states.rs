//! States of a version: shown, and changed while it is a draft.

use crate::change::Told;
use crate::environments::EnvironmentPlace;
use crate::error::{ServiceError, ServiceResult, VersioningProblem};
use crate::feature_states::StatePatch;
use crate::segment_overrides::SegmentOverrideRequest;
use crate::version_edits::StateEdit;
use crate::versions::{VersionPlace, told};
use crate::{Caller, Service};
use flagstaff_core::{
    EnvironmentPermission, Feature, FeatureState, FeatureStateId, FeatureVersion, StateOwner,
};
use uuid::Uuid;

impl Service {
    /// The states of a version.
    ///
    /// # Errors
    /// As [`Service::feature_versions`], and [`ServiceError::NotFound`] for an unknown version.
    pub async fn feature_version_states(
        &self,
        caller: &Caller,
        place: VersionPlace,
        version: Uuid,
    ) -> ServiceResult<Vec<FeatureState>> {
        let viewing = EnvironmentPermission::ViewEnvironment;
        let (place, feature) = self.version_place(caller, place, viewing).await?;
        let version = self.version_in(&place, &feature, version).await?;
        Ok(self.store().feature_version_states(version.id).await?)
    }

    /// Adds an override for a segment to a draft.
    ///
    /// # Errors
    /// As [`Service::feature_version_states`]; [`VersioningProblem::Published`]; an override that is there already; an
    /// unknown segment; invalid values or weights.
    pub async fn create_version_override(
        &self,
        caller: &Caller,
        place: VersionPlace,
        version: Uuid,
        request: SegmentOverrideRequest,
    ) -> ServiceResult<FeatureState> {
        let (place, feature) = self.draft_place(caller, place).await?;
        let (version, mut edit) = self.edit_draft(&place, &feature, version).await?;
        let id = edit.insert_new_override(request).await?;
        self.finish_draft(caller, &version, edit).await?;
        self.state_in(&place, id).await
    }

    /// Changes a state of a draft, and the priority of an override.
    ///
    /// # Errors
    /// As [`Service::feature_version_states`]; [`VersioningProblem::Published`]; [`ServiceError::NotFound`] for a state
    /// that the version has not; invalid values or weights.
    pub async fn update_version_state(
        &self,
        caller: &Caller,
        place: VersionPlace,
        (version, id): (Uuid, FeatureStateId),
        patch: StatePatch,
        priority: Option<i64>,
    ) -> ServiceResult<FeatureState> {
        let (place, feature) = self.draft_place(caller, place).await?;
        let (version, mut edit) = self.edit_draft(&place, &feature, version).await?;
        let state = edit.state(id)?;
        let owner = state.owner.clone();
        edit.change(state, patch).await?;
        if let StateOwner::Segment(link) = &owner {
            edit.prioritise(link, priority).await?;
        }
        self.finish_draft(caller, &version, edit).await?;
        self.state_in(&place, id).await
    }

    /// Takes an override out of a draft.
    ///
    /// # Errors
    /// As [`Service::update_version_state`], and [`VersioningProblem::DefaultNeeded`] for the environment's default.
    pub async fn delete_version_state(
        &self,
        caller: &Caller,
        place: VersionPlace,
        (version, id): (Uuid, FeatureStateId),
    ) -> ServiceResult<()> {
        let (place, feature) = self.draft_place(caller, place).await?;
        let (version, mut edit) = self.edit_draft(&place, &feature, version).await?;
        match edit.state(id)?.owner {
            StateOwner::Segment(link) => edit.delete_override(link.segment_id).await?,
            StateOwner::Environment | StateOwner::Identity { .. } => {
                return Err(ServiceError::Versioning(VersioningProblem::DefaultNeeded));
            }
        };
        self.finish_draft(caller, &version, edit).await
    }

    async fn draft_place(
        &self,
        caller: &Caller,
        place: VersionPlace,
    ) -> ServiceResult<(EnvironmentPlace, Feature)> {
        let changing = EnvironmentPermission::UpdateFeatureState;
        self.version_place(caller, place, changing).await
    }

    /// Begins a change of a draft.
    async fn edit_draft<'a>(
        &'a self,
        place: &'a EnvironmentPlace,
        feature: &'a Feature,
        version: Uuid,
    ) -> ServiceResult<(FeatureVersion, StateEdit<'a>)> {
        // In turn from here: what is read now is what the change is made to.
        let write = self.store().write().await?;
        let version = self.version_in(place, feature, version).await?;
        if version.is_published() {
            return Err(ServiceError::Versioning(VersioningProblem::Published));
        }
        let states = self.store().feature_version_states(version.id).await?;
        let known = version.clone();
        let edit = StateEdit::of_version(self, write, (place, feature), known, states).await?;
        Ok((version, edit))
    }

    async fn finish_draft(
        &self,
        caller: &Caller,
        version: &FeatureVersion,
        edit: StateEdit<'_>,
    ) -> ServiceResult<()> {
        let told = told(
            Told::updated,
            version,
            "Draft version changed",
            edit.feature(),
        );
        let subject = edit.place().subject().unseen();
        self.finish(edit.write, Some(caller), subject, told).await
    }
}
