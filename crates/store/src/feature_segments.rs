//! The links that give segment overrides their priority.

use crate::backend::{change_row, on_backend, on_transaction};
use crate::error::Noun;
use crate::feature_states::live_versions;
use crate::{Store, StoreError, StoreResult, Write};
use flagstaff_core::{
    EnvironmentId, FeatureId, FeatureSegment, FeatureSegmentId, FeatureVersionId, SegmentId,
    Timestamp,
};
use uuid::Uuid;

/// A link to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFeatureSegment {
    /// Stable id.
    pub uuid: Uuid,
    /// The feature.
    pub feature_id: FeatureId,
    /// The segment.
    pub segment_id: SegmentId,
    /// The environment.
    pub environment_id: EnvironmentId,
    /// Lower is stronger; `None` is weakest.
    pub priority: Option<i64>,
}

#[derive(sqlx::FromRow)]
pub(crate) struct FeatureSegmentRow {
    id: i64,
    uuid: String,
    feature_id: i64,
    segment_id: i64,
    environment_id: i64,
    priority: Option<i64>,
}

impl TryFrom<FeatureSegmentRow> for FeatureSegment {
    type Error = StoreError;

    fn try_from(row: FeatureSegmentRow) -> StoreResult<Self> {
        Ok(Self {
            id: FeatureSegmentId::new(row.id),
            uuid: crate::error::uuid(Noun::FeatureSegment, row.id, &row.uuid)?,
            feature_id: FeatureId::new(row.feature_id),
            segment_id: SegmentId::new(row.segment_id),
            environment_id: EnvironmentId::new(row.environment_id),
            priority: row.priority,
        })
    }
}

impl Store {
    /// A link by its id.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn feature_segment(
        &self,
        id: FeatureSegmentId,
    ) -> StoreResult<Option<FeatureSegment>> {
        const SQL: &str = "
            SELECT id, uuid, feature_id, segment_id, environment_id, priority
            FROM feature_segments WHERE id = $1 AND deleted_at IS NULL";
        let row: Option<FeatureSegmentRow> = on_backend!(self, |pool| {
            sqlx::query_as(SQL)
                .bind(id.get())
                .fetch_optional(pool)
                .await
        })?;
        row.map(FeatureSegment::try_from).transpose()
    }

    /// A link by its stable id.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn feature_segment_by_uuid(&self, uuid: Uuid) -> StoreResult<Option<FeatureSegment>> {
        const SQL: &str = "
            SELECT id, uuid, feature_id, segment_id, environment_id, priority
            FROM feature_segments WHERE uuid = $1 AND deleted_at IS NULL";
        let row: Option<FeatureSegmentRow> = on_backend!(self, |pool| {
            sqlx::query_as(SQL)
                .bind(uuid.to_string())
                .fetch_optional(pool)
                .await
        })?;
        row.map(FeatureSegment::try_from).transpose()
    }

    /// The live links of a feature in an environment, strongest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn feature_segments(
        &self,
        environment: EnvironmentId,
        feature: FeatureId,
        now: Timestamp,
    ) -> StoreResult<Vec<FeatureSegment>> {
        const SQL: &str = concat!(
            "SELECT id, uuid, feature_id, segment_id, environment_id, priority
            FROM feature_segments
            WHERE environment_id = $1 AND feature_id = $3 AND deleted_at IS NULL
                AND (feature_version_id IS NULL OR feature_version_id IN (",
            live_versions!("f.id = $3"),
            ")) ORDER BY priority NULLS LAST, id"
        );
        let rows: Vec<FeatureSegmentRow> = on_backend!(self, |pool| {
            sqlx::query_as(SQL)
                .bind(environment.get())
                .bind(now.micros())
                .bind(feature.get())
                .fetch_all(pool)
                .await
        })?;
        rows.into_iter().map(FeatureSegment::try_from).collect()
    }
}

impl Write {
    /// Makes a link.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn insert_feature_segment(
        &mut self,
        new: &NewFeatureSegment,
        at: Timestamp,
    ) -> StoreResult<FeatureSegment> {
        self.insert_link(new, None, at).await
    }

    /// Makes a link that belongs to a version of the feature.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn insert_version_link(
        &mut self,
        new: &NewFeatureSegment,
        version: FeatureVersionId,
        at: Timestamp,
    ) -> StoreResult<FeatureSegment> {
        self.insert_link(new, Some(version), at).await
    }

    async fn insert_link(
        &mut self,
        new: &NewFeatureSegment,
        version: Option<FeatureVersionId>,
        at: Timestamp,
    ) -> StoreResult<FeatureSegment> {
        const SQL: &str = "
            INSERT INTO feature_segments (uuid, feature_id, segment_id, environment_id, priority,
                feature_version_id, created_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            RETURNING id, uuid, feature_id, segment_id, environment_id, priority";
        let row: FeatureSegmentRow = on_transaction!(&mut self.transaction, |connection| {
            sqlx::query_as(SQL)
                .bind(new.uuid.to_string())
                .bind(new.feature_id.get())
                .bind(new.segment_id.get())
                .bind(new.environment_id.get())
                .bind(new.priority)
                .bind(version.map(FeatureVersionId::get))
                .bind(at.micros())
                .fetch_one(connection)
                .await
        })?;
        row.try_into()
    }

    /// Writes the segment and the priority of a link.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], and when the database does not answer.
    pub async fn update_feature_segment(&mut self, link: &FeatureSegment) -> StoreResult<()> {
        const SQL: &str = "
            UPDATE feature_segments SET segment_id = $2, priority = $3
            WHERE id = $1 AND deleted_at IS NULL";
        change_row!(
            self,
            Noun::FeatureSegment,
            SQL,
            link.id.get(),
            link.segment_id.get(),
            link.priority
        )
    }

    /// Deletes a link with its state.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], and when the database does not answer.
    pub async fn delete_feature_segment(
        &mut self,
        id: FeatureSegmentId,
        at: Timestamp,
    ) -> StoreResult<()> {
        const STATES: &str = "
            UPDATE feature_states SET deleted_at = $2
            WHERE feature_segment_id = $1 AND deleted_at IS NULL";
        const LINK: &str =
            "UPDATE feature_segments SET deleted_at = $2 WHERE id = $1 AND deleted_at IS NULL";
        self.mark_deleted(STATES, id.get(), at).await?;
        let done = self.mark_deleted(LINK, id.get(), at).await?;
        crate::error::changed(done, Noun::FeatureSegment)
    }
}
