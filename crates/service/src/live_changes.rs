//! Changes of what is live, however the environment changes: directly, or by a version that is published at once.

use crate::environments::EnvironmentPlace;
use crate::error::{Noun, ServiceError, ServiceResult};
use crate::feature_states::StatePatch;
use crate::segment_overrides::SegmentOverrideRequest;
use crate::version_edits::StateEdit;
use crate::versions::VersionPlan;
use crate::{Caller, Service, ValueChange};
use flagstaff_core::{Feature, SegmentId};

/// What of a feature is to change in an environment, all at once.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LiveChanges {
    /// What of the environment's default.
    pub default: Option<StatePatch>,
    /// Overrides to be changed, or made where there are none: at most one for each segment.
    pub overrides: Vec<OverrideChange>,
    /// Segments whose overrides go.
    pub deleted: Vec<SegmentId>,
}

/// An override that is to be changed, or made where there is none.
#[derive(Debug, Clone, PartialEq)]
pub struct OverrideChange {
    /// For whom.
    pub segment_id: SegmentId,
    /// Lower is stronger; `None` leaves it, and puts a new one last.
    pub priority: Option<i64>,
    /// What changes. A new one is off, has the feature's initial value and the default's weights where nothing is said.
    pub patch: StatePatch,
}

impl Service {
    /// Changes what is live of a feature: directly, or by a version of it that is published at once where the
    /// environment changes by versions only. All of it or nothing is done.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] for an override (noun `FeatureSegment`) that is to be deleted and is not there; a
    /// segment that is unknown or belongs to another feature; invalid values or weights.
    #[expect(
        dead_code,
        reason = "the routes that change flags whatever the versioning come next"
    )]
    pub(crate) async fn change_live_states(
        &self,
        caller: &Caller,
        place: &EnvironmentPlace,
        feature: &Feature,
        changes: LiveChanges,
    ) -> ServiceResult<()> {
        // In turn from here: what is read now is what the change is made to.
        let write = self.store().write().await?;
        let place = &self.place_now(place).await?;
        if place.environment.use_v2_feature_versioning {
            let plan = VersionPlan::default();
            let mut draft = self
                .begin_version(caller, write, (place, feature), &plan)
                .await?;
            apply(&mut draft.edit, changes).await?;
            return self
                .publish_draft(caller, place, feature, draft)
                .await
                .map(drop);
        }
        let mut edit = StateEdit::of_live(self, write, (place, feature)).await?;
        apply(&mut edit, changes).await?;
        if edit.told.is_empty() {
            return Ok(());
        }
        self.finish_all(edit.write, Some(caller), place.subject(), edit.told)
            .await
    }

    /// The environment as it is now: to be asked in the turn of a change.
    pub(crate) async fn place_now(
        &self,
        place: &EnvironmentPlace,
    ) -> ServiceResult<EnvironmentPlace> {
        let environment = self.store().environment(place.environment.id).await?;
        Ok(EnvironmentPlace {
            project: place.project.clone(),
            environment: environment.ok_or(ServiceError::NotFound {
                noun: Noun::Environment,
            })?,
        })
    }
}

async fn apply(edit: &mut StateEdit<'_>, changes: LiveChanges) -> ServiceResult<()> {
    for segment in changes.deleted {
        if !edit.delete_override(segment).await? {
            return Err(ServiceError::NotFound {
                noun: Noun::FeatureSegment,
            });
        }
    }
    if let Some(patch) = changes.default {
        edit.change(edit.default_state()?, patch).await?;
    }
    for OverrideChange {
        segment_id,
        priority,
        patch,
    } in changes.overrides
    {
        if let Some((state, link)) = edit.override_for(segment_id) {
            edit.change(state, patch).await?;
            edit.prioritise(&link, priority).await?;
            continue;
        }
        let nothing = ValueChange::Columns {
            kind: None,
            text: None,
            integer: None,
            boolean: None,
        };
        edit.insert_override(SegmentOverrideRequest {
            segment_id,
            priority,
            enabled: patch.enabled.unwrap_or_default(),
            value: patch.value.unwrap_or(nothing),
            weights: patch.weights.unwrap_or_default(),
        })
        .await?;
    }
    Ok(())
}
