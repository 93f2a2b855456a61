//! The plugin for Rollops against the real binary: as it changes flags, so SDKs and OpenFeature clients see them.

mod canary;
mod host;
mod observed;
