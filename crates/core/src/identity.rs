//! Identities and their stored traits.

use crate::{EnvironmentId, IdentityId, Timestamp, TraitId, Value};
use std::sync::Arc;

/// An end user or machine known to an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Row id.
    pub id: IdentityId,
    /// The environment that knows it.
    pub environment_id: EnvironmentId,
    /// Unique within the environment, compared exactly.
    pub identifier: Arc<str>,
    /// When it was first seen.
    pub created_at: Timestamp,
}

/// A stored attribute of an identity.
#[derive(Debug, Clone, PartialEq)]
pub struct IdentityTrait {
    /// Row id.
    pub id: TraitId,
    /// 1 to 200 characters.
    pub key: Arc<str>,
    /// Boolean, integer within `i64`, float or text of up to 2,000 characters.
    pub value: Value,
    /// When it was first set.
    pub created_at: Timestamp,
}
