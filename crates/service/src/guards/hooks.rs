//! Hooks of rollouts: addresses for programs that send no headers, as Flagger's webhooks do not.
//!
//! Whoever has the address of a rollout may ask how it goes and drive it, and nothing else. It is told once, when it is
//! made; kept is its digest.

use super::making::require_live;
use super::{HealthRequest, SignalOutcome, SignalRequest};
use crate::change::Told;
use crate::error::{Noun, ServiceError, ServiceResult};
use crate::rollouts::RolloutView;
use crate::secrets::{digest, random_api_key};
use crate::{Caller, Service};
use flagstaff_core::guard::{Guard, HealthReport, Verdict};
use flagstaff_core::{EnvironmentPermission, Rollout, RolloutId, RolloutState};
use flagstaff_store::RolloutHook;
use secrecy::{ExposeSecret as _, SecretString};

/// An address that was just made: the only time that it is told.
#[derive(Debug)]
pub struct NewHook {
    /// What stands in it.
    pub token: SecretString,
    /// Who made it, and when.
    pub hook: RolloutHook,
}

/// What a program calls a hook for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HookCall {
    /// How does it go?
    Status,
    /// May a deployment begin?
    ConfirmRollout,
    /// May it go on as it is?
    Check,
    /// May more people get it?
    ConfirmTrafficIncrease,
    /// May everybody get it?
    ConfirmPromotion,
    /// Is it to be taken back?
    AskRollback,
    /// The gate of the present step is passed, if there is one.
    Advance,
    /// It is held; why.
    Hold(Option<String>),
    /// It goes on.
    Resume,
    /// Everybody gets it.
    Promote,
    /// It is taken back because something is wrong; what.
    RollBack(Option<String>),
    /// It is taken back because somebody wants so; why.
    Abort(Option<String>),
    /// What it goes along with has failed: it is taken back if it is under way. Later failures are of something else.
    Failed(String),
    /// What it goes along with has succeeded: everybody gets it, unless it is held or has ended.
    Succeeded,
}

/// What a program is told.
#[derive(Debug, Clone, PartialEq)]
pub struct HookReply {
    /// Yes or no; a status is yes while it may go on.
    pub is_go: bool,
    /// Why not; empty for yes.
    pub reason: String,
    /// The rollout by now.
    pub view: RolloutView,
    /// What all guards think together; `None` where there is none.
    pub verdict: Option<Verdict>,
    /// What each guard thinks.
    pub guards: Vec<Guard>,
}

impl Service {
    /// The address of a rollout, without what stands in it.
    ///
    /// # Errors
    /// As [`Service::rollout`], and [`ServiceError::NotFound`] where it has none.
    pub async fn rollout_hook(&self, caller: &Caller, id: RolloutId) -> ServiceResult<RolloutHook> {
        let viewing = EnvironmentPermission::ViewEnvironment;
        self.rollout_place(caller, id, viewing).await?;
        let noun = Noun::RolloutHook;
        let hook = self.store().rollout_hook(id).await?;
        hook.ok_or(ServiceError::NotFound { noun })
    }

    /// Gives a live rollout an address, instead of the one it has.
    ///
    /// # Errors
    /// As [`Service::hold_rollout`].
    pub async fn create_rollout_hook(
        &self,
        caller: &Caller,
        id: RolloutId,
    ) -> ServiceResult<NewHook> {
        let changing = EnvironmentPermission::UpdateFeatureState;
        self.rollout_place(caller, id, changing).await?;
        // In turn from here: what is read now is what the change is made to.
        let mut write = self.store().write().await?;
        let (place, rollout) = self.rollout_place(caller, id, changing).await?;
        require_live(&rollout)?;
        let (_, token) = random_api_key()?;
        let hook = RolloutHook {
            rollout_id: id,
            created_by: caller.name().to_owned(),
            created_at: self.clock().now(),
        };
        write
            .set_rollout_hook(&hook, &digest(token.expose_secret()))
            .await?;
        let told = Told::created(Noun::RolloutHook, id.get(), rollout.uuid);
        let told = told.saying(format!("Hook address of rollout {id} made"));
        self.finish_guard(write, caller, (&place, &rollout), told)
            .await?;
        Ok(NewHook { token, hook })
    }

