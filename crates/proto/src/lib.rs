//! The gRPC protocols flagstaff speaks: messages, clients and servers made of the files in `protos/`.
//!
//! Nothing here is written by hand but the module tree.

/// Every message and service of the server, for gRPC reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// The protocols of flagd.
pub mod flagd {
    /// Asking for flags.
    pub mod evaluation {
        /// Version 1: what a flag lacks is told as an empty value.
        pub mod v1 {
            tonic::include_proto!("flagd.evaluation.v1");
        }
        /// Version 2: what a flag lacks is absent.
        pub mod v2 {
            tonic::include_proto!("flagd.evaluation.v2");
        }
    }
    /// Whole documents for programs that evaluate for themselves.
    pub mod sync {
        /// Version 1.
        pub mod v1 {
            tonic::include_proto!("flagd.sync.v1");
        }
    }
}

/// The protocols of Rollops.
pub mod rollops {
    /// How its host talks to a plugin.
    pub mod plugin {
        /// Version 1.
        pub mod v1 {
            tonic::include_proto!("rollops.plugin.v1");
        }
    }
}
