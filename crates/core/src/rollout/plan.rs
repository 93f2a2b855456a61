//! The plan of a rollout.

use super::Percentage;
use crate::Timestamp;

/// Steps of one plan.
pub const STEP_LIMIT: usize = 100;
/// The longest that a step is held: a year.
pub const HOLD_LIMIT_SECONDS: i64 = 366 * 24 * 3600;

/// A stage of a rollout: how many have it, and what has to be before the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RolloutStep {
    /// How many have it.
    pub percentage: Percentage,
    /// It does not begin before this time.
    pub starts_at: Option<Timestamp>,
    /// How long it lasts at least, in seconds from 0 to [`HOLD_LIMIT_SECONDS`].
    pub hold_seconds: i64,
    /// Whether somebody has to approve before the next one.
    pub needs_approval: bool,
}

/// What is wrong with a plan. Positions count from 0, and from 1 in what is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPlan {
    /// There is no step.
    #[error("the plan has no step: 1 to {STEP_LIMIT} are needed")]
    Empty,
    /// There are too many.
    #[error("the plan has {0} steps, the limit is {STEP_LIMIT}")]
    TooLong(usize),
    /// A step gives it to no more people than the one before.
    #[error("the steps do not rise: step {} has {percentage} % after {before} %", .position + 1)]
    NotRising {
        /// Which step.
        position: usize,
        /// What it has.
        percentage: Percentage,
        /// What the step before has.
        before: Percentage,
    },
    /// A step is held for a time that cannot be.
    #[error(
        "step {} is held for {seconds} s, which is not between 0 and {HOLD_LIMIT_SECONDS}",
        .position + 1
    )]
    HoldOutOfRange {
        /// Which step.
        position: usize,
        /// For how long.
        seconds: i64,
    },
    /// A step is to begin before an earlier one does.
    #[error("step {} starts before an earlier step does", .0 + 1)]
    StartsTooEarly(usize),
}

/// Passes plans that can be carried out: 1 to [`STEP_LIMIT`] steps, each with more people than the one before.
///
/// # Errors
/// The first thing that is wrong.
pub fn check_plan(steps: &[RolloutStep]) -> Result<(), InvalidPlan> {
    if steps.is_empty() {
        return Err(InvalidPlan::Empty);
    }
    if steps.len() > STEP_LIMIT {
        return Err(InvalidPlan::TooLong(steps.len()));
    }
    let mut started: Option<Timestamp> = None;
    for (position, step) in steps.iter().enumerate() {
        let seconds = step.hold_seconds;
        if !(0..=HOLD_LIMIT_SECONDS).contains(&seconds) {
            return Err(InvalidPlan::HoldOutOfRange { position, seconds });
        }
        let before = position.checked_sub(1).map(|before| &steps[before]);
        if let Some(before) = before
            && step.percentage <= before.percentage
        {
            return Err(InvalidPlan::NotRising {
                position,
                percentage: step.percentage,
                before: before.percentage,
            });
        }
        if step.starts_at.is_some() {
            if step.starts_at < started {
                return Err(InvalidPlan::StartsTooEarly(position));
            }
            started = step.starts_at;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(percent: f64) -> RolloutStep {
        RolloutStep {
            percentage: Percentage::from_percent(percent).unwrap(),
            ..RolloutStep::default()
        }
    }

    #[track_caller]
    fn check(steps: &[RolloutStep], expected: &str) {
        let refused = check_plan(steps).unwrap_err();
        assert_eq!(refused.to_string(), expected);
    }

    #[test]
    fn a_plan_that_rises_can_be_carried_out() {
        assert_eq!(check_plan(&[step(0.0), step(0.01), step(100.0)]), Ok(()));
        assert_eq!(check_plan(&[step(50.0)]), Ok(()));
    }

    #[test]
    fn what_is_wrong_is_named_with_the_limit() {
        check(&[], "the plan has no step: 1 to 100 are needed");
        let many: Vec<_> = (0..101)
            .map(|number| step(f64::from(number) / 2.0))
            .collect();
        check(&many, "the plan has 101 steps, the limit is 100");
        let falling = [step(10.0), step(25.5), step(25.5)];
        check(
            &falling,
            "the steps do not rise: step 3 has 25.5 % after 25.5 %",
        );
        let mut long = step(10.0);
        long.hold_seconds = HOLD_LIMIT_SECONDS + 1;
        check(
            &[long],
            "step 1 is held for 31622401 s, which is not between 0 and 31622400",
        );
        let at = |micros, percent| RolloutStep {
            starts_at: Some(Timestamp::from_micros(micros)),
            ..step(percent)
        };
        check(
            &[at(5, 1.0), step(2.0), at(4, 3.0)],
            "step 3 starts before an earlier step does",
        );
    }
}
