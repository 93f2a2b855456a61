//! What people, and parts of the product, ask of a rollout.

use super::base::StateBefore;
use super::{RolloutTurn, RolloutView, cannot};
use crate::environments::EnvironmentPlace;
use crate::error::{RolloutProblem, ServiceError, ServiceResult};
use crate::text_rules::check_optional;
use crate::{Caller, Service};
use flagstaff_core::{
    EnvironmentPermission, Feature, Rollout, RolloutAction, RolloutEventKind, RolloutId,
    RolloutState,
};
use flagstaff_store::Write;

/// Characters of a reason.
const REASON_LIMIT: usize = 2_000;

/// A rollout to be changed, in its turn.
pub(crate) struct Opened {
    pub(crate) write: Write,
    pub(crate) place: EnvironmentPlace,
    pub(crate) feature: Feature,
    pub(crate) rollout: Rollout,
}

impl Service {
    /// Holds a rollout where it is, until it is resumed.
    ///
    /// # Errors
    /// As [`Service::rollout`], [`ServiceError::Forbidden`] unless the caller may change feature states, and
    /// [`RolloutProblem::Move`] where its state does not allow it.
    pub async fn hold_rollout(
        &self,
        caller: &Caller,
        id: RolloutId,
        reason: Option<String>,
    ) -> ServiceResult<RolloutView> {
        let mut opened = self.open_rollout(caller, id, &reason).await?;
        let (now, rollout) = (self.clock().now(), &mut opened.rollout);
        let held = rollout.hold(now, reason.clone());
        held.map_err(cannot(&opened.rollout))?;
        let event = (RolloutEventKind::Held, reason);
        self.finish_opened(caller, opened, event).await
    }

    /// Lets a held rollout go on: what was left of its step is still to pass.
    ///
    /// # Errors
    /// As [`Service::hold_rollout`].
    pub async fn resume_rollout(
        &self,
        caller: &Caller,
        id: RolloutId,
    ) -> ServiceResult<RolloutView> {
        let mut opened = self.open_rollout(caller, id, &None).await?;
        let resumed = opened.rollout.resume(self.clock().now());
        resumed.map_err(cannot(&opened.rollout))?;
        let event = (RolloutEventKind::Resumed, None);
        self.finish_opened(caller, opened, event).await
    }

    /// Lets a rollout pass the gate of its present step.
    ///
    /// # Errors
    /// As [`Service::hold_rollout`].
    pub async fn approve_rollout(
        &self,
        caller: &Caller,
        id: RolloutId,
    ) -> ServiceResult<RolloutView> {
        let mut opened = self.open_rollout(caller, id, &None).await?;
        let approved = opened.rollout.approve(self.clock().now());
        approved.map_err(cannot(&opened.rollout))?;
        let event = (RolloutEventKind::Approved, None);
        self.finish_opened(caller, opened, event).await
    }

    /// Gives the feature to everybody, for good: its own state says so from now on.
    ///
    /// # Errors
    /// As [`Service::hold_rollout`].
    pub async fn promote_rollout(
        &self,
        caller: &Caller,
        id: RolloutId,
    ) -> ServiceResult<RolloutView> {
        let opened = self.open_rollout(caller, id, &None).await?;
        self.promote_opened(caller, opened).await?;
        self.rollout(caller, id).await
    }

    /// Takes the feature back from everybody whom the rollout gave it to, because somebody wants so.
    ///
    /// # Errors
    /// As [`Service::hold_rollout`].
    pub async fn abort_rollout(
        &self,
        caller: &Caller,
        id: RolloutId,
        reason: Option<String>,
    ) -> ServiceResult<RolloutView> {
        let opened = self.open_rollout(caller, id, &reason).await?;
        let action = RolloutAction::Abort;
        opened
            .rollout
            .require(action)
            .map_err(cannot(&opened.rollout))?;
        let end = (RolloutState::Aborted, RolloutEventKind::Aborted);
        self.take_back(caller, opened, end, reason).await?;
        self.rollout(caller, id).await
    }

    /// Takes the feature back because something is wrong with it: from those whom the rollout gave it to, or, once it
    /// was promoted and as long as nobody changed the state since, from everybody.
    ///
    /// # Errors
    /// As [`Service::hold_rollout`]; [`RolloutProblem::ChangedSince`]; [`RolloutProblem::AnotherLive`].
    pub async fn roll_back_rollout(
        &self,
        caller: &Caller,
        id: RolloutId,
        reason: Option<String>,
    ) -> ServiceResult<RolloutView> {
        let opened = self.open_rollout(caller, id, &reason).await?;
        let action = RolloutAction::RollBack;
        opened
            .rollout
            .require(action)
            .map_err(cannot(&opened.rollout))?;
        if opened.rollout.state == RolloutState::Promoted {
            self.restore_promoted(caller, opened, reason).await?;
        } else {
            let end = (RolloutState::RolledBack, RolloutEventKind::RolledBack);
            self.take_back(caller, opened, end, reason).await?;
        }
        self.rollout(caller, id).await
    }

