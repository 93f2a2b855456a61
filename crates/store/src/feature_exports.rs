//! Exports of features.

use crate::backend::{change_row, execute, on_backend, on_transaction};
use crate::error::Noun;
use crate::feature_files::{files_of, status_of, status_text};
use crate::{Page, PageRequest, Store, StoreError, StoreResult, Write};
use flagstaff_core::{EnvironmentId, FeatureExport, FeatureExportId, FileStatus, TagId, Timestamp};

/// An export to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFeatureExport {
    /// Whose values it holds.
    pub environment_id: EnvironmentId,
    /// Shown name.
    pub name: String,
    /// Only features with one of these; all features when empty.
    pub tags: Vec<TagId>,
}

/// An export that nobody has made yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingExport {
    /// The export.
    pub export: FeatureExport,
    /// Only features with one of these; all features when empty.
    pub tags: Vec<TagId>,
}

#[derive(sqlx::FromRow)]
struct ExportRow {
    id: i64,
    environment_id: i64,
    name: String,
    status: String,
    tag_ids: String,
    created_at: i64,
}

impl TryFrom<ExportRow> for WaitingExport {
    type Error = StoreError;

    fn try_from(row: ExportRow) -> StoreResult<Self> {
        let tags: Result<Vec<i64>, _> = row
            .tag_ids
            .split_terminator(',')
            .map(|id| id.parse())
            .collect();
        let tags = tags.map_err(|_| StoreError::Corrupt {
            noun: Noun::FeatureExport,
            id: row.id,
            problem: format!("`{}` is no list of tags", row.tag_ids),
        })?;
        Ok(Self {
            export: FeatureExport {
                id: FeatureExportId::new(row.id),
                environment_id: EnvironmentId::new(row.environment_id),
                name: row.name,
                status: status_of(Noun::FeatureExport, row.id, &row.status)?,
                created_at: Timestamp::from_micros(row.created_at),
            },
            tags: tags.into_iter().map(TagId::new).collect(),
        })
    }
}

impl Store {
    /// An export by its id.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn feature_export(&self, id: FeatureExportId) -> StoreResult<Option<FeatureExport>> {
        const SQL: &str = "
            SELECT id, environment_id, name, status, tag_ids, created_at
            FROM feature_exports WHERE id = $1";
        let row: Option<ExportRow> = on_backend!(self, |pool| {
            sqlx::query_as(SQL)
                .bind(id.get())
                .fetch_optional(pool)
                .await
        })?;
        let export = row.map(WaitingExport::try_from).transpose()?;
        Ok(export.map(|waiting| waiting.export))
    }

    /// The file of an export, as JSON; `None` until it is made.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn feature_export_document(
        &self,
        id: FeatureExportId,
    ) -> StoreResult<Option<String>> {
        const SQL: &str = "SELECT document FROM feature_exports WHERE id = $1";
        let row: Option<Option<String>> = on_backend!(self, |pool| {
            sqlx::query_scalar(SQL)
                .bind(id.get())
                .fetch_optional(pool)
                .await
        })?;
        Ok(row.flatten())
    }

    /// Exports of some environments, the newest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn feature_exports(
        &self,
        environments: &[EnvironmentId],
        page: PageRequest,
    ) -> StoreResult<Page<FeatureExport>> {
        const COLUMNS: &str = "id, environment_id, name, status, tag_ids, created_at";
        let found: (Vec<ExportRow>, i64) =
            files_of!(self, "feature_exports", COLUMNS, environments, page);
        let exports = found.0.into_iter().map(WaitingExport::try_from);
        let exports: StoreResult<Vec<_>> = exports.collect();
        Ok(Page {
            items: exports?.into_iter().map(|each| each.export).collect(),
            total: found.1,
        })
    }

    /// The export that waits longest to be made.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn next_feature_export(&self) -> StoreResult<Option<WaitingExport>> {
        const SQL: &str = "
            SELECT id, environment_id, name, status, tag_ids, created_at
            FROM feature_exports WHERE status = 'processing' ORDER BY id LIMIT 1";
        let row: Option<ExportRow> = on_backend!(self, |pool| {
            sqlx::query_as(SQL).fetch_optional(pool).await
        })?;
        row.map(WaitingExport::try_from).transpose()
    }

    /// Removes exports and imports that were asked for before a time; answers how many. Unaudited: they are copies
    /// that come with an end.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn delete_old_feature_files(&self, before: Timestamp) -> StoreResult<u64> {
        const SQL: [&str; 2] = [
            "DELETE FROM feature_exports WHERE created_at < $1",
            "DELETE FROM feature_imports WHERE created_at < $1",
        ];
        let mut deleted = 0;
        for sql in SQL {
            deleted += execute!(self, sql, before.micros())?;
        }
        Ok(deleted)
    }
}

impl Write {
    /// Asks for an export.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn insert_feature_export(
        &mut self,
        new: &NewFeatureExport,
        at: Timestamp,
    ) -> StoreResult<FeatureExport> {
        const SQL: &str = "
            INSERT INTO feature_exports (environment_id, name, status, tag_ids, created_at)
            VALUES ($1, $2, 'processing', $3, $4)
            RETURNING id, environment_id, name, status, tag_ids, created_at";
        let tags: Vec<String> = new.tags.iter().map(ToString::to_string).collect();
        let row: ExportRow = on_transaction!(&mut self.transaction, |connection| {
            sqlx::query_as(SQL)
                .bind(new.environment_id.get())
                .bind(&new.name)
                .bind(tags.join(","))
                .bind(at.micros())
                .fetch_one(connection)
                .await
        })?;
        Ok(WaitingExport::try_from(row)?.export)
    }

    /// Ends an export with its file, or without one when it failed.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when it has ended already, through another node perhaps.
    pub async fn finish_feature_export(
        &mut self,
        id: FeatureExportId,
        document: Option<&str>,
    ) -> StoreResult<()> {
        const SQL: &str = "
            UPDATE feature_exports SET status = $2, document = $3
            WHERE id = $1 AND status = 'processing'";
        let status = match document {
            Some(_) => FileStatus::Success,
            None => FileStatus::Failed,
        };
        change_row!(
            self,
            Noun::FeatureExport,
            SQL,
            id.get(),
            status_text(status),
            document
        )
    }
}
