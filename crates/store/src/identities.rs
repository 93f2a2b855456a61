//! Identities as members see them.

use crate::backend::{change_row, on_backend, on_transaction};
use crate::error::Noun;
use crate::page::{Page, PageRequest};
use crate::text::{can_be_part, contains_pattern, index_key};
use crate::{Store, StoreError, StoreResult, Write};
use flagstaff_core::{EnvironmentId, Identifier, Identity, IdentityId, Timestamp};
use std::sync::Arc;

/// An identity to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewIdentity {
    /// Row id to be used if it is free.
    pub id: Option<IdentityId>,
    /// The environment that knows it.
    pub environment_id: EnvironmentId,
    /// Unique in the environment.
    pub identifier: Identifier,
    /// When it was first seen.
    pub created_at: Timestamp,
}

/// Which identities are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdentitySearch {
    /// All.
    All,
    /// With exactly this identifier.
    Exactly(String),
    /// With an identifier that holds this text, without regard to ASCII case on either database.
    Containing(String),
}

#[derive(sqlx::FromRow)]
pub(crate) struct IdentityRow {
    id: i64,
    environment_id: i64,
    identifier: String,
    created_at: i64,
}

impl From<IdentityRow> for Identity {
    fn from(row: IdentityRow) -> Self {
        Self {
            id: IdentityId::new(row.id),
            environment_id: EnvironmentId::new(row.environment_id),
            identifier: Arc::from(row.identifier),
            created_at: Timestamp::from_micros(row.created_at),
        }
    }
}

impl Store {
    /// An identity by its id.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn identity(&self, id: IdentityId) -> StoreResult<Option<Identity>> {
        const SQL: &str = "
            SELECT id, environment_id, identifier, created_at FROM identities
            WHERE id = $1 AND deleted_at IS NULL";
        let row: Option<IdentityRow> = on_backend!(self, |pool| {
            sqlx::query_as(SQL)
                .bind(id.get())
                .fetch_optional(pool)
                .await
        })?;
        Ok(row.map(Identity::from))
    }

    /// Identities of an environment, in order of their ids.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn identities(
        &self,
        environment: EnvironmentId,
        search: &IdentitySearch,
        page: PageRequest,
    ) -> StoreResult<Page<Identity>> {
        // LIKE regards case on Postgres and not on SQLite; both fold ASCII with LOWER.
        const COUNT: &str = r"
            SELECT COUNT(*) FROM identities
            WHERE environment_id = $1 AND deleted_at IS NULL
                AND ($2 IS NULL OR identifier_key = $2)
                AND ($3 IS NULL OR LOWER(identifier) LIKE LOWER($3) ESCAPE '\')";
        const SQL: &str = r"
            SELECT id, environment_id, identifier, created_at FROM identities
            WHERE environment_id = $1 AND deleted_at IS NULL
                AND ($2 IS NULL OR identifier_key = $2)
                AND ($3 IS NULL OR LOWER(identifier) LIKE LOWER($3) ESCAPE '\')
            ORDER BY id LIMIT $4 OFFSET $5";
        if let IdentitySearch::Exactly(text) | IdentitySearch::Containing(text) = search
            && !can_be_part(text)
        {
            return Ok(Page::default());
        }
        let (exactly, containing) = match search {
            IdentitySearch::All => (None, None),
            IdentitySearch::Exactly(text) => (Some(index_key(text).into_owned()), None),
            IdentitySearch::Containing(text) => (None, Some(contains_pattern(text))),
        };
        let total: i64 = on_backend!(self, |pool| {
            sqlx::query_scalar(COUNT)
                .bind(environment.get())
                .bind(&exactly)
                .bind(&containing)
                .fetch_one(pool)
                .await
        })?;
        let rows: Vec<IdentityRow> = on_backend!(self, |pool| {
            sqlx::query_as(SQL)
                .bind(environment.get())
                .bind(&exactly)
                .bind(&containing)
                .bind(page.limit())
                .bind(page.offset())
                .fetch_all(pool)
                .await
        })?;
        Ok(Page {
            items: rows.into_iter().map(Identity::from).collect(),
            total,
        })
    }
}

impl Write {
    /// Makes an identity.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] for a known identifier.
    pub async fn insert_identity(&mut self, new: &NewIdentity) -> StoreResult<Identity> {
        const SQL: &str = "
            INSERT INTO identities (environment_id, identifier, identifier_key, created_at)
            VALUES ($1, $2, $3, $4) RETURNING id";
        let id: i64 = on_transaction!(&mut self.transaction, |connection| {
            sqlx::query_scalar(SQL)
                .bind(new.environment_id.get())
                .bind(new.identifier.as_str())
                .bind(index_key(new.identifier.as_str()))
                .bind(new.created_at.micros())
                .fetch_one(connection)
                .await
        })
        .map_err(StoreError::conflict(Noun::Identity))?;
        let id = self
            .keep_id("identities", id, new.id.map(IdentityId::get))
            .await?;
        Ok(Identity {
            id: IdentityId::new(id),
            environment_id: new.environment_id,
            identifier: new.identifier.shared(),
            created_at: new.created_at,
        })
    }

    /// Gives an identity another identifier.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] for a known identifier, [`StoreError::NotFound`].
    pub async fn rename_identity(
        &mut self,
        id: IdentityId,
        identifier: &Identifier,
    ) -> StoreResult<()> {
        const SQL: &str = "
            UPDATE identities SET identifier = $2, identifier_key = $3
            WHERE id = $1 AND deleted_at IS NULL";
        change_row!(
            self,
            Noun::Identity,
            SQL,
            id.get(),
            identifier.as_str(),
            index_key(identifier.as_str())
        )
    }

    /// Deletes an identity with its traits and overrides. What it was called is forgotten; the row only keeps its
    /// id from being given again.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], and when the database does not answer.
    pub async fn delete_identity(&mut self, id: IdentityId, at: Timestamp) -> StoreResult<()> {
        const TRAITS: &str = "DELETE FROM identity_traits WHERE identity_id = $1";
        const STATES: &str = "
            UPDATE feature_states SET deleted_at = $2 WHERE identity_id = $1 AND deleted_at IS NULL";
        const SQL: &str = "
            UPDATE identities SET deleted_at = $2, identifier = '', identifier_key = ''
            WHERE id = $1 AND deleted_at IS NULL";
        // The row first: it makes those wait who are writing traits of this identity.
        let done = self.mark_deleted(SQL, id.get(), at).await?;
        crate::error::changed(done, Noun::Identity)?;
        self.mark_deleted(STATES, id.get(), at).await?;
        on_transaction!(&mut self.transaction, |connection| {
            sqlx::query(TRAITS)
                .bind(id.get())
                .execute(connection)
                .await
                .map(drop)
        })?;
        Ok(())
    }
}
