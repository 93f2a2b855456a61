//! API keys: what programs manage an organisation with.

use crate::{ApiKeyId, MemberId, OrganisationId, Timestamp};

/// An API key of an organisation, without its secret part, which is nowhere but with its owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Row id.
    pub id: ApiKeyId,
    /// The organisation it acts in.
    pub organisation_id: OrganisationId,
    /// The part before the dot: unique, and no secret.
    pub prefix: String,
    /// Shown name, 1 to 50 characters.
    pub name: String,
    /// May do everything in the organisation; otherwise nothing until roles are granted.
    pub is_admin: bool,
    /// True: refused.
    pub revoked: bool,
    /// Refused from then on.
    pub expires_at: Option<Timestamp>,
    /// Who made it; `None` when another key did.
    pub created_by: Option<MemberId>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl ApiKey {
    /// True from its expiry on.
    #[must_use]
    pub fn has_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|expiry| expiry <= now)
    }
}
