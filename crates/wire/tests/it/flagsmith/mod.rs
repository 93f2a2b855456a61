//! The Flagsmith protocol.

mod answers;
pub mod differential;
mod document;
pub mod installation;
mod robustness;
