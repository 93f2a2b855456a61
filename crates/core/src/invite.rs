//! Invitations: how people join an organisation.

use crate::{InviteId, InviteLinkId, MemberId, OrganisationId, Role, Timestamp};
use std::sync::Arc;

/// An invitation of one person, without the secret that stands in its link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invite {
    /// Row id.
    pub id: InviteId,
    /// Where to.
    pub organisation_id: OrganisationId,
    /// Who; unique in the organisation without regard to case.
    pub email: String,
    /// What they become.
    pub role: Role,
    /// Who invited them; `None` when an API key did.
    pub invited_by: Option<MemberId>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A link that invites whoever has it. Its text is a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct InviteLink {
    /// Row id.
    pub id: InviteLinkId,
    /// Where to.
    pub organisation_id: OrganisationId,
    /// What stands in the link.
    pub token: Arc<str>,
    /// What they become.
    pub role: Role,
    /// Refused from then on.
    pub expires_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl InviteLink {
    /// True from its expiry on.
    #[must_use]
    pub fn has_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|expiry| expiry <= now)
    }
}

impl std::fmt::Debug for InviteLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InviteLink")
            .field("id", &self.id)
            .field("organisation_id", &self.organisation_id)
            .finish_non_exhaustive()
    }
}
