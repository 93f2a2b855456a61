//! Members.

use crate::backend::{change_row, execute, on_backend, on_transaction};
use crate::error::Noun;
use crate::text::{can_be_part, folded_key};
use crate::{Store, StoreError, StoreResult, Write};
use flagstaff_core::{Member, MemberId, Timestamp};
use uuid::Uuid;

/// A member to be made.
#[derive(Clone, PartialEq, Eq)]
pub struct NewMember {
    /// Stable id.
    pub uuid: Uuid,
    /// Unique without regard to case.
    pub email: String,
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
    /// Hash of the password; without one, no password signs in.
    pub password_hash: Option<String>,
    /// May do everything everywhere.
    pub is_superuser: bool,
    /// How they signed up.
    pub sign_up_type: Option<String>,
}

#[derive(sqlx::FromRow)]
pub(crate) struct MemberRow {
    id: i64,
    uuid: String,
    email: String,
    first_name: String,
    last_name: String,
    is_superuser: bool,
    is_active: bool,
    sign_up_type: Option<String>,
    created_at: i64,
    last_login: Option<i64>,
}

impl TryFrom<MemberRow> for Member {
    type Error = StoreError;

    fn try_from(row: MemberRow) -> StoreResult<Self> {
        Ok(Self {
            id: MemberId::new(row.id),
            uuid: crate::error::uuid(Noun::Member, row.id, &row.uuid)?,
            email: row.email,
            first_name: row.first_name,
            last_name: row.last_name,
            is_superuser: row.is_superuser,
            is_active: row.is_active,
            sign_up_type: row.sign_up_type,
            created_at: Timestamp::from_micros(row.created_at),
            last_login: row.last_login.map(Timestamp::from_micros),
        })
    }
}

impl Store {
    /// A member by e-mail address without regard to case, with the hash of their password.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn member_for_sign_in(
        &self,
        email: &str,
    ) -> StoreResult<Option<(Member, Option<String>)>> {
        const SQL: &str = "
            SELECT id, uuid, email, first_name, last_name, is_superuser, is_active, sign_up_type,
                created_at, last_login
            FROM members
            WHERE email_folded = $1 AND deleted_at IS NULL";
        const HASH: &str = "SELECT password_hash FROM members WHERE id = $1";
        if !can_be_part(email) {
            return Ok(None);
        }
        let row: Option<MemberRow> = on_backend!(self, |pool| {
            sqlx::query_as(SQL)
                .bind(folded_key(email))
                .fetch_optional(pool)
                .await
        })?;
        let Some(row) = row else {
            return Ok(None);
        };
        let hash: Option<String> = on_backend!(self, |pool| {
            sqlx::query_scalar(HASH).bind(row.id).fetch_one(pool).await
        })?;
        Ok(Some((Member::try_from(row)?, hash)))
    }

    /// True when somebody can sign in.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn has_members(&self) -> StoreResult<bool> {
        const SQL: &str = "SELECT COUNT(*) FROM members WHERE deleted_at IS NULL";
        let count: i64 = on_backend!(self, |pool| {
            sqlx::query_scalar(SQL).fetch_one(pool).await
        })?;
        Ok(count > 0)
    }

    /// True when somebody could ever sign in, though they may be deleted.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn ever_had_members(&self) -> StoreResult<bool> {
        const SQL: &str = "SELECT COUNT(*) FROM members";
        let count: i64 = on_backend!(self, |pool| {
            sqlx::query_scalar(SQL).fetch_one(pool).await
        })?;
        Ok(count > 0)
    }

    /// A member by row id.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn member(&self, id: MemberId) -> StoreResult<Option<Member>> {
        const SQL: &str = "
            SELECT id, uuid, email, first_name, last_name, is_superuser, is_active, sign_up_type,
                created_at, last_login
            FROM members
            WHERE id = $1 AND deleted_at IS NULL";
        let row: Option<MemberRow> = on_backend!(self, |pool| {
            sqlx::query_as(SQL)
                .bind(id.get())
                .fetch_optional(pool)
                .await
        })?;
        row.map(Member::try_from).transpose()
    }

    /// What a dashboard keeps of a member's first steps: JSON, as it was written.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn onboarding(&self, id: MemberId) -> StoreResult<Option<String>> {
        const SQL: &str = "SELECT onboarding FROM members WHERE id = $1";
        let row: Option<Option<String>> = on_backend!(self, |pool| {
            sqlx::query_scalar(SQL)
                .bind(id.get())
                .fetch_optional(pool)
                .await
        })?;
        Ok(row.flatten())
    }

    /// Notes when a member signed in.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn touch_last_login(&self, member: MemberId, at: Timestamp) -> StoreResult<()> {
        const SQL: &str = "UPDATE members SET last_login = $2 WHERE id = $1";
        execute!(self, SQL, member.get(), at.micros())?;
        Ok(())
    }
}

