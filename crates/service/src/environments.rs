//! Environments.

use crate::change::{Subject, Told};
use crate::error::{Noun, ServiceError, ServiceResult};
use crate::projects::check_count;
use crate::published::Published;
use crate::text_rules::{NAME_LIMIT, check_name, check_optional, free_slug};
use crate::{Caller, Service, secrets};
use flagstaff_core::{
    DisabledAs, Environment, EnvironmentId, EnvironmentKey, EnvironmentPermission, GrantPlace,
    Hash, Project, ProjectId, ProjectPermission,
};
use flagstaff_store::NewEnvironment;
use std::sync::Arc;
use uuid::Uuid;

/// What of an environment a person may change; `None` leaves a field as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EnvironmentPatch {
    /// 1 to 2,000 characters, unique in the project without regard to case.
    pub name: Option<String>,
    /// Up to 20,000 characters; `Some(None)` takes it away.
    pub description: Option<Option<String>>,
    /// Approvals, 0 or more; `Some(None)` asks for none.
    pub minimum_change_request_approvals: Option<Option<i64>>,
    /// Whether traits sent with a client key count.
    pub allow_client_traits: Option<bool>,
    /// Up to 255 characters.
    pub banner_text: Option<Option<String>>,
    /// Up to 7 characters.
    pub banner_colour: Option<Option<String>>,
    /// `Some(None)`: as the project has it.
    pub hide_disabled_flags: Option<Option<bool>>,
    /// Whether identities are hashed by the composite key.
    pub use_identity_composite_key_for_hashing: Option<bool>,
    /// Whether SDK answers leave out ids, descriptions and traits.
    pub hide_sensitive_data: Option<bool>,
    /// Whether the environment document lists identity overrides.
    pub use_identity_overrides_in_local_eval: Option<bool>,
    /// Hash of features and segments that have none of their own.
    pub hash: Option<Hash>,
    /// What a feature that is off means to OFREP and flagd.
    pub disabled_as: Option<DisabledAs>,
}

/// An environment together with what it belongs to.
#[derive(Debug, Clone)]
pub(crate) struct EnvironmentPlace {
    pub(crate) project: Project,
    pub(crate) environment: Environment,
}

impl EnvironmentPlace {
    /// Where a change in this environment is made.
    pub(crate) fn subject(&self) -> Subject {
        Subject::environment(
            self.project.organisation_id,
            self.project.id,
            self.environment.id,
        )
    }
}

impl EnvironmentPlace {
    /// The environment as a place of grants.
    pub(crate) const fn grant_place(&self) -> GrantPlace {
        GrantPlace::Environment(
            self.project.organisation_id,
            self.project.id,
            self.environment.id,
        )
    }
}

impl Service {
    /// The environments of a project.
    ///
    /// # Errors
    /// As [`Service::project`].
    pub async fn environments_of(
        &self,
        caller: &Caller,
        project: ProjectId,
    ) -> ServiceResult<Vec<Environment>> {
        let project = self.visible_project(caller, project).await?;
        let mut environments = self.store().environments(project.id).await?;
        let viewing = EnvironmentPermission::ViewEnvironment;
        environments.retain(|each| caller.may_in_environment(&project, each.id, viewing));
        Ok(environments)
    }

    /// One environment, by its client key.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] when there is none, or it is somebody else's.
    pub async fn environment(&self, caller: &Caller, api_key: &str) -> ServiceResult<Environment> {
        Ok(self.visible_environment(caller, api_key).await?.environment)
    }

    /// One environment, by its stable id.
    ///
    /// # Errors
    /// As [`Service::environment`].
    pub async fn environment_by_uuid(
        &self,
        caller: &Caller,
        uuid: Uuid,
    ) -> ServiceResult<Environment> {
        let environment = self.store().environment_by_uuid(uuid).await?;
        let environment = environment.ok_or(ServiceError::NotFound {
            noun: Noun::Environment,
        })?;
        let permission = EnvironmentPermission::ViewEnvironment;
        let place = self.place_for(caller, environment, permission).await?;
        Ok(place.environment)
    }

    /// One environment, by its client key, with the number of its segment overrides.
    ///
    /// # Errors
    /// As [`Service::environment`].
    pub async fn environment_with_overrides(
        &self,
        caller: &Caller,
        api_key: &str,
    ) -> ServiceResult<(Environment, i64)> {
        let environment = self.visible_environment(caller, api_key).await?.environment;
        let published = self.published(environment.id).await?;
        let overrides = published.snapshot.segments.iter();
        let count: usize = overrides.map(|segment| segment.overrides.len()).sum();
        Ok((environment, i64::try_from(count).unwrap_or(i64::MAX)))
    }

