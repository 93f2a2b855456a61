//! Members: the people who sign in here.

use crate::{MemberId, OrganisationId, Timestamp};
use uuid::Uuid;

/// A person who signs in here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Row id.
    pub id: MemberId,
    /// Stable id across installations.
    pub uuid: Uuid,
    /// Unique without regard to case.
    pub email: String,
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
    /// May do everything in every organisation.
    pub is_superuser: bool,
    /// False: may not sign in.
    pub is_active: bool,
    /// How they signed up, as the Flagsmith API names it.
    pub sign_up_type: Option<String>,
    /// When they joined.
    pub created_at: Timestamp,
    /// When they last signed in.
    pub last_login: Option<Timestamp>,
}

/// What a member is in an organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// May do everything in the organisation.
    Admin,
    /// May do what they were granted.
    User,
}

/// A member's place in an organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Membership {
    /// The organisation.
    pub organisation_id: OrganisationId,
    /// What they are there.
    pub role: Role,
}
