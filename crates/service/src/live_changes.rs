//! Changes of what is live, however the environment changes: directly, or by a version that is published at once.

use crate::change::Told;
use crate::environments::EnvironmentPlace;
use crate::error::{Noun, ServiceError, ServiceResult};
use crate::feature_states::StatePatch;
use crate::version_edits::StateEdit;
use crate::versions::{Draft, VersionPlan};
use crate::{Caller, Service};
use flagstaff_core::{Feature, SegmentId};
use flagstaff_store::Write;

/// An override that is to be changed, or made where there is none.
#[derive(Debug, Clone, PartialEq)]
pub struct OverrideChange {
    /// For whom.
    pub segment_id: SegmentId,
    /// Lower is stronger; `None` leaves it, and puts a new one last.
    pub priority: Option<i64>,
    /// What changes.
    pub patch: StatePatch,
}

/// A change of what is live, under way.
pub(crate) enum LiveEdit<'a> {
    /// Of the states themselves.
    Direct(StateEdit<'a>),
    /// Of those of a version that takes over when the change is finished.
    ByVersion(Draft<'a>),
}

impl<'a> LiveEdit<'a> {
    /// The states to be changed.
    pub(crate) fn states(&mut self) -> &mut StateEdit<'a> {
        match self {
            Self::Direct(edit) => edit,
            Self::ByVersion(draft) => &mut draft.edit,
        }
    }
}

impl Service {
    /// Begins to change what is live of a feature: in the turn of the write, and in the place as it is in that turn.
    pub(crate) async fn begin_live_edit<'a>(
        &'a self,
        caller: &Caller,
        write: Write,
        (place, feature): (&'a EnvironmentPlace, &'a Feature),
    ) -> ServiceResult<LiveEdit<'a>> {
        if !place.environment.use_v2_feature_versioning {
            let edit = StateEdit::of_live(self, write, (place, feature)).await?;
            return Ok(LiveEdit::Direct(edit));
        }
        let plan = VersionPlan::default();
        let draft = self
            .begin_version(caller, write, (place, feature), &plan)
            .await?;
        Ok(LiveEdit::ByVersion(draft))
    }

    /// Ends a change of what is live: all of it becomes true at once.
    pub(crate) async fn finish_live_edit(
        &self,
        caller: &Caller,
        (place, feature): (&EnvironmentPlace, &Feature),
        edit: LiveEdit<'_>,
    ) -> ServiceResult<()> {
        self.finish_live_edit_telling(caller, (place, feature), edit, Vec::new())
            .await
    }

    /// The same with more to tell.
    pub(crate) async fn finish_live_edit_telling(
        &self,
        caller: &Caller,
        (place, feature): (&EnvironmentPlace, &Feature),
        edit: LiveEdit<'_>,
        mut told: Vec<Told>,
    ) -> ServiceResult<()> {
        match edit {
            LiveEdit::Direct(edit) => {
                told.extend(edit.told);
                // Nothing was changed, so there is nothing to tell of.
                if told.is_empty() {
                    return Ok(());
                }
                self.finish_all(edit.write, Some(caller), place.subject(), told)
                    .await
            }
            LiveEdit::ByVersion(draft) => {
                let published = self.publish_draft(caller, (place, feature), draft, told);
                published.await.map(drop)
            }
        }
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