    /// What the environment's document is made from, for a member instead of a server-side key.
    ///
    /// # Errors
    /// As [`Service::environment`].
    pub async fn environment_document(
        &self,
        caller: &Caller,
        api_key: &str,
    ) -> ServiceResult<Arc<Published>> {
        let place = self.visible_environment(caller, api_key).await?;
        self.published(place.environment.id).await
    }

    /// Makes an environment in which every feature of the project has its default state.
    ///
    /// # Errors
    /// As [`Service::project`], invalid fields, and [`ServiceError::Conflict`] for a taken name.
    pub async fn create_environment(
        &self,
        caller: &Caller,
        project: ProjectId,
        patch: EnvironmentPatch,
    ) -> ServiceResult<Environment> {
        let creating = ProjectPermission::CreateEnvironment;
        let project = self.project_for(caller, project, creating).await?;
        self.insert_environment(Some(caller), &project, None, patch)
            .await
    }

    pub(crate) async fn insert_environment(
        &self,
        caller: Option<&Caller>,
        project: &Project,
        api_key: Option<EnvironmentKey>,
        patch: EnvironmentPatch,
    ) -> ServiceResult<Environment> {
        let name = patch.name.clone().unwrap_or_default();
        check_name("name", &name, NAME_LIMIT)?;
        let mut write = self.store().write().await?;
        let now = self.clock().now();
        let new_environment = self.new_environment(project, name, api_key).await?;
        let mut environment = write.insert_environment(&new_environment, now).await?;
        apply(patch, &mut environment)?;
        write.update_environment(&environment).await?;
        write.start_environment(&environment, now).await?;
        let granted = GrantPlace::Environment(project.organisation_id, project.id, environment.id);
        self.grant_to_creator(&mut write, caller, granted).await?;
        let place = EnvironmentPlace {
            project: project.clone(),
            environment: environment.clone(),
        };
        let told = Told::created(Noun::Environment, environment.id.get(), environment.uuid)
            .saying(format!("New Environment created: {}", environment.name));
        self.finish(write, caller, place.subject().with_keys(), told)
            .await?;
        Ok(environment)
    }

    /// An environment to be made, with a free slug and a key of its own.
    pub(crate) async fn new_environment(
        &self,
        project: &Project,
        name: String,
        api_key: Option<EnvironmentKey>,
    ) -> ServiceResult<NewEnvironment> {
        let others = self.store().environments(project.id).await?;
        let is_taken = |slug: &str| others.iter().any(|other| other.slug == slug);
        let api_key = match api_key {
            Some(key) => key.expose().to_owned(),
            None => secrets::random_key()?,
        };
        Ok(NewEnvironment {
            id: None,
            uuid: Uuid::new_v4(),
            project_id: project.id,
            slug: free_slug(&name, is_taken),
            name,
            api_key: api_key.into(),
        })
    }

    /// Changes an environment.
    ///
    /// # Errors
    /// As [`Service::environment`], invalid fields, and [`ServiceError::Conflict`] for a taken name.
    pub async fn update_environment(
        &self,
        caller: &Caller,
        api_key: &str,
        patch: EnvironmentPatch,
    ) -> ServiceResult<Environment> {
        self.own_environment(caller, api_key).await?;
        // In turn from here: what is read now is what the change is made to.
        let mut write = self.store().write().await?;
        let mut place = self.own_environment(caller, api_key).await?;
        apply(patch, &mut place.environment)?;
        write.update_environment(&place.environment).await?;
        let environment = &place.environment;
        let told = Told::updated(Noun::Environment, environment.id.get(), environment.uuid)
            .saying(format!("Environment updated: {}", environment.name));
        self.finish(write, Some(caller), place.subject(), told)
            .await?;
        Ok(place.environment)
    }

    /// Deletes an environment; its keys stop at once.
    ///
    /// # Errors
    /// As [`Service::environment`].
    pub async fn delete_environment(&self, caller: &Caller, api_key: &str) -> ServiceResult<()> {
        let place = self.own_environment(caller, api_key).await?;
        let environment = &place.environment;
        let mut write = self.store().write().await?;
        write
            .delete_environment(environment.id, self.clock().now())
            .await?;
        let told = Told::deleted(Noun::Environment, environment.id.get(), environment.uuid)
            .saying(format!("Environment deleted: {}", environment.name));
        self.finish(write, Some(caller), place.subject(), told)
            .await?;
        self.forget_environment(environment.id).await
    }

