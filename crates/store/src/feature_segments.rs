//! The links that give segment overrides their priority.

use crate::backend::{on_backend, on_transaction};
use crate::error::Noun;
use crate::{Store, StoreError, StoreResult, Write};
use flagstaff_core::{
    EnvironmentId, FeatureId, FeatureSegment, FeatureSegmentId, SegmentId, Timestamp,
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
    /// The links of a feature in an environment, strongest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn feature_segments(
        &self,
        environment: EnvironmentId,
        feature: FeatureId,
    ) -> StoreResult<Vec<FeatureSegment>> {
        const SQL: &str = "
            SELECT id, uuid, feature_id, segment_id, environment_id, priority
            FROM feature_segments
            WHERE environment_id = $1 AND feature_id = $2 AND deleted_at IS NULL
            ORDER BY priority NULLS LAST, id";
        let rows: Vec<FeatureSegmentRow> = on_backend!(self, |pool| {
            sqlx::query_as(SQL)
                .bind(environment.get())
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
        const SQL: &str = "
            INSERT INTO feature_segments (uuid, feature_id, segment_id, environment_id, priority, created_at)
            VALUES ($1, $2, $3, $4, $5, $6)
            RETURNING id, uuid, feature_id, segment_id, environment_id, priority";
        let row: FeatureSegmentRow = on_transaction!(&mut self.transaction, |connection| {
            sqlx::query_as(SQL)
                .bind(new.uuid.to_string())
                .bind(new.feature_id.get())
                .bind(new.segment_id.get())
                .bind(new.environment_id.get())
                .bind(new.priority)
                .bind(at.micros())
                .fetch_one(connection)
                .await
        })?;
        row.try_into()
    }
}
