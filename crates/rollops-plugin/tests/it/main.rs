//! The built plugin, started and called as Rollops does it.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod conformance;
mod failures;
mod fake;
mod flagsmith;
mod host;
mod people;
mod process;
mod wire;
mod writes;
