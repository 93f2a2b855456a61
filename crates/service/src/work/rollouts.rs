//! Plans of rollouts are carried out at their times: each step once, however many nodes wait for it.

use super::Stop;
use crate::error::{ServiceError, ServiceResult};
use crate::rollouts::{Opened, RolloutTurn, cannot};
use crate::{Caller, Service};
use flagstaff_core::{EnvironmentPermission, RolloutEventKind, RolloutId, RolloutMove, Timestamp};
use std::time::Duration;
use tracing::{info, warn};

/// Who takes the steps, in the audit log and in the timeline.
const ACTOR: &str = "rollout";
/// The longest wait. What is planned meanwhile wakes the loop of this node; another node finds it by this.
const LONGEST_WAIT: Duration = Duration::from_millis(900);
/// The shortest wait, so that a clock that stands still does not spin.
const SHORTEST_WAIT: Duration = Duration::from_millis(5);

pub(super) async fn run(service: Service, mut stop: Stop) {
    loop {
        let next = match service.advance_rollouts().await {
            Ok(next) => next,
            // Said once for all when the database went away.
            Err(_) if service.availability().is_away() => None,
            Err(problem) => {
                warn!(%problem, "cannot look for rollouts that go on");
                None
            }
        };
        let wait = match next {
            Some(next) => {
                let micros = next.micros().saturating_sub(service.clock().now().micros());
                Duration::from_micros(u64::try_from(micros).unwrap_or(0))
            }
            None => LONGEST_WAIT,
        };
        tokio::select! {
            goes_on = stop.sleep(wait.clamp(SHORTEST_WAIT, LONGEST_WAIT)) => if !goes_on { return },
            () = service.rollouts_changed().notified() => {}
        }
    }
}

impl Service {
    /// Takes the steps of all rollouts whose time has come and that no other node was faster with; answers when the next
    /// one is due. A step that is refused holds its rollout; one that fails is tried again later.
    ///
    /// # Errors
    /// Failures of the database, after all others were tried.
    pub async fn advance_rollouts(&self) -> ServiceResult<Option<Timestamp>> {
        let now = self.clock().now();
        let next = self.ask(self.store().next_rollout_due()).await?;
        if next.is_none_or(|next| next > now) {
            return Ok(next);
        }
        let mut failure = None;
        for id in self.store().due_rollouts(now).await? {
            if let Err(problem) = self.advance_rollout(id).await {
                warn!(rollout.id = id.get(), %problem, "a rollout has to wait");
                failure = Some(problem);
            }
        }
        match failure {
            Some(failure) => Err(failure),
            None => Ok(self.store().next_rollout_due().await?),
        }
    }

    /// Takes the next step of a rollout, if it is time.
    pub(crate) async fn advance_rollout(&self, id: RolloutId) -> ServiceResult<()> {
        let caller = Caller::of_system(ACTOR);
        let refusal = match self.take_step(&caller, id).await {
            Err(refusal) if !refusal.is_failure() => refusal,
            other => return other,
        };
        match refusal {
            // Somebody was faster: what is due is looked at again.
            ServiceError::Outdated { .. } => Ok(()),
            refusal => {
                warn!(rollout.id = id.get(), %refusal, "a rollout is held: its step was refused");
                let reason = format!("the next step was refused: {refusal}");
                self.hold_rollout(&caller, id, Some(reason)).await.map(drop)
            }
        }
    }

    /// One step. In the turn of the write the rollout is read again: whoever comes second finds that nothing is due.
    async fn take_step(&self, caller: &Caller, id: RolloutId) -> ServiceResult<()> {
        let mut write = self.store().write().await?;
        let viewing = EnvironmentPermission::ViewEnvironment;
        let (place, mut rollout) = self.rollout_place(caller, id, viewing).await?;
        let now = self.clock().now();
        let step = match rollout.next_move(now) {
            RolloutMove::Wait(_) => return Ok(()),
            next => next,
        };
        let feature = self.feature_in(&place.project, rollout.feature_id).await?;
        let turn = RolloutTurn {
            caller,
            place: &place,
            feature: &feature,
        };
        let event = match step {
            RolloutMove::Step(position) => {
                let is_first = rollout.reached_at.is_none();
                let managed = rollout.managed_segment_id;
                let base = self.base_of(&place, &feature, rollout.segment_id, managed);
                let base = base.await?;
                if is_first {
                    self.require_beginning(&place, &feature, &rollout, &base)
                        .await?;
                }
                rollout.reach(position, now);
                self.serve_share(&mut write, &turn, &mut rollout, &base)
                    .await?;
                (RolloutEventKind::Stepped, None)
            }
            RolloutMove::Promote => {
                let opened = Opened {
                    write,
                    place,
                    feature,
                    rollout,
                };
                return self.promote_opened(caller, opened).await;
            }
            RolloutMove::Rest => {
                let reason = format!("the plan ends at {} %", rollout.percentage);
                // It runs, so it can be held.
                let held = rollout.hold(now, Some(reason.clone()));
                held.map_err(cannot(&rollout))?;
                (RolloutEventKind::Held, Some(reason))
            }
            RolloutMove::Wait(_) => return Ok(()),
        };
        let told = self.write_rollout(&mut write, &turn, &mut rollout, event);
        let told = told.await?;
        info!(
            rollout.id = id.get(),
            rollout.percentage = rollout.percentage.percent(),
            "rollout of `{}` is at {} %",
            feature.name,
            rollout.percentage,
        );
        self.finish_seen(write, &turn, told).await
    }
}
