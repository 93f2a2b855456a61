//! How a rollout goes from step to step. The time is given: nothing here asks for it.

use super::{Percentage, Rollout, RolloutState};
use crate::Timestamp;

const MICROS_PER_SECOND: i64 = 1_000_000;

/// What a rollout does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RolloutMove {
    /// Nothing before this time, or before somebody says so.
    Wait(Option<Timestamp>),
    /// It takes the step at this position.
    Step(usize),
    /// The last step gave it to everybody, and had its time.
    Promote,
    /// The last step had its time, but some have nothing yet: somebody has to say how it ends.
    Rest,
}

/// What is asked of a rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RolloutAction {
    /// Another plan.
    Edit,
    /// Staying where it is.
    Hold,
    /// Going on.
    Resume,
    /// Passing the gate of the present step.
    Approve,
    /// Giving it to everybody, for good.
    Promote,
    /// Taking it back from everybody, because somebody wants so.
    Abort,
    /// Taking it back from everybody, because something is wrong.
    RollBack,
    /// Being watched by one more guard, or driven by a hook.
    Guard,
}

impl RolloutAction {
    /// As people say it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Edit => "edited",
            Self::Hold => "held",
            Self::Resume => "resumed",
            Self::Approve => "approved",
            Self::Promote => "promoted",
            Self::Abort => "aborted",
            Self::RollBack => "rolled back",
            Self::Guard => "guarded",
        }
    }

    /// True where a rollout in this state can do it.
    #[must_use]
    pub const fn is_possible_in(self, state: RolloutState) -> bool {
        match self {
            Self::Edit => matches!(state, RolloutState::Scheduled | RolloutState::Held),
            Self::Hold => matches!(state, RolloutState::Scheduled | RolloutState::Running),
            Self::Resume => matches!(state, RolloutState::Held),
            Self::Approve => matches!(state, RolloutState::Running | RolloutState::Held),
            Self::Promote | Self::Abort | Self::Guard => state.is_live(),
            Self::RollBack => state.is_live() || matches!(state, RolloutState::Promoted),
        }
    }
}

/// Why a rollout cannot do what is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMove {
    /// It is in a state in which that cannot be.
    #[error("is {} and cannot be {}", .state.as_str(), .action.as_str())]
    State {
        /// What is asked.
        action: RolloutAction,
        /// Where it stands.
        state: RolloutState,
    },
    /// The plan is carried out once it has begun.
    #[error("has begun and cannot be edited")]
    Begun,
    /// The present step has no gate, or has been approved.
    #[error("waits for no approval")]
    NoGate,
    /// There is no further step.
    #[error("is at the end of its plan and can only be promoted or aborted")]
    PlanEnded,
}

impl Rollout {
    /// What it does next.
    #[must_use]
    pub fn next_move(&self, now: Timestamp) -> RolloutMove {
        if !matches!(self.state, RolloutState::Scheduled | RolloutState::Running) {
            return RolloutMove::Wait(None);
        }
        match self.due_at {
            Some(due) if due <= now => {}
            due => return RolloutMove::Wait(due),
        }
        let next = self.next_step();
        if next < self.steps.len() {
            RolloutMove::Step(next)
        } else if self.percentage == Percentage::WHOLE {
            RolloutMove::Promote
        } else {
            RolloutMove::Rest
        }
    }

    /// True where it goes on only after somebody approved.
    #[must_use]
    pub fn waits_for_approval(&self) -> bool {
        let step = self.step.and_then(|step| self.steps.get(step));
        self.state.is_live() && !self.is_approved && step.is_some_and(|step| step.needs_approval)
    }

    /// Takes a step of the plan.
    pub fn reach(&mut self, position: usize, now: Timestamp) {
        let Some(step) = self.steps.get(position) else {
            return;
        };
        self.percentage = step.percentage;
        self.step = Some(position);
        self.state = RolloutState::Running;
        self.reached_at = Some(now);
        self.is_approved = false;
        self.remaining_micros = None;
        self.reason = None;
        self.due_at = self.due_of_present(now);
    }

    /// Stays where it is.
    ///
    /// # Errors
    /// [`InvalidMove::State`].
    pub fn hold(&mut self, now: Timestamp, reason: Option<String>) -> Result<(), InvalidMove> {
        self.require(RolloutAction::Hold)?;
        let left = |due: Timestamp| due.micros().saturating_sub(now.micros()).max(0);
        self.remaining_micros = self.due_at.map(left);
        self.due_at = None;
        self.state = RolloutState::Held;
        self.reason = reason;
        Ok(())
    }

