//! Stored traits as members see and change them, one at a time or by their name.

use crate::backend::{change_row, on_backend, on_transaction};
use crate::error::Noun;
use crate::page::{Page, PageRequest};
use crate::traits::{Columns, TraitRow, storable};
use crate::{Store, StoreError, StoreResult, Write};
use flagstaff_core::{EnvironmentId, IdentityId, IdentityTrait, Timestamp, TraitId, Value};
use std::sync::Arc;

impl Store {
    /// Stored traits of an identity, in order of their ids.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn identity_traits(
        &self,
        identity: IdentityId,
        page: PageRequest,
    ) -> StoreResult<Page<IdentityTrait>> {
        const COUNT: &str = "SELECT COUNT(*) FROM identity_traits WHERE identity_id = $1";
        const SQL: &str = "
            SELECT id, identity_id, key, value_type, string_value, integer_value, float_value, boolean_value,
                created_at
            FROM identity_traits WHERE identity_id = $1 ORDER BY id LIMIT $2 OFFSET $3";
        let total: i64 = on_backend!(self, |pool| {
            sqlx::query_scalar(COUNT)
                .bind(identity.get())
                .fetch_one(pool)
                .await
        })?;
        let rows: Vec<TraitRow> = on_backend!(self, |pool| {
            sqlx::query_as(SQL)
                .bind(identity.get())
                .bind(page.limit())
                .bind(page.offset())
                .fetch_all(pool)
                .await
        })?;
        let items: StoreResult<_> = rows.into_iter().map(IdentityTrait::try_from).collect();
        Ok(Page {
            items: items?,
            total,
        })
    }

    /// One stored trait of an identity.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn identity_trait(
        &self,
        identity: IdentityId,
        id: TraitId,
    ) -> StoreResult<Option<IdentityTrait>> {
        const SQL: &str = "
            SELECT id, identity_id, key, value_type, string_value, integer_value, float_value, boolean_value,
                created_at
            FROM identity_traits WHERE id = $1 AND identity_id = $2";
        let row: Option<TraitRow> = on_backend!(self, |pool| {
            sqlx::query_as(SQL)
                .bind(id.get())
                .bind(identity.get())
                .fetch_optional(pool)
                .await
        })?;
        row.map(IdentityTrait::try_from).transpose()
    }

    /// Names of all traits that identities of an environment have, sorted by their bytes.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn trait_keys(&self, environment: EnvironmentId) -> StoreResult<Vec<String>> {
        const SQL: &str = "
            SELECT DISTINCT t.key
            FROM identity_traits t JOIN identities i ON i.id = t.identity_id
            WHERE i.environment_id = $1 AND i.deleted_at IS NULL
            ORDER BY t.key";
        Ok(on_backend!(self, |pool| {
            sqlx::query_scalar(SQL)
                .bind(environment.get())
                .fetch_all(pool)
                .await
        })?)
    }
}

impl Write {
    /// Makes everybody wait who writes traits of this identity; answers how many it has.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for an identity that is gone, and when the database does not answer.
    pub async fn lock_traits(&mut self, identity: IdentityId) -> StoreResult<usize> {
        const FIND: &str = "SELECT id FROM identities WHERE id = $1 AND deleted_at IS NULL";
        const LOCK: &str =
            "SELECT id FROM identities WHERE id = $1 AND deleted_at IS NULL FOR NO KEY UPDATE";
        const COUNT: &str = "SELECT COUNT(*) FROM identity_traits WHERE identity_id = $1";
        let lock = if self.transaction.is_shared() {
            LOCK
        } else {
            FIND
        };
        let found: Option<i64> = on_transaction!(&mut self.transaction, |connection| {
            sqlx::query_scalar(lock)
                .bind(identity.get())
                .fetch_optional(connection)
                .await
        })?;
        found.ok_or(StoreError::NotFound {
            noun: Noun::Identity,
        })?;
        let count: i64 = on_transaction!(&mut self.transaction, |connection| {
            sqlx::query_scalar(COUNT)
                .bind(identity.get())
                .fetch_one(connection)
                .await
        })?;
        Ok(usize::try_from(count).unwrap_or_default())
    }

