//! Which features of a project carry a mark, and how often features were evaluated.

use crate::backend::on_backend;
use crate::text::{CHUNK, placeholders};
use crate::{Store, StoreResult};
use flagstaff_core::{EnvironmentId, FeatureId, MemberId, ProjectId, TagId, Timestamp};
use sqlx::AssertSqlSafe;

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

impl Store {
    /// Features of a project that carry a tag, in order of their ids.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn features_with_tag(
        &self,
        project: ProjectId,
        tag: TagId,
    ) -> StoreResult<Vec<FeatureId>> {
        const SQL: &str = "
            SELECT f.feature_id FROM feature_tags f JOIN tags t ON t.id = f.tag_id
            WHERE t.project_id = $1 AND t.id = $2 AND t.deleted_at IS NULL
            ORDER BY f.feature_id";
        let ids: Vec<i64> = on_backend!(self, |pool| {
            sqlx::query_scalar(SQL)
                .bind(project.get())
                .bind(tag.get())
                .fetch_all(pool)
                .await
        })?;
        Ok(ids.into_iter().map(FeatureId::new).collect())
    }

    /// Features of a project that are meant to stay: those with a permanent tag, in order of their ids.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn permanent_features(&self, project: ProjectId) -> StoreResult<Vec<FeatureId>> {
        const SQL: &str = "
            SELECT DISTINCT f.feature_id FROM feature_tags f JOIN tags t ON t.id = f.tag_id
            WHERE t.project_id = $1 AND t.is_permanent = $2 AND t.deleted_at IS NULL
            ORDER BY f.feature_id";
        let ids: Vec<i64> = on_backend!(self, |pool| {
            sqlx::query_scalar(SQL)
                .bind(project.get())
                .bind(true)
                .fetch_all(pool)
                .await
        })?;
        Ok(ids.into_iter().map(FeatureId::new).collect())
    }

    /// Features of a project that a member looks after, in order of their ids.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn features_with_owner(
        &self,
        project: ProjectId,
        owner: MemberId,
    ) -> StoreResult<Vec<FeatureId>> {
        const SQL: &str = "
            SELECT o.feature_id FROM feature_owners o JOIN features f ON f.id = o.feature_id
            WHERE f.project_id = $1 AND o.member_id = $2
            ORDER BY o.feature_id";
        let ids: Vec<i64> = on_backend!(self, |pool| {
            sqlx::query_scalar(SQL)
                .bind(project.get())
                .bind(owner.get())
                .fetch_all(pool)
                .await
        })?;
        Ok(ids.into_iter().map(FeatureId::new).collect())
    }

    /// How often features were evaluated in an environment on each day since a time, in days after that time. At most
    /// [`CHUNK`] features are looked at.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn evaluations_by_day(
        &self,
        environment: EnvironmentId,
        features: &[FeatureId],
        since: Timestamp,
    ) -> StoreResult<Vec<(FeatureId, i64, i64)>> {
        let features = &features[..features.len().min(CHUNK)];
        if features.is_empty() {
            return Ok(Vec::new());
        }
        let list = placeholders(3, features.len());
        let sql = format!(
            "SELECT feature_id, CAST((bucket_start - $2) / {DAY} AS BIGINT), CAST(SUM(count) AS BIGINT)
            FROM evaluation_counts
            WHERE environment_id = $1 AND bucket_start >= $2 AND feature_id IN ({list})
            GROUP BY 1, 2 ORDER BY 1, 2"
        );
        let rows: Vec<(i64, i64, i64)> = on_backend!(self, |pool| {
            let mut query = sqlx::query_as(AssertSqlSafe(sql))
                .bind(environment.get())
                .bind(since.micros());
            for feature in features {
                query = query.bind(feature.get());
            }
            query.fetch_all(pool).await
        })?;
        let rows = rows.into_iter();
        Ok(rows
            .map(|(feature, day, count)| (FeatureId::new(feature), day, count))
            .collect())
    }
}
