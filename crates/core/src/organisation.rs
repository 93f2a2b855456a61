//! Organisations: who owns projects.

use crate::{OrganisationId, Timestamp};
use uuid::Uuid;

/// An organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organisation {
    /// Row id.
    pub id: OrganisationId,
    /// Stable id across installations.
    pub uuid: Uuid,
    /// Shown name, 1 to 2,000 characters.
    pub name: String,
    /// Address for webhook trouble; stored and shown.
    pub webhook_notification_email: Option<String>,
    /// False: traits are used in an evaluation but never stored.
    pub persist_trait_data: bool,
    /// True: only admins of the organisation may make projects.
    pub restrict_project_create_to_admin: bool,
    /// True: members must use a second factor.
    pub force_2fa: bool,
    /// True: every environment key is refused.
    pub stop_serving_flags: bool,
    /// When it was made.
    pub created_at: Timestamp,
}
