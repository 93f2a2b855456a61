//! Links that change an account: kept as digests, or as a wish while nobody was told what stands in them. Unaudited: what
//! is done with a link is told then.

use crate::backend::{execute, on_backend, on_transaction, on_writer};
use crate::error::Noun;
use crate::{Store, StoreError, StoreResult, Write};
use flagstaff_core::{MemberId, Timestamp};

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LinkPurpose {
    /// Choosing a new password.
    Password,
    /// Showing that mail to the address arrives; a member who waits for that may sign in from then on.
    Activation,
    /// Choosing another e-mail address.
    Email,
}

impl LinkPurpose {
    /// The word that is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Activation => "activation",
            Self::Email => "email",
        }
    }

    fn parse(id: i64, text: &str) -> StoreResult<Self> {
        match text {
            "password" => Ok(Self::Password),
            "activation" => Ok(Self::Activation),
            "email" => Ok(Self::Email),
            other => Err(StoreError::Corrupt {
                noun: Noun::SignInLink,
                id,
                problem: format!("unknown purpose `{other}`"),
            }),
        }
    }
}

/// A link to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAccountLink {
    /// Whose account.
    pub member_id: MemberId,
    /// What for.
    pub purpose: LinkPurpose,
    /// Digest of what stands in it; `None` while nobody was told.
    pub digest: Option<String>,
    /// Digest of the account as it is now.
    pub account_state: String,
    /// It is over from then on.
    pub expires_at: Timestamp,
}

/// A link, without what stands in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountLink {
    /// Row id.
    pub id: i64,
    /// Whose account.
    pub member_id: MemberId,
    /// What for.
    pub purpose: LinkPurpose,
    /// Digest of the account when the link was made.
    pub account_state: String,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// It is over from then on.
    pub expires_at: Timestamp,
}

#[derive(sqlx::FromRow)]
struct LinkRow {
    id: i64,
    member_id: i64,
    purpose: String,
    account_state: String,
    created_at: i64,
    expires_at: i64,
}

impl TryFrom<LinkRow> for AccountLink {
    type Error = StoreError;

    fn try_from(row: LinkRow) -> StoreResult<Self> {
        Ok(Self {
            id: row.id,
            member_id: MemberId::new(row.member_id),
            purpose: LinkPurpose::parse(row.id, &row.purpose)?,
            account_state: row.account_state,
            created_at: Timestamp::from_micros(row.created_at),
            expires_at: Timestamp::from_micros(row.expires_at),
        })
    }
}

impl Store {
    /// Keeps a link; answers its row id.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn insert_account_link(
        &self,
        new: &NewAccountLink,
        at: Timestamp,
    ) -> StoreResult<i64> {
        const SQL: &str = "
            INSERT INTO account_links (member_id, purpose, token_hash, account_state, created_at, expires_at)
            VALUES ($1, $2, $3, $4, $5, $6)
            RETURNING id";
        Ok(on_writer!(self, |pool| {
            sqlx::query_scalar(SQL)
                .bind(new.member_id.get())
                .bind(new.purpose.as_str())
                .bind(&new.digest)
                .bind(&new.account_state)
                .bind(at.micros())
                .bind(new.expires_at.micros())
                .fetch_one(pool)
                .await
        })?)
    }

    /// The link with this digest, while it lasts and its member is there.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn account_link(
        &self,
        digest: &str,
        now: Timestamp,
    ) -> StoreResult<Option<AccountLink>> {
        const SQL: &str = "
            SELECT l.id, l.member_id, l.purpose, l.account_state, l.created_at, l.expires_at
            FROM account_links l JOIN members m ON m.id = l.member_id
            WHERE l.token_hash = $1 AND l.expires_at > $2 AND m.deleted_at IS NULL";
        let row: Option<LinkRow> = on_backend!(self, |pool| {
            sqlx::query_as(SQL)
                .bind(digest)
                .bind(now.micros())
                .fetch_optional(pool)
                .await
        })?;
        row.map(AccountLink::try_from).transpose()
    }

    /// The links that nobody was told of yet, the newest first: at most 500.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn waiting_account_links(&self, now: Timestamp) -> StoreResult<Vec<AccountLink>> {
        const SQL: &str = "
            SELECT l.id, l.member_id, l.purpose, l.account_state, l.created_at, l.expires_at
            FROM account_links l JOIN members m ON m.id = l.member_id
            WHERE l.token_hash IS NULL AND l.expires_at > $1 AND m.deleted_at IS NULL
            ORDER BY l.id DESC LIMIT 500";
        let rows: Vec<LinkRow> = on_backend!(self, |pool| {
            sqlx::query_as(SQL).bind(now.micros()).fetch_all(pool).await
        })?;
        rows.into_iter().map(AccountLink::try_from).collect()
    }

    /// Gives a link that nobody was told of what stands in it: true once, for whoever comes first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn tell_account_link(
        &self,
        id: i64,
        digest: &str,
        now: Timestamp,
    ) -> StoreResult<bool> {
        const SQL: &str = "
            UPDATE account_links SET token_hash = $2
            WHERE id = $1 AND token_hash IS NULL AND expires_at > $3";
        let told = execute!(self, SQL, id, digest, now.micros())?;
        Ok(told > 0)
    }

    /// Takes a link back that could not be delivered.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn delete_account_link(&self, id: i64) -> StoreResult<()> {
        const SQL: &str = "DELETE FROM account_links WHERE id = $1";
        execute!(self, SQL, id)?;
        Ok(())
    }

    /// Spends the state of a sign-in with another service: true once.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn spend_state(&self, digest: &str, expires_at: Timestamp) -> StoreResult<bool> {
        const SQL: &str = "
            INSERT INTO spent_states (token_hash, expires_at) VALUES ($1, $2)
            ON CONFLICT (token_hash) DO NOTHING";
        let spent = execute!(self, SQL, digest, expires_at.micros())?;
        Ok(spent > 0)
    }
}

impl Write {
    /// Ends every link of an account, told or not.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn delete_account_links(&mut self, member: MemberId) -> StoreResult<()> {
        const SQL: &str = "DELETE FROM account_links WHERE member_id = $1";
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
