//! The built binary, used as people, scripts and SDKs use it.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

mod backup;
mod bootstrap;
mod clients;
mod cluster;
mod dashboard;
mod dashboard_journeys;
mod database;
mod deploy;
mod desk;
mod docs;
mod evaluate;
mod faults;
mod flagd_sync;
mod guarded_rollout;
mod guides;
mod http;
mod import;
mod nodes;
mod openfeature;
mod own_flags;
mod rollops;
mod rollouts;
mod schedule;
mod server;
mod skipped;
mod start_and_stop;
mod statements;
mod takeover;
