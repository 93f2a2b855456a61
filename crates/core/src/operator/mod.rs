//! The operators of segment conditions, one file for each family.
//!
//! Meaning and edge cases are those of `flagsmith-flag-engine` 10.2.0 and 11.1.1, which were run to learn
//! them. Where the Python engine raises an error, a condition is false here.

mod check;
mod comparison;
mod containment;
mod json_list;
mod membership;
mod modulo;
mod pattern;
mod percentage;
mod test;
mod version;

pub use check::ConditionProblem;
pub use membership::list_items;
pub use modulo::Modulo;
pub use pattern::PatternBudget;
pub(crate) use pattern::PatternCost;
pub(crate) use percentage::PercentageSplit;
pub(crate) use test::Test;
pub(crate) use version::Version;
pub use version::{VersionEnding, version_ending};
