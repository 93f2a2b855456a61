//! Environments.

use crate::backend::{change_row, on_backend, on_transaction};
use crate::error::{Noun, word};
use crate::text::{CHUNK, can_be_part, folded_key, placeholders};
use crate::{Store, StoreError, StoreResult, Write};
use flagstaff_core::{DisabledAs, Environment, EnvironmentId, Hash, ProjectId, Timestamp};
use sqlx::AssertSqlSafe;
use std::sync::Arc;
use uuid::Uuid;

/// An environment to be made.
#[derive(Clone, PartialEq, Eq)]
pub struct NewEnvironment {
    /// Row id to be used if it is free.
    pub id: Option<EnvironmentId>,
    /// Stable id.
    pub uuid: Uuid,
    /// The project it belongs to.
    pub project_id: ProjectId,
    /// Unique in the project without regard to case.
    pub name: String,
    /// Unique in the project.
    pub slug: String,
    /// The client key, unique everywhere.
    pub api_key: Arc<str>,
}

/// How far an environment has come: revision of its project plus its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revision {
    /// The environment.
    pub id: EnvironmentId,
    /// Grows with every change.
    pub revision: i64,
}

impl From<(i64, i64)> for Revision {
    fn from((id, revision): (i64, i64)) -> Self {
        Self {
            id: EnvironmentId::new(id),
            revision,
        }
    }
}

#[derive(sqlx::FromRow)]
pub(crate) struct EnvironmentRow {
    id: i64,
    uuid: String,
    project_id: i64,
    name: String,
    slug: String,
    api_key: String,
    description: Option<String>,
    minimum_change_request_approvals: Option<i64>,
    allow_client_traits: bool,
    banner_text: Option<String>,
    banner_colour: Option<String>,
    hide_disabled_flags: Option<bool>,
    use_identity_composite_key_for_hashing: bool,
    hide_sensitive_data: bool,
    use_v2_feature_versioning: bool,
    use_identity_overrides_in_local_eval: bool,
    hash: String,
    disabled_as: String,
    revision: i64,
    updated_at: i64,
    next_change_at: Option<i64>,
    created_at: i64,
}

impl TryFrom<EnvironmentRow> for Environment {
    type Error = StoreError;

    fn try_from(row: EnvironmentRow) -> StoreResult<Self> {
        let (id, noun) = (row.id, Noun::Environment);
        Ok(Self {
            id: EnvironmentId::new(row.id),
            uuid: crate::error::uuid(Noun::Environment, row.id, &row.uuid)?,
            project_id: ProjectId::new(row.project_id),
            name: row.name,
            slug: row.slug,
            api_key: row.api_key.into(),
            description: row.description,
            minimum_change_request_approvals: row.minimum_change_request_approvals,
            allow_client_traits: row.allow_client_traits,
            banner_text: row.banner_text,
            banner_colour: row.banner_colour,
            hide_disabled_flags: row.hide_disabled_flags,
            use_identity_composite_key_for_hashing: row.use_identity_composite_key_for_hashing,
            hide_sensitive_data: row.hide_sensitive_data,
            use_v2_feature_versioning: row.use_v2_feature_versioning,
            use_identity_overrides_in_local_eval: row.use_identity_overrides_in_local_eval,
            hash: word(noun, id, Hash::parse, &row.hash)?,
            disabled_as: word(noun, id, DisabledAs::parse, &row.disabled_as)?,
            revision: row.revision,
            updated_at: Timestamp::from_micros(row.updated_at),
            next_change_at: row.next_change_at.map(Timestamp::from_micros),
            created_at: Timestamp::from_micros(row.created_at),
        })
    }
}

/// Columns of an environment; a change of the whole project is as new as one of its own.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT e.id, e.uuid, e.project_id, e.name, e.slug, e.api_key, e.description,
                e.minimum_change_request_approvals, e.allow_client_traits, e.banner_text, e.banner_colour,
                e.hide_disabled_flags, e.use_identity_composite_key_for_hashing, e.hide_sensitive_data,
                e.use_v2_feature_versioning, e.use_identity_overrides_in_local_eval, e.hash, e.disabled_as, e.revision,
                CASE WHEN e.updated_at > p.updated_at THEN e.updated_at ELSE p.updated_at END AS updated_at,
                e.next_change_at, e.created_at
            FROM environments e JOIN projects p ON p.id = e.project_id
            WHERE e.deleted_at IS NULL AND ",
            $rest
        )
    };
}

pub(crate) const ONE: &str = select!("e.id = $1");

