//! flagd: an environment as a flag definition document, and what that document cannot say.

pub mod attribute;
mod branches;
mod comparison;
mod condition;
pub mod difference;
mod differing;
pub mod document;
mod flag;
mod logic;
mod membership;
pub mod options;
mod pattern;
mod plan;
mod rules;
mod segments;
mod split;
mod subject;
mod wanted;
pub mod warning;

pub use attribute::AttributeClass;
pub use difference::{Client, ConditionPlace, Difference, DifferenceReason};
pub use document::{Document, TRANSLATOR_VERSION, diagnostics, document, flag_set_id, version};
pub use options::DocumentOptions;
pub use warning::{FeatureWarnings, Warning, WarningReason, Warnings};
