//! The Flagsmith protocol: evaluation contexts, the environment document, SDK answers.

pub mod context;
mod context_read;
mod priority;
pub mod result;
