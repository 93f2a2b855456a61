//! Guards as people make them.

use crate::change::Told;
use crate::environments::EnvironmentPlace;
use crate::error::{GuardFault, Noun, Problem, RolloutProblem, ServiceError, ServiceResult};
use crate::text_rules::check_name;
use crate::{Caller, Service};
use flagstaff_core::guard::{Guard, GuardAction, RateLimit, SequentialTest, Watch};
use flagstaff_core::{
    EnvironmentPermission, GuardId, InvalidMove, Rollout, RolloutAction, RolloutId, fold,
};
use flagstaff_store::{NewGuard, Write};
use uuid::Uuid;

/// Guards of one rollout.
pub const GUARD_LIMIT: usize = 10;
/// Characters of a name.
const NAME_LIMIT: usize = 100;
/// Characters of a query.
const QUERY_LIMIT: usize = 4_000;
/// Characters of a source.
const SOURCE_LIMIT: usize = 500;
/// The longest pause between two looks: an hour.
const EVERY_LIMIT: u32 = 3_600;
/// The longest grace time: a day.
const GRACE_LIMIT: u32 = 86_400;
/// Harmful looks in a row that may be asked for.
const LOOKS_LIMIT: u32 = 100;
/// The largest odds ratio that may be tolerated.
const RATIO_LIMIT: f64 = 1_000.0;

/// A guard to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct GuardRequest {
    /// 1 to 100 characters, unique within the rollout ignoring case.
    pub name: String,
    /// What it watches.
    pub watch: Watch,
    /// What it does about harm; rolls back unless told otherwise.
    pub on_harm: Option<GuardAction>,
    /// What it does about silence; holds unless told otherwise.
    pub on_silence: Option<GuardAction>,
    /// Seconds from 0 to a day without a measurement; 300 unless told otherwise.
    pub grace_seconds: Option<u32>,
    /// Seconds from 1 to 3,600 between two looks; 15 unless told otherwise.
    pub every_seconds: Option<u32>,
    /// Harmful looks in a row, 1 to 100; 1 unless told otherwise.
    pub looks: Option<u32>,
}

impl Service {
    /// Guards of a rollout, in the order in which they were made.
    ///
    /// # Errors
    /// As [`Service::rollout`].
    pub async fn guards(&self, caller: &Caller, rollout: RolloutId) -> ServiceResult<Vec<Guard>> {
        let viewing = EnvironmentPermission::ViewEnvironment;
        self.rollout_place(caller, rollout, viewing).await?;
        Ok(self.store().guards(rollout).await?)
    }

    /// Makes a guard of a live rollout; it looks at once.
    ///
    /// # Errors
    /// As [`Service::hold_rollout`], invalid fields, and [`ServiceError::Conflict`] for a name that another one has.
    pub async fn create_guard(
        &self,
        caller: &Caller,
        rollout: RolloutId,
        request: GuardRequest,
    ) -> ServiceResult<Guard> {
        let changing = EnvironmentPermission::UpdateFeatureState;
        let (place, _) = self.rollout_place(caller, rollout, changing).await?;
        self.check_guard(&place, &request).await?;
        // In turn from here: what is read now is what the change is made to.
        let mut write = self.store().write().await?;
        let (place, rollout) = self.rollout_place(caller, rollout, changing).await?;
        require_live(&rollout)?;
        let known = self.store().guards(rollout.id).await?;
        if known.len() >= GUARD_LIMIT {
            let fault = GuardFault::TooMany { limit: GUARD_LIMIT };
            return Err(ServiceError::invalid("guards", Problem::Guard(fault)));
        }
        let new = NewGuard {
            uuid: Uuid::new_v4(),
            rollout_id: rollout.id,
            folded_name: fold(&request.name),
            name: request.name,
            watch: request.watch,
            on_harm: request.on_harm.unwrap_or(GuardAction::RollBack),
            on_silence: request.on_silence.unwrap_or(GuardAction::Hold),
            grace_seconds: request.grace_seconds.unwrap_or(300),
            every_seconds: request.every_seconds.unwrap_or(15),
            looks: request.looks.unwrap_or(1),
            created_by: caller.name().to_owned(),
        };
        let guard = write.insert_guard(&new, self.clock().now()).await?;
        let told = Told::created(Noun::Guard, guard.id.get(), guard.uuid);
        let told = told.saying(summary("created", &guard));
        self.finish_guard(write, caller, (&place, &rollout), told)
            .await?;
        self.guards_changed().notify_one();
        Ok(guard)
    }

