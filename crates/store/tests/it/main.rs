//! Tests of `flagstaff-store`: every function on SQLite and on Postgres.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what fails here is a test, also in the functions that tests share"
)]

mod account_links;
mod api_keys;
mod audit;
mod audit_lists;
mod backup;
mod change_notices;
mod clean_up;
mod concurrency;
mod connect;
mod environment_copies;
mod environment_keys;
mod environments;
mod feature_files;
mod feature_segments;
mod feature_states;
mod feature_versions;
mod features;
mod flagd_integrations;
mod grants;
mod guards;
mod identities;
mod instance;
mod invites;
mod leases;
mod members;
mod memberships;
mod migrate;
mod organisations;
mod outbox;
mod own_flags;
mod projects;
mod rollouts;
mod row_ids;
mod schedule;
mod segment_titles;
mod segments;
mod server_keys;
mod sign_in;
mod snapshots;
mod tags;
mod traits;
mod usage;
mod usage_lists;
mod write;

use flagstaff_store::{Noun, StoreError};

/// Fails unless the result is a conflict of this noun.
#[track_caller]
fn assert_conflict<T: std::fmt::Debug>(result: Result<T, StoreError>, expected: Noun) {
    match result {
        Err(StoreError::Conflict { noun }) => assert_eq!(noun, expected),
        other => panic!("a conflict of {expected} was expected, not {other:?}"),
    }
}

/// Fails unless the result is that this noun was not found.
#[track_caller]
fn assert_not_found<T: std::fmt::Debug>(result: Result<T, StoreError>, expected: Noun) {
    match result {
        Err(StoreError::NotFound { noun }) => assert_eq!(noun, expected),
        other => panic!("no {expected} was expected, not {other:?}"),
    }
}
