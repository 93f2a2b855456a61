//! What a member presents instead of a password. Stored are only digests.

use crate::backend::{execute, on_backend};
use crate::members::MemberRow;
use crate::{Store, StoreResult};
use flagstaff_core::{Member, MemberId, Timestamp};

impl Store {
    /// Keeps a token of a member.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn insert_token(
        &self,
        member: MemberId,
        digest: &str,
        at: Timestamp,
    ) -> StoreResult<()> {
        const SQL: &str = "
            INSERT INTO member_tokens (member_id, token_hash, created_at) VALUES ($1, $2, $3)";
        execute!(self, SQL, member.get(), digest, at.micros())?;
        Ok(())
    }

    /// Withdraws a token.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn delete_token(&self, digest: &str) -> StoreResult<()> {
        const SQL: &str = "DELETE FROM member_tokens WHERE token_hash = $1";
        execute!(self, SQL, digest)?;
        Ok(())
    }

    /// Whose a token is.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn member_by_token(
        &self,
        digest: &str,
        now: Timestamp,
    ) -> StoreResult<Option<Member>> {
        const SQL: &str = "
            SELECT m.id, m.uuid, m.email, m.first_name, m.last_name, m.is_superuser, m.is_active,
                m.sign_up_type, m.created_at, m.last_login
            FROM members m JOIN member_tokens t ON t.member_id = m.id
            WHERE t.token_hash = $1 AND m.deleted_at IS NULL
                AND (t.expires_at IS NULL OR t.expires_at > $2)";
        let row: Option<MemberRow> = on_backend!(self, |pool| {
            sqlx::query_as(SQL)
                .bind(digest)
                .bind(now.micros())
                .fetch_optional(pool)
                .await
        })?;
        row.map(Member::try_from).transpose()
    }

    /// Keeps a session of a browser, and forgets those that are over.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn insert_session(
        &self,
        member: MemberId,
        digest: &str,
        at: Timestamp,
        expires_at: Timestamp,
    ) -> StoreResult<()> {
        const CLEAN: &str = "DELETE FROM sessions WHERE expires_at <= $1";
        const SQL: &str = "
            INSERT INTO sessions (member_id, token_hash, created_at, expires_at)
            VALUES ($1, $2, $3, $4)";
        execute!(self, CLEAN, at.micros())?;
        execute!(
            self,
            SQL,
            member.get(),
            digest,
            at.micros(),
            expires_at.micros()
        )?;
        Ok(())
    }

    /// Whose a session is, while it lasts.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn member_by_session(
        &self,
        digest: &str,
        now: Timestamp,
    ) -> StoreResult<Option<Member>> {
        const SQL: &str = "
            SELECT m.id, m.uuid, m.email, m.first_name, m.last_name, m.is_superuser, m.is_active,
                m.sign_up_type, m.created_at, m.last_login
            FROM members m JOIN sessions s ON s.member_id = m.id
            WHERE s.token_hash = $1 AND s.expires_at > $2 AND m.deleted_at IS NULL";
        let row: Option<MemberRow> = on_backend!(self, |pool| {
            sqlx::query_as(SQL)
                .bind(digest)
                .bind(now.micros())
                .fetch_optional(pool)
                .await
        })?;
        row.map(Member::try_from).transpose()
    }

    /// Ends a session.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn delete_session(&self, digest: &str) -> StoreResult<()> {
        const SQL: &str = "DELETE FROM sessions WHERE token_hash = $1";
        execute!(self, SQL, digest)?;
        Ok(())
    }

    /// Keeps a one-time sign-in link.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn insert_sign_in_link(
        &self,
        digest: &str,
        at: Timestamp,
        expires_at: Timestamp,
    ) -> StoreResult<()> {
        const SQL: &str = "
            INSERT INTO sign_in_links (token_hash, created_at, expires_at) VALUES ($1, $2, $3)";
        execute!(self, SQL, digest, at.micros(), expires_at.micros())?;
        Ok(())
    }

    /// True while a link can be used.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn sign_in_link_is_open(&self, digest: &str, now: Timestamp) -> StoreResult<bool> {
        const SQL: &str = "
            SELECT COUNT(*) FROM sign_in_links
            WHERE token_hash = $1 AND used_at IS NULL AND expires_at > $2";
        let count: i64 = on_backend!(self, |pool| {
            sqlx::query_scalar(SQL)
                .bind(digest)
                .bind(now.micros())
                .fetch_one(pool)
                .await
        })?;
        Ok(count > 0)
    }

    /// Uses a link: true once, for whoever comes first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn use_sign_in_link(&self, digest: &str, now: Timestamp) -> StoreResult<bool> {
        const SQL: &str = "
            UPDATE sign_in_links SET used_at = $2
            WHERE token_hash = $1 AND used_at IS NULL AND expires_at > $2";
        let used = execute!(self, SQL, digest, now.micros())?;
        Ok(used > 0)
    }
}
