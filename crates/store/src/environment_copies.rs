//! What an environment serves, copied into another one in few statements.

use crate::backend::{Transaction, on_transaction};
use crate::feature_states::live_versions;
use crate::text::{CHUNK, value_rows};
use crate::{StoreResult, Write};
use flagstaff_core::{EnvironmentId, Timestamp};
use sqlx::AssertSqlSafe;
use std::collections::HashMap;
use uuid::Uuid;

/// Published feature versions of `$1` that are live at `$2` or become so later.
macro_rules! copied_versions {
    () => {
        concat!(
            "SELECT v.id FROM feature_versions v
            JOIN environments e ON e.id = v.environment_id JOIN features f ON f.id = v.feature_id
            WHERE e.id = $1 AND e.use_v2_feature_versioning AND f.deleted_at IS NULL AND v.deleted_at IS NULL
                AND v.published_at IS NOT NULL AND v.live_from > $2
            UNION ALL ",
            live_versions!("1 = 1")
        )
    };
}

#[derive(sqlx::FromRow)]
struct VersionRow {
    id: i64,
    feature_id: i64,
    description: Option<String>,
    created_by: Option<i64>,
    published_by: Option<i64>,
    published_at: Option<i64>,
    live_from: Option<i64>,
}

#[derive(sqlx::FromRow)]
struct LinkRow {
    id: i64,
    feature_id: i64,
    segment_id: i64,
    priority: Option<i64>,
    feature_version_id: Option<i64>,
}

#[derive(sqlx::FromRow)]
struct StateRow {
    id: i64,
    feature_id: i64,
    feature_segment_id: Option<i64>,
    feature_version_id: Option<i64>,
    enabled: Option<bool>,
    value_type: String,
    string_value: Option<String>,
    integer_value: Option<i64>,
    boolean_value: Option<bool>,
    hash_seed: String,
    version: Option<i64>,
    live_from: Option<i64>,
}

/// Ids of copies by those of the originals.
type Copies = HashMap<i64, i64>;

/// From where to where, and when.
#[derive(Clone, Copy)]
struct Journey {
    from: i64,
    to: i64,
    now: i64,
}

impl Write {
    /// Copies what an environment serves and what it is going to serve into one that has nothing yet: defaults and
    /// segment overrides with their priorities, what variants are hashed by, and the published versions they belong
    /// to. History, drafts, overrides of identities and what rollouts serve are left behind.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn copy_environment(
        &mut self,
        from: EnvironmentId,
        to: EnvironmentId,
        now: Timestamp,
    ) -> StoreResult<()> {
        let journey = Journey {
            from: from.get(),
            to: to.get(),
            now: now.micros(),
        };
        let transaction = &mut self.transaction;
        let versions = transaction.copy_versions(journey).await?;
        let links = transaction.copy_links(journey, &versions).await?;
        let states = transaction.copy_states_of(journey, &versions, &links);
        let states = states.await?;
        transaction.copy_weights(&states).await
    }
}

impl Transaction {
    async fn copy_versions(&mut self, journey: Journey) -> StoreResult<Copies> {
        const SQL: &str = concat!(
            "SELECT id, feature_id, description, created_by, published_by, published_at, live_from
            FROM feature_versions WHERE id IN (",
            copied_versions!(),
            ") ORDER BY id"
        );
        let rows: Vec<VersionRow> = on_transaction!(&mut *self, |connection| {
            sqlx::query_as(SQL)
                .bind(journey.from)
                .bind(journey.now)
                .fetch_all(connection)
                .await
        })?;
        let ids = self.reserve_ids("feature_versions", rows.len()).await?;
        let pairs: Vec<_> = rows.into_iter().zip(ids).collect();
        for chunk in pairs.chunks(CHUNK) {
            let sql = format!(
                "INSERT INTO feature_versions (id, uuid, environment_id, feature_id, description, created_by,
                    published_by, published_at, live_from, created_at, updated_at)
                VALUES {}",
                value_rows(11, chunk.len())
            );
            let sql = self.in_order(sql);
            on_transaction!(&mut *self, |connection| {
                let mut query = sqlx::query(AssertSqlSafe(sql));
                for (row, id) in chunk {
                    query = query
                        .bind(*id)
                        .bind(Uuid::new_v4().to_string())
                        .bind(journey.to)
                        .bind(row.feature_id)
                        .bind(&row.description)
                        .bind(row.created_by)
                        .bind(row.published_by)
                        .bind(row.published_at)
                        .bind(row.live_from)
                        .bind(journey.now)
                        .bind(journey.now);
                }
                query.execute(connection).await.map(drop)
            })?;
        }
        Ok(pairs.into_iter().map(|(row, id)| (row.id, id)).collect())
    }