    /// Takes a rollout's address away: nobody can use it any more.
    ///
    /// # Errors
    /// As [`Service::rollout_hook`], and [`ServiceError::Forbidden`] unless the caller may change feature states.
    pub async fn delete_rollout_hook(&self, caller: &Caller, id: RolloutId) -> ServiceResult<()> {
        let changing = EnvironmentPermission::UpdateFeatureState;
        self.rollout_place(caller, id, changing).await?;
        // In turn from here: what is read now is what the change is made to.
        let mut write = self.store().write().await?;
        let (place, rollout) = self.rollout_place(caller, id, changing).await?;
        write.delete_rollout_hook(id).await?;
        let told = Told::deleted(Noun::RolloutHook, id.get(), rollout.uuid);
        let told = told.saying(format!("Hook address of rollout {id} withdrawn"));
        self.finish_guard(write, caller, (&place, &rollout), told)
            .await
    }

    /// Does what a program asks by the address of a rollout. What has happened already is no refusal: programs ask twice.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] for an address that is nobody's.
    pub async fn call_hook(&self, token: &str, call: HookCall) -> ServiceResult<HookReply> {
        let rollout = self.hooked(token).await?;
        let refused = match self.drive_by_hook(&rollout, &call).await {
            Ok(()) => None,
            Err(ServiceError::Rollout(problem)) => Some(problem.to_string()),
            Err(other) => return Err(other),
        };
        let noun = Noun::RolloutHook;
        let rollout = self.store().rollout(rollout.id).await?;
        let rollout = rollout.ok_or(ServiceError::NotFound { noun })?;
        let guards = self.store().guards(rollout.id).await?;
        let verdict = Verdict::of_all(guards.iter().map(|guard| guard.sight.verdict));
        let answer = match refused {
            Some(problem) => Err(problem),
            None => answer(&rollout, verdict, &guards, &call),
        };
        Ok(HookReply {
            is_go: answer.is_ok(),
            reason: answer.err().unwrap_or_default(),
            view: self.rollout_view(rollout).await?,
            verdict,
            guards,
        })
    }

    /// Counts successes and failures that come by the address of a rollout.
    ///
    /// # Errors
    /// As [`Service::call_hook`], and invalid fields.
    pub async fn record_signals_by_hook(
        &self,
        token: &str,
        request: &SignalRequest,
    ) -> ServiceResult<SignalOutcome> {
        let rollout = self.hooked(token).await?;
        self.count_signals(&rollout, request).await
    }

    /// Writes a report of health that comes by the address of a rollout.
    ///
    /// # Errors
    /// As [`Service::call_hook`], and invalid fields.
    pub async fn record_health_by_hook(
        &self,
        token: &str,
        request: HealthRequest,
    ) -> ServiceResult<HealthReport> {
        let rollout = self.hooked(token).await?;
        self.write_health(&rollout, request).await
    }

    async fn hooked(&self, token: &str) -> ServiceResult<Rollout> {
        let noun = Noun::RolloutHook;
        let missing = || ServiceError::NotFound { noun };
        let digest = digest(token);
        let found = self.store().rollout_by_hook(&digest);
        let id = self.ask(found).await?.ok_or_else(missing)?;
        let rollout = self.store().rollout(id).await?.ok_or_else(missing)?;
        // What was deleted is nobody's any more.
        let caller = Caller::of_system("hook");
        let changing = EnvironmentPermission::UpdateFeatureState;
        let place = self.rollout_place(&caller, rollout.id, changing).await;
        place.map_err(|error| error.about(noun))?;
        Ok(rollout)
    }

