//! Who asks, and what they may do.
//!
//! Until roles and grants arrive, every member of an organisation may change what is in it, and only its
//! admins (and superusers) the organisation itself.

use crate::error::{Noun, ServiceError, ServiceResult};
use flagstaff_core::{Member, Membership, OrganisationId, Role};

/// A member who signed in, with their memberships as of this request.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Who.
    pub member: Member,
    /// Where they belong.
    pub memberships: Vec<Membership>,
}

impl Caller {
    /// What the caller is in an organisation; superusers are admins everywhere.
    #[must_use]
    pub fn role_in(&self, organisation: OrganisationId) -> Option<Role> {
        if self.member.is_superuser {
            return Some(Role::Admin);
        }
        self.memberships
            .iter()
            .find(|membership| membership.organisation_id == organisation)
            .map(|membership| membership.role)
    }

    /// Passes members of the organisation.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`] for everybody else.
    pub(crate) fn require_member(&self, organisation: OrganisationId) -> ServiceResult<()> {
        match self.role_in(organisation) {
            Some(Role::Admin | Role::User) => Ok(()),
            None => Err(ServiceError::Forbidden),
        }
    }

    /// Passes admins of the organisation.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`] for everybody else.
    pub(crate) fn require_admin(&self, organisation: OrganisationId) -> ServiceResult<()> {
        match self.role_in(organisation) {
            Some(Role::Admin) => Ok(()),
            Some(Role::User) | None => Err(ServiceError::Forbidden),
        }
    }

    /// Passes members; to others the thing does not exist.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] for everybody else.
    pub(crate) fn require_member_of(
        &self,
        organisation: OrganisationId,
        noun: Noun,
    ) -> ServiceResult<()> {
        self.require_member(organisation)
            .map_err(|_| ServiceError::NotFound { noun })
    }
}
