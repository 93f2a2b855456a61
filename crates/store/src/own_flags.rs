//! Where the product keeps its own flags: an organisation, a project and an environment whose ids lie below zero.
//!
//! Nothing that finds or lists organisations, projects and environments for people gives them out; snapshots and keys know
//! them, because they are evaluated as all others are. Ids below zero come from no sequence and take none from it.

use crate::backend::{on_backend, on_transaction};
use crate::text::folded_key;
use crate::{Store, StoreResult, Write};
use flagstaff_core::{EnvironmentId, OrganisationId, ProjectId, Timestamp};
use uuid::Uuid;

/// The one row of each kind.
const OWN: i64 = -1;

/// Who owns the product's own flags.
pub const OWN_ORGANISATION: OrganisationId = OrganisationId::new(OWN);
/// What holds them.
pub const OWN_PROJECT: ProjectId = ProjectId::new(OWN);
/// Where they are evaluated.
pub const OWN_ENVIRONMENT: EnvironmentId = EnvironmentId::new(OWN);

/// A flag of the product itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnFlag {
    /// Its name.
    pub name: &'static str,
    /// On or off when it is made.
    pub enabled: bool,
}

impl Store {
    /// How many of the product's own flags there are.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn count_own_flags(&self) -> StoreResult<i64> {
        const SQL: &str = "SELECT COUNT(*) FROM features WHERE project_id = $1";
        Ok(on_backend!(self, |pool| {
            sqlx::query_scalar(SQL).bind(OWN).fetch_one(pool).await
        })?)
    }

    /// The client key of the environment with the product's own flags.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn own_client_key(&self) -> StoreResult<Option<String>> {
        const SQL: &str = "SELECT api_key FROM environments WHERE id = $1";
        Ok(on_backend!(self, |pool| {
            sqlx::query_scalar(SQL).bind(OWN).fetch_optional(pool).await
        })?)
    }
}

impl Write {
    /// Makes what is not there of the product's own flags, in this order: further ones are appended to the list. What is
    /// there stays as it is.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn insert_own_flags(
        &mut self,
        flags: &[OwnFlag],
        client_key: &str,
        at: Timestamp,
    ) -> StoreResult<()> {
        self.insert_own_places(client_key, at).await?;
        for (position, flag) in flags.iter().enumerate() {
            let id = -1 - i64::try_from(position).unwrap_or(i64::MAX - 1);
            self.insert_own_flag(id, flag, at).await?;
        }
        Ok(())
    }

    async fn insert_own_places(&mut self, client_key: &str, at: Timestamp) -> StoreResult<()> {
        const ORGANISATION: &str = "
            INSERT INTO organisations (id, uuid, name, created_at) VALUES ($1, $2, $3, $4)
            ON CONFLICT (id) DO NOTHING";
        const PROJECT: &str = "
            INSERT INTO projects (id, uuid, organisation_id, name, slug, updated_at, created_at)
            VALUES ($1, $2, $1, $3, $3, $4, $4)
            ON CONFLICT (id) DO NOTHING";
        const ENVIRONMENT: &str = "
            INSERT INTO environments (id, uuid, project_id, name, name_folded, slug, api_key, key_sequence,
                updated_at, created_at)
            VALUES ($1, $2, $1, $3, $3, $3, $5, $6, $4, $4)
            ON CONFLICT (id) DO NOTHING";
        for sql in [ORGANISATION, PROJECT] {
            on_transaction!(&mut self.transaction, |connection| {
                sqlx::query(sql)
                    .bind(OWN)
                    .bind(Uuid::new_v4().to_string())
                    .bind("flagstaff")
                    .bind(at.micros())
                    .execute(connection)
                    .await
                    .map(drop)
            })?;
        }
        let sequence = self.next_key_sequence().await?;
        on_transaction!(&mut self.transaction, |connection| {
            sqlx::query(ENVIRONMENT)
                .bind(OWN)
                .bind(Uuid::new_v4().to_string())
                .bind("flagstaff")
                .bind(at.micros())
                .bind(client_key)
                .bind(sequence)
                .execute(connection)
                .await
                .map(drop)
        })?;
        Ok(())
    }

    async fn insert_own_flag(&mut self, id: i64, flag: &OwnFlag, at: Timestamp) -> StoreResult<()> {
        const FEATURE: &str = "
            INSERT INTO features (id, uuid, project_id, name, name_folded, kind, default_enabled, created_at)
            VALUES ($1, $2, $3, $4, $5, 'standard', $6, $7)
            ON CONFLICT (id) DO NOTHING";
        const STATE: &str = "
            INSERT INTO feature_states (id, uuid, feature_id, environment_id, enabled, value_type, hash_seed, version,
                live_from, created_at, updated_at)
            VALUES ($1, $2, $1, $3, $4, 'unicode', $5, 1, $6, $6, $6)
            ON CONFLICT (id) DO NOTHING";
        on_transaction!(&mut self.transaction, |connection| {
            sqlx::query(FEATURE)
                .bind(id)
                .bind(Uuid::new_v4().to_string())
                .bind(OWN)
                .bind(flag.name)
                .bind(folded_key(flag.name))
                .bind(flag.enabled)
                .bind(at.micros())
                .execute(connection)
                .await
                .map(drop)
        })?;
        on_transaction!(&mut self.transaction, |connection| {
            sqlx::query(STATE)
                .bind(id)
                .bind(Uuid::new_v4().to_string())
                .bind(OWN)
                .bind(flag.enabled)
                .bind(id.to_string())
                .bind(at.micros())
                .execute(connection)
                .await
                .map(drop)
        })?;
        Ok(())
    }
}
