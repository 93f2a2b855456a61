//! Tests of `flagstaff-api`: requests through the whole router, on a SQLite file in a temporary folder.

mod bad_input;
mod face;
mod flagsmith;
mod frame;
mod ops;
mod realtime;
