//! Tests of `flagstaff-api`: requests through the whole router, on a SQLite file in a temporary folder.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests may fail loudly too"
)]

mod across_protocols;
mod bad_input;
mod explain;
mod face;
mod flagd;
mod flagd_grpc;
mod flagd_rpc;
mod flagsmith;
mod frame;
mod listeners;
mod ofrep;
mod ops;
mod realtime;
mod rollouts;
