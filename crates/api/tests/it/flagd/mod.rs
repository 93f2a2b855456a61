//! The flagd face, by the numbers of its requirements (see docs/reference/flagd.md).

mod caching;
mod endpoints;
mod metrics;
mod polls;