    async fn drive_by_hook(&self, rollout: &Rollout, call: &HookCall) -> ServiceResult<()> {
        let caller = Caller::of_system("hook");
        let (id, state) = (rollout.id, rollout.state);
        match call {
            HookCall::Advance if rollout.waits_for_approval() => {
                self.approve_rollout(&caller, id).await.map(drop)
            }
            HookCall::Hold(reason) if state != RolloutState::Held => {
                let reason = reason.clone();
                self.hold_rollout(&caller, id, reason).await.map(drop)
            }
            HookCall::Resume if state == RolloutState::Held => {
                self.resume_rollout(&caller, id).await.map(drop)
            }
            HookCall::Promote if state != RolloutState::Promoted => {
                self.promote_rollout(&caller, id).await.map(drop)
            }
            HookCall::RollBack(reason) if !is_taken_back(state) => {
                let reason = reason.clone();
                self.roll_back_rollout(&caller, id, reason).await.map(drop)
            }
            HookCall::Abort(reason) if !is_taken_back(state) => {
                let reason = reason.clone();
                self.abort_rollout(&caller, id, reason).await.map(drop)
            }
            HookCall::Failed(reason) if state.is_live() => {
                let reason = Some(reason.clone());
                self.roll_back_rollout(&caller, id, reason).await.map(drop)
            }
            HookCall::Succeeded if state.is_live() && state != RolloutState::Held => {
                self.promote_rollout(&caller, id).await.map(drop)
            }
            // Questions, and what is so already.
            HookCall::Status
            | HookCall::ConfirmRollout
            | HookCall::Check
            | HookCall::ConfirmTrafficIncrease
            | HookCall::ConfirmPromotion
            | HookCall::AskRollback
            | HookCall::Advance
            | HookCall::Hold(_)
            | HookCall::Resume
            | HookCall::Promote
            | HookCall::RollBack(_)
            | HookCall::Abort(_)
            | HookCall::Failed(_)
            | HookCall::Succeeded => Ok(()),
        }
    }
}

const fn is_taken_back(state: RolloutState) -> bool {
    matches!(state, RolloutState::Aborted | RolloutState::RolledBack)
}

/// Yes, or why not.
fn answer(
    rollout: &Rollout,
    verdict: Option<Verdict>,
    guards: &[Guard],
    call: &HookCall,
) -> Result<(), String> {
    match call {
        HookCall::ConfirmRollout => goes_on(rollout),
        HookCall::Status | HookCall::Check => {
            goes_on(rollout).and_then(|()| none_is(&[Verdict::Harmful], verdict, guards))
        }
        HookCall::ConfirmTrafficIncrease | HookCall::Advance => {
            goes_on(rollout)?;
            if rollout.waits_for_approval() {
                return Err(format!("rollout {} waits for approval", rollout.id));
            }
            none_is(&[Verdict::Harmful, Verdict::NoData], verdict, guards)
        }
        HookCall::ConfirmPromotion if rollout.state == RolloutState::Promoted => Ok(()),
        HookCall::ConfirmPromotion => {
            goes_on(rollout)?;
            let bad = [Verdict::Harmful, Verdict::NoData, Verdict::Undecided];
            none_is(&bad, verdict, guards)
        }
        HookCall::AskRollback if is_taken_back(rollout.state) => Ok(()),
        HookCall::AskRollback => Err(format!(
            "rollout {} is {}",
            rollout.id,
            rollout.state.as_str()
        )),
        // It was done, or was so already.
        HookCall::Hold(_)
        | HookCall::Resume
        | HookCall::Promote
        | HookCall::RollBack(_)
        | HookCall::Abort(_)
        | HookCall::Failed(_) => Ok(()),
        HookCall::Succeeded => goes_on(rollout),
    }
}

fn goes_on(rollout: &Rollout) -> Result<(), String> {
    match rollout.state {
        RolloutState::Scheduled | RolloutState::Running | RolloutState::Promoted => Ok(()),
        RolloutState::Held | RolloutState::Aborted | RolloutState::RolledBack => {
            let mut text = format!("rollout {} is {}", rollout.id, rollout.state.as_str());
            if let Some(reason) = &rollout.reason {
                text = format!("{text}: {reason}");
            }
            Err(text)
        }
    }
}

fn none_is(bad: &[Verdict], verdict: Option<Verdict>, guards: &[Guard]) -> Result<(), String> {
    let Some(verdict) = verdict.filter(|verdict| bad.contains(verdict)) else {
        return Ok(());
    };
    let guard = guards.iter().find(|guard| guard.sight.verdict == verdict);
    let (name, detail) = guard.map_or(("", ""), |guard| (&guard.name, &guard.sight.detail));
    let word = verdict.as_str().replace('_', " ");
    Err(format!("guard `{name}` says {word}: {detail}"))
}
