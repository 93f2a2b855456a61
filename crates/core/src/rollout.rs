//! Rollouts: one option of a feature, or the feature itself, given to more and more people.

mod percentage;
mod plan;
mod progress;

pub use percentage::{InvalidPercentage, Percentage};
pub use plan::{HOLD_LIMIT_SECONDS, InvalidPlan, RolloutStep, STEP_LIMIT, check_plan};
pub use progress::{InvalidMove, RolloutAction, RolloutMove};

use crate::{
    EnvironmentId, FeatureId, OptionId, ProjectId, RolloutEventId, RolloutId, SegmentId, Timestamp,
};
use uuid::Uuid;

/// Where a rollout stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RolloutState {
    /// Its first step is still to come: nobody has got anything yet.
    Scheduled,
    /// It is at one of its steps.
    Running,
    /// It stays where it is until somebody says how it goes on.
    Held,
    /// Everybody got it: the state of the feature itself says so now.
    Promoted,
    /// Somebody ended it: what was before is served again.
    Aborted,
    /// Something was wrong with it: what was before is served again.
    RolledBack,
}

impl RolloutState {
    /// Every state, in the order of a rollout's life.
    pub const ALL: [Self; 6] = [
        Self::Scheduled,
        Self::Running,
        Self::Held,
        Self::Promoted,
        Self::Aborted,
        Self::RolledBack,
    ];

    /// The word that is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Running => "running",
            Self::Held => "held",
            Self::Promoted => "promoted",
            Self::Aborted => "aborted",
            Self::RolledBack => "rolled_back",
        }
    }

    /// The meaning of that word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// True until it was promoted, aborted or rolled back.
    #[must_use]
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Scheduled | Self::Running | Self::Held)
    }
}

/// A rollout of a feature in an environment.
#[derive(Debug, Clone, PartialEq)]
pub struct Rollout {
    /// Row id.
    pub id: RolloutId,
    /// Stable id across installations.
    pub uuid: Uuid,
    /// The project.
    pub project_id: ProjectId,
    /// The environment.
    pub environment_id: EnvironmentId,
    /// The feature.
    pub feature_id: FeatureId,
    /// The option that is raised; `None`: the feature, which has no options, is switched on.
    pub option_id: Option<OptionId>,
    /// Whom it is given to a part of; `None`: everybody.
    pub segment_id: Option<SegmentId>,
    /// The segment that holds the percentage. Nobody but the rollout changes it.
    pub managed_segment_id: Option<SegmentId>,
    /// Free text.
    pub description: Option<String>,
    /// The program outside that says each percentage, instead of a plan.
    pub driver: Option<String>,
    /// Where it stands.
    pub state: RolloutState,
    /// The plan; empty where there is a driver.
    pub steps: Vec<RolloutStep>,
    /// Position of the step it is at, from 0; `None` before the first one.
    pub step: Option<usize>,
    /// How many have it by now.
    pub percentage: Percentage,
    /// When the present step, or percentage, began.
    pub reached_at: Option<Timestamp>,
    /// Whether somebody let it pass the gate of the present step.
    pub is_approved: bool,
    /// When it goes on by itself; `None` where it waits for somebody.
    pub due_at: Option<Timestamp>,
    /// While it is held: microseconds that were left of the present step.
    pub remaining_micros: Option<i64>,
    /// Why it is held, or how it ended.
    pub reason: Option<String>,
    /// The state it began from, in the words of the service.
    pub state_before: Option<String>,
    /// Counts its changes: a change is made to what was read, or not at all.
    pub changes: i64,
    /// Who made it, as people know them.
    pub created_by: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When it ended; `None` while it is live.
    pub ended_at: Option<Timestamp>,
}

impl Rollout {
    /// True once its first step was taken and as long as it has not ended: what it manages is its own.
    #[must_use]
    pub fn is_under_way(&self) -> bool {
        self.state.is_live() && self.reached_at.is_some()
    }
}

/// What happened to a rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RolloutEventKind {
    /// It was made.
    Created,
    /// Its plan was changed.
    Edited,
    /// A step was taken, or a driver said a percentage.
    Stepped,
    /// It was held.
    Held,
    /// It goes on.
    Resumed,
    /// It may pass the gate of a step.
    Approved,
    /// It was promoted.
    Promoted,
    /// It was aborted.
    Aborted,
    /// It was rolled back.
    RolledBack,
}

impl RolloutEventKind {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::Created,
        Self::Edited,
        Self::Stepped,
        Self::Held,
        Self::Resumed,
        Self::Approved,
        Self::Promoted,
        Self::Aborted,
        Self::RolledBack,
    ];

    /// The word that is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Edited => "edited",
            Self::Stepped => "stepped",
            Self::Held => "held",
            Self::Resumed => "resumed",
            Self::Approved => "approved",
            Self::Promoted => "promoted",
            Self::Aborted => "aborted",
            Self::RolledBack => "rolled_back",
        }
    }

    /// The meaning of that word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// An entry of a rollout's timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RolloutEvent {
    /// Row id; grows with time.
    pub id: RolloutEventId,
    /// What happened.
    pub kind: RolloutEventKind,
    /// When.
    pub at: Timestamp,
    /// Position of the step the rollout was at afterwards.
    pub step: Option<usize>,
    /// How many had it afterwards.
    pub percentage: Percentage,
    /// Who did it, as people know them.
    pub actor: String,
    /// True where a part of the product did it by itself.
    pub is_system: bool,
    /// Why.
    pub reason: Option<String>,
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod words {
    use super::*;

    #[test]
    fn every_word_is_read_as_it_is_written() {
        for state in RolloutState::ALL {
            assert_eq!(RolloutState::parse(state.as_str()), Some(state));
        }
        for kind in RolloutEventKind::ALL {
            assert_eq!(RolloutEventKind::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(RolloutState::parse("Running"), None);
        assert_eq!(RolloutEventKind::parse(""), None);
    }
}
