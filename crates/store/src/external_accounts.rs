//! Who members are for services that they sign in with.

use crate::backend::{on_backend, on_transaction};
use crate::error::Noun;
use crate::{Store, StoreError, StoreResult, Write};
use flagstaff_core::{Member, MemberId, Timestamp};

impl Store {
    /// The member whom a service knows by this name of its own.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn member_by_external_account(
        &self,
        provider: &str,
        subject: &str,
    ) -> StoreResult<Option<Member>> {
        const SQL: &str = "
            SELECT member_id FROM external_accounts WHERE provider = $1 AND subject = $2";
        if !crate::text::can_be_part(subject) {
            return Ok(None);
        }
        let id: Option<i64> = on_backend!(self, |pool| {
            sqlx::query_scalar(SQL)
                .bind(provider)
                .bind(subject)
                .fetch_optional(pool)
                .await
        })?;
        match id {
            Some(id) => self.member(MemberId::new(id)).await,
            None => Ok(None),
        }
    }

    /// The services that a member signs in with, the first one first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn external_accounts(&self, member: MemberId) -> StoreResult<Vec<String>> {
        const SQL: &str = "SELECT provider FROM external_accounts WHERE member_id = $1 ORDER BY id";
        Ok(on_backend!(self, |pool| {
            sqlx::query_scalar(SQL)
                .bind(member.get())
                .fetch_all(pool)
                .await
        })?)
    }

    /// True when somebody has shown that mail to a member's address reaches them.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn email_is_verified(&self, member: MemberId) -> StoreResult<bool> {
        const SQL: &str = "
            SELECT COUNT(*) FROM members WHERE id = $1 AND email_verified_at IS NOT NULL";
        let count: i64 = on_backend!(self, |pool| {
            sqlx::query_scalar(SQL)
                .bind(member.get())
                .fetch_one(pool)
                .await
        })?;
        Ok(count > 0)
    }
}

impl Write {
    /// Notes by what name a service knows a member.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the service's name belongs to another member.
    pub async fn insert_external_account(
        &mut self,
        member: MemberId,
        provider: &str,
        subject: &str,
        at: Timestamp,
    ) -> StoreResult<()> {
        const SQL: &str = "
            INSERT INTO external_accounts (member_id, provider, subject, created_at)
            VALUES ($1, $2, $3, $4)";
        on_transaction!(&mut self.transaction, |connection| {
            sqlx::query(SQL)
                .bind(member.get())
                .bind(provider)
                .bind(subject)
                .bind(at.micros())
                .execute(connection)
                .await
                .map(drop)
        })
        .map_err(StoreError::conflict(Noun::Member))
    }

    /// Notes that mail to a member's address reaches them.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn verify_email(&mut self, member: MemberId, at: Timestamp) -> StoreResult<()> {
        const SQL: &str = "
            UPDATE members SET email_verified_at = $2 WHERE id = $1 AND email_verified_at IS NULL";
        on_transaction!(&mut self.transaction, |connection| {
            sqlx::query(SQL)
                .bind(member.get())
                .bind(at.micros())
                .execute(connection)
                .await
                .map(drop)
        })?;
        Ok(())
    }

    /// Lets a member sign in, or keeps them from it.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn update_activity(&mut self, member: MemberId, is_active: bool) -> StoreResult<()> {
        const SQL: &str = "UPDATE members SET is_active = $2 WHERE id = $1";
        on_transaction!(&mut self.transaction, |connection| {
            sqlx::query(SQL)
                .bind(member.get())
                .bind(is_active)
                .execute(connection)
                .await
                .map(drop)
        })?;
        Ok(())
    }

    /// Takes a member's password away: from now on they sign in in another way, or choose a new one by mail.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn remove_password(&mut self, member: MemberId) -> StoreResult<()> {
        const SQL: &str = "UPDATE members SET password_hash = NULL WHERE id = $1";
        on_transaction!(&mut self.transaction, |connection| {
            sqlx::query(SQL)
                .bind(member.get())
                .execute(connection)
                .await
                .map(drop)
        })?;
        Ok(())
    }
}
