//! Organisations.

use crate::change::{Subject, Told};
use crate::error::{Noun, Problem, ServiceError, ServiceResult};
use crate::sign_in::valid_email;
use crate::text_rules::{NAME_LIMIT, check_name};
use crate::{Caller, Service};
use flagstaff_core::{Organisation, OrganisationId, Role};
use flagstaff_store::NewOrganisation;
use uuid::Uuid;

/// What of an organisation a person may change; `None` leaves a field as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrganisationPatch {
    /// 1 to 2,000 characters.
    pub name: Option<String>,
    /// Address for webhook trouble; `Some(None)` takes it away.
    pub webhook_notification_email: Option<Option<String>>,
    /// Whether traits are stored.
    pub persist_trait_data: Option<bool>,
    /// Whether only admins may make projects.
    pub restrict_project_create_to_admin: Option<bool>,
    /// Whether members must use a second factor.
    pub force_2fa: Option<bool>,
}

/// An organisation as a caller sees it.
#[derive(Debug, Clone)]
pub struct OrganisationView {
    /// The organisation.
    pub organisation: Organisation,
    /// What the caller is in it; `None` for a superuser who does not belong to it.
    pub role: Option<Role>,
    /// How many members it has.
    pub members: i64,
}

impl Service {
    /// The organisations the caller belongs to.
    ///
    /// # Errors
    /// Failures of the database.
    pub async fn organisations(&self, caller: &Caller) -> ServiceResult<Vec<OrganisationView>> {
        let mut views = Vec::new();
        for organisation in self.organisations_of(caller).await? {
            views.push(self.organisation_view(caller, organisation).await?);
        }
        Ok(views)
    }

    /// One organisation.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`] when the caller does not belong to it, or there is none: that it exists is
    /// private.
    pub async fn organisation(
        &self,
        caller: &Caller,
        id: OrganisationId,
    ) -> ServiceResult<OrganisationView> {
        caller.require_member(id)?;
        let organisation = self.organisation_row(id).await?;
        self.organisation_view(caller, organisation).await
    }

    /// One organisation, by its stable id.
    ///
    /// # Errors
    /// As [`Service::organisation`].
    pub async fn organisation_by_uuid(
        &self,
        caller: &Caller,
        uuid: Uuid,
    ) -> ServiceResult<OrganisationView> {
        let organisation = self.store().organisation_by_uuid(uuid).await?;
        let organisation = organisation.ok_or(ServiceError::Forbidden)?;
        self.organisation(caller, organisation.id).await
    }

    /// Makes an organisation, with the caller as its admin.
    ///
    /// # Errors
    /// Invalid fields, and [`ServiceError::Forbidden`] for an API key, which belongs to one organisation.
    pub async fn create_organisation(
        &self,
        caller: &Caller,
        patch: OrganisationPatch,
    ) -> ServiceResult<OrganisationView> {
        caller.require_person()?;
        self.insert_organisation(Some(caller), patch).await
    }

    pub(crate) async fn insert_organisation(
        &self,
        caller: Option<&Caller>,
        patch: OrganisationPatch,
    ) -> ServiceResult<OrganisationView> {
        let name = patch.name.clone().unwrap_or_default();
        check_name("name", &name, NAME_LIMIT)?;
        let new_organisation = NewOrganisation {
            uuid: Uuid::new_v4(),
            name: name.clone(),
            webhook_notification_email: None,
        };
        let now = self.clock().now();
        let mut write = self.store().write().await?;
        let mut organisation = write.insert_organisation(&new_organisation, now).await?;
        apply(patch, &mut organisation)?;
        write.update_organisation(&organisation).await?;
        let founder = caller.and_then(Caller::member);
        if let Some(founder) = founder {
            write
                .insert_membership(organisation.id, founder.id, Role::Admin, now)
                .await?;
        }
        let told = Told::created(Noun::Organisation, organisation.id.get(), organisation.uuid)
            .saying(format!("New Organisation created: {name}"));
        let subject = Subject::organisation(organisation.id);
        self.finish(write, caller, subject, told).await?;
        Ok(OrganisationView {
            organisation,
            role: founder.map(|_| Role::Admin),
            members: i64::from(founder.is_some()),
        })
    }

