//! What guards do: they look, remember, and act.

use crate::error::{Noun, ServiceError, ServiceResult};
use crate::{Caller, Service};
use flagstaff_core::guard::{Guard, GuardAction, Look, Observation, Stage, Verdict, Watch};
use flagstaff_core::{Percentage, Rollout, RolloutState};
use futures::{StreamExt as _, stream};
use tracing::{info, warn};

/// How long a guard is this node's: longer than a metrics server may take.
const LEASE: i64 = 60_000_000;
/// Guards that look at once.
const AT_ONCE: usize = 8;
/// Guards that are claimed at once: all of them are done within the lease, even when every source is silent.
const BATCH: u32 = 24;

impl Service {
    /// Lets the guards look whose time has come; answers how many did.
    ///
    /// # Errors
    /// Failures of the database.
    pub async fn look_after_rollouts(&self) -> ServiceResult<usize> {
        let now = self.clock().now();
        if !self.ask(self.store().has_due_guards(now)).await? {
            return Ok(0);
        }
        let until = now.plus_micros(LEASE);
        let claimed = self.store().claim_guards(self.node(), now, until, BATCH);
        let claimed = self.ask(claimed).await?;
        let count = claimed.len();
        let mut looks = stream::iter(claimed)
            .map(|guard| async move { (self.look(&guard).await, guard) })
            .buffer_unordered(AT_ONCE);
        while let Some((looked, guard)) = looks.next().await {
            if let Err(problem) = looked {
                // It is due again when the lease has run out.
                let causes = problem.causes();
                warn!(guard.id = guard.id.get(), %problem, causes, "a guard cannot look");
            }
        }
        Ok(count)
    }

    async fn look(&self, guard: &Guard) -> ServiceResult<()> {
        let rollout = self.store().rollout(guard.rollout_id).await?;
        let Some(rollout) = rollout.filter(|rollout| rollout.state.is_live()) else {
            self.store()
                .record_look(guard.id, self.node(), &guard.sight, None)
                .await?;
            return Ok(());
        };
        let pause = i64::from(guard.every_seconds) * 1_000_000;
        if !rollout.is_under_way() {
            // Nobody has it yet: there is nothing to see, and silence is no wonder.
            let due = self.clock().now().plus_micros(pause);
            self.store()
                .record_look(guard.id, self.node(), &guard.sight, Some(due))
                .await?;
            return Ok(());
        }
        let began = self.clock().now();
        let observation = self.observe(guard, &rollout).await?;
        let now = self.clock().now();
        let stage = Stage {
            step: rollout.step,
            is_whole: rollout.percentage == Percentage::WHOLE,
            is_held: rollout.state == RolloutState::Held,
        };
        let look = guard.look(stage, &observation, now);
        metrics::counter!("flagstaff_guard_looks_total", "verdict" => look.sight.verdict.as_str())
            .increment(1);
        // A node that was away for longer than its lease has nothing more to say: another one looks.
        if !self.store().has_claim(guard.id, self.node(), now).await? {
            return Ok(());
        }
        self.react(guard, &look).await?;
        // By the beat, whatever a look takes.
        let due = began.plus_micros(pause).max(now.plus_micros(pause / 2));
        self.store()
            .record_look(guard.id, self.node(), &look.sight, Some(due))
            .await?;
        Ok(())
    }

    async fn observe(&self, guard: &Guard, rollout: &Rollout) -> ServiceResult<Observation> {
        Ok(match &guard.watch {
            Watch::Metric { source, query, .. } => {
                Observation::Measured(self.measure(rollout, source, query, guard).await?)
            }
            Watch::FailureRate(_) | Watch::Comparison(_) => {
                Observation::Counted(self.store().signals(rollout.id).await?)
            }
            Watch::Health => Observation::Reported(self.store().health_reports(rollout.id).await?),
        })
    }

    async fn measure(
        &self,
        rollout: &Rollout,
        source: &str,
        query: &str,
        guard: &Guard,
    ) -> ServiceResult<Result<f64, String>> {
        let noun = Noun::Project;
        let project = self.store().project(rollout.project_id).await?;
        let project = project.ok_or(ServiceError::NotFound { noun })?;
        let organisation = self.organisation_row(project.organisation_id).await?;
        let sources = self.metric_sources()?;
        let reading = match sources.read(source, &organisation.name, query).await {
            Ok(reading) => reading,
            Err(problem) => {
                info!(guard.id = guard.id.get(), %problem, "a guard measured nothing");
                return Ok(Err(problem.to_string()));
            }
        };
        let Some(number) = reading.value else {
            return Ok(Err("the query answers no number".to_owned()));
        };
        let is_healthy = match &guard.watch {
            Watch::Metric { threshold, .. } => threshold.verdict(Some(number)) == Verdict::Healthy,
            Watch::FailureRate(_) | Watch::Comparison(_) | Watch::Health => false,
        };
        // What is bad by a part of the data is bad; what is good by a part of them is not known.
        match reading.warnings.first() {
            Some(warning) if is_healthy => Ok(Err(format!(
                "the metrics source warns that its answer may not be whole: {warning}"
            ))),
            _ => Ok(Ok(number)),
        }
    }

    async fn react(&self, guard: &Guard, look: &Look) -> ServiceResult<()> {
        let Some((action, reason)) = &look.reaction else {
            return Ok(());
        };
        let caller = Caller::of_system("guard");
        let reason = Some(reason.clone());
        let done = match action {
            GuardAction::Hold => self.hold_rollout(&caller, guard.rollout_id, reason).await,
            GuardAction::RollBack => {
                self.roll_back_rollout(&caller, guard.rollout_id, reason)
                    .await
            }
            GuardAction::Nothing => return Ok(()),
        };
        match done {
            Ok(_) => {
                metrics::counter!("flagstaff_guard_reactions_total", "action" => action.as_str())
                    .increment(1);
                Ok(())
            }
            // It was held or has ended meanwhile: somebody was faster.
            Err(ServiceError::Rollout(_)) => Ok(()),
            Err(other) => Err(other),
        }
    }
}