    /// Stops serving a deleted environment on this node.
    pub(crate) async fn forget_environment(&self, id: EnvironmentId) -> ServiceResult<()> {
        self.keys().reload(self, id).await?;
        self.environments().forget(id);
        Ok(())
    }

    /// An environment the caller is admin of, by its client key.
    pub(crate) async fn own_environment(
        &self,
        caller: &Caller,
        api_key: &str,
    ) -> ServiceResult<EnvironmentPlace> {
        let place = self.visible_environment(caller, api_key).await?;
        if caller.administers(place.grant_place()) {
            return Ok(place);
        }
        Err(ServiceError::Forbidden)
    }

    /// An environment the caller may see, by its client key.
    pub(crate) async fn visible_environment(
        &self,
        caller: &Caller,
        api_key: &str,
    ) -> ServiceResult<EnvironmentPlace> {
        self.environment_for(caller, api_key, EnvironmentPermission::ViewEnvironment)
            .await
    }

    /// An environment in which the caller may do something: not found for who may not even see it, else forbidden.
    pub(crate) async fn environment_for(
        &self,
        caller: &Caller,
        api_key: &str,
        permission: EnvironmentPermission,
    ) -> ServiceResult<EnvironmentPlace> {
        let missing = || ServiceError::NotFound {
            noun: Noun::Environment,
        };
        // Whatever cannot be a key cannot be asked for either: a NUL would be an error of the database.
        let key = EnvironmentKey::parse(api_key).ok_or_else(missing)?;
        let environment = self.store().environment_by_key(key.expose()).await?;
        let environment = environment.ok_or_else(missing)?;
        self.place_for(caller, environment, permission).await
    }

    /// The same by the environment's id.
    pub(crate) async fn environment_by_id(
        &self,
        caller: &Caller,
        id: EnvironmentId,
        permission: EnvironmentPermission,
    ) -> ServiceResult<EnvironmentPlace> {
        let environment = self.store().environment(id).await?;
        let environment = environment.ok_or(ServiceError::NotFound {
            noun: Noun::Environment,
        })?;
        self.place_for(caller, environment, permission).await
    }

    /// The same for an environment that is known already.
    pub(crate) async fn place_for(
        &self,
        caller: &Caller,
        environment: Environment,
        permission: EnvironmentPermission,
    ) -> ServiceResult<EnvironmentPlace> {
        let noun = Noun::Environment;
        let project = self.store().project(environment.project_id).await?;
        let project = project.ok_or(ServiceError::NotFound { noun })?;
        let may = |permission| caller.may_in_environment(&project, environment.id, permission);
        if may(permission) {
            return Ok(EnvironmentPlace {
                project,
                environment,
            });
        }
        if may(EnvironmentPermission::ViewEnvironment) {
            return Err(ServiceError::Forbidden);
        }
        Err(ServiceError::NotFound { noun })
    }
}

fn apply(patch: EnvironmentPatch, environment: &mut Environment) -> ServiceResult<()> {
    if let Some(name) = patch.name {
        check_name("name", &name, NAME_LIMIT)?;
        environment.name = name;
    }
    if let Some(description) = patch.description {
        check_optional("description", description.as_deref(), 20_000)?;
        environment.description = description;
    }
    if let Some(approvals) = patch.minimum_change_request_approvals {
        approvals.map_or(Ok(()), |count| {
            check_count("minimum_change_request_approvals", count)
        })?;
        environment.minimum_change_request_approvals = approvals;
    }
    if let Some(text) = patch.banner_text {
        check_optional("banner_text", text.as_deref(), 255)?;
        environment.banner_text = text;
    }
    if let Some(colour) = patch.banner_colour {
        check_optional("banner_colour", colour.as_deref(), 7)?;
        environment.banner_colour = colour;
    }
    if let Some(hide) = patch.hide_disabled_flags {
        environment.hide_disabled_flags = hide;
    }
    environment.hash = patch.hash.unwrap_or(environment.hash);
    environment.disabled_as = patch.disabled_as.unwrap_or(environment.disabled_as);
    let set = |field: &mut bool, value: Option<bool>| *field = value.unwrap_or(*field);
    set(
        &mut environment.allow_client_traits,
        patch.allow_client_traits,
    );
    set(
        &mut environment.use_identity_composite_key_for_hashing,
        patch.use_identity_composite_key_for_hashing,
    );
    set(
        &mut environment.hide_sensitive_data,
        patch.hide_sensitive_data,
    );
    set(
        &mut environment.use_identity_overrides_in_local_eval,
        patch.use_identity_overrides_in_local_eval,
    );
    Ok(())
}
