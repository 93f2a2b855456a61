//! Integrations of projects with flagd.

use crate::backend::{change_row, on_backend, on_transaction};
use crate::error::Noun;
use crate::{Store, StoreError, StoreResult, Write};
use flagstaff_core::{
    FlagdEvaluators, FlagdForm, FlagdIntegration, FlagdIntegrationId, ProjectId, Timestamp,
};
use uuid::Uuid;

/// An integration to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFlagdIntegration {
    /// Stable id.
    pub uuid: Uuid,
    /// The project; each has at most one.
    pub project_id: ProjectId,
    /// Whether the project is served to flagd.
    pub enabled: bool,
    /// Where documents put shared segments.
    pub evaluators: FlagdEvaluators,
    /// How documents say conditions.
    pub form: FlagdForm,
}

#[derive(sqlx::FromRow)]
pub(crate) struct FlagdIntegrationRow {
    id: i64,
    uuid: String,
    project_id: i64,
    enabled: bool,
    evaluators: String,
    form: String,
    created_at: i64,
    updated_at: i64,
}

impl TryFrom<FlagdIntegrationRow> for FlagdIntegration {
    type Error = StoreError;

    fn try_from(row: FlagdIntegrationRow) -> StoreResult<Self> {
        let unknown = |word: &str| StoreError::Corrupt {
            noun: Noun::FlagdIntegration,
            id: row.id,
            problem: format!("`{word}` is unknown"),
        };
        Ok(Self {
            id: FlagdIntegrationId::new(row.id),
            uuid: crate::error::uuid(Noun::FlagdIntegration, row.id, &row.uuid)?,
            project_id: ProjectId::new(row.project_id),
            enabled: row.enabled,
            evaluators: FlagdEvaluators::parse(&row.evaluators)
                .ok_or_else(|| unknown(&row.evaluators))?,
            form: FlagdForm::parse(&row.form).ok_or_else(|| unknown(&row.form))?,
            created_at: Timestamp::from_micros(row.created_at),
            updated_at: Timestamp::from_micros(row.updated_at),
        })
    }
}

pub(crate) const OF_PROJECT: &str = "
    SELECT id, uuid, project_id, enabled, evaluators, form, created_at, updated_at
    FROM flagd_integrations WHERE project_id = $1";

impl Store {
    /// The integration of a project, if it has one.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn flagd_integration(
        &self,
        project: ProjectId,
    ) -> StoreResult<Option<FlagdIntegration>> {
        let row: Option<FlagdIntegrationRow> = on_backend!(self, |pool| {
            sqlx::query_as(OF_PROJECT)
                .bind(project.get())
                .fetch_optional(pool)
                .await
        })?;
        row.map(FlagdIntegration::try_from).transpose()
    }
}

impl Write {
    /// Makes an integration.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where the project has one, and when the database does not answer.
    pub async fn insert_flagd_integration(
        &mut self,
        new: &NewFlagdIntegration,
        at: Timestamp,
    ) -> StoreResult<FlagdIntegration> {
        const SQL: &str = "
            INSERT INTO flagd_integrations
                (uuid, project_id, enabled, evaluators, form, created_at, updated_at)
            VALUES ($1, $2, $3, $4, $5, $6, $6)
            RETURNING id, uuid, project_id, enabled, evaluators, form, created_at, updated_at";
        let row: FlagdIntegrationRow = on_transaction!(&mut self.transaction, |connection| {
            sqlx::query_as(SQL)
                .bind(new.uuid.to_string())
                .bind(new.project_id.get())
                .bind(new.enabled)
                .bind(new.evaluators.as_str())
                .bind(new.form.as_str())
                .bind(at.micros())
                .fetch_one(connection)
                .await
        })
        .map_err(StoreError::conflict(Noun::FlagdIntegration))?;
        FlagdIntegration::try_from(row)
    }

    /// Writes every field of an integration that can change, and when it was changed.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], and when the database does not answer.
    pub async fn update_flagd_integration(
        &mut self,
        integration: &FlagdIntegration,
    ) -> StoreResult<()> {
        const SQL: &str = "
            UPDATE flagd_integrations
            SET enabled = $2, evaluators = $3, form = $4, updated_at = $5
            WHERE id = $1";
        change_row!(
            self,
            Noun::FlagdIntegration,
            SQL,
            integration.id.get(),
            integration.enabled,
            integration.evaluators.as_str(),
            integration.form.as_str(),
            integration.updated_at.micros()
        )
    }

    /// Deletes an integration: the audit log alone remembers it.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], and when the database does not answer.
    pub async fn delete_flagd_integration(&mut self, id: FlagdIntegrationId) -> StoreResult<()> {
        const SQL: &str = "DELETE FROM flagd_integrations WHERE id = $1";
        change_row!(self, Noun::FlagdIntegration, SQL, id.get())
    }
}
