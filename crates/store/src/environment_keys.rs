//! All keys that open environments, for the registry in memory.

use crate::backend::{on_backend, on_transaction};
use crate::{Noun, Store, StoreError, StoreResult, Write};
use flagstaff_core::{EnvironmentId, Timestamp};

/// How far the list of keys was read: every made or changed key has a higher number than those before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct KeyCursor(i64);

/// A key and what it opens. Its text is a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyRow {
    /// The key.
    pub key: String,
    /// What it opens.
    pub environment_id: EnvironmentId,
    /// False: refused.
    pub active: bool,
    /// Refused from then on.
    pub expires_at: Option<Timestamp>,
}

type Row = (String, i64, bool, Option<i64>, i64);

impl From<Row> for KeyRow {
    fn from((key, environment, active, expires_at, _): Row) -> Self {
        Self {
            key,
            environment_id: EnvironmentId::new(environment),
            active,
            expires_at: expires_at.map(Timestamp::from_micros),
        }
    }
}

impl Store {
    /// Keys made or changed after a cursor, and the cursor behind them.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn keys_after(&self, cursor: KeyCursor) -> StoreResult<(Vec<KeyRow>, KeyCursor)> {
        const SQL: &str = "
            SELECT api_key, id, TRUE AS active, CAST(NULL AS BIGINT) AS expires_at, key_sequence
            FROM environments
            WHERE key_sequence > $1 AND deleted_at IS NULL
            UNION ALL
            SELECT k.key, k.environment_id, k.active, k.expires_at, k.key_sequence
            FROM server_keys k JOIN environments e ON e.id = k.environment_id
            WHERE k.key_sequence > $1 AND e.deleted_at IS NULL";
        let rows: Vec<Row> = on_backend!(self, |pool| {
            sqlx::query_as(SQL).bind(cursor.0).fetch_all(pool).await
        })?;
        let last = rows.iter().map(|row| row.4).max().unwrap_or(cursor.0);
        let cursor = KeyCursor(last.max(cursor.0));
        Ok((rows.into_iter().map(KeyRow::from).collect(), cursor))
    }

    /// The keys of one environment; none when it was deleted.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn keys_of(&self, environment: EnvironmentId) -> StoreResult<Vec<KeyRow>> {
        const SQL: &str = "
            SELECT api_key, id, TRUE AS active, CAST(NULL AS BIGINT) AS expires_at, key_sequence
            FROM environments
            WHERE id = $1 AND deleted_at IS NULL
            UNION ALL
            SELECT k.key, k.environment_id, k.active, k.expires_at, k.key_sequence
            FROM server_keys k JOIN environments e ON e.id = k.environment_id
            WHERE e.id = $1 AND e.deleted_at IS NULL";
        let rows: Vec<Row> = on_backend!(self, |pool| {
            sqlx::query_as(SQL)
                .bind(environment.get())
                .fetch_all(pool)
                .await
        })?;
        Ok(rows.into_iter().map(KeyRow::from).collect())
    }
}

impl Write {
    /// The number of a key that is made or changed. Counting in one row makes writers wait for one another, so
    /// numbers become visible in order and a reader misses none.
    pub(crate) async fn next_key_sequence(&mut self) -> StoreResult<i64> {
        const SQL: &str = "
            UPDATE instance SET key_sequence = key_sequence + 1 WHERE id = 1 RETURNING key_sequence";
        Ok(on_transaction!(&mut self.transaction, |connection| {
            sqlx::query_scalar(SQL).fetch_one(connection).await
        })?)
    }

    /// Passes when nobody else has the key: neither a live environment nor a server-side key.
    pub(crate) async fn require_unused_key(&mut self, key: &str, noun: Noun) -> StoreResult<()> {
        const SQL: &str = "
            SELECT (SELECT COUNT(*) FROM environments WHERE api_key = $1 AND deleted_at IS NULL)
                + (SELECT COUNT(*) FROM server_keys WHERE key = $1)";
        let uses: i64 = on_transaction!(&mut self.transaction, |connection| {
            sqlx::query_scalar(SQL)
                .bind(key)
                .fetch_one(connection)
                .await
        })?;
        if uses > 0 {
            return Err(StoreError::Conflict { noun });
        }
        Ok(())
    }

    /// Removes the server-side keys of deleted environments: their texts are nowhere, and free again.
    pub(crate) async fn remove_keys_of_deleted(&mut self) -> StoreResult<()> {
        const SQL: &str = "
            DELETE FROM server_keys
            WHERE environment_id IN (SELECT id FROM environments WHERE deleted_at IS NOT NULL)";
        on_transaction!(&mut self.transaction, |connection| {
            sqlx::query(SQL).execute(connection).await.map(drop)
        })?;
        Ok(())
    }
}
