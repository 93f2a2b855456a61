//! Whether and how projects are served to flagd.

use crate::change::{Subject, Told};
use crate::error::{Noun, ServiceError, ServiceResult};
use crate::{Caller, Service};
use flagstaff_core::{
    FlagdEvaluators, FlagdForm, FlagdIntegration, FlagdIntegrationId, Project, ProjectId,
};
use flagstaff_store::{NewFlagdIntegration, Write};
use uuid::Uuid;

/// What of an integration a person may set; `None` leaves a field as it is, or as new ones begin: switched off,
/// shared segments under `$evaluators`, the typed form.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FlagdIntegrationPatch {
    /// Whether the project is served to flagd.
    pub enabled: Option<bool>,
    /// Where documents put shared segments.
    pub evaluators: Option<FlagdEvaluators>,
    /// How documents say conditions.
    pub form: Option<FlagdForm>,
}

impl FlagdIntegrationPatch {
    fn apply(self, integration: &mut FlagdIntegration) {
        integration.enabled = self.enabled.unwrap_or(integration.enabled);
        integration.evaluators = self.evaluators.unwrap_or(integration.evaluators);
        integration.form = self.form.unwrap_or(integration.form);
    }
}

impl Service {
    /// The integration of a project with flagd, if it has one.
    ///
    /// # Errors
    /// As [`Service::project`], and [`ServiceError::Forbidden`] unless the caller is the project's admin.
    pub async fn flagd_integration(
        &self,
        caller: &Caller,
        project: ProjectId,
    ) -> ServiceResult<Option<FlagdIntegration>> {
        let project = self.own_project(caller, project).await?;
        Ok(self.store().flagd_integration(project.id).await?)
    }

    /// Makes the integration of a project with flagd.
    ///
    /// # Errors
    /// As [`Service::flagd_integration`], and [`ServiceError::Conflict`] where the project has one.
    pub async fn create_flagd_integration(
        &self,
        caller: &Caller,
        project: ProjectId,
        patch: FlagdIntegrationPatch,
    ) -> ServiceResult<FlagdIntegration> {
        let project = self.own_project(caller, project).await?;
        let write = self.store().write().await?;
        self.insert_flagd_integration(write, Some(caller), &project, patch)
            .await
    }

    /// Changes the integration of a project with flagd; without an `id` it is made where there is none.
    ///
    /// # Errors
    /// As [`Service::flagd_integration`], and [`ServiceError::NotFound`] where the project has none of that id.
    pub async fn update_flagd_integration(
        &self,
        caller: &Caller,
        project: ProjectId,
        id: Option<FlagdIntegrationId>,
        patch: FlagdIntegrationPatch,
    ) -> ServiceResult<FlagdIntegration> {
        let project = self.own_project(caller, project).await?;
        self.set_flagd_integration(Some(caller), &project, id, patch)
            .await
    }

    /// Deletes the integration of a project with flagd, which ends being served.
    ///
    /// # Errors
    /// As [`Service::update_flagd_integration`].
    pub async fn delete_flagd_integration(
        &self,
        caller: &Caller,
        project: ProjectId,
        id: FlagdIntegrationId,
    ) -> ServiceResult<()> {
        let project = self.own_project(caller, project).await?;
        let mut write = self.store().write().await?;
        let known = self.store().flagd_integration(project.id).await?;
        let integration = of_id(known, id)?;
        write.delete_flagd_integration(id).await?;
        let told = Told::deleted(Noun::FlagdIntegration, id.get(), integration.uuid)
            .saying(format!("flagd integration deleted: {}", project.name));
        self.finish(write, Some(caller), subject(&project), told)
            .await
    }

    /// Serves a project to flagd from now on, if it is not served yet.
    pub(crate) async fn ensure_flagd_integration(&self, project: &Project) -> ServiceResult<()> {
        let known = self.store().flagd_integration(project.id).await?;
        if known.is_some_and(|integration| integration.enabled) {
            return Ok(());
        }
        let patch = FlagdIntegrationPatch {
            enabled: Some(true),
            ..FlagdIntegrationPatch::default()
        };
        self.set_flagd_integration(None, project, None, patch)
            .await
            .map(drop)
    }

    async fn set_flagd_integration(
        &self,
        caller: Option<&Caller>,
        project: &Project,
        id: Option<FlagdIntegrationId>,
        patch: FlagdIntegrationPatch,
    ) -> ServiceResult<FlagdIntegration> {
        // In turn from here: what is read now is what the change is made to.
        let mut write = self.store().write().await?;
        let known = self.store().flagd_integration(project.id).await?;
        let mut integration = match (known, id) {
            (known, Some(id)) => of_id(known, id)?,
            (Some(known), None) => known,
            (None, None) => {
                return self
                    .insert_flagd_integration(write, caller, project, patch)
                    .await;
            }
        };
        patch.apply(&mut integration);
        integration.updated_at = self.clock().now().after(integration.updated_at);
        write.update_flagd_integration(&integration).await?;
        let told = Told::updated(
            Noun::FlagdIntegration,
            integration.id.get(),
            integration.uuid,
        )
        .saying(summary("updated", project, &integration));
        self.finish(write, caller, subject(project), told).await?;
        Ok(integration)
    }

    async fn insert_flagd_integration(
        &self,
        mut write: Write,
        caller: Option<&Caller>,
        project: &Project,
        patch: FlagdIntegrationPatch,
    ) -> ServiceResult<FlagdIntegration> {
        let new = NewFlagdIntegration {
            uuid: Uuid::new_v4(),
            project_id: project.id,
            enabled: patch.enabled.unwrap_or_default(),
            evaluators: patch.evaluators.unwrap_or_default(),
            form: patch.form.unwrap_or_default(),
        };
        let integration = write
            .insert_flagd_integration(&new, self.clock().now())
            .await?;
        let told = Told::created(
            Noun::FlagdIntegration,
            integration.id.get(),
            integration.uuid,
        )
        .saying(summary("created", project, &integration));
        self.finish(write, caller, subject(project), told).await?;
        Ok(integration)
    }
}

/// Every environment of the project is served by it.
fn subject(project: &Project) -> Subject {
    Subject::project(project.organisation_id, project.id)
}

fn summary(done: &str, project: &Project, integration: &FlagdIntegration) -> String {
    let state = if integration.enabled { "on" } else { "off" };
    let (evaluators, form) = (integration.evaluators.as_str(), integration.form.as_str());
    format!(
        "flagd integration {done}: {}, {state}, evaluators {evaluators}, form {form}",
        project.name
    )
}

fn of_id(
    known: Option<FlagdIntegration>,
    id: FlagdIntegrationId,
) -> ServiceResult<FlagdIntegration> {
    known
        .filter(|integration| integration.id == id)
        .ok_or(ServiceError::NotFound {
            noun: Noun::FlagdIntegration,
        })
}
