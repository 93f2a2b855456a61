//! The Flagsmith protocol.

mod answers;
mod conditions;
mod differences;
mod differential;
mod document;
mod generate;
mod installation;
mod minimise;
mod python;
mod random;
mod robustness;