    /// Deletes a guard.
    ///
    /// # Errors
    /// As [`Service::hold_rollout`], and [`ServiceError::NotFound`] where the rollout has no such guard.
    pub async fn delete_guard(
        &self,
        caller: &Caller,
        rollout: RolloutId,
        id: GuardId,
    ) -> ServiceResult<()> {
        let changing = EnvironmentPermission::UpdateFeatureState;
        self.rollout_place(caller, rollout, changing).await?;
        // In turn from here: what is read now is what the change is made to.
        let mut write = self.store().write().await?;
        let (place, rollout) = self.rollout_place(caller, rollout, changing).await?;
        let known = self.store().guards(rollout.id).await?;
        let noun = Noun::Guard;
        let guard = known.iter().find(|guard| guard.id == id);
        let guard = guard.ok_or(ServiceError::NotFound { noun })?;
        write.delete_guard(id).await?;
        let told = Told::deleted(noun, id.get(), guard.uuid).saying(summary("deleted", guard));
        self.finish_guard(write, caller, (&place, &rollout), told)
            .await
    }

    /// Ends a change of what belongs to a rollout: no snapshot shows it.
    pub(super) async fn finish_guard(
        &self,
        write: Write,
        caller: &Caller,
        (place, rollout): (&EnvironmentPlace, &Rollout),
        told: Told,
    ) -> ServiceResult<()> {
        let told = told.of_feature(rollout.feature_id);
        self.finish(write, Some(caller), place.subject().unseen(), told)
            .await
    }

    async fn check_guard(
        &self,
        place: &EnvironmentPlace,
        request: &GuardRequest,
    ) -> ServiceResult<()> {
        check_name("name", &request.name, NAME_LIMIT)?;
        match &request.watch {
            Watch::Metric {
                source,
                query,
                threshold,
            } => {
                check_name("query", query, QUERY_LIMIT)?;
                check_name("source", source, SOURCE_LIMIT)?;
                check_number("limit", threshold.limit, f64::MIN, f64::MAX)?;
                self.check_source(place, source).await?;
            }
            Watch::FailureRate(RateLimit { limit, minimum }) => {
                check_number("limit", *limit, 0.0, 1.0)?;
                check_number("minimum", *minimum as f64, 1.0, 1e9)?;
            }
            Watch::Comparison(test) => check_test(test)?,
            Watch::Health => {}
        }
        for (field, given, least, most) in [
            ("grace_seconds", request.grace_seconds, 0, GRACE_LIMIT),
            ("every_seconds", request.every_seconds, 1, EVERY_LIMIT),
            ("looks", request.looks, 1, LOOKS_LIMIT),
        ] {
            if given.is_some_and(|given| !(least..=most).contains(&given)) {
                let (min, max) = (i64::from(least), i64::from(most));
                return Err(ServiceError::invalid(
                    field,
                    Problem::OutOfRange { min, max },
                ));
            }
        }
        Ok(())
    }

    async fn check_source(&self, place: &EnvironmentPlace, source: &str) -> ServiceResult<()> {
        let organisation = self.organisation_row(place.project.organisation_id).await?;
        let checked = self.metric_sources()?.check(source, &organisation.name);
        checked.map_err(|problem| {
            let fault = GuardFault::Source(problem.to_string());
            ServiceError::invalid("source", Problem::Guard(fault))
        })
    }
}

/// Passes rollouts that have not ended.
pub(super) fn require_live(rollout: &Rollout) -> ServiceResult<()> {
    if rollout.state.is_live() {
        return Ok(());
    }
    let problem = InvalidMove::State {
        action: RolloutAction::Guard,
        state: rollout.state,
    };
    let rollout = rollout.id;
    Err(ServiceError::Rollout(RolloutProblem::Move {
        rollout,
        problem,
    }))
}

fn check_test(test: &SequentialTest) -> ServiceResult<()> {
    check_number("alpha", test.alpha, 1e-6, 0.5)?;
    check_number("tolerated_ratio", test.tolerated, 0.01, RATIO_LIMIT)?;
    check_number("harmful_ratio", test.harmful, 0.01, RATIO_LIMIT)?;
    if test.harmful > test.tolerated {
        return Ok(());
    }
    let fault = GuardFault::NotAboveTolerated(test.tolerated);
    Err(ServiceError::invalid(
        "harmful_ratio",
        Problem::Guard(fault),
    ))
}

fn check_number(field: &'static str, number: f64, least: f64, most: f64) -> ServiceResult<()> {
    if (least..=most).contains(&number) {
        return Ok(());
    }
    let fault = GuardFault::Outside { least, most };
    Err(ServiceError::invalid(field, Problem::Guard(fault)))
}

fn summary(done: &str, guard: &Guard) -> String {
    let (name, kind, rollout) = (&guard.name, guard.watch.kind(), guard.rollout_id);
    let action = guard.on_harm.as_str();
    format!("Guard '{name}' of rollout {rollout} {done}: {kind}, on harm {action}")
}