    async fn open_rollout(
        &self,
        caller: &Caller,
        id: RolloutId,
        reason: &Option<String>,
    ) -> ServiceResult<Opened> {
        check_optional("reason", reason.as_deref(), REASON_LIMIT)?;
        let changing = EnvironmentPermission::UpdateFeatureState;
        self.rollout_place(caller, id, changing).await?;
        // In turn from here: what is read now is what the change is made to.
        let write = self.store().write().await?;
        let (place, rollout) = self.rollout_place(caller, id, changing).await?;
        let feature = self.feature_in(&place.project, rollout.feature_id).await?;
        Ok(Opened {
            write,
            place,
            feature,
            rollout,
        })
    }

    /// Ends a change that nobody sees in what is served.
    async fn finish_opened(
        &self,
        caller: &Caller,
        opened: Opened,
        event: (RolloutEventKind, Option<String>),
    ) -> ServiceResult<RolloutView> {
        let Opened {
            mut write,
            place,
            feature,
            mut rollout,
        } = opened;
        let turn = RolloutTurn {
            caller,
            place: &place,
            feature: &feature,
        };
        let told = self.write_rollout(&mut write, &turn, &mut rollout, event);
        let told = told.await?;
        self.finish_unseen(write, &turn, told).await?;
        self.rollout(caller, rollout.id).await
    }

    /// Gives the feature to everybody.
    pub(crate) async fn promote_opened(
        &self,
        caller: &Caller,
        opened: Opened,
    ) -> ServiceResult<()> {
        let Opened {
            write,
            place,
            feature,
            mut rollout,
        } = opened;
        let action = RolloutAction::Promote;
        rollout.require(action).map_err(cannot(&rollout))?;
        let turn = RolloutTurn {
            caller,
            place: &place,
            feature: &feature,
        };
        let managed = rollout.managed_segment_id;
        let base = self.base_of(&place, &feature, rollout.segment_id, managed);
        let base = base.await?;
        if rollout.state_before.is_none() {
            let before = base.remembered(rollout.option_id);
            rollout.state_before = Some(before.to_text()?);
        }
        let mut live = self.write_promoted(&turn, write, &rollout, &base).await?;
        let write = &mut live.states().write;
        self.remove_share(write, &rollout).await?;
        rollout.end(RolloutState::Promoted, self.clock().now(), None);
        let event = (RolloutEventKind::Promoted, None);
        let told = self.write_rollout(write, &turn, &mut rollout, event);
        let told = told.await?;
        self.finish_live(&turn, live, told).await
    }

    /// Takes the feature back from those whom a live rollout gave it to.
    pub(crate) async fn take_back(
        &self,
        caller: &Caller,
        opened: Opened,
        (state, kind): (RolloutState, RolloutEventKind),
        reason: Option<String>,
    ) -> ServiceResult<()> {
        let Opened {
            mut write,
            place,
            feature,
            mut rollout,
        } = opened;
        let turn = RolloutTurn {
            caller,
            place: &place,
            feature: &feature,
        };
        self.remove_share(&mut write, &rollout).await?;
        rollout.end(state, self.clock().now(), reason.clone());
        let event = (kind, reason);
        let told = self.write_rollout(&mut write, &turn, &mut rollout, event);
        let told = told.await?;
        self.finish_seen(write, &turn, told).await
    }

    async fn restore_promoted(
        &self,
        caller: &Caller,
        opened: Opened,
        reason: Option<String>,
    ) -> ServiceResult<()> {
        let Opened {
            write,
            place,
            feature,
            mut rollout,
        } = opened;
        let environment = place.environment.id;
        if let Some(live) = self.store().live_rollout(environment, feature.id).await? {
            return Err(ServiceError::Rollout(RolloutProblem::AnotherLive(live.id)));
        }
        let turn = RolloutTurn {
            caller,
            place: &place,
            feature: &feature,
        };
        let changed = || ServiceError::Rollout(RolloutProblem::ChangedSince(rollout.id));
        let before = StateBefore::of(&rollout)?.ok_or_else(changed)?;
        let mut live = self.write_restored(&turn, write, &rollout, &before).await?;
        let write = &mut live.states().write;
        let state = RolloutState::RolledBack;
        rollout.end(state, self.clock().now(), reason.clone());
        let event = (RolloutEventKind::RolledBack, reason);
        let told = self.write_rollout(write, &turn, &mut rollout, event);
        let told = told.await?;
        self.finish_live(&turn, live, told).await
    }
}
