//! What stands against rollouts, and what rollouts stand against.

use flagstaff_core::{InvalidMove, InvalidPercentage, InvalidPlan, Percentage, RolloutId};

/// Why a rollout stands against what is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RolloutProblem {
    /// It cannot do that where it stands.
    #[error("rollout {rollout} {problem}")]
    Move {
        /// Which rollout.
        rollout: RolloutId,
        /// Why not.
        problem: InvalidMove,
    },
    /// A feature has one live rollout in an environment.
    #[error("rollout {0} of the feature is live in the environment: it has to end first")]
    AnotherLive(RolloutId),
    /// What was to be changed belongs to a rollout.
    #[error("rollout {0} manages this: promote or abort it first")]
    Managed(RolloutId),
    /// The segment was to get a percentage while a rollout is inside of it.
    #[error(
        "rollout {0} is inside of the segment, which cannot get a percentage of its own meanwhile"
    )]
    PercentageInside(RolloutId),
    /// The state that a promoted rollout left is another one now.
    #[error("the state that rollout {0} left was changed since")]
    ChangedSince(RolloutId),
}

/// What is wrong with a field of a rollout.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum RolloutFault {
    /// The plan cannot be carried out.
    #[error("{0}")]
    Plan(InvalidPlan),
    /// A percentage of the plan is none.
    #[error("percentage {0}")]
    Percentage(InvalidPercentage),
    /// Everybody has it already.
    #[error("is on for everybody there already")]
    OnAlready,
    /// A step would take it from people who have it without a rollout.
    #[error("the steps begin with {percentage} %, and {already} % have it already")]
    BelowPresent {
        /// What the first step has.
        percentage: Percentage,
        /// How many have it, in percent.
        already: f64,
    },
    /// Of several options one is raised.
    #[error("is missing: the feature has several")]
    VariantNeeded,
    /// A feature without options is switched on.
    #[error("cannot be named: the feature has none")]
    NoVariants,
    /// The feature has no such option.
    #[error("is none of the feature's")]
    UnknownVariant,
    /// Within the rollout its percentage would be hashed by another key.
    #[error("places people by a percentage of its own")]
    SegmentHasPercentage,
    /// A version that is planned would end what the rollout begins from.
    #[error("has a version that is going to become live in the environment")]
    VersionPlanned,
}
