//! Each protocol's document types and their translation to and from `core`.
//!
//! **Invariants.** Pure functions over bytes and core types: no I/O, no SQL, no HTTP, no clock. What comes
//! in is read by hand and gives `Result<_, Malformed>` with the place of the mistake; what goes out cannot
//! fail. Changing a core type never changes a protocol.

pub mod audit;
pub mod flagd;
pub mod flagsmith;
pub mod json;
pub mod malformed;
mod node;
pub mod ofrep;
pub mod python;
pub mod time;

pub use malformed::{Malformed, Problem};
