//! The Flagsmith protocol: evaluation contexts, the environment document, SDK answers.

pub mod analytics;
pub mod context;
mod context_read;
pub mod flag;
pub mod identity;
mod priority;
pub mod result;
