//! Addresses by which programs that send no headers drive rollouts: kept as digests.

use crate::backend::{change_row, on_backend, on_transaction};
use crate::error::Noun;
use crate::{Store, StoreError, StoreResult, Write};
use flagstaff_core::{RolloutId, Timestamp};

/// An address, without what stands in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RolloutHook {
    /// Whose.
    pub rollout_id: RolloutId,
    /// Who made it, as people know them.
    pub created_by: String,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Store {
    /// The rollout whose address this is the digest of.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn rollout_by_hook(&self, digest: &str) -> StoreResult<Option<RolloutId>> {
        const SQL: &str = "SELECT rollout_id FROM rollout_hooks WHERE token_hash = $1";
        let found: Option<i64> = on_backend!(self, |pool| {
            sqlx::query_scalar(SQL)
                .bind(digest)
                .fetch_optional(pool)
                .await
        })?;
        Ok(found.map(RolloutId::new))
    }

    /// The address of a rollout, if it has one.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn rollout_hook(&self, rollout: RolloutId) -> StoreResult<Option<RolloutHook>> {
        const SQL: &str = "SELECT created_by, created_at FROM rollout_hooks WHERE rollout_id = $1";
        let found: Option<(String, i64)> = on_backend!(self, |pool| {
            sqlx::query_as(SQL)
                .bind(rollout.get())
                .fetch_optional(pool)
                .await
        })?;
        Ok(found.map(|(created_by, created_at)| RolloutHook {
            rollout_id: rollout,
            created_by,
            created_at: Timestamp::from_micros(created_at),
        }))
    }
}

impl Write {
    /// Gives a rollout an address, instead of the one it has.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn set_rollout_hook(&mut self, hook: &RolloutHook, digest: &str) -> StoreResult<()> {
        const SQL: &str = "
            INSERT INTO rollout_hooks (rollout_id, token_hash, created_by, created_at)
            VALUES ($1, $2, $3, $4)
            ON CONFLICT (rollout_id) DO UPDATE SET token_hash = excluded.token_hash,
                created_by = excluded.created_by, created_at = excluded.created_at";
        on_transaction!(&mut self.transaction, |connection| {
            sqlx::query(SQL)
                .bind(hook.rollout_id.get())
                .bind(digest)
                .bind(&hook.created_by)
                .bind(hook.created_at.micros())
                .execute(connection)
                .await
                .map(drop)
        })
        .map_err(StoreError::conflict(Noun::RolloutHook))?;
        Ok(())
    }

    /// Takes a rollout's address away.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], and when the database does not answer.
    pub async fn delete_rollout_hook(&mut self, rollout: RolloutId) -> StoreResult<()> {
        const SQL: &str = "DELETE FROM rollout_hooks WHERE rollout_id = $1";
        change_row!(self, Noun::RolloutHook, SQL, rollout.get())
    }
}
