//! Imports of features.

use crate::backend::{change_row, on_backend, on_transaction};
use crate::error::Noun;
use crate::feature_files::{files_of, status_of, status_text};
use crate::feature_states::{NewWeight, kind_text};
use crate::{Page, PageRequest, Store, StoreError, StoreResult, Write};
use flagstaff_core::{
    EnvironmentId, Feature, FeatureId, FeatureImport, FeatureImportId, FeatureName, FeatureStateId,
    FileStatus, ImportStrategy, ProjectId, StateValue, Timestamp,
};

/// An import to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFeatureImport {
    /// Who gets the values of the file.
    pub environment_id: EnvironmentId,
    /// What happens to features that are there already.
    pub strategy: ImportStrategy,
    /// The features as JSON.
    pub document: String,
}

/// An import that nobody has made yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingImport {
    /// The import.
    pub import: FeatureImport,
    /// The features as JSON.
    pub document: String,
}

#[derive(sqlx::FromRow)]
struct ImportRow {
    id: i64,
    environment_id: i64,
    strategy: String,
    status: String,
    created_at: i64,
}

impl TryFrom<ImportRow> for FeatureImport {
    type Error = StoreError;

    fn try_from(row: ImportRow) -> StoreResult<Self> {
        let noun = Noun::FeatureImport;
        Ok(Self {
            id: FeatureImportId::new(row.id),
            environment_id: EnvironmentId::new(row.environment_id),
            strategy: match row.strategy.as_str() {
                "skip" => ImportStrategy::Skip,
                "overwrite" => ImportStrategy::Overwrite,
                other => {
                    return Err(StoreError::Corrupt {
                        noun,
                        id: row.id,
                        problem: format!("`{other}` is no strategy"),
                    });
                }
            },
            status: status_of(noun, row.id, &row.status)?,
            created_at: Timestamp::from_micros(row.created_at),
        })
    }
}

impl Store {
    /// Imports of some environments, the newest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn feature_imports(
        &self,
        environments: &[EnvironmentId],
        page: PageRequest,
    ) -> StoreResult<Page<FeatureImport>> {
        const COLUMNS: &str = "id, environment_id, strategy, status, created_at";
        let found: (Vec<ImportRow>, i64) =
            files_of!(self, "feature_imports", COLUMNS, environments, page);
        let items: StoreResult<_> = found.0.into_iter().map(FeatureImport::try_from).collect();
        Ok(Page {
            items: items?,
            total: found.1,
        })
    }

    /// The import that waits longest to be made.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn next_feature_import(&self) -> StoreResult<Option<WaitingImport>> {
        const SQL: &str = "
            SELECT id, environment_id, strategy, status, created_at
            FROM feature_imports WHERE status = 'processing' ORDER BY id LIMIT 1";
        const DOCUMENT: &str = "
            SELECT document FROM feature_imports WHERE id = $1 AND document IS NOT NULL";
        let row: Option<ImportRow> = on_backend!(self, |pool| {
            sqlx::query_as(SQL).fetch_optional(pool).await
        })?;
        let Some(row) = row else {
            return Ok(None);
        };
        let import = FeatureImport::try_from(row)?;
        let document: Option<String> = on_backend!(self, |pool| {
            sqlx::query_scalar(DOCUMENT)
                .bind(import.id.get())
                .fetch_optional(pool)
                .await
        })?;
        // Another node may have made it since.
        Ok(document.map(|document| WaitingImport { import, document }))
    }
}

impl Write {
    /// Asks for an import.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn insert_feature_import(
        &mut self,
        new: &NewFeatureImport,
        at: Timestamp,
    ) -> StoreResult<FeatureImport> {
        const SQL: &str = "
            INSERT INTO feature_imports (environment_id, strategy, status, document, created_at)
            VALUES ($1, $2, 'processing', $3, $4)
            RETURNING id, environment_id, strategy, status, created_at";
        let strategy = match new.strategy {
            ImportStrategy::Skip => "skip",
            ImportStrategy::Overwrite => "overwrite",
        };
        let row: ImportRow = on_transaction!(&mut self.transaction, |connection| {
            sqlx::query_as(SQL)
                .bind(new.environment_id.get())
                .bind(strategy)
                .bind(&new.document)
                .bind(at.micros())
                .fetch_one(connection)
                .await
        })?;
        FeatureImport::try_from(row)
    }

    /// Ends an import; its file is not needed any more.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when it has ended already, through another node perhaps.
    pub async fn finish_feature_import(
        &mut self,
        id: FeatureImportId,
        status: FileStatus,
    ) -> StoreResult<()> {
        const SQL: &str = "
            UPDATE feature_imports SET status = $2, document = NULL
            WHERE id = $1 AND status = 'processing'";
        change_row!(
            self,
            Noun::FeatureImport,
            SQL,
            id.get(),
            status_text(status)
        )
    }

    /// Gives a feature that was just made its value in one environment.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn set_first_state(
        &mut self,
        feature: &Feature,
        environment: EnvironmentId,
        enabled: bool,
        value: &StateValue,
        weights: &[NewWeight],
    ) -> StoreResult<()> {
        const SQL: &str = "
            UPDATE feature_states
            SET enabled = $3, value_type = $4, string_value = $5, integer_value = $6, boolean_value = $7
            WHERE environment_id = $1 AND feature_id = $2 AND feature_segment_id IS NULL
                AND identity_id IS NULL AND deleted_at IS NULL
            RETURNING id";
        let states: Vec<i64> = on_transaction!(&mut self.transaction, |connection| {
            sqlx::query_scalar(SQL)
                .bind(environment.get())
                .bind(feature.id.get())
                .bind(enabled)
                .bind(kind_text(value.kind))
                .bind(&value.text)
                .bind(value.integer)
                .bind(value.boolean)
                .fetch_all(connection)
                .await
        })?;
        for state in states {
            for weight in weights {
                let state = FeatureStateId::new(state);
                self.set_weight(state, weight.option_id, weight.percentage_allocation)
                    .await?;
            }
        }
        Ok(())
    }

    /// The feature of a project that has this name, without regard to case; those of this change count.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn feature_named(
        &mut self,
        project: ProjectId,
        name: &FeatureName,
    ) -> StoreResult<Option<FeatureId>> {
        const SQL: &str = "
            SELECT id FROM features
            WHERE project_id = $1 AND name_folded = $2 AND deleted_at IS NULL";
        let id: Option<i64> = on_transaction!(&mut self.transaction, |connection| {
            sqlx::query_scalar(SQL)
                .bind(project.get())
                .bind(crate::text::folded_key(name.as_str()))
                .fetch_optional(connection)
                .await
        })?;
        Ok(id.map(FeatureId::new))
    }
}
