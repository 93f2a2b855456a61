//! Builders, throw-away databases and a server in a box, for tests only.

pub mod sql;
