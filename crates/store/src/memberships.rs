//! Places of members in organisations.

use crate::backend::{on_backend, on_transaction};
use crate::error::Noun;
use crate::members::MemberRow;
use crate::{Store, StoreError, StoreResult, Write};
use flagstaff_core::{Member, MemberId, Membership, OrganisationId, Role, Timestamp};

#[derive(sqlx::FromRow)]
struct PlaceRow {
    #[sqlx(flatten)]
    member: MemberRow,
    role: String,
}

/// A role as it is stored.
pub(crate) const fn role_text(role: Role) -> &'static str {
    match role {
        Role::Admin => "admin",
        Role::User => "user",
    }
}

/// Reads a stored role.
pub(crate) fn parse_role(noun: Noun, id: i64, text: &str) -> StoreResult<Role> {
    match text {
        "admin" => Ok(Role::Admin),
        "user" => Ok(Role::User),
        other => Err(StoreError::Corrupt {
            noun,
            id,
            problem: format!("`{other}` is no role"),
        }),
    }
}

impl Store {
    /// Where a member belongs, in order of the organisations' ids.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn memberships(&self, member: MemberId) -> StoreResult<Vec<Membership>> {
        const SQL: &str = "
            SELECT m.organisation_id, m.role
            FROM memberships m JOIN organisations o ON o.id = m.organisation_id
            WHERE m.member_id = $1 AND o.deleted_at IS NULL
            ORDER BY m.organisation_id";
        let rows: Vec<(i64, String)> = on_backend!(self, |pool| {
            sqlx::query_as(SQL).bind(member.get()).fetch_all(pool).await
        })?;
        let membership = |(organisation, role): (i64, String)| {
            Ok(Membership {
                organisation_id: OrganisationId::new(organisation),
                role: parse_role(Noun::Member, member.get(), &role)?,
            })
        };
        rows.into_iter().map(membership).collect()
    }

    /// How many members an organisation has.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn count_members(&self, organisation: OrganisationId) -> StoreResult<i64> {
        const SQL: &str = "SELECT COUNT(*) FROM memberships WHERE organisation_id = $1";
        Ok(on_backend!(self, |pool| {
            sqlx::query_scalar(SQL)
                .bind(organisation.get())
                .fetch_one(pool)
                .await
        })?)
    }

    /// Who belongs to an organisation, in order of their ids.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn members_of(&self, id: OrganisationId) -> StoreResult<Vec<(Member, Role)>> {
        const SQL: &str = "
            SELECT m.id, m.uuid, m.email, m.first_name, m.last_name, m.is_superuser, m.is_active,
                m.sign_up_type, m.created_at, m.last_login, p.role
            FROM memberships p JOIN members m ON m.id = p.member_id
            WHERE p.organisation_id = $1 AND m.deleted_at IS NULL
            ORDER BY m.id";
        let rows: Vec<PlaceRow> = on_backend!(self, |pool| {
            sqlx::query_as(SQL).bind(id.get()).fetch_all(pool).await
        })?;
        let place = |row: PlaceRow| {
            let member = Member::try_from(row.member)?;
            let role = parse_role(Noun::Member, member.id.get(), &row.role)?;
            Ok((member, role))
        };
        rows.into_iter().map(place).collect()
    }
}

impl Write {
    /// Gives a member a place in an organisation, or another role there.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn insert_membership(
        &mut self,
        organisation: OrganisationId,
        member: MemberId,
        role: Role,
        at: Timestamp,
    ) -> StoreResult<()> {
        const SQL: &str = "
            INSERT INTO memberships (organisation_id, member_id, role, created_at)
            VALUES ($1, $2, $3, $4)
            ON CONFLICT (organisation_id, member_id) DO UPDATE SET role = excluded.role";
        on_transaction!(&mut self.transaction, |connection| {
            sqlx::query(SQL)
                .bind(organisation.get())
                .bind(member.get())
                .bind(role_text(role))
                .bind(at.micros())
                .execute(connection)
                .await
                .map(drop)
        })?;
        Ok(())
    }

    /// Takes a member's place in an organisation away, with everything they were granted there.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when they have none, and when the database does not answer.
    pub async fn delete_membership(
        &mut self,
        organisation: OrganisationId,
        member: MemberId,
    ) -> StoreResult<()> {
        const SQL: &str = "DELETE FROM memberships WHERE organisation_id = $1 AND member_id = $2";
        const GRANTS: &str = "DELETE FROM grants WHERE organisation_id = $1 AND member_id = $2";
        let mut done = 0;
        for sql in [GRANTS, SQL] {
            done = on_transaction!(&mut self.transaction, |connection| {
                sqlx::query(sql)
                    .bind(organisation.get())
                    .bind(member.get())
                    .execute(connection)
                    .await
                    .map(|done| done.rows_affected())
            })?;
        }
        crate::error::changed(done, Noun::Member)
    }
}
