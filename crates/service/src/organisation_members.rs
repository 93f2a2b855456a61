//! Who belongs to an organisation, and as what.

use crate::change::{Subject, Told};
use crate::error::{Noun, Problem, ServiceError, ServiceResult};
use crate::{Caller, Service};
use flagstaff_core::{Member, MemberId, OrganisationId, Role};

impl Service {
    /// Everybody who belongs to an organisation.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`] unless the caller belongs to it.
    pub async fn members_of(
        &self,
        caller: &Caller,
        organisation: OrganisationId,
    ) -> ServiceResult<Vec<(Member, Role)>> {
        caller.require_member(organisation)?;
        self.organisation_row(organisation).await?;
        Ok(self.store().members_of(organisation).await?)
    }

    /// Makes a member an admin of an organisation, or no longer.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`] unless the caller is its admin, [`ServiceError::NotFound`] for somebody who does
    /// not belong to it, and an organisation that would be left without admin.
    pub async fn update_role(
        &self,
        caller: &Caller,
        organisation: OrganisationId,
        id: MemberId,
        role: Role,
    ) -> ServiceResult<Member> {
        caller.require_admin(organisation)?;
        let mut write = self.store().write().await?;
        let members = self.members_of(caller, organisation).await?;
        let member = place_of(&members, id)?;
        if role == Role::User {
            require_other_admin(&members, &[id], "role")?;
        }
        write
            .insert_membership(organisation, id, role, self.clock().now())
            .await?;
        let word = match role {
            Role::Admin => "admin",
            Role::User => "user",
        };
        let told = Told::updated(Noun::Member, id.get(), member.uuid)
            .saying(format!("Role changed: {} is {word}", member.email));
        self.finish(write, Some(caller), Subject::members_of(organisation), told)
            .await?;
        Ok(member)
    }

    /// Takes members' places in an organisation away, with what they were granted there: all or none.
    ///
    /// # Errors
    /// As [`Service::update_role`].
    pub async fn remove_members(
        &self,
        caller: &Caller,
        organisation: OrganisationId,
        ids: &[MemberId],
    ) -> ServiceResult<()> {
        caller.require_admin(organisation)?;
        let mut write = self.store().write().await?;
        let members = self.members_of(caller, organisation).await?;
        require_other_admin(&members, ids, "id")?;
        let mut emails = Vec::new();
        for id in ids {
            emails.push(place_of(&members, *id)?.email);
            write.delete_membership(organisation, *id).await?;
        }
        let Some(first) = ids.first() else {
            return Ok(());
        };
        let told = Told::deleted(Noun::Member, first.get(), None)
            .saying(format!("Removed: {}", emails.join(", ")));
        self.finish(write, Some(caller), Subject::members_of(organisation), told)
            .await
    }
}

fn place_of(members: &[(Member, Role)], id: MemberId) -> ServiceResult<Member> {
    let mut members = members.iter();
    let found = members.find(|(member, _)| member.id == id);
    let found = found.map(|(member, _)| member.clone());
    found.ok_or(ServiceError::NotFound { noun: Noun::Member })
}

/// Passes where none of these is an admin, or another admin is left.
fn require_other_admin(
    members: &[(Member, Role)],
    without: &[MemberId],
    field: &'static str,
) -> ServiceResult<()> {
    let admins = members.iter().filter(|(_, role)| *role == Role::Admin);
    let (leaving, staying): (Vec<_>, Vec<_>) =
        admins.partition(|(member, _)| without.contains(&member.id));
    if leaving.is_empty() || !staying.is_empty() {
        return Ok(());
    }
    Err(ServiceError::invalid(field, Problem::LastAdmin))
}
