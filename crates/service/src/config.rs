//! Settings of the service.

use serde::Deserialize;

/// Signing in: the `[sign_in]` table of `flagstaff.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SignInConfig {
    /// Attempts to sign in that one address may make in a minute. Default 20.
    pub attempts_per_minute: u32,
    /// How long a browser stays signed in, in hours. Default 336 (two weeks).
    pub session_hours: u32,
    /// How long a one-time sign-in link can be used, in hours. Default 24.
    pub link_hours: u32,
    /// Whether anybody may sign up, and not only the first member and whoever is invited. Default `false`.
    pub allow_sign_up: bool,
}

impl Default for SignInConfig {
    fn default() -> Self {
        Self {
            attempts_per_minute: 20,
            session_hours: 336,
            link_hours: 24,
            allow_sign_up: false,
        }
    }
}

/// What is kept in memory: the `[memory]` table of `flagstaff.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MemoryConfig {
    /// Weight of the environments kept compiled; a feature, segment or identity override weighs 1. Default 2,000,000.
    pub snapshot_weight: u64,
    /// Stored identities kept with their traits; a trait weighs 1. Default 1,000,000.
    pub identity_weight: u64,
}

impl Default for MemoryConfig {
    fn default() -> Self {
        Self {
            snapshot_weight: 2_000_000,
            identity_weight: 1_000_000,
        }
    }
}

/// Usage counts: the `[usage]` table of `flagstaff.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UsageConfig {
    /// Seconds between two writes of the counts. Default 10.
    pub flush_seconds: u32,
}

impl Default for UsageConfig {
    fn default() -> Self {
        Self { flush_seconds: 10 }
    }
}

/// Everything the service can be told.
#[derive(Debug, Clone, Default)]
pub struct ServiceConfig {
    /// Signing in.
    pub sign_in: SignInConfig,
    /// What is kept in memory.
    pub memory: MemoryConfig,
    /// Usage counts.
    pub usage: UsageConfig,
}
