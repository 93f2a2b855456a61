//! Copies of whole environments.

use crate::change::Told;
use crate::environments::EnvironmentPlace;
use crate::error::{Noun, ServiceResult};
use crate::text_rules::{NAME_LIMIT, check_name};
use crate::{Caller, Service};
use flagstaff_core::{Environment, GrantPlace, ProjectPermission};

impl Service {
    /// Makes an environment with the settings of another one, and what that one serves and is going to serve: defaults
    /// and segment overrides with their priorities, and what variants are hashed by. Identities, their traits and
    /// overrides, and server-side keys are left behind.
    ///
    /// # Errors
    /// As [`Service::environment`], an invalid name, and [`crate::ServiceError::Conflict`] for a taken one.
    pub async fn copy_environment(
        &self,
        caller: &Caller,
        api_key: &str,
        name: String,
    ) -> ServiceResult<Environment> {
        check_name("name", &name, NAME_LIMIT)?;
        let source = self.visible_environment(caller, api_key).await?;
        let permission = ProjectPermission::CreateEnvironment;
        self.project_for(caller, source.project.id, permission)
            .await?;
        // In turn from here: what is read now is what is copied.
        let mut write = self.store().write().await?;
        let EnvironmentPlace {
            project,
            environment: source,
        } = self.visible_environment(caller, api_key).await?;
        let now = self.clock().now();
        let new = self.new_environment(&project, name, None).await?;
        let made = write.insert_environment(&new, now).await?;
        let environment = Environment {
            id: made.id,
            uuid: made.uuid,
            name: made.name,
            slug: made.slug,
            api_key: made.api_key,
            revision: made.revision,
            updated_at: made.updated_at,
            next_change_at: made.next_change_at,
            created_at: made.created_at,
            ..source.clone()
        };
        write.update_environment(&environment).await?;
        write
            .copy_environment(source.id, environment.id, now)
            .await?;
        let granted = GrantPlace::Environment(project.organisation_id, project.id, environment.id);
        self.grant_to_creator(&mut write, Some(caller), granted)
            .await?;
        let told = Told::created(Noun::Environment, environment.id.get(), environment.uuid)
            .saying(format!("New Environment created: {}", environment.name));
        let place = EnvironmentPlace {
            project,
            environment,
        };
        self.finish(write, Some(caller), place.subject().with_keys(), told)
            .await?;
        Ok(place.environment)
    }
}
