//! flagd: documents and diagnostics.

mod conditions;
mod differences;
mod documents;
pub mod environments;
mod evaluators;
mod flags;
mod golden;
mod overrides;
mod segments;