    /// Goes on: what was left of the present step is still to pass.
    ///
    /// # Errors
    /// [`InvalidMove::State`], and [`InvalidMove::PlanEnded`] where the last step has had its time.
    pub fn resume(&mut self, now: Timestamp) -> Result<(), InvalidMove> {
        self.require(RolloutAction::Resume)?;
        let is_last = self.next_step() >= self.steps.len() && self.driver.is_none();
        let is_over = self.remaining_micros == Some(0);
        if is_last && is_over && self.percentage < Percentage::WHOLE {
            return Err(InvalidMove::PlanEnded);
        }
        let has_begun = self.reached_at.is_some();
        self.due_at = match self.remaining_micros.take() {
            Some(micros) => Some(self.not_before_next(now.plus_micros(micros))),
            None if self.driver.is_some() || self.waits_for_approval() => None,
            None => Some(self.not_before_next(now)),
        };
        self.state = if has_begun {
            RolloutState::Running
        } else {
            RolloutState::Scheduled
        };
        self.reason = None;
        Ok(())
    }

    /// Passes the gate of the present step; the rest of the step's time is still to pass.
    ///
    /// # Errors
    /// [`InvalidMove::State`], and [`InvalidMove::NoGate`].
    pub fn approve(&mut self, now: Timestamp) -> Result<(), InvalidMove> {
        self.require(RolloutAction::Approve)?;
        if !self.waits_for_approval() {
            return Err(InvalidMove::NoGate);
        }
        self.is_approved = true;
        let due = self.due_of_present(now);
        if self.state == RolloutState::Held {
            let left = |due: Timestamp| due.micros().saturating_sub(now.micros()).max(0);
            self.remaining_micros = due.map(left);
        } else {
            self.due_at = due;
        }
        Ok(())
    }

    /// Goes where a driver says.
    pub fn drive(&mut self, percentage: Percentage, now: Timestamp) {
        self.percentage = percentage;
        self.state = RolloutState::Running;
        self.reached_at = Some(now);
        self.due_at = None;
        self.remaining_micros = None;
        self.reason = None;
    }

    /// Ends.
    pub fn end(&mut self, state: RolloutState, now: Timestamp, reason: Option<String>) {
        self.state = state;
        self.percentage = match state {
            RolloutState::Promoted => Percentage::WHOLE,
            RolloutState::Aborted | RolloutState::RolledBack => Percentage::NONE,
            RolloutState::Scheduled | RolloutState::Running | RolloutState::Held => self.percentage,
        };
        self.due_at = None;
        self.remaining_micros = None;
        self.reason = reason;
        self.ended_at = Some(now);
    }

    /// Passes where the state allows an action.
    ///
    /// # Errors
    /// [`InvalidMove::State`], and [`InvalidMove::Begun`] for another plan after the first step.
    pub fn require(&self, action: RolloutAction) -> Result<(), InvalidMove> {
        let state = self.state;
        if !action.is_possible_in(state) {
            return Err(InvalidMove::State { action, state });
        }
        if action == RolloutAction::Edit && self.reached_at.is_some() {
            return Err(InvalidMove::Begun);
        }
        Ok(())
    }

    /// When the first step is due.
    #[must_use]
    pub fn first_due(&self, now: Timestamp) -> Option<Timestamp> {
        let first = self.steps.first()?;
        Some(first.starts_at.map_or(now, |starts_at| starts_at.max(now)))
    }

    fn next_step(&self) -> usize {
        self.step.map_or(0, |step| step.saturating_add(1))
    }

    /// This time, or when the next step may begin.
    fn not_before_next(&self, time: Timestamp) -> Timestamp {
        let next = self.steps.get(self.next_step());
        let starts_at = next.and_then(|next| next.starts_at);
        starts_at.map_or(time, |starts_at| starts_at.max(time))
    }

    /// When the present step has had its time; `None` before somebody approved.
    fn due_of_present(&self, now: Timestamp) -> Option<Timestamp> {
        let step = self.steps.get(self.step?)?;
        if step.needs_approval && !self.is_approved {
            return None;
        }
        let since = self.reached_at.unwrap_or(now);
        let over = since.plus_micros(step.hold_seconds.saturating_mul(MICROS_PER_SECOND));
        Some(self.not_before_next(over))
    }
}
