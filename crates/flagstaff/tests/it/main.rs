//! The built binary, used as people, scripts and SDKs use it.

mod evaluate;