    /// Gives an identity a trait; to be called after [`Write::lock_traits`].
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where it has one of this name.
    pub async fn insert_trait(
        &mut self,
        identity: IdentityId,
        key: &str,
        value: Value,
        at: Timestamp,
    ) -> StoreResult<IdentityTrait> {
        const SQL: &str = "
            INSERT INTO identity_traits (identity_id, key, value_type, string_value, integer_value, float_value,
                boolean_value, created_at, updated_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8) RETURNING id";
        let value = storable(value);
        let columns = Columns::of(&value);
        let id: i64 = on_transaction!(&mut self.transaction, |connection| {
            sqlx::query_scalar(SQL)
                .bind(identity.get())
                .bind(key)
                .bind(columns.kind)
                .bind(columns.text)
                .bind(columns.integer)
                .bind(columns.float)
                .bind(columns.boolean)
                .bind(at.micros())
                .fetch_one(connection)
                .await
        })
        .map_err(StoreError::conflict(Noun::Trait))?;
        Ok(IdentityTrait {
            id: TraitId::new(id),
            key: key.into(),
            value,
            created_at: at,
        })
    }

    /// Writes the name and the value of a trait; to be called after [`Write::lock_traits`].
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where its identity has another one of this name, [`StoreError::NotFound`].
    pub async fn update_trait(
        &mut self,
        changed: &IdentityTrait,
        at: Timestamp,
    ) -> StoreResult<()> {
        const SQL: &str = "
            UPDATE identity_traits
            SET key = $2, value_type = $3, string_value = $4, integer_value = $5, float_value = $6,
                boolean_value = $7, updated_at = $8
            WHERE id = $1";
        let value = storable(changed.value.clone());
        let columns = Columns::of(&value);
        change_row!(
            self,
            Noun::Trait,
            SQL,
            changed.id.get(),
            &*changed.key,
            columns.kind,
            columns.text,
            columns.integer,
            columns.float,
            columns.boolean,
            at.micros()
        )
    }

    /// Takes a trait away; to be called after [`Write::lock_traits`].
    ///
    /// # Errors
    /// [`StoreError::NotFound`], and when the database does not answer.
    pub async fn delete_trait(&mut self, id: TraitId) -> StoreResult<()> {
        const SQL: &str = "DELETE FROM identity_traits WHERE id = $1";
        change_row!(self, Noun::Trait, SQL, id.get())
    }

    /// Takes the trait of a name from every identity of an environment; answers whose it was.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn delete_traits_of_key(
        &mut self,
        environment: EnvironmentId,
        key: &str,
    ) -> StoreResult<Vec<Arc<str>>> {
        // Identities are locked in the order of those who write traits, so that nobody waits in a circle.
        const SHARED: &str = "
            WITH holders AS (
                SELECT id, identifier FROM identities
                WHERE environment_id = $1 AND deleted_at IS NULL AND EXISTS (
                    SELECT 1 FROM identity_traits t WHERE t.identity_id = identities.id AND t.key = $2)
                ORDER BY identifier_key FOR NO KEY UPDATE)
            DELETE FROM identity_traits t USING holders
            WHERE t.identity_id = holders.id AND t.key = $2
            RETURNING holders.identifier";
        const FIND: &str = "
            SELECT i.identifier FROM identities i JOIN identity_traits t ON t.identity_id = i.id
            WHERE i.environment_id = $1 AND i.deleted_at IS NULL AND t.key = $2";
        const DELETE: &str = "
            DELETE FROM identity_traits
            WHERE key = $2 AND identity_id IN (
                SELECT id FROM identities WHERE environment_id = $1 AND deleted_at IS NULL)";
        let is_shared = self.transaction.is_shared();
        let first = if is_shared { SHARED } else { FIND };
        let identifiers: Vec<String> = on_transaction!(&mut self.transaction, |connection| {
            sqlx::query_scalar(first)
                .bind(environment.get())
                .bind(key)
                .fetch_all(connection)
                .await
        })?;
        if !is_shared {
            on_transaction!(&mut self.transaction, |connection| {
                sqlx::query(DELETE)
                    .bind(environment.get())
                    .bind(key)
                    .execute(connection)
                    .await
                    .map(drop)
            })?;
        }
        Ok(identifiers.into_iter().map(Arc::from).collect())
    }
}
