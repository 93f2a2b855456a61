//! Tests of `flagstaff-service`, on a database file in a temporary folder.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on stops where it is"
)]

mod audit;
mod external_sign_in;
mod feature_overview;
mod fixture;
mod flagd_integrations;
mod guards;
mod identities;
mod identity_provider;
mod imports;
mod keys;
mod mail;
mod mail_encryption;
mod memory;
mod own_flags;
mod publishing;
mod rollouts;
mod schedule;
mod segments;
mod sign_in;
mod usage;
mod versions;
