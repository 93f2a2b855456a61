//! What members are granted, level by level.

use crate::change::{Subject, Told};
use crate::error::{Noun, Problem, ServiceError, ServiceResult};
use crate::{Caller, Service};
use flagstaff_core::{
    EnvironmentPermission, Grant, GrantId, GrantPlace, Member, MemberId, OrganisationId,
    OrganisationPermission, ProjectId, ProjectPermission,
};
use flagstaff_store::{NewGrant, Write};

/// Where grants are looked at or made, as a caller names it.
#[derive(Debug, Clone, Copy)]
pub enum GrantLevel<'a> {
    /// An organisation.
    Organisation(OrganisationId),
    /// A project.
    Project(ProjectId),
    /// An environment, by its client key.
    Environment(&'a str),
}

/// A grant to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantRequest {
    /// Who; has to belong to the organisation.
    pub member: MemberId,
    /// May do everything there and below. Nothing of an organisation: its admins are so by their role.
    pub is_admin: bool,
    /// Words of the level's permissions.
    pub permissions: Vec<String>,
}

/// What of a grant may be changed; `None` leaves a field as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GrantPatch {
    /// May do everything there and below.
    pub is_admin: Option<bool>,
    /// Words of the level's permissions.
    pub permissions: Option<Vec<String>>,
}

/// What somebody may do in a place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Held {
    /// Everything.
    pub is_admin: bool,
    /// Words of the permissions they were granted there.
    pub permissions: Vec<String>,
}

impl Service {
    /// What the caller may do in a place.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`] or [`ServiceError::NotFound`] where the caller may not even see it.
    pub async fn held(&self, caller: &Caller, level: GrantLevel<'_>) -> ServiceResult<Held> {
        let place = self.visible_place(caller, level).await?;
        Ok(held_by(caller, place))
    }

    /// What a member of the organisation may do in a place.
    ///
    /// # Errors
    /// As [`Service::held`]; [`ServiceError::Forbidden`] for others than themselves unless the caller is admin there,
    /// and [`ServiceError::NotFound`] for somebody who does not belong to the organisation.
    pub async fn held_by(
        &self,
        caller: &Caller,
        level: GrantLevel<'_>,
        member: MemberId,
    ) -> ServiceResult<Held> {
        let place = self.visible_place(caller, level).await?;
        let is_own = caller.member().is_some_and(|own| own.id == member);
        if !is_own && !caller.administers(place) {
            return Err(ServiceError::Forbidden);
        }
        let member = self.member_in(place, member).await?;
        let member = member.ok_or(ServiceError::NotFound { noun: Noun::Member })?;
        Ok(held_by(&self.caller_of_member(member).await?, place))
    }

    /// Everything that was granted in a place, with whom it was granted to.
    ///
    /// # Errors
    /// As [`Service::held`]; [`ServiceError::Forbidden`] unless the caller is admin there, where an environment shows
    /// its grants to whoever may view it.
    pub async fn grants(
        &self,
        caller: &Caller,
        level: GrantLevel<'_>,
    ) -> ServiceResult<Vec<(Grant, Member)>> {
        let place = match level {
            GrantLevel::Environment(_) => self.visible_place(caller, level).await?,
            GrantLevel::Organisation(_) | GrantLevel::Project(_) => {
                self.own_place(caller, level).await?
            }
        };
        let members = self.store().members_of(place.organisation()).await?;
        let grants = self.store().grants_at(place).await?;
        let with_member = |grant: Grant| {
            let mut members = members.iter();
            let found = members.find(|(member, _)| member.id == grant.member_id);
            found.map(|(member, _)| (grant, member.clone()))
        };
        Ok(grants.into_iter().filter_map(with_member).collect())
    }

    /// One grant of a place.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`] unless the caller is admin there, and [`ServiceError::NotFound`].
    pub async fn grant(
        &self,
        caller: &Caller,
        level: GrantLevel<'_>,
        id: GrantId,
    ) -> ServiceResult<(Grant, Member)> {
        self.own_place(caller, level).await?;
        let grants = self.grants(caller, level).await?;
        let found = grants.into_iter().find(|(grant, _)| grant.id == id);
        found.ok_or(ServiceError::NotFound { noun: Noun::Grant })
    }

    /// Grants a member something in a place.
    ///
    /// # Errors
    /// As [`Service::grant`]; somebody who does not belong to the organisation, a word that is no permission of the
    /// level, and [`ServiceError::Conflict`] for a second grant.
    pub async fn create_grant(
        &self,
        caller: &Caller,
        level: GrantLevel<'_>,
        request: GrantRequest,
    ) -> ServiceResult<Grant> {
        let place = self.own_place(caller, level).await?;
        let permissions = known_words(level, request.permissions)?;
        let mut write = self.store().write().await?;
        let member = self.member_in(place, request.member).await?;
        let unknown = Problem::UnknownId(request.member.get());
        let member = member.ok_or_else(|| ServiceError::invalid("user", unknown))?;
        let new_grant = NewGrant {
            member_id: member.id,
            place,
            is_admin: request.is_admin,
            permissions,
        };
        let grant = write.insert_grant(&new_grant, self.clock().now()).await?;
        let told =
            Told::created(Noun::Grant, grant.id.get(), None).saying(told_of(&grant, &member));
        self.finish(write, Some(caller), Subject::grants_at(place), told)
            .await?;
        Ok(grant)
    }

