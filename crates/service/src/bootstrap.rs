//! The first set-up, for scripts: doing it again leaves what is there.

use crate::environments::{EnvironmentPatch, EnvironmentPlace};
use crate::error::{Problem, ServiceError, ServiceResult};
use crate::organisations::{OrganisationPatch, OrganisationView};
use crate::projects::ProjectPatch;
use crate::server_keys::ServerKeyRequest;
use crate::{Service, secrets};
use flagstaff_core::{Environment, EnvironmentKey, Member, Organisation, Project, ServerKey};
use secrecy::SecretString;

/// What is to be there.
#[derive(Debug, Clone)]
pub struct BootstrapRequest {
    /// Name of the organisation.
    pub organisation: String,
    /// Name of the project.
    pub project: String,
    /// Name of the environment.
    pub environment: String,
    /// Name of the server-side key.
    pub server_key_name: String,
    /// The key itself: replaces another of that name. By default the one that is there, or a new one.
    pub server_key: Option<EnvironmentKey>,
    /// Who signs in.
    pub email: String,
    /// Set whenever it is given. By default a new member gets a random one.
    pub password: Option<SecretString>,
}

/// What is there now.
#[derive(Debug, Clone)]
pub struct Bootstrapped {
    /// The environment.
    pub environment: Environment,
    /// Its key of that name.
    pub server_key: ServerKey,
    /// Who signs in.
    pub member: Member,
    /// The password, when it was invented: nothing but its hash is kept.
    pub invented_password: Option<SecretString>,
}

impl Service {
    /// Makes what is not there yet: organisation, project, environment, server-side key and first member. The
    /// project is served to flagd.
    ///
    /// # Errors
    /// Invalid names, [`ServiceError::Conflict`] for a key in use elsewhere, and failures of the database.
    pub async fn bootstrap(&self, request: BootstrapRequest) -> ServiceResult<Bootstrapped> {
        if let Some(key) = &request.server_key
            && !key.is_server_side()
        {
            return Err(ServiceError::invalid("key", Problem::NotAServerKey));
        }
        let organisation = self.ensure_organisation(&request.organisation).await?;
        let project = self.ensure_project(&organisation, &request.project).await?;
        let environment = self
            .ensure_environment(&project, &request.environment)
            .await?;
        let place = EnvironmentPlace {
            project,
            environment,
        };
        self.ensure_flagd_integration(&place.project).await?;
        let server_key = self
            .ensure_server_key(&place, &request.server_key_name, request.server_key)
            .await?;
        let is_known = self
            .store()
            .member_for_sign_in(&request.email)
            .await?
            .is_some();
        let invented_password = match &request.password {
            None if !is_known => Some(secrets::random_key()?.into()),
            None | Some(_) => None,
        };
        let password: Option<SecretString> = request.password.or_else(|| invented_password.clone());
        let (member, _) = self
            .ensure_admin(organisation.id, &request.email, password)
            .await?;
        Ok(Bootstrapped {
            environment: place.environment,
            server_key,
            member,
            invented_password,
        })
    }

    async fn ensure_organisation(&self, name: &str) -> ServiceResult<Organisation> {
        let known = self.store().all_organisations().await?;
        if let Some(found) = known.into_iter().find(|found| found.name == name) {
            return Ok(found);
        }
        let patch = OrganisationPatch {
            name: Some(name.to_owned()),
            ..OrganisationPatch::default()
        };
        let OrganisationView { organisation, .. } = self.insert_organisation(None, patch).await?;
        Ok(organisation)
    }

    async fn ensure_project(
        &self,
        organisation: &Organisation,
        name: &str,
    ) -> ServiceResult<Project> {
        let known = self.store().projects(organisation.id).await?;
        if let Some(found) = known.into_iter().find(|found| found.name == name) {
            return Ok(found);
        }
        let patch = ProjectPatch {
            name: Some(name.to_owned()),
            ..ProjectPatch::default()
        };
        self.insert_project(None, organisation, patch).await
    }

    async fn ensure_environment(
        &self,
        project: &Project,
        name: &str,
    ) -> ServiceResult<Environment> {
        let known = self.store().environments(project.id).await?;
        if let Some(found) = known.into_iter().find(|found| found.name == name) {
            return Ok(found);
        }
        let patch = EnvironmentPatch {
            name: Some(name.to_owned()),
            ..EnvironmentPatch::default()
        };
        self.insert_environment(None, project, None, patch).await
    }

    async fn ensure_server_key(
        &self,
        place: &EnvironmentPlace,
        name: &str,
        key: Option<EnvironmentKey>,
    ) -> ServiceResult<ServerKey> {
        let known = self.store().server_keys(place.environment.id).await?;
        let mut known = known.into_iter().filter(|found| found.name == name);
        match (known.next(), &key) {
            (Some(found), None) => return Ok(found),
            (Some(found), Some(key)) if *found.key == *key.expose() => return Ok(found),
            (Some(found), Some(_)) => self.remove_server_key(None, place, &found).await?,
            (None, _) => {}
        }
        let request = ServerKeyRequest {
            name: name.to_owned(),
            key,
            ..ServerKeyRequest::default()
        };
        self.insert_server_key(None, place, request).await
    }
}
