//! What rollouts are told from outside: successes and failures, and reports of health.

use crate::error::{GuardFault, Noun, Problem, ServiceError, ServiceResult};
use crate::rollouts::variant_name;
use crate::secrets::digest;
use crate::text_rules::{check_name, check_optional};
use crate::{Caller, OpenEnvironment, Service};
use flagstaff_core::guard::{Arms, Counts, HealthReport};
use flagstaff_core::{EnvironmentPermission, Rollout, RolloutId};
use flagstaff_store::{Recorded, ReportKey};

/// The most successes, and the most failures, of one entry.
pub const COUNT_LIMIT: u64 = 1_000_000_000;
/// Who may report on the health of a rollout, at most.
pub const HEALTH_SOURCE_LIMIT: i64 = 20;
/// Entries of a report.
const ENTRY_LIMIT: usize = 50;
/// Characters of an idempotency key.
const KEY_LIMIT: usize = 200;
/// Characters of a reason.
const REASON_LIMIT: usize = 1_000;
/// Characters of the name of who reports.
const SOURCE_LIMIT: usize = 100;

/// Who tells a rollout something.
#[derive(Clone, Copy)]
pub enum Reporter<'a> {
    /// A member or an API key.
    Caller(&'a Caller),
    /// A program with a server-side key of the environment.
    Environment(&'a OpenEnvironment),
}

/// How often something went well and how often it failed, for one variant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignalCounts {
    /// `treated`, `control`, or the name of a variant.
    pub variant: String,
    /// Since the last report.
    pub counts: Counts,
}

/// A report of successes and failures.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SignalRequest {
    /// Up to 50 entries.
    pub signals: Vec<SignalCounts>,
    /// A report counts once under its key, for a day; up to 200 characters.
    pub idempotency_key: Option<String>,
}

/// What became of a report, and all that was counted by now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignalOutcome {
    /// False where it had been counted before, or the rollout has ended.
    pub is_counted: bool,
    /// All that was counted.
    pub arms: Arms,
}

/// A report of health.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HealthRequest {
    /// Who reports, up to 100 characters.
    pub source: String,
    /// What.
    pub is_healthy: bool,
    /// Why, up to 1,000 characters.
    pub reason: Option<String>,
}

impl Service {
    /// All successes and failures of a rollout, and the reports of health.
    ///
    /// # Errors
    /// As [`Service::rollout`].
    pub async fn signals(
        &self,
        reporter: Reporter<'_>,
        id: RolloutId,
    ) -> ServiceResult<(Arms, Vec<HealthReport>)> {
        let viewing = EnvironmentPermission::ViewEnvironment;
        let rollout = self.reported(reporter, id, viewing).await?;
        let arms = self.store().signals(rollout.id).await?;
        Ok((arms, self.store().health_reports(rollout.id).await?))
    }

    /// Counts successes and failures.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] for a rollout that the reporter may not see, [`ServiceError::Forbidden`] unless they
    /// may change feature states, and invalid fields.
    pub async fn record_signals(
        &self,
        reporter: Reporter<'_>,
        id: RolloutId,
        request: &SignalRequest,
    ) -> ServiceResult<SignalOutcome> {
        let changing = EnvironmentPermission::UpdateFeatureState;
        let rollout = self.reported(reporter, id, changing).await?;
        self.count_signals(&rollout, request).await
    }

    /// The same for a rollout that is known already.
    pub(super) async fn count_signals(
        &self,
        rollout: &Rollout,
        request: &SignalRequest,
    ) -> ServiceResult<SignalOutcome> {
        let arms = self.arms_of(rollout, request).await?;
        let key = request.idempotency_key.as_deref();
        if let Some(key) = key {
            check_name("idempotency_key", key, KEY_LIMIT)?;
        }
        if !rollout.state.is_live() {
            let arms = self.store().signals(rollout.id).await?;
            return Ok(SignalOutcome {
                is_counted: false,
                arms,
            });
        }
        let digest = digest(&format!("{arms:?}"));
        let key = key.map(|key| ReportKey {
            key,
            digest: &digest,
        });
        let now = self.clock().now();
        let recorded = self.store().record_signals(rollout.id, arms, key, now);
        let is_counted = match recorded.await? {
            Recorded::Counted => true,
            Recorded::Known => false,
            Recorded::Different => {
                let problem = Problem::Guard(GuardFault::KeyReused);
                return Err(ServiceError::invalid("idempotency_key", problem));
            }
        };
        Ok(SignalOutcome {
            is_counted,
            arms: self.store().signals(rollout.id).await?,
        })
    }

