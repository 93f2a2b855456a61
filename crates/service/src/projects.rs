//! Projects.

use crate::change::{Subject, Told};
use crate::error::{Noun, Problem, ServiceError, ServiceResult};
use crate::text_rules::{NAME_LIMIT, check_name, free_slug};
use crate::{Caller, Service};
use flagstaff_core::{
    GrantPlace, Organisation, OrganisationId, OrganisationPermission, Project, ProjectId,
    ProjectPermission,
};
use flagstaff_store::NewProject;
use regex::RegexBuilder;
use uuid::Uuid;

/// What of a project a person may change; `None` leaves a field as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProjectPatch {
    /// 1 to 2,000 characters.
    pub name: Option<String>,
    /// Whether disabled flags are left out of answers.
    pub hide_disabled_flags: Option<bool>,
    /// Whether new features start off and without value.
    pub prevent_flag_defaults: Option<bool>,
    /// Kept for dashboards.
    pub only_allow_lower_case_feature_names: Option<bool>,
    /// Pattern of whole feature names; `Some(None)` takes it away.
    pub feature_name_regex: Option<Option<String>>,
    /// Days, 0 or more.
    pub stale_flags_limit_days: Option<i64>,
    /// Approvals, 0 or more; `Some(None)` asks for none.
    pub minimum_change_request_approvals: Option<Option<i64>>,
    /// Whether features need an owner.
    pub enforce_feature_owners: Option<bool>,
    /// Shown to SDKs.
    pub enable_realtime_updates: Option<bool>,
    /// Kept for dashboards.
    pub show_edge_identity_overrides_for_feature: Option<bool>,
}

/// A project with what it holds.
#[derive(Debug, Clone)]
pub struct ProjectView {
    /// The project.
    pub project: Project,
    /// Features in it.
    pub total_features: i64,
    /// Segments in it.
    pub total_segments: i64,
}

impl Service {
    /// The projects the caller may see, of one organisation or all.
    ///
    /// # Errors
    /// Failures of the database.
    pub async fn projects(
        &self,
        caller: &Caller,
        organisation: Option<OrganisationId>,
    ) -> ServiceResult<Vec<Project>> {
        let organisations = match organisation {
            Some(id) if caller.role_in(id).is_none() => return Ok(Vec::new()),
            Some(id) => vec![id],
            None => {
                let organisations = self.organisations_of(caller).await?;
                organisations.iter().map(|found| found.id).collect()
            }
        };
        let mut projects = Vec::new();
        for organisation in organisations {
            projects.extend(self.store().projects(organisation).await?);
        }
        projects.retain(|project| caller.may_in_project(project, ProjectPermission::ViewProject));
        projects.sort_by_key(|project| project.id);
        Ok(projects)
    }

    /// One project.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] when there is none, [`ServiceError::Forbidden`] when it is somebody else's.
    pub async fn project(&self, caller: &Caller, id: ProjectId) -> ServiceResult<ProjectView> {
        let project = self.visible_project(caller, id).await?;
        Ok(ProjectView {
            total_features: self.store().count_features(id).await?,
            total_segments: self.store().count_segments(id).await?,
            project,
        })
    }

    /// One project, by its stable id.
    ///
    /// # Errors
    /// As [`Service::project`].
    pub async fn project_by_uuid(&self, caller: &Caller, uuid: Uuid) -> ServiceResult<Project> {
        let noun = Noun::Project;
        let project = self.store().project_by_uuid(uuid).await?;
        let project = project.ok_or(ServiceError::NotFound { noun })?;
        self.visible_project(caller, project.id).await
    }

    /// Makes a project.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`] unless the caller belongs to the organisation, and may make projects there;
    /// invalid fields.
    pub async fn create_project(
        &self,
        caller: &Caller,
        organisation_id: OrganisationId,
        patch: ProjectPatch,
    ) -> ServiceResult<Project> {
        caller.require_member(organisation_id)?;
        let organisation = self.store().organisation(organisation_id).await?;
        let organisation = organisation.ok_or(ServiceError::Forbidden)?;
        let creating = OrganisationPermission::CreateProject;
        if organisation.restrict_project_create_to_admin
            || !caller.may_in_organisation(organisation_id, creating)
        {
            caller.require_admin(organisation_id)?;
        }
        self.insert_project(Some(caller), &organisation, patch)
            .await
    }

    pub(crate) async fn insert_project(
        &self,
        caller: Option<&Caller>,
        organisation: &Organisation,
        patch: ProjectPatch,
    ) -> ServiceResult<Project> {
        let name = patch.name.clone().unwrap_or_default();
        check_name("name", &name, NAME_LIMIT)?;
        let mut write = self.store().write().await?;
        let others = self.store().projects(organisation.id).await?;
        let is_taken = |slug: &str| others.iter().any(|other| other.slug == slug);
        let new_project = NewProject {
            id: None,
            uuid: Uuid::new_v4(),
            organisation_id: organisation.id,
            slug: free_slug(&name, is_taken),
            name,
        };
        let mut project = write
            .insert_project(&new_project, self.clock().now())
            .await?;
        apply(patch, &mut project)?;
        write.update_project(&project).await?;
        let place = GrantPlace::Project(organisation.id, project.id);
        self.grant_to_creator(&mut write, caller, place).await?;
        let subject = Subject::project(organisation.id, project.id);
        let told = Told::created(Noun::Project, project.id.get(), project.uuid)
            .saying(format!("New Project created: {}", project.name));
        self.finish(write, caller, subject, told).await?;
        Ok(project)
    }