impl Store {
    /// An environment by its id.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn environment(&self, id: EnvironmentId) -> StoreResult<Option<Environment>> {
        if id.get() < 0 {
            return Ok(None);
        }
        let row: Option<EnvironmentRow> = on_backend!(self, |pool| {
            sqlx::query_as(ONE)
                .bind(id.get())
                .fetch_optional(pool)
                .await
        })?;
        row.map(Environment::try_from).transpose()
    }

    /// An environment by its client key.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn environment_by_key(&self, api_key: &str) -> StoreResult<Option<Environment>> {
        const SQL: &str = select!("e.api_key = $1 AND e.id > 0");
        if !can_be_part(api_key) {
            return Ok(None);
        }
        let row: Option<EnvironmentRow> = on_backend!(self, |pool| {
            sqlx::query_as(SQL).bind(api_key).fetch_optional(pool).await
        })?;
        row.map(Environment::try_from).transpose()
    }

    /// An environment by its stable id.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn environment_by_uuid(&self, uuid: Uuid) -> StoreResult<Option<Environment>> {
        const SQL: &str = select!("e.uuid = $1 AND e.id > 0");
        let row: Option<EnvironmentRow> = on_backend!(self, |pool| {
            sqlx::query_as(SQL)
                .bind(uuid.to_string())
                .fetch_optional(pool)
                .await
        })?;
        row.map(Environment::try_from).transpose()
    }

    /// The environments of a project, in order of their ids.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn environments(&self, project: ProjectId) -> StoreResult<Vec<Environment>> {
        const SQL: &str = select!("e.project_id = $1 AND e.id > 0 ORDER BY e.id");
        let rows: Vec<EnvironmentRow> = on_backend!(self, |pool| {
            sqlx::query_as(SQL)
                .bind(project.get())
                .fetch_all(pool)
                .await
        })?;
        rows.into_iter().map(Environment::try_from).collect()
    }

    /// How far environments have come; deleted ones are left out.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn revisions(&self, ids: &[EnvironmentId]) -> StoreResult<Vec<Revision>> {
        let mut revisions = Vec::with_capacity(ids.len());
        for ids in ids.chunks(CHUNK) {
            let sql = format!(
                "SELECT e.id, e.revision + p.revision AS revision
                FROM environments e JOIN projects p ON p.id = e.project_id
                WHERE e.deleted_at IS NULL AND e.id IN ({})",
                placeholders(1, ids.len())
            );
            let rows: Vec<(i64, i64)> = on_backend!(self, |pool| {
                let mut query = sqlx::query_as(AssertSqlSafe(sql));
                for id in ids {
                    query = query.bind(id.get());
                }
                query.fetch_all(pool).await
            })?;
            revisions.extend(rows.into_iter().map(Revision::from));
        }
        Ok(revisions)
    }
}

impl Write {
    /// Makes an environment without states; [`Write::start_environment`] makes them.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] for a taken name or slug, or, with the noun `ClientKey`, a taken key.
    pub async fn insert_environment(
        &mut self,
        new: &NewEnvironment,
        at: Timestamp,
    ) -> StoreResult<Environment> {
        const SQL: &str = "
            INSERT INTO environments (uuid, project_id, name, name_folded, slug, api_key, key_sequence,
                updated_at, created_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)
            RETURNING id";
        self.require_unused_key(&new.api_key, Noun::ClientKey)
            .await?;
        let sequence = self.next_key_sequence().await?;
        let id: i64 = on_transaction!(&mut self.transaction, |connection| {
            sqlx::query_scalar(SQL)
                .bind(new.uuid.to_string())
                .bind(new.project_id.get())
                .bind(&new.name)
                .bind(folded_key(&new.name))
                .bind(&new.slug)
                .bind(&*new.api_key)
                .bind(sequence)
                .bind(at.micros())
                .fetch_one(connection)
                .await
        })
        .map_err(StoreError::conflict(Noun::Environment))?;
        let id = self
            .keep_id("environments", id, new.id.map(EnvironmentId::get))
            .await?;
        let row: EnvironmentRow = on_transaction!(&mut self.transaction, |connection| {
            sqlx::query_as(ONE).bind(id).fetch_one(connection).await
        })?;
        Environment::try_from(row)
    }

    /// Writes every field of an environment that can change.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] for a taken name, [`StoreError::NotFound`].
    pub async fn update_environment(&mut self, environment: &Environment) -> StoreResult<()> {
        const SQL: &str = "
            UPDATE environments
            SET name = $2, name_folded = $3, description = $4, minimum_change_request_approvals = $5,
                allow_client_traits = $6, banner_text = $7, banner_colour = $8, hide_disabled_flags = $9,
                use_identity_composite_key_for_hashing = $10, hide_sensitive_data = $11,
                use_v2_feature_versioning = $12, use_identity_overrides_in_local_eval = $13, hash = $14,
                disabled_as = $15
            WHERE id = $1 AND deleted_at IS NULL";
        change_row!(
            self,
            Noun::Environment,
            SQL,
            environment.id.get(),
            &environment.name,
            folded_key(&environment.name),
            &environment.description,
            environment.minimum_change_request_approvals,
            environment.allow_client_traits,
            &environment.banner_text,
            &environment.banner_colour,
            environment.hide_disabled_flags,
            environment.use_identity_composite_key_for_hashing,
            environment.hide_sensitive_data,
            environment.use_v2_feature_versioning,
            environment.use_identity_overrides_in_local_eval,
            environment.hash.name(),
            environment.disabled_as.name()
        )
    }

    /// Deletes an environment; its keys are free again.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], and when the database does not answer.
    pub async fn delete_environment(
        &mut self,
        id: EnvironmentId,
        at: Timestamp,
    ) -> StoreResult<()> {
        const SQL: &str =
            "UPDATE environments SET deleted_at = $2 WHERE id = $1 AND deleted_at IS NULL";
        let done = self.mark_deleted(SQL, id.get(), at).await?;
        crate::error::changed(done, Noun::Environment)?;
        self.remove_keys_of_deleted().await
    }
}
