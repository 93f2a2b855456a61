//! The Flagsmith protocol.

mod answers;
mod differential;
mod document;
pub mod installation;
pub mod random;
mod robustness;