    /// Changes what a grant allows.
    ///
    /// # Errors
    /// As [`Service::grant`], and a word that is no permission of the level.
    pub async fn update_grant(
        &self,
        caller: &Caller,
        level: GrantLevel<'_>,
        id: GrantId,
        patch: GrantPatch,
    ) -> ServiceResult<Grant> {
        // In turn from here: what is read now is what the change is made to.
        let mut write = self.store().write().await?;
        let (mut grant, member) = self.grant(caller, level, id).await?;
        if let Some(words) = patch.permissions {
            grant.permissions = known_words(level, words)?;
        }
        grant.is_admin = patch.is_admin.unwrap_or(grant.is_admin);
        write.update_grant(&grant).await?;
        let told = Told::updated(Noun::Grant, id.get(), None).saying(told_of(&grant, &member));
        let subject = Subject::grants_at(grant.place);
        self.finish(write, Some(caller), subject, told).await?;
        Ok(grant)
    }

    /// Takes a grant away.
    ///
    /// # Errors
    /// As [`Service::grant`].
    pub async fn delete_grant(
        &self,
        caller: &Caller,
        level: GrantLevel<'_>,
        id: GrantId,
    ) -> ServiceResult<()> {
        let mut write = self.store().write().await?;
        let (grant, member) = self.grant(caller, level, id).await?;
        write.delete_grant(id).await?;
        let told = Told::deleted(Noun::Grant, id.get(), None)
            .saying(format!("Permissions taken away: {}", member.email));
        let subject = Subject::grants_at(grant.place);
        self.finish(write, Some(caller), subject, told).await
    }

    /// Makes whoever creates a place its admin.
    pub(crate) async fn grant_to_creator(
        &self,
        write: &mut Write,
        caller: Option<&Caller>,
        place: GrantPlace,
    ) -> ServiceResult<()> {
        let Some(member) = caller.and_then(Caller::member) else {
            return Ok(());
        };
        let new_grant = NewGrant {
            member_id: member.id,
            place,
            is_admin: true,
            permissions: Vec::new(),
        };
        write.insert_grant(&new_grant, self.clock().now()).await?;
        Ok(())
    }

    async fn visible_place(
        &self,
        caller: &Caller,
        level: GrantLevel<'_>,
    ) -> ServiceResult<GrantPlace> {
        match level {
            GrantLevel::Organisation(id) => {
                caller.require_member(id)?;
                self.organisation_row(id).await?;
                Ok(GrantPlace::Organisation(id))
            }
            GrantLevel::Project(id) => {
                let project = self.visible_project(caller, id).await?;
                Ok(GrantPlace::Project(project.organisation_id, id))
            }
            GrantLevel::Environment(key) => {
                let place = self.visible_environment(caller, key).await?;
                Ok(place.grant_place())
            }
        }
    }

    async fn own_place(&self, caller: &Caller, level: GrantLevel<'_>) -> ServiceResult<GrantPlace> {
        let place = self.visible_place(caller, level).await?;
        if caller.administers(place) {
            return Ok(place);
        }
        Err(ServiceError::Forbidden)
    }

    async fn member_in(&self, place: GrantPlace, id: MemberId) -> ServiceResult<Option<Member>> {
        let members = self.store().members_of(place.organisation()).await?;
        let mut members = members.into_iter().map(|(member, _)| member);
        Ok(members.find(|member| member.id == id))
    }
}

fn held_by(caller: &Caller, place: GrantPlace) -> Held {
    let is_admin = caller.administers(place);
    let grant = caller.grant_in(place).filter(|_| !is_admin);
    Held {
        is_admin,
        permissions: grant
            .map(|grant| grant.permissions.clone())
            .unwrap_or_default(),
    }
}

/// Each word once, in the order they were given.
fn known_words(level: GrantLevel<'_>, words: Vec<String>) -> ServiceResult<Vec<String>> {
    let is_known = |word: &str| match level {
        GrantLevel::Organisation(_) => OrganisationPermission::parse(word).is_some(),
        GrantLevel::Project(_) => ProjectPermission::parse(word).is_some(),
        GrantLevel::Environment(_) => EnvironmentPermission::parse(word).is_some(),
    };
    let mut known = Vec::new();
    for word in words {
        if !is_known(&word) {
            let problem = Problem::UnknownPermission(word);
            return Err(ServiceError::invalid("permissions", problem));
        }
        if !known.contains(&word) {
            known.push(word);
        }
    }
    Ok(known)
}

fn told_of(grant: &Grant, member: &Member) -> String {
    let allowed = if grant.is_admin {
        "admin".to_owned()
    } else {
        grant.permissions.join(", ")
    };
    format!("Permissions of {}: {allowed}", member.email)
}
