//! The protocols of flagd.

pub(crate) mod grpc;
