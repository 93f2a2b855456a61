//! The Flagsmith protocol.

mod conditions;
mod differences;
mod differential;
mod generate;
mod minimise;
mod python;
mod random;
