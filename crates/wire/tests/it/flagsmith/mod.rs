//! The Flagsmith protocol.

mod answers;
mod differential;
mod document;
mod installation;
mod random;
mod robustness;
