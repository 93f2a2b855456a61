//! Server-side keys of environments.

use crate::backend::{change_row, on_backend, on_transaction};
use crate::error::Noun;
use crate::{Store, StoreError, StoreResult, Write};
use flagstaff_core::{EnvironmentId, ServerKey, ServerKeyId, Timestamp};
use std::sync::Arc;

/// A server-side key to be made. Its text is a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct NewServerKey {
    /// What it opens.
    pub environment_id: EnvironmentId,
    /// Shown name.
    pub name: String,
    /// Unique everywhere.
    pub key: Arc<str>,
    /// False: refused.
    pub active: bool,
    /// Refused from then on.
    pub expires_at: Option<Timestamp>,
}

#[derive(sqlx::FromRow)]
struct ServerKeyRow {
    id: i64,
    environment_id: i64,
    name: String,
    key: String,
    active: bool,
    expires_at: Option<i64>,
    created_at: i64,
}

impl From<ServerKeyRow> for ServerKey {
    fn from(row: ServerKeyRow) -> Self {
        Self {
            id: ServerKeyId::new(row.id),
            environment_id: EnvironmentId::new(row.environment_id),
            name: row.name,
            key: row.key.into(),
            active: row.active,
            expires_at: row.expires_at.map(Timestamp::from_micros),
            created_at: Timestamp::from_micros(row.created_at),
        }
    }
}

impl Store {
    /// The server-side keys of an environment, in order of their ids.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn server_keys(&self, environment: EnvironmentId) -> StoreResult<Vec<ServerKey>> {
        const SQL: &str = "
            SELECT id, environment_id, name, key, active, expires_at, created_at
            FROM server_keys
            WHERE environment_id = $1
            ORDER BY id";
        let rows: Vec<ServerKeyRow> = on_backend!(self, |pool| {
            sqlx::query_as(SQL)
                .bind(environment.get())
                .fetch_all(pool)
                .await
        })?;
        Ok(rows.into_iter().map(ServerKey::from).collect())
    }
}

impl Write {
    /// Makes a server-side key.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] for a key in use.
    pub async fn insert_server_key(
        &mut self,
        new: &NewServerKey,
        at: Timestamp,
    ) -> StoreResult<ServerKey> {
        const SQL: &str = "
            INSERT INTO server_keys (environment_id, name, key, key_sequence, active, expires_at, created_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            RETURNING id, environment_id, name, key, active, expires_at, created_at";
        self.require_unused_key(&new.key, Noun::ServerKey).await?;
        let sequence = self.next_key_sequence().await?;
        let row: ServerKeyRow = on_transaction!(&mut self.transaction, |connection| {
            sqlx::query_as(SQL)
                .bind(new.environment_id.get())
                .bind(&new.name)
                .bind(&*new.key)
                .bind(sequence)
                .bind(new.active)
                .bind(new.expires_at.map(Timestamp::micros))
                .bind(at.micros())
                .fetch_one(connection)
                .await
        })
        .map_err(StoreError::conflict(Noun::ServerKey))?;
        Ok(row.into())
    }

    /// Writes name, state and expiry of a key.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], and when the database does not answer.
    pub async fn update_server_key(&mut self, key: &ServerKey) -> StoreResult<()> {
        const SQL: &str = "
            UPDATE server_keys SET name = $2, active = $3, expires_at = $4, key_sequence = $5 WHERE id = $1";
        let sequence = self.next_key_sequence().await?;
        change_row!(
            self,
            Noun::ServerKey,
            SQL,
            key.id.get(),
            &key.name,
            key.active,
            key.expires_at.map(Timestamp::micros),
            sequence
        )
    }

    /// Removes a key.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], and when the database does not answer.
    pub async fn delete_server_key(&mut self, id: ServerKeyId) -> StoreResult<()> {
        const SQL: &str = "DELETE FROM server_keys WHERE id = $1";
        change_row!(self, Noun::ServerKey, SQL, id.get())
    }
}
