//! Who asks, and what they may do.
//!
//! Superusers are admins of every organisation, and admins may do everything in theirs. Other members may do what they
//! were granted: in a project or an environment as its admin, or permission by permission. The admin of a
//! project is one of each of its environments.

use crate::error::{ServiceError, ServiceResult};
use flagstaff_core::{
    ApiKey, EnvironmentId, EnvironmentPermission, Grant, GrantPlace, Member, Membership,
    OrganisationId, OrganisationPermission, Project, ProjectPermission, Role,
};
use flagstaff_store::Actor;
use std::borrow::Cow;

/// A member who signed in or a program with an API key, with what they may do as of this request.
#[derive(Debug, Clone)]
pub struct Caller {
    who: Who,
    memberships: Vec<Membership>,
    /// What a member was granted who is not everywhere an admin.
    grants: Vec<Grant>,
}

#[derive(Debug, Clone)]
enum Who {
    Member(Member),
    ApiKey(ApiKey),
    /// A part of the product, which may do everything.
    System(Cow<'static, str>),
}

impl Caller {
    /// A member with their places.
    #[must_use]
    pub fn of_member(member: Member, memberships: Vec<Membership>) -> Self {
        Self {
            who: Who::Member(member),
            memberships,
            grants: Vec::new(),
        }
    }

    /// The same with what they were granted.
    #[must_use]
    pub fn with_grants(self, grants: Vec<Grant>) -> Self {
        Self { grants, ..self }
    }

    /// A program; its key acts in one organisation.
    pub(crate) fn of_api_key(key: ApiKey) -> Self {
        let role = if key.is_admin {
            Role::Admin
        } else {
            Role::User
        };
        Self {
            memberships: vec![Membership {
                organisation_id: key.organisation_id,
                role,
            }],
            who: Who::ApiKey(key),
            grants: Vec::new(),
        }
    }

    /// A part of the product, for what it does by itself: it may do everything, so nothing that anybody sent makes one.
    pub(crate) fn of_system(name: &'static str) -> Self {
        Self {
            who: Who::System(Cow::Borrowed(name)),
            memberships: Vec::new(),
            grants: Vec::new(),
        }
    }

    /// A program outside that drives changes, for somebody who may make this one: whoever calls this has checked that.
    pub(crate) fn of_driver(driver: &str, caller: &Self) -> Self {
        let name = format!("{driver} for {}", caller.name());
        Self {
            who: Who::System(Cow::Owned(name)),
            memberships: Vec::new(),
            grants: Vec::new(),
        }
    }

    /// True for a part of the product.
    pub(crate) const fn is_system(&self) -> bool {
        matches!(self.who, Who::System(_))
    }

    /// The member; `None` for a program.
    #[must_use]
    pub fn member(&self) -> Option<&Member> {
        match &self.who {
            Who::Member(member) => Some(member),
            Who::ApiKey(_) | Who::System(_) => None,
        }
    }

    /// The member, for what only people can do.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`] for a program.
    pub fn require_person(&self) -> ServiceResult<&Member> {
        self.member().ok_or(ServiceError::Forbidden)
    }

    /// What people know the caller by: an e-mail address, or the name of a key.
    #[must_use]
    pub fn name(&self) -> &str {
        match &self.who {
            Who::Member(member) => &member.email,
            Who::ApiKey(key) => &key.name,
            Who::System(name) => name,
        }
    }

    /// Who is told of in the audit log.
    pub(crate) fn actor(&self) -> Actor {
        let name = self.name().to_owned();
        match &self.who {
            Who::Member(member) => Actor::Member {
                id: member.id,
                name,
            },
            Who::ApiKey(key) => Actor::ApiKey { id: key.id, name },
            Who::System(_) => Actor::System { name },
        }
    }

    /// Where the caller belongs.
    pub(crate) fn memberships(&self) -> &[Membership] {
        &self.memberships
    }

    /// What the caller was made in an organisation; `None` where they do not belong, superusers too.
    pub(crate) fn membership_in(&self, organisation: OrganisationId) -> Option<Role> {
        let mut memberships = self.memberships.iter();
        memberships
            .find(|membership| membership.organisation_id == organisation)
            .map(|membership| membership.role)
    }

    /// What the caller is in an organisation; superusers are admins everywhere.
    #[must_use]
    pub fn role_in(&self, organisation: OrganisationId) -> Option<Role> {
        if self.is_system() || self.member().is_some_and(|member| member.is_superuser) {
            return Some(Role::Admin);
        }
        self.membership_in(organisation)
    }

    /// What the caller was granted in a place itself, as far as they belong to its organisation.
    pub(crate) fn grant_in(&self, place: GrantPlace) -> Option<&Grant> {
        self.membership_in(place.organisation())?;
        self.grants.iter().find(|grant| grant.place == place)
    }

    fn is_granted(&self, place: GrantPlace, permission: &str) -> bool {
        self.role_in(place.organisation()) == Some(Role::Admin)
            || self
                .grant_in(place)
                .is_some_and(|grant| grant.allows(permission))
    }

    /// True where the caller may do everything in a place and below.
    #[must_use]
    pub fn administers(&self, place: GrantPlace) -> bool {
        let is_admin_of = |place| self.grant_in(place).is_some_and(|grant| grant.is_admin);
        let organisation = place.organisation();
        if self.role_in(organisation) == Some(Role::Admin) || is_admin_of(place) {
            return true;
        }
        place
            .project()
            .is_some_and(|project| is_admin_of(GrantPlace::Project(organisation, project)))
    }

    /// True where the caller may do this in an organisation.
    #[must_use]
    pub fn may_in_organisation(
        &self,
        organisation: OrganisationId,
        permission: OrganisationPermission,
    ) -> bool {
        self.is_granted(GrantPlace::Organisation(organisation), permission.key())
    }

    /// True where the caller may do this in a project.
    #[must_use]
    pub fn may_in_project(&self, project: &Project, permission: ProjectPermission) -> bool {
        let place = GrantPlace::Project(project.organisation_id, project.id);
        self.is_granted(place, permission.key())
    }

    /// True where the caller may do this in an environment of a project.
    #[must_use]
    pub fn may_in_environment(
        &self,
        project: &Project,
        environment: EnvironmentId,
        permission: EnvironmentPermission,
    ) -> bool {
        let place = GrantPlace::Environment(project.organisation_id, project.id, environment);
        self.administers(place) || self.is_granted(place, permission.key())
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
}
