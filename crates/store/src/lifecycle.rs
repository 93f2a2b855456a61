//! Features that nobody seems to need any more.

use crate::backend::on_backend;
use crate::text::{CHUNK, placeholders};
use crate::{Store, StoreResult};
use flagstaff_core::{EnvironmentId, FeatureId, MemberId, ProjectId, Timestamp};
use sqlx::AssertSqlSafe;
use std::collections::HashMap;

/// Which features count as unused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnusedFilter {
    /// Made before, and not evaluated since.
    pub since: Timestamp,
    /// Where evaluations are looked for.
    pub environments: Vec<EnvironmentId>,
    /// Archived ones instead of the others.
    pub is_archived: bool,
    /// Those with a permanent tag too.
    pub with_permanent: bool,
}

impl Store {
    /// The features of a project that nobody evaluated for long, the oldest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn unused_features(
        &self,
        project: ProjectId,
        filter: &UnusedFilter,
    ) -> StoreResult<Vec<FeatureId>> {
        let environments = filter.environments.iter().map(|id| id.get().to_string());
        let environments: Vec<String> = environments.collect();
        let evaluated = if environments.is_empty() {
            String::new()
        } else {
            // The end of a feature's part of the index in each environment; nothing else is read.
            format!(
                "AND NOT EXISTS (SELECT 1 FROM evaluation_counts c
                    WHERE c.environment_id IN ({}) AND c.feature_id = f.id AND c.bucket_start >= $2)",
                environments.join(", ")
            )
        };
        let permanent = if filter.with_permanent {
            ""
        } else {
            "AND f.id NOT IN (SELECT ft.feature_id FROM feature_tags ft JOIN tags t ON t.id = ft.tag_id
                WHERE t.project_id = $1 AND t.is_permanent AND t.deleted_at IS NULL)"
        };
        let sql = format!(
            "SELECT f.id FROM features f
            WHERE f.project_id = $1 AND f.deleted_at IS NULL AND f.created_at < $2 AND f.is_archived = $3
                {evaluated} {permanent}
            ORDER BY f.id"
        );
        let ids: Vec<i64> = on_backend!(self, |pool| {
            sqlx::query_scalar(AssertSqlSafe(sql))
                .bind(project.get())
                .bind(filter.since.micros())
                .bind(filter.is_archived)
                .fetch_all(pool)
                .await
        })?;
        Ok(ids.into_iter().map(FeatureId::new).collect())
    }

    /// The features of a project that are expected to be gone by then and are not archived, the earliest day first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn features_due(
        &self,
        project: ProjectId,
        until: Timestamp,
    ) -> StoreResult<Vec<FeatureId>> {
        const SQL: &str = "
            SELECT id FROM features
            WHERE project_id = $1 AND deleted_at IS NULL AND NOT is_archived AND expected_removal <= $2
            ORDER BY expected_removal, id";
        let ids: Vec<i64> = on_backend!(self, |pool| {
            sqlx::query_scalar(SQL)
                .bind(project.get())
                .bind(until.micros())
                .fetch_all(pool)
                .await
        })?;
        Ok(ids.into_iter().map(FeatureId::new).collect())
    }

    /// Who looks after the features of a project: every pair there is.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn owners_in_project(
        &self,
        project: ProjectId,
    ) -> StoreResult<Vec<(FeatureId, MemberId)>> {
        const SQL: &str = "
            SELECT o.feature_id, o.member_id
            FROM feature_owners o JOIN features f ON f.id = o.feature_id
            WHERE f.project_id = $1 AND f.deleted_at IS NULL ORDER BY o.feature_id, o.member_id";
        let rows: Vec<(i64, i64)> = on_backend!(self, |pool| {
            sqlx::query_as(SQL)
                .bind(project.get())
                .fetch_all(pool)
                .await
        })?;
        let pair = |(feature, member)| (FeatureId::new(feature), MemberId::new(member));
        Ok(rows.into_iter().map(pair).collect())
    }

    /// When anything of each of some features last changed: the feature's states, wherever they are.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn last_state_changes(
        &self,
        features: &[FeatureId],
    ) -> StoreResult<HashMap<FeatureId, Timestamp>> {
        let mut changes = HashMap::new();
        for chunk in features.chunks(CHUNK) {
            let sql = format!(
                "SELECT feature_id, MAX(updated_at) FROM feature_states
                WHERE feature_id IN ({}) AND deleted_at IS NULL GROUP BY feature_id",
                placeholders(1, chunk.len())
            );
            let rows: Vec<(i64, i64)> = on_backend!(self, |pool| {
                let mut query = sqlx::query_as(AssertSqlSafe(sql));
                for id in chunk {
                    query = query.bind(id.get());
                }
                query.fetch_all(pool).await
            })?;
            let pair = |(id, at)| (FeatureId::new(id), Timestamp::from_micros(at));
            changes.extend(rows.into_iter().map(pair));
        }
        Ok(changes)
    }
}
