//! Organisations.

use crate::backend::{change_row, on_backend, on_transaction};
use crate::error::Noun;
use crate::{Store, StoreError, StoreResult, Write};
use flagstaff_core::{MemberId, Organisation, OrganisationId, Timestamp};
use uuid::Uuid;

/// An organisation to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOrganisation {
    /// Stable id.
    pub uuid: Uuid,
    /// Shown name.
    pub name: String,
    /// Address for webhook trouble.
    pub webhook_notification_email: Option<String>,
}

#[derive(sqlx::FromRow)]
pub(crate) struct OrganisationRow {
    id: i64,
    uuid: String,
    name: String,
    webhook_notification_email: Option<String>,
    persist_trait_data: bool,
    restrict_project_create_to_admin: bool,
    force_2fa: bool,
    stop_serving_flags: bool,
    created_at: i64,
}

impl TryFrom<OrganisationRow> for Organisation {
    type Error = StoreError;

    fn try_from(row: OrganisationRow) -> StoreResult<Self> {
        Ok(Self {
            id: OrganisationId::new(row.id),
            uuid: crate::error::uuid(Noun::Organisation, row.id, &row.uuid)?,
            name: row.name,
            webhook_notification_email: row.webhook_notification_email,
            persist_trait_data: row.persist_trait_data,
            restrict_project_create_to_admin: row.restrict_project_create_to_admin,
            force_2fa: row.force_2fa,
            stop_serving_flags: row.stop_serving_flags,
            created_at: Timestamp::from_micros(row.created_at),
        })
    }
}

pub(crate) const ONE: &str = "
    SELECT id, uuid, name, webhook_notification_email, persist_trait_data,
        restrict_project_create_to_admin, force_2fa, stop_serving_flags, created_at
    FROM organisations
    WHERE id = $1 AND deleted_at IS NULL";

impl Store {
    /// An organisation by its stable id.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn organisation_by_uuid(&self, uuid: Uuid) -> StoreResult<Option<Organisation>> {
        const SQL: &str = "SELECT id FROM organisations WHERE uuid = $1";
        let id: Option<i64> = on_backend!(self, |pool| {
            sqlx::query_scalar(SQL)
                .bind(uuid.to_string())
                .fetch_optional(pool)
                .await
        })?;
        match id {
            Some(id) => self.organisation(OrganisationId::new(id)).await,
            None => Ok(None),
        }
    }

    /// An organisation by its id.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn organisation(&self, id: OrganisationId) -> StoreResult<Option<Organisation>> {
        if id.get() < 0 {
            return Ok(None);
        }
        let row: Option<OrganisationRow> = on_backend!(self, |pool| {
            sqlx::query_as(ONE)
                .bind(id.get())
                .fetch_optional(pool)
                .await
        })?;
        row.map(Organisation::try_from).transpose()
    }

    /// The organisations a member belongs to, in order of their ids.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn organisations_of(&self, member: MemberId) -> StoreResult<Vec<Organisation>> {
        const SQL: &str = "
            SELECT o.id, o.uuid, o.name, o.webhook_notification_email, o.persist_trait_data,
                o.restrict_project_create_to_admin, o.force_2fa, o.stop_serving_flags, o.created_at
            FROM organisations o JOIN memberships m ON m.organisation_id = o.id
            WHERE m.member_id = $1 AND o.deleted_at IS NULL
            ORDER BY o.id";
        let rows: Vec<OrganisationRow> = on_backend!(self, |pool| {
            sqlx::query_as(SQL).bind(member.get()).fetch_all(pool).await
        })?;
        rows.into_iter().map(Organisation::try_from).collect()
    }

    /// Every organisation that people may see, in order of ids.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn all_organisations(&self) -> StoreResult<Vec<Organisation>> {
        const SQL: &str = "
            SELECT id, uuid, name, webhook_notification_email, persist_trait_data,
                restrict_project_create_to_admin, force_2fa, stop_serving_flags, created_at
            FROM organisations
            WHERE deleted_at IS NULL AND id > 0
            ORDER BY id";
        let rows: Vec<OrganisationRow> =
            on_backend!(self, |pool| sqlx::query_as(SQL).fetch_all(pool).await)?;
        rows.into_iter().map(Organisation::try_from).collect()
    }
}

impl Write {
    /// Makes an organisation.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn insert_organisation(
        &mut self,
        new: &NewOrganisation,
        at: Timestamp,
    ) -> StoreResult<Organisation> {
        const SQL: &str = "
            INSERT INTO organisations (uuid, name, webhook_notification_email, created_at)
            VALUES ($1, $2, $3, $4)
            RETURNING id, uuid, name, webhook_notification_email, persist_trait_data,
                restrict_project_create_to_admin, force_2fa, stop_serving_flags, created_at";
        let row: OrganisationRow = on_transaction!(&mut self.transaction, |connection| {
            sqlx::query_as(SQL)
                .bind(new.uuid.to_string())
                .bind(&new.name)
                .bind(&new.webhook_notification_email)
                .bind(at.micros())
                .fetch_one(connection)
                .await
        })?;
        Organisation::try_from(row)
    }

    /// Writes every field of an organisation that can change.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn update_organisation(&mut self, organisation: &Organisation) -> StoreResult<()> {
        const SQL: &str = "
            UPDATE organisations
            SET name = $2, webhook_notification_email = $3, persist_trait_data = $4,
                restrict_project_create_to_admin = $5, force_2fa = $6, stop_serving_flags = $7
            WHERE id = $1 AND deleted_at IS NULL";
        change_row!(
            self,
            Noun::Organisation,
            SQL,
            organisation.id.get(),
            &organisation.name,
            &organisation.webhook_notification_email,
            organisation.persist_trait_data,
            organisation.restrict_project_create_to_admin,
            organisation.force_2fa,
            organisation.stop_serving_flags
        )
    }

    /// Deletes an organisation with its projects and their environments.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn delete_organisation(
        &mut self,
        id: OrganisationId,
        at: Timestamp,
    ) -> StoreResult<()> {
        const SQL: &str = "
            UPDATE organisations SET deleted_at = $2 WHERE id = $1 AND deleted_at IS NULL";
        const ENVIRONMENTS: &str = "
            UPDATE environments SET deleted_at = $2
            WHERE deleted_at IS NULL
                AND project_id IN (SELECT id FROM projects WHERE organisation_id = $1)";
        const PROJECTS: &str = "
            UPDATE projects SET deleted_at = $2
            WHERE organisation_id = $1 AND deleted_at IS NULL";
        let done = self.mark_deleted(SQL, id.get(), at).await?;
        self.mark_deleted(ENVIRONMENTS, id.get(), at).await?;
        self.mark_deleted(PROJECTS, id.get(), at).await?;
        self.remove_keys_of_deleted().await?;
        crate::error::changed(done, Noun::Organisation)
    }

    /// Runs a statement that marks rows of `$1` as deleted at `$2`; answers how many.
    pub(crate) async fn mark_deleted(
        &mut self,
        sql: &'static str,
        id: i64,
        at: Timestamp,
    ) -> StoreResult<u64> {
        Ok(on_transaction!(&mut self.transaction, |connection| {
            sqlx::query(sql)
                .bind(id)
                .bind(at.micros())
                .execute(connection)
                .await
                .map(|done| done.rows_affected())
        })?)
    }
}
