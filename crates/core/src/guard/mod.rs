//! Guards of a rollout: what a measurement or counts of successes and failures say about going on.
//!
//! A guard has one of four opinions ([`Verdict`]). That nothing was measured is an opinion of its own and never taken
//! for health.

mod odds;
mod sequential;
#[cfg(test)]
mod simulation;
mod threshold;
mod verdict;
mod watch;

pub use odds::{Arms, Counts};
pub use sequential::{Evidence, SequentialTest};
pub use threshold::{Harm, RateLimit, Threshold};
pub use verdict::Verdict;
pub use watch::{Guard, GuardAction, HealthReport, Look, Observation, Sight, Stage, Watch};