    /// Changes a project.
    ///
    /// # Errors
    /// As [`Service::project`], [`ServiceError::Forbidden`] unless the caller is its admin, and invalid fields.
    pub async fn update_project(
        &self,
        caller: &Caller,
        id: ProjectId,
        patch: ProjectPatch,
    ) -> ServiceResult<Project> {
        self.own_project(caller, id).await?;
        // In turn from here: what is read now is what the change is made to.
        let mut write = self.store().write().await?;
        let mut project = self.own_project(caller, id).await?;
        apply(patch, &mut project)?;
        write.update_project(&project).await?;
        let subject = Subject::project(project.organisation_id, id);
        let told = Told::updated(Noun::Project, id.get(), project.uuid)
            .saying(format!("Project updated: {}", project.name));
        self.finish(write, Some(caller), subject, told).await?;
        Ok(project)
    }

    /// Deletes a project with its environments.
    ///
    /// # Errors
    /// As [`Service::project`], and [`ServiceError::Forbidden`] unless the caller is its admin.
    pub async fn delete_project(&self, caller: &Caller, id: ProjectId) -> ServiceResult<()> {
        let project = self.own_project(caller, id).await?;
        let environments = self.store().environments(id).await?;
        let mut write = self.store().write().await?;
        write.delete_project(id, self.clock().now()).await?;
        let subject = Subject::project(project.organisation_id, id);
        let told = Told::deleted(Noun::Project, id.get(), project.uuid)
            .saying(format!("Project deleted: {}", project.name));
        self.finish(write, Some(caller), subject, told).await?;
        for environment in environments {
            self.forget_environment(environment.id).await?;
        }
        Ok(())
    }

    /// A project the caller is admin of.
    pub(crate) async fn own_project(
        &self,
        caller: &Caller,
        id: ProjectId,
    ) -> ServiceResult<Project> {
        let project = self.visible_project(caller, id).await?;
        if caller.administers(GrantPlace::Project(project.organisation_id, id)) {
            return Ok(project);
        }
        Err(ServiceError::Forbidden)
    }

    /// A project the caller may see.
    pub(crate) async fn visible_project(
        &self,
        caller: &Caller,
        id: ProjectId,
    ) -> ServiceResult<Project> {
        self.project_for(caller, id, ProjectPermission::ViewProject)
            .await
    }

    /// A project in which the caller may do something: not found for who may not even see it, else forbidden.
    pub(crate) async fn project_for(
        &self,
        caller: &Caller,
        id: ProjectId,
        permission: ProjectPermission,
    ) -> ServiceResult<Project> {
        let noun = Noun::Project;
        let project = self.store().project(id).await?;
        let project = project.ok_or(ServiceError::NotFound { noun })?;
        if caller.may_in_project(&project, permission) {
            return Ok(project);
        }
        if caller.may_in_project(&project, ProjectPermission::ViewProject) {
            return Err(ServiceError::Forbidden);
        }
        Err(ServiceError::NotFound { noun })
    }
}

fn apply(patch: ProjectPatch, project: &mut Project) -> ServiceResult<()> {
    if let Some(name) = patch.name {
        check_name("name", &name, NAME_LIMIT)?;
        project.name = name;
    }
    if let Some(pattern) = patch.feature_name_regex {
        check_pattern(pattern.as_deref())?;
        project.feature_name_regex = pattern;
    }
    if let Some(days) = patch.stale_flags_limit_days {
        check_count("stale_flags_limit_days", days)?;
        project.stale_flags_limit_days = days;
    }
    if let Some(approvals) = patch.minimum_change_request_approvals {
        approvals.map_or(Ok(()), |count| {
            check_count("minimum_change_request_approvals", count)
        })?;
        project.minimum_change_request_approvals = approvals;
    }
    let set = |field: &mut bool, value: Option<bool>| *field = value.unwrap_or(*field);
    set(&mut project.hide_disabled_flags, patch.hide_disabled_flags);
    set(
        &mut project.prevent_flag_defaults,
        patch.prevent_flag_defaults,
    );
    set(
        &mut project.only_allow_lower_case_feature_names,
        patch.only_allow_lower_case_feature_names,
    );
    set(
        &mut project.enforce_feature_owners,
        patch.enforce_feature_owners,
    );
    set(
        &mut project.enable_realtime_updates,
        patch.enable_realtime_updates,
    );
    set(
        &mut project.show_edge_identity_overrides_for_feature,
        patch.show_edge_identity_overrides_for_feature,
    );
    Ok(())
}

/// Checks a small count, such as days or approvals.
pub(crate) fn check_count(field: &'static str, count: i64) -> ServiceResult<()> {
    let (min, max) = (0, 32_767);
    if (min..=max).contains(&count) {
        return Ok(());
    }
    Err(ServiceError::invalid(
        field,
        Problem::OutOfRange { min, max },
    ))
}

fn check_pattern(pattern: Option<&str>) -> ServiceResult<()> {
    let Some(pattern) = pattern else {
        return Ok(());
    };
    crate::text_rules::check_text("feature_name_regex", pattern, 255)?;
    match whole_name_pattern(pattern) {
        Some(_) => Ok(()),
        None => Err(ServiceError::invalid(
            "feature_name_regex",
            Problem::NotAPattern,
        )),
    }
}

/// The pattern a whole feature name has to match; `None` for a text that is no pattern, or too large a one.
pub(crate) fn whole_name_pattern(pattern: &str) -> Option<regex::Regex> {
    RegexBuilder::new(&format!("^(?:{pattern})$"))
        .size_limit(1 << 20)
        .build()
        .ok()
}