impl Write {
    /// Makes a member.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] for a taken e-mail address.
    pub async fn insert_member(&mut self, new: &NewMember, at: Timestamp) -> StoreResult<Member> {
        const SQL: &str = "
            INSERT INTO members (uuid, email, email_folded, first_name, last_name, password_hash,
                is_superuser, sign_up_type, created_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
            RETURNING id, uuid, email, first_name, last_name, is_superuser, is_active, sign_up_type,
                created_at, last_login";
        let row: MemberRow = on_transaction!(&mut self.transaction, |connection| {
            sqlx::query_as(SQL)
                .bind(new.uuid.to_string())
                .bind(&new.email)
                .bind(folded_key(&new.email))
                .bind(&new.first_name)
                .bind(&new.last_name)
                .bind(&new.password_hash)
                .bind(new.is_superuser)
                .bind(&new.sign_up_type)
                .bind(at.micros())
                .fetch_one(connection)
                .await
        })
        .map_err(StoreError::conflict(Noun::Member))?;
        Member::try_from(row)
    }

    /// Writes a member's address and names. Nobody knows of another address whether mail to it arrives.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] for a taken e-mail address, and [`StoreError::NotFound`].
    pub async fn update_member(&mut self, member: &Member) -> StoreResult<()> {
        const SQL: &str = "
            UPDATE members SET email = $2, email_folded = $3, first_name = $4, last_name = $5,
                email_verified_at = CASE WHEN email_folded = $3 THEN email_verified_at END
            WHERE id = $1 AND deleted_at IS NULL";
        change_row!(
            self,
            Noun::Member,
            SQL,
            member.id.get(),
            &member.email,
            folded_key(&member.email),
            &member.first_name,
            &member.last_name
        )
    }

    /// Keeps what a dashboard says of a member's first steps, as JSON.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], and when the database does not answer.
    pub async fn update_onboarding(&mut self, member: MemberId, json: &str) -> StoreResult<()> {
        const SQL: &str = "UPDATE members SET onboarding = $2 WHERE id = $1 AND deleted_at IS NULL";
        change_row!(self, Noun::Member, SQL, member.get(), json)
    }

    /// Deletes a member with their places, grants, tokens and sessions. What they did stays told.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], and when the database does not answer.
    pub async fn delete_member(&mut self, id: MemberId, at: Timestamp) -> StoreResult<()> {
        const SQL: &str = "
            UPDATE members SET deleted_at = $2, password_hash = NULL
            WHERE id = $1 AND deleted_at IS NULL";
        const PLACES: &str = "DELETE FROM memberships WHERE member_id = $1";
        const GRANTS: &str = "DELETE FROM grants WHERE member_id = $1";
        const ELSEWHERE: &str = "DELETE FROM external_accounts WHERE member_id = $1";
        let done = self.mark_deleted(SQL, id.get(), at).await?;
        for sql in [PLACES, GRANTS, ELSEWHERE] {
            on_transaction!(&mut self.transaction, |connection| {
                sqlx::query(sql)
                    .bind(id.get())
                    .execute(connection)
                    .await
                    .map(drop)
            })?;
        }
        self.end_sign_ins(id, None).await?;
        self.delete_account_links(id).await?;
        crate::error::changed(done, Noun::Member)
    }

    /// Ends every session of a member and withdraws every token, but for the one with this digest.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn end_sign_ins(&mut self, id: MemberId, keep: Option<&str>) -> StoreResult<()> {
        const TOKENS: &str = "DELETE FROM member_tokens WHERE member_id = $1 AND token_hash <> $2";
        const SESSIONS: &str = "DELETE FROM sessions WHERE member_id = $1 AND token_hash <> $2";
        for sql in [TOKENS, SESSIONS] {
            on_transaction!(&mut self.transaction, |connection| {
                sqlx::query(sql)
                    .bind(id.get())
                    .bind(keep.unwrap_or_default())
                    .execute(connection)
                    .await
                    .map(drop)
            })?;
        }
        Ok(())
    }

    /// Sets the hash of a member's password.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], and when the database does not answer.
    pub async fn update_password(&mut self, member: MemberId, hash: &str) -> StoreResult<()> {
        const SQL: &str =
            "UPDATE members SET password_hash = $2 WHERE id = $1 AND deleted_at IS NULL";
        change_row!(self, Noun::Member, SQL, member.get(), hash)
    }
}
