//! Projects.

use crate::backend::{change_row, on_backend, on_transaction};
use crate::error::Noun;
use crate::{Store, StoreError, StoreResult, Write};
use flagstaff_core::{OrganisationId, Project, ProjectId, Timestamp};
use uuid::Uuid;

/// A project to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewProject {
    /// Row id to be used if it is free.
    pub id: Option<ProjectId>,
    /// Stable id.
    pub uuid: Uuid,
    /// Owner.
    pub organisation_id: OrganisationId,
    /// Shown name.
    pub name: String,
    /// Unique within the organisation.
    pub slug: String,
}

#[derive(sqlx::FromRow)]
pub(crate) struct ProjectRow {
    id: i64,
    uuid: String,
    organisation_id: i64,
    name: String,
    slug: String,
    hide_disabled_flags: bool,
    prevent_flag_defaults: bool,
    only_allow_lower_case_feature_names: bool,
    feature_name_regex: Option<String>,
    stale_flags_limit_days: i64,
    minimum_change_request_approvals: Option<i64>,
    enforce_feature_owners: bool,
    enable_realtime_updates: bool,
    show_edge_identity_overrides_for_feature: bool,
    revision: i64,
    created_at: i64,
}

impl TryFrom<ProjectRow> for Project {
    type Error = StoreError;

    fn try_from(row: ProjectRow) -> StoreResult<Self> {
        Ok(Self {
            id: ProjectId::new(row.id),
            uuid: crate::error::uuid(Noun::Project, row.id, &row.uuid)?,
            organisation_id: OrganisationId::new(row.organisation_id),
            name: row.name,
            slug: row.slug,
            hide_disabled_flags: row.hide_disabled_flags,
            prevent_flag_defaults: row.prevent_flag_defaults,
            only_allow_lower_case_feature_names: row.only_allow_lower_case_feature_names,
            feature_name_regex: row.feature_name_regex,
            stale_flags_limit_days: row.stale_flags_limit_days,
            minimum_change_request_approvals: row.minimum_change_request_approvals,
            enforce_feature_owners: row.enforce_feature_owners,
            enable_realtime_updates: row.enable_realtime_updates,
            show_edge_identity_overrides_for_feature: row.show_edge_identity_overrides_for_feature,
            revision: row.revision,
            created_at: Timestamp::from_micros(row.created_at),
        })
    }
}

pub(crate) const ONE: &str = "
    SELECT id, uuid, organisation_id, name, slug, hide_disabled_flags, prevent_flag_defaults,
        only_allow_lower_case_feature_names, feature_name_regex, stale_flags_limit_days,
        minimum_change_request_approvals, enforce_feature_owners, enable_realtime_updates,
        show_edge_identity_overrides_for_feature, revision, created_at
    FROM projects
    WHERE id = $1 AND deleted_at IS NULL";

impl Store {
    /// A project by its stable id.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn project_by_uuid(&self, uuid: Uuid) -> StoreResult<Option<Project>> {
        const SQL: &str = "SELECT id FROM projects WHERE uuid = $1";
        let id: Option<i64> = on_backend!(self, |pool| {
            sqlx::query_scalar(SQL)
                .bind(uuid.to_string())
                .fetch_optional(pool)
                .await
        })?;
        match id {
            Some(id) => self.project(ProjectId::new(id)).await,
            None => Ok(None),
        }
    }

    /// A project by its id.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn project(&self, id: ProjectId) -> StoreResult<Option<Project>> {
        if id.get() < 0 {
            return Ok(None);
        }
        let row: Option<ProjectRow> = on_backend!(self, |pool| {
            sqlx::query_as(ONE)
                .bind(id.get())
                .fetch_optional(pool)
                .await
        })?;
        row.map(Project::try_from).transpose()
    }

    /// The projects of an organisation, in order of their ids.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn projects(&self, organisation: OrganisationId) -> StoreResult<Vec<Project>> {
        const SQL: &str = "
            SELECT id, uuid, organisation_id, name, slug, hide_disabled_flags, prevent_flag_defaults,
                only_allow_lower_case_feature_names, feature_name_regex, stale_flags_limit_days,
                minimum_change_request_approvals, enforce_feature_owners, enable_realtime_updates,
                show_edge_identity_overrides_for_feature, revision, created_at
            FROM projects
            WHERE organisation_id = $1 AND deleted_at IS NULL AND id > 0
            ORDER BY id";
        let rows: Vec<ProjectRow> = on_backend!(self, |pool| {
            sqlx::query_as(SQL)
                .bind(organisation.get())
                .fetch_all(pool)
                .await
        })?;
        rows.into_iter().map(Project::try_from).collect()
    }
}

impl Write {
    /// Makes a project.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] for a taken slug.
    pub async fn insert_project(
        &mut self,
        new: &NewProject,
        at: Timestamp,
    ) -> StoreResult<Project> {
        const SQL: &str = "
            INSERT INTO projects (uuid, organisation_id, name, slug, updated_at, created_at)
            VALUES ($1, $2, $3, $4, $5, $5)
            RETURNING id";
        let id: i64 = on_transaction!(&mut self.transaction, |connection| {
            sqlx::query_scalar(SQL)
                .bind(new.uuid.to_string())
                .bind(new.organisation_id.get())
                .bind(&new.name)
                .bind(&new.slug)
                .bind(at.micros())
                .fetch_one(connection)
                .await
        })
        .map_err(StoreError::conflict(Noun::Project))?;
        let id = self
            .keep_id("projects", id, new.id.map(ProjectId::get))
            .await?;
        let row: ProjectRow = on_transaction!(&mut self.transaction, |connection| {
            sqlx::query_as(ONE).bind(id).fetch_one(connection).await
        })?;
        Project::try_from(row)
    }

    /// Writes every field of a project that can change.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], and when the database does not answer.
    pub async fn update_project(&mut self, project: &Project) -> StoreResult<()> {
        const SQL: &str = "
            UPDATE projects
            SET name = $2, hide_disabled_flags = $3, prevent_flag_defaults = $4,
                only_allow_lower_case_feature_names = $5, feature_name_regex = $6,
                stale_flags_limit_days = $7, minimum_change_request_approvals = $8,
                enforce_feature_owners = $9, enable_realtime_updates = $10,
                show_edge_identity_overrides_for_feature = $11
            WHERE id = $1 AND deleted_at IS NULL";
        change_row!(
            self,
            Noun::Project,
            SQL,
            project.id.get(),
            &project.name,
            project.hide_disabled_flags,
            project.prevent_flag_defaults,
            project.only_allow_lower_case_feature_names,
            &project.feature_name_regex,
            project.stale_flags_limit_days,
            project.minimum_change_request_approvals,
            project.enforce_feature_owners,
            project.enable_realtime_updates,
            project.show_edge_identity_overrides_for_feature
        )
    }

    /// Deletes a project with its environments.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], and when the database does not answer.
    pub async fn delete_project(&mut self, id: ProjectId, at: Timestamp) -> StoreResult<()> {
        const SQL: &str =
            "UPDATE projects SET deleted_at = $2 WHERE id = $1 AND deleted_at IS NULL";
        const ENVIRONMENTS: &str = "
            UPDATE environments SET deleted_at = $2 WHERE project_id = $1 AND deleted_at IS NULL";
        let done = self.mark_deleted(SQL, id.get(), at).await?;
        self.mark_deleted(ENVIRONMENTS, id.get(), at).await?;
        self.remove_keys_of_deleted().await?;
        crate::error::changed(done, Noun::Project)
    }
}
