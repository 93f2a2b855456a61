//! Rollouts that a program outside drives: it says each percentage itself.

use super::actions::Opened;
use super::{RolloutTurn, RolloutView, VariantReference, cannot};
use crate::environments::EnvironmentPlace;
use crate::error::{RolloutProblem, ServiceError, ServiceResult};
use crate::flag_writes::FeatureReference;
use crate::served_features::require_no_change_request;
use crate::text_rules::check_name;
use crate::{Caller, Service};
use flagstaff_core::{
    EnvironmentPermission, Feature, Percentage, Rollout, RolloutAction, RolloutEventKind,
    RolloutId, RolloutState, SegmentId,
};
use flagstaff_store::{NewRollout, RolloutFilter};
use uuid::Uuid;

/// Characters of a driver's name.
const DRIVER_LIMIT: usize = 100;

/// What a program outside wants served.
#[derive(Debug, Clone, PartialEq)]
pub struct DriveRequest {
    /// The feature.
    pub feature: FeatureReference,
    /// The option that is raised: needed for a feature that has options, and for no other.
    pub variant: Option<VariantReference>,
    /// Whom a part of it is given to; `None`: everybody. Counts where the rollout is made by this request.
    pub segment_id: Option<SegmentId>,
    /// How many are to have it; all of them: the rollout is promoted.
    pub percentage: Percentage,
    /// True: something is wrong, and what was before is to be served; the percentage does not count.
    pub rolls_back: bool,
    /// The program's name, 1 to 100 characters, such as `rollops`: it drives its own rollouts only.
    pub driver: String,
}

impl Service {
    /// Serves a percentage at once: it makes a rollout where none is live, and may go up and down. Asked again for what
    /// is served already, it changes nothing. Answers the rollout; `None` where there is nothing to take back.
    ///
    /// # Errors
    /// As [`Service::create_rollout`]; [`RolloutProblem::AnotherLive`] for a feature that a plan or another program
    /// raises.
    pub async fn drive_rollout(
        &self,
        caller: &Caller,
        client_key: &str,
        request: DriveRequest,
    ) -> ServiceResult<Option<RolloutView>> {
        check_name("driver", &request.driver, DRIVER_LIMIT)?;
        let changing = EnvironmentPermission::UpdateFeatureState;
        let place = self.environment_for(caller, client_key, changing).await?;
        require_no_change_request(&place)?;
        let named = (&request.feature, request.variant.as_ref());
        let aim = self.aim(&place, named, request.segment_id).await?;
        let last = self.last_driven(&place, &aim.feature, &request).await?;
        if request.rolls_back {
            let is_served = |rollout: &Rollout| {
                rollout.state.is_live() || rollout.state == RolloutState::Promoted
            };
            let Some(rollout) = last.filter(is_served) else {
                return Ok(None);
            };
            let reason = format!("asked for by {}", request.driver);
            let rolled_back = self.roll_back_rollout(caller, rollout.id, Some(reason));
            return rolled_back.await.map(Some);
        }
        let is_whole = request.percentage == Percentage::WHOLE;
        let id = match last {
            Some(rollout) if rollout.state.is_live() && rollout.option_id != aim.option => {
                let problem = RolloutProblem::AnotherLive(rollout.id);
                return Err(ServiceError::Rollout(problem));
            }
            Some(rollout) if rollout.state.is_live() => rollout.id,
            Some(rollout) if rollout.state == RolloutState::Promoted && is_whole => {
                return self.rollout(caller, rollout.id).await.map(Some);
            }
            Some(_) | None => {
                let new = NewRollout {
                    uuid: Uuid::new_v4(),
                    project_id: place.project.id,
                    environment_id: place.environment.id,
                    feature_id: aim.feature.id,
                    option_id: aim.option,
                    segment_id: aim.segment,
                    description: None,
                    driver: Some(request.driver.clone()),
                    steps: Vec::new(),
                    due_at: None,
                    created_by: caller.name().to_owned(),
                };
                self.insert_rollout(caller, &place, &aim, new).await?
            }
        };
        self.serve_percentage(caller, id, request.percentage)
            .await?;
        self.rollout(caller, id).await.map(Some)
    }

    /// The newest rollout of the feature, if this program drives it.
    async fn last_driven(
        &self,
        place: &EnvironmentPlace,
        feature: &Feature,
        request: &DriveRequest,
    ) -> ServiceResult<Option<Rollout>> {
        let filter = RolloutFilter {
            environments: vec![place.environment.id],
            feature: Some(feature.id),
            ..RolloutFilter::default()
        };
        let page = flagstaff_store::PageRequest::first();
        let last = self.store().rollouts(&filter, page).await?.items;
        let last = last.into_iter().next();
        match last {
            Some(last) if last.driver.as_ref() == Some(&request.driver) => Ok(Some(last)),
            Some(last) if last.state.is_live() => {
                Err(ServiceError::Rollout(RolloutProblem::AnotherLive(last.id)))
            }
            Some(_) | None => Ok(None),
        }
    }

    async fn serve_percentage(
        &self,
        caller: &Caller,
        id: RolloutId,
        percentage: Percentage,
    ) -> ServiceResult<()> {
        let changing = EnvironmentPermission::UpdateFeatureState;
        // In turn from here: what is read now is what the change is made to.
        let mut write = self.store().write().await?;
        let (place, mut rollout) = self.rollout_place(caller, id, changing).await?;
        let feature = self.feature_in(&place.project, rollout.feature_id).await?;
        let action = RolloutAction::Promote;
        rollout.require(action).map_err(cannot(&rollout))?;
        if percentage == Percentage::WHOLE {
            let opened = Opened {
                write,
                place,
                feature,
                rollout,
            };
            return self.promote_opened(caller, opened).await;
        }
        let is_served = rollout.reached_at.is_some() && rollout.percentage == percentage;
        if is_served && rollout.state == RolloutState::Running {
            return Ok(());
        }
        let managed = rollout.managed_segment_id;
        let base = self.base_of(&place, &feature, rollout.segment_id, managed);
        let base = base.await?;
        let turn = RolloutTurn {
            caller,
            place: &place,
            feature: &feature,
        };
        rollout.drive(percentage, self.clock().now());
        self.serve_share(&mut write, &turn, &mut rollout, &base)
            .await?;
        let event = (RolloutEventKind::Stepped, None);
        let told = self.write_rollout(&mut write, &turn, &mut rollout, event);
        let told = told.await?;
        self.finish_seen(write, &turn, told).await
    }
}
