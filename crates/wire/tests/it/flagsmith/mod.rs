//! The Flagsmith protocol.

mod differences;
mod differential;
mod generate;
mod minimise;
mod python;
mod random;
