//! API keys of organisations. Stored are only digests.

use crate::backend::{change_row, on_backend, on_transaction};
use crate::error::Noun;
use crate::text::can_be_part;
use crate::{Store, StoreError, StoreResult, Write};
use flagstaff_core::{ApiKey, ApiKeyId, MemberId, OrganisationId, Timestamp};

/// An API key to be made.
#[derive(Clone, PartialEq, Eq)]
pub struct NewApiKey {
    /// Where it acts.
    pub organisation_id: OrganisationId,
    /// The part before the dot; unique.
    pub prefix: String,
    /// Digest of the whole key.
    pub digest: String,
    /// Shown name.
    pub name: String,
    /// May do everything in the organisation.
    pub is_admin: bool,
    /// Refused from then on.
    pub expires_at: Option<Timestamp>,
    /// Who made it; `None` when another key did.
    pub created_by: Option<MemberId>,
}

#[derive(sqlx::FromRow)]
struct ApiKeyRow {
    id: i64,
    organisation_id: i64,
    prefix: String,
    name: String,
    is_admin: bool,
    revoked: bool,
    expires_at: Option<i64>,
    created_by: Option<i64>,
    created_at: i64,
}

impl From<ApiKeyRow> for ApiKey {
    fn from(row: ApiKeyRow) -> Self {
        Self {
            id: ApiKeyId::new(row.id),
            organisation_id: OrganisationId::new(row.organisation_id),
            prefix: row.prefix,
            name: row.name,
            is_admin: row.is_admin,
            revoked: row.revoked,
            expires_at: row.expires_at.map(Timestamp::from_micros),
            created_by: row.created_by.map(MemberId::new),
            created_at: Timestamp::from_micros(row.created_at),
        }
    }
}

impl Store {
    /// The API keys of an organisation, in order of their ids.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn api_keys(&self, organisation: OrganisationId) -> StoreResult<Vec<ApiKey>> {
        const SQL: &str = "
            SELECT id, organisation_id, prefix, name, is_admin, revoked, expires_at, created_by, created_at
            FROM api_keys
            WHERE organisation_id = $1
            ORDER BY id";
        let rows: Vec<ApiKeyRow> = on_backend!(self, |pool| {
            sqlx::query_as(SQL)
                .bind(organisation.get())
                .fetch_all(pool)
                .await
        })?;
        Ok(rows.into_iter().map(ApiKey::from).collect())
    }

    /// An API key of an organisation by its prefix.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn api_key(
        &self,
        organisation: OrganisationId,
        prefix: &str,
    ) -> StoreResult<Option<ApiKey>> {
        const SQL: &str = "
            SELECT id, organisation_id, prefix, name, is_admin, revoked, expires_at, created_by, created_at
            FROM api_keys
            WHERE organisation_id = $1 AND prefix = $2";
        if !can_be_part(prefix) {
            return Ok(None);
        }
        let row: Option<ApiKeyRow> = on_backend!(self, |pool| {
            sqlx::query_as(SQL)
                .bind(organisation.get())
                .bind(prefix)
                .fetch_optional(pool)
                .await
        })?;
        Ok(row.map(ApiKey::from))
    }

    /// Whose key has this digest, unless it is revoked, over, or its organisation is deleted.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn api_key_by_digest(
        &self,
        digest: &str,
        now: Timestamp,
    ) -> StoreResult<Option<ApiKey>> {
        const SQL: &str = "
            SELECT k.id, k.organisation_id, k.prefix, k.name, k.is_admin, k.revoked, k.expires_at,
                k.created_by, k.created_at
            FROM api_keys k JOIN organisations o ON o.id = k.organisation_id
            WHERE k.key_hash = $1 AND k.revoked = FALSE AND o.deleted_at IS NULL
                AND (k.expires_at IS NULL OR k.expires_at > $2)";
        let row: Option<ApiKeyRow> = on_backend!(self, |pool| {
            sqlx::query_as(SQL)
                .bind(digest)
                .bind(now.micros())
                .fetch_optional(pool)
                .await
        })?;
        Ok(row.map(ApiKey::from))
    }

    /// The digests of all keys made after one, in the order they were made, each with the key's id.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn api_key_digests_after(
        &self,
        last: ApiKeyId,
    ) -> StoreResult<Vec<(ApiKeyId, String)>> {
        const SQL: &str = "SELECT id, key_hash FROM api_keys WHERE id > $1 ORDER BY id";
        let rows: Vec<(i64, String)> = on_backend!(self, |pool| {
            sqlx::query_as(SQL).bind(last.get()).fetch_all(pool).await
        })?;
        let rows = rows.into_iter();
        Ok(rows
            .map(|(id, digest)| (ApiKeyId::new(id), digest))
            .collect())
    }
}

impl Write {
    /// Makes an API key.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] for a prefix in use.
    pub async fn insert_api_key(&mut self, new: &NewApiKey, at: Timestamp) -> StoreResult<ApiKey> {
        const SQL: &str = "
            INSERT INTO api_keys (organisation_id, prefix, key_hash, name, is_admin, expires_at, created_by,
                created_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
            RETURNING id, organisation_id, prefix, name, is_admin, revoked, expires_at, created_by, created_at";
        let row: ApiKeyRow = on_transaction!(&mut self.transaction, |connection| {
            sqlx::query_as(SQL)
                .bind(new.organisation_id.get())
                .bind(&new.prefix)
                .bind(&new.digest)
                .bind(&new.name)
                .bind(new.is_admin)
                .bind(new.expires_at.map(Timestamp::micros))
                .bind(new.created_by.map(MemberId::get))
                .bind(at.micros())
                .fetch_one(connection)
                .await
        })
        .map_err(StoreError::conflict(Noun::ApiKey))?;
        Ok(row.into())
    }

    /// Writes name, state and expiry of a key.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], and when the database does not answer.
    pub async fn update_api_key(&mut self, key: &ApiKey) -> StoreResult<()> {
        const SQL: &str =
            "UPDATE api_keys SET name = $2, revoked = $3, expires_at = $4 WHERE id = $1";
        change_row!(
            self,
            Noun::ApiKey,
            SQL,
            key.id.get(),
            &key.name,
            key.revoked,
            key.expires_at.map(Timestamp::micros)
        )
    }

    /// Removes a key.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], and when the database does not answer.
    pub async fn delete_api_key(&mut self, id: ApiKeyId) -> StoreResult<()> {
        const SQL: &str = "DELETE FROM api_keys WHERE id = $1";
        change_row!(self, Noun::ApiKey, SQL, id.get())
    }
}
