//! Tests of `flagstaff-wire`.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests may fail loudly too"
)]

mod flagd;
mod flagsmith;
