//! The Flagsmith protocol.