    async fn copy_links(&mut self, journey: Journey, versions: &Copies) -> StoreResult<Copies> {
        const SQL: &str = "
            SELECT l.id, l.feature_id, l.segment_id, l.priority, l.feature_version_id
            FROM feature_segments l JOIN features f ON f.id = l.feature_id
            WHERE l.environment_id = $1 AND l.deleted_at IS NULL AND f.deleted_at IS NULL
                AND NOT EXISTS (SELECT 1 FROM rollouts r WHERE r.managed_segment_id = l.segment_id)
            ORDER BY l.id";
        let mut rows: Vec<LinkRow> = on_transaction!(&mut *self, |connection| {
            sqlx::query_as(SQL)
                .bind(journey.from)
                .fetch_all(connection)
                .await
        })?;
        let is_copied = |version: &i64| versions.contains_key(version);
        rows.retain(|row| row.feature_version_id.as_ref().is_none_or(is_copied));
        let ids = self.reserve_ids("feature_segments", rows.len()).await?;
        let pairs: Vec<_> = rows.into_iter().zip(ids).collect();
        for chunk in pairs.chunks(CHUNK) {
            let sql = format!(
                "INSERT INTO feature_segments (id, uuid, feature_id, segment_id, environment_id, priority,
                    feature_version_id, created_at)
                VALUES {}",
                value_rows(8, chunk.len())
            );
            let sql = self.in_order(sql);
            on_transaction!(&mut *self, |connection| {
                let mut query = sqlx::query(AssertSqlSafe(sql));
                for (row, id) in chunk {
                    let version = row.feature_version_id;
                    query = query
                        .bind(*id)
                        .bind(Uuid::new_v4().to_string())
                        .bind(row.feature_id)
                        .bind(row.segment_id)
                        .bind(journey.to)
                        .bind(row.priority)
                        .bind(version.and_then(|version| versions.get(&version).copied()))
                        .bind(journey.now);
                }
                query.execute(connection).await.map(drop)
            })?;
        }
        Ok(pairs.into_iter().map(|(row, id)| (row.id, id)).collect())
    }

    /// States that stand for themselves, the newest of each owner and planned ones, and those of copied versions.
    async fn states_to_copy(&mut self, journey: Journey) -> StoreResult<Vec<StateRow>> {
        const SQL: &str = concat!(
            "WITH numbered AS (
                SELECT s.*, ROW_NUMBER() OVER (
                    PARTITION BY s.feature_id, s.feature_segment_id
                    ORDER BY s.live_from DESC, s.version DESC, s.id DESC) AS age
                FROM feature_states s
                WHERE s.environment_id = $1 AND s.feature_version_id IS NULL AND s.identity_id IS NULL
                    AND s.live_from <= $2 AND s.version IS NOT NULL AND s.deleted_at IS NULL
                UNION ALL
                SELECT s.*, 1 AS age FROM feature_states s
                WHERE s.environment_id = $1 AND s.feature_version_id IS NULL AND s.identity_id IS NULL
                    AND s.live_from > $2 AND s.version IS NOT NULL AND s.deleted_at IS NULL
                UNION ALL
                SELECT s.*, 1 AS age FROM feature_states s
                WHERE s.deleted_at IS NULL AND s.feature_version_id IN (",
            copied_versions!(),
            "))
            SELECT s.id, s.feature_id, s.feature_segment_id, s.feature_version_id, s.enabled, s.value_type,
                s.string_value, s.integer_value, s.boolean_value, s.hash_seed, s.version, s.live_from
            FROM numbered s JOIN features f ON f.id = s.feature_id
            WHERE s.age = 1 AND f.deleted_at IS NULL
            ORDER BY s.id"
        );
        Ok(on_transaction!(self, |connection| {
            sqlx::query_as(SQL)
                .bind(journey.from)
                .bind(journey.now)
                .fetch_all(connection)
                .await
        })?)
    }

    async fn copy_states_of(
        &mut self,
        journey: Journey,
        versions: &Copies,
        links: &Copies,
    ) -> StoreResult<Copies> {
        let mut rows = self.states_to_copy(journey).await?;
        // The link of a deleted override is gone.
        let is_copied = |link: &i64| links.contains_key(link);
        rows.retain(|row| row.feature_segment_id.as_ref().is_none_or(is_copied));
        let ids = self.reserve_ids("feature_states", rows.len()).await?;
        let pairs: Vec<_> = rows.into_iter().zip(ids).collect();
        for chunk in pairs.chunks(CHUNK) {
            self.insert_state_copies(journey, chunk, versions, links)
                .await?;
        }
        Ok(pairs.into_iter().map(|(row, id)| (row.id, id)).collect())
    }

    async fn insert_state_copies(
        &mut self,
        journey: Journey,
        chunk: &[(StateRow, i64)],
        versions: &Copies,
        links: &Copies,
    ) -> StoreResult<()> {
        let sql = format!(
            "INSERT INTO feature_states (id, uuid, feature_id, environment_id, feature_segment_id,
                feature_version_id, enabled, value_type, string_value, integer_value, boolean_value, hash_seed,
                version, live_from, created_at, updated_at)
            VALUES {}",
            value_rows(16, chunk.len())
        );
        let sql = self.in_order(sql);
        let copy = |copies: &Copies, id: Option<i64>| id.and_then(|id| copies.get(&id).copied());
        on_transaction!(self, |connection| {
            let mut query = sqlx::query(AssertSqlSafe(sql));
            for (row, id) in chunk {
                query = query
                    .bind(*id)
                    .bind(Uuid::new_v4().to_string())
                    .bind(row.feature_id)
                    .bind(journey.to)
                    .bind(copy(links, row.feature_segment_id))
                    .bind(copy(versions, row.feature_version_id))
                    .bind(row.enabled)
                    .bind(&row.value_type)
                    .bind(&row.string_value)
                    .bind(row.integer_value)
                    .bind(row.boolean_value)
                    .bind(&row.hash_seed)
                    .bind(row.version)
                    .bind(row.live_from)
                    .bind(journey.now)
                    .bind(journey.now);
            }
            query.execute(connection).await.map(drop)
        })?;
        Ok(())
    }

    /// Weights in the order of their rows: variants are ordered by these ids.
    async fn copy_weights(&mut self, states: &Copies) -> StoreResult<()> {
        let originals: Vec<i64> = states.keys().copied().collect();
        let mut rows = self.weights(&originals).await?;
        rows.sort_unstable_by_key(|row| row.id);
        let ids = self.reserve_ids("variant_weights", rows.len()).await?;
        let pairs: Vec<_> = rows.into_iter().zip(ids).collect();
        for chunk in pairs.chunks(CHUNK) {
            let sql = format!(
                "INSERT INTO variant_weights (id, uuid, feature_state_id, option_id, percentage_allocation)
                VALUES {}",
                value_rows(5, chunk.len())
            );
            let sql = self.in_order(sql);
            on_transaction!(&mut *self, |connection| {
                let mut query = sqlx::query(AssertSqlSafe(sql));
                for (row, id) in chunk {
                    query = query
                        .bind(*id)
                        .bind(Uuid::new_v4().to_string())
                        .bind(states.get(&row.feature_state_id).copied())
                        .bind(row.option_id)
                        .bind(row.percentage_allocation);
                }
                query.execute(connection).await.map(drop)
            })?;
        }
        Ok(())
    }
}
