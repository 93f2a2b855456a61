//! The installation itself: its id, and values it keeps. Unaudited.

use crate::backend::{on_backend, on_transaction};
use crate::{Store, StoreResult};

impl Store {
    /// Writes something and takes it back: a replica, a full disk or a file that may only be read shows itself so.
    ///
    /// # Errors
    /// When the database does not answer, or takes nothing.
    pub async fn try_writing(&self) -> StoreResult<()> {
        const SQL: &str = "UPDATE instance SET key_sequence = key_sequence + 1 WHERE id = 1";
        let mut transaction = self.begin().await?;
        on_transaction!(&mut transaction, |connection| {
            sqlx::query(SQL).execute(connection).await.map(drop)
        })?;
        transaction.roll_back().await
    }

    /// The installation's own id, made by the first migration.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn instance_id(&self) -> StoreResult<String> {
        const SQL: &str = "SELECT uuid FROM instance WHERE id = 1";
        Ok(on_backend!(self, |pool| {
            sqlx::query_scalar(SQL).fetch_one(pool).await
        })?)
    }

    /// A value that the installation keeps.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn instance_value(&self, name: &str) -> StoreResult<Option<String>> {
        const SQL: &str = "SELECT value FROM instance_values WHERE name = $1";
        Ok(on_backend!(self, |pool| {
            sqlx::query_scalar(SQL)
                .bind(name)
                .fetch_optional(pool)
                .await
        })?)
    }

    /// Keeps a value unless there is one, and answers the one that is kept: for secrets made at first use.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn keep_instance_value(&self, name: &str, value: &str) -> StoreResult<String> {
        const KEEP: &str = "
            INSERT INTO instance_values (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
        const SELECT: &str = "SELECT value FROM instance_values WHERE name = $1";
        let mut transaction = self.begin().await?;
        on_transaction!(&mut transaction, |connection| {
            sqlx::query(KEEP)
                .bind(name)
                .bind(value)
                .execute(connection)
                .await
                .map(drop)
        })?;
        let kept = on_transaction!(&mut transaction, |connection| {
            sqlx::query_scalar(SELECT)
                .bind(name)
                .fetch_one(connection)
                .await
        })?;
        transaction.commit().await?;
        Ok(kept)
    }
}
