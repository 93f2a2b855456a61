//! The Flagsmith protocol: evaluation contexts, the environment document, SDK answers.

pub mod analytics;
pub mod context;
mod context_read;
pub mod document;
mod document_read;
mod document_read_state;
mod document_state;
pub mod explanation;
pub mod feature_file;
pub mod flag;
pub mod identity;
pub mod import;
mod priority;
pub mod result;
mod rule_read;