    /// Changes an organisation.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`] unless the caller is its admin, and invalid fields.
    pub async fn update_organisation(
        &self,
        caller: &Caller,
        id: OrganisationId,
        patch: OrganisationPatch,
    ) -> ServiceResult<OrganisationView> {
        caller.require_admin(id)?;
        // In turn from here: what is read now is what the change is made to.
        let mut write = self.store().write().await?;
        let mut organisation = self.organisation_row(id).await?;
        apply(patch, &mut organisation)?;
        write.update_organisation(&organisation).await?;
        let told = Told::updated(Noun::Organisation, id.get(), organisation.uuid)
            .saying(format!("Organisation updated: {}", organisation.name));
        self.finish(write, Some(caller), Subject::organisation(id), told)
            .await?;
        self.organisation_view(caller, organisation).await
    }

    /// Deletes an organisation with all its projects.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`] unless the caller is its admin.
    pub async fn delete_organisation(
        &self,
        caller: &Caller,
        id: OrganisationId,
    ) -> ServiceResult<()> {
        caller.require_admin(id)?;
        let organisation = self.organisation_row(id).await?;
        let mut environments = Vec::new();
        for project in self.store().projects(id).await? {
            environments.extend(self.store().environments(project.id).await?);
        }
        let mut write = self.store().write().await?;
        write.delete_organisation(id, self.clock().now()).await?;
        let told = Told::deleted(Noun::Organisation, id.get(), organisation.uuid)
            .saying(format!("Organisation deleted: {}", organisation.name));
        self.finish(write, Some(caller), Subject::organisation(id), told)
            .await?;
        for environment in environments {
            self.forget_environment(environment.id).await?;
        }
        Ok(())
    }

    /// The organisations a caller belongs to, in order of their ids.
    pub(crate) async fn organisations_of(
        &self,
        caller: &Caller,
    ) -> ServiceResult<Vec<Organisation>> {
        if let Some(member) = caller.member() {
            return Ok(self.store().organisations_of(member.id).await?);
        }
        let mut organisations = Vec::new();
        for membership in caller.memberships() {
            let found = self
                .store()
                .organisation(membership.organisation_id)
                .await?;
            organisations.extend(found);
        }
        Ok(organisations)
    }

    pub(crate) async fn organisation_row(&self, id: OrganisationId) -> ServiceResult<Organisation> {
        let organisation = self.store().organisation(id).await?;
        organisation.ok_or(ServiceError::Forbidden)
    }

    pub(crate) async fn organisation_view(
        &self,
        caller: &Caller,
        organisation: Organisation,
    ) -> ServiceResult<OrganisationView> {
        let members = self.store().count_members(organisation.id).await?;
        Ok(OrganisationView {
            role: caller.membership_in(organisation.id),
            organisation,
            members,
        })
    }
}

fn apply(patch: OrganisationPatch, organisation: &mut Organisation) -> ServiceResult<()> {
    if let Some(name) = patch.name {
        check_name("name", &name, NAME_LIMIT)?;
        organisation.name = name;
    }
    if let Some(email) = patch.webhook_notification_email {
        let field = "webhook_notification_email";
        let valid = email.map(|email| valid_email(&email)).transpose();
        let refused = |_| ServiceError::invalid(field, Problem::InvalidEmail);
        organisation.webhook_notification_email = valid.map_err(refused)?;
    }
    let set = |field: &mut bool, value: Option<bool>| *field = value.unwrap_or(*field);
    set(
        &mut organisation.persist_trait_data,
        patch.persist_trait_data,
    );
    set(
        &mut organisation.restrict_project_create_to_admin,
        patch.restrict_project_create_to_admin,
    );
    set(&mut organisation.force_2fa, patch.force_2fa);
    Ok(())
}