    /// Writes what somebody reports of the feature's health.
    ///
    /// # Errors
    /// As [`Service::record_signals`].
    pub async fn record_health(
        &self,
        reporter: Reporter<'_>,
        id: RolloutId,
        request: HealthRequest,
    ) -> ServiceResult<HealthReport> {
        let changing = EnvironmentPermission::UpdateFeatureState;
        let rollout = self.reported(reporter, id, changing).await?;
        self.write_health(&rollout, request).await
    }

    /// The same for a rollout that is known already.
    pub(super) async fn write_health(
        &self,
        rollout: &Rollout,
        request: HealthRequest,
    ) -> ServiceResult<HealthReport> {
        check_name("source", &request.source, SOURCE_LIMIT)?;
        check_optional("reason", request.reason.as_deref(), REASON_LIMIT)?;
        let report = HealthReport {
            source: request.source,
            is_healthy: request.is_healthy,
            reason: request.reason,
            at: self.clock().now(),
        };
        let written = self
            .store()
            .record_health(rollout.id, &report, HEALTH_SOURCE_LIMIT);
        if written.await? {
            return Ok(report);
        }
        let limit = usize::try_from(HEALTH_SOURCE_LIMIT).unwrap_or_default();
        Err(ServiceError::invalid("source", Problem::TooMany { limit }))
    }

    async fn reported(
        &self,
        reporter: Reporter<'_>,
        id: RolloutId,
        permission: EnvironmentPermission,
    ) -> ServiceResult<Rollout> {
        match reporter {
            Reporter::Caller(caller) => {
                let (_, rollout) = self.rollout_place(caller, id, permission).await?;
                Ok(rollout)
            }
            Reporter::Environment(open) => {
                let noun = Noun::Rollout;
                let rollout = self.store().rollout(id).await?;
                let environment = open.snapshot().environment.id;
                rollout
                    .filter(|rollout| rollout.environment_id == environment)
                    .ok_or(ServiceError::NotFound { noun })
            }
        }
    }

    /// What a report counts for those who have it, and for the others.
    async fn arms_of(&self, rollout: &Rollout, request: &SignalRequest) -> ServiceResult<Arms> {
        if request.signals.len() > ENTRY_LIMIT {
            let limit = ENTRY_LIMIT;
            return Err(ServiceError::invalid("signals", Problem::TooMany { limit }));
        }
        let options = self.store().options(rollout.feature_id).await?;
        let raised = rollout
            .option_id
            .and_then(|id| variant_name(&options, id))
            .unwrap_or_else(|| "treated".to_owned());
        let is_option = |name: &str| {
            let mut names = options
                .iter()
                .filter_map(|option| variant_name(&options, option.id));
            names.any(|known| known == name)
        };
        let mut arms = Arms::default();
        for SignalCounts { variant, counts } in &request.signals {
            for (field, count) in [
                ("successes", counts.successes),
                ("failures", counts.failures),
            ] {
                if count > COUNT_LIMIT {
                    let (min, max) = (0, i64::try_from(COUNT_LIMIT).unwrap_or(i64::MAX));
                    return Err(ServiceError::invalid(
                        field,
                        Problem::OutOfRange { min, max },
                    ));
                }
            }
            let arm = match variant.as_str() {
                "treated" => &mut arms.treated,
                name if name == raised => &mut arms.treated,
                "control" => &mut arms.control,
                name if is_option(name) => &mut arms.control,
                other => {
                    let fault = GuardFault::UnknownVariant(other.chars().take(100).collect());
                    return Err(ServiceError::invalid("variant", Problem::Guard(fault)));
                }
            };
            arm.successes += counts.successes;
            arm.failures += counts.failures;
        }
        if arms == Arms::default() {
            let problem = Problem::Guard(GuardFault::NoCounts);
            return Err(ServiceError::invalid("signals", problem));
        }
        Ok(arms)
    }
}
