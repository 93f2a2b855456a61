//! What members were granted.

use crate::backend::{change_row, on_backend, on_transaction};
use crate::error::Noun;
use crate::{Store, StoreError, StoreResult, Write};
use flagstaff_core::{
    EnvironmentId, Grant, GrantId, GrantPlace, MemberId, OrganisationId, ProjectId, Timestamp,
};

/// A grant to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewGrant {
    /// Who.
    pub member_id: MemberId,
    /// Where; a member has one grant in a place.
    pub place: GrantPlace,
    /// May do everything there and below.
    pub is_admin: bool,
    /// Words of the place's permissions, without spaces.
    pub permissions: Vec<String>,
}

#[derive(sqlx::FromRow)]
struct GrantRow {
    id: i64,
    member_id: i64,
    organisation_id: i64,
    project_id: Option<i64>,
    environment_id: Option<i64>,
    is_admin: bool,
    permissions: String,
}

impl From<GrantRow> for Grant {
    fn from(row: GrantRow) -> Self {
        let organisation = OrganisationId::new(row.organisation_id);
        let project = row.project_id.map(ProjectId::new);
        let environment = row.environment_id.map(EnvironmentId::new);
        let place = match (project, environment) {
            (Some(project), Some(environment)) => {
                GrantPlace::Environment(organisation, project, environment)
            }
            (Some(project), None) => GrantPlace::Project(organisation, project),
            // An environment without its project is ruled out by the table.
            (None, _) => GrantPlace::Organisation(organisation),
        };
        let words = row.permissions.split(' ').filter(|word| !word.is_empty());
        Self {
            id: GrantId::new(row.id),
            member_id: MemberId::new(row.member_id),
            place,
            is_admin: row.is_admin,
            permissions: words.map(str::to_owned).collect(),
        }
    }
}

impl Store {
    /// Everything a member was granted, in order of ids.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn grants_of(&self, member: MemberId) -> StoreResult<Vec<Grant>> {
        const SQL: &str = "
            SELECT id, member_id, organisation_id, project_id, environment_id, is_admin, permissions
            FROM grants
            WHERE member_id = $1
            ORDER BY id";
        let rows: Vec<GrantRow> = on_backend!(self, |pool| {
            sqlx::query_as(SQL).bind(member.get()).fetch_all(pool).await
        })?;
        Ok(rows.into_iter().map(Grant::from).collect())
    }

    /// Everything that was granted in one place, in order of ids.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn grants_at(&self, place: GrantPlace) -> StoreResult<Vec<Grant>> {
        const SQL: &str = "
            SELECT id, member_id, organisation_id, project_id, environment_id, is_admin, permissions
            FROM grants
            WHERE organisation_id = $1 AND project_id IS NOT DISTINCT FROM $2
                AND environment_id IS NOT DISTINCT FROM $3
            ORDER BY id";
        let rows: Vec<GrantRow> = on_backend!(self, |pool| {
            sqlx::query_as(SQL)
                .bind(place.organisation().get())
                .bind(place.project().map(ProjectId::get))
                .bind(place.environment().map(EnvironmentId::get))
                .fetch_all(pool)
                .await
        })?;
        Ok(rows.into_iter().map(Grant::from).collect())
    }
}

impl Write {
    /// Makes a grant.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the member has one in this place.
    pub async fn insert_grant(&mut self, new: &NewGrant, at: Timestamp) -> StoreResult<Grant> {
        const SQL: &str = "
            INSERT INTO grants (member_id, organisation_id, project_id, environment_id, is_admin, permissions,
                created_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            RETURNING id, member_id, organisation_id, project_id, environment_id, is_admin, permissions";
        let row: GrantRow = on_transaction!(&mut self.transaction, |connection| {
            sqlx::query_as(SQL)
                .bind(new.member_id.get())
                .bind(new.place.organisation().get())
                .bind(new.place.project().map(ProjectId::get))
                .bind(new.place.environment().map(EnvironmentId::get))
                .bind(new.is_admin)
                .bind(new.permissions.join(" "))
                .bind(at.micros())
                .fetch_one(connection)
                .await
        })
        .map_err(StoreError::conflict(Noun::Grant))?;
        Ok(row.into())
    }

    /// Writes what a grant allows.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], and when the database does not answer.
    pub async fn update_grant(&mut self, grant: &Grant) -> StoreResult<()> {
        const SQL: &str = "UPDATE grants SET is_admin = $2, permissions = $3 WHERE id = $1";
        change_row!(
            self,
            Noun::Grant,
            SQL,
            grant.id.get(),
            grant.is_admin,
            grant.permissions.join(" ")
        )
    }

    /// Takes a grant away.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], and when the database does not answer.
    pub async fn delete_grant(&mut self, id: GrantId) -> StoreResult<()> {
        const SQL: &str = "DELETE FROM grants WHERE id = $1";
        change_row!(self, Noun::Grant, SQL, id.get())
    }
}
