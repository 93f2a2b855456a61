//! Tests of `flagstaff-service`, on a database file in a temporary folder.

mod fixture;
mod identities;
mod imports;
mod keys;
mod memory;
mod publishing;
mod schedule;
mod sign_in;
mod usage;
