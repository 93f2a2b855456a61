//! The gRPC services of flagd: on the port of everything else, and on listeners of their own.

mod credentials;
mod ends;
mod protobuf;
mod selector;
pub(crate) mod sync;

pub(in crate::flagd) use credentials::{FlagdKey, is_served};
pub(in crate::flagd) use ends::status_of_end;
