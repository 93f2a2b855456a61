//! Invitations of single people, of which only digests are stored, and links that invite whoever has them.

use crate::backend::{change_row, execute, on_backend, on_transaction};
use crate::error::Noun;
use crate::memberships::{parse_role, role_text};
use crate::text::{can_be_part, folded_key};
use crate::{Store, StoreError, StoreResult, Write};
use flagstaff_core::{
    Invite, InviteId, InviteLink, InviteLinkId, MemberId, OrganisationId, Role, Timestamp,
};
use std::sync::Arc;

/// An invitation to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewInvite {
    /// Where to.
    pub organisation_id: OrganisationId,
    /// Who; unique in the organisation without regard to case.
    pub email: String,
    /// What they become.
    pub role: Role,
    /// Digest of what stands in the link.
    pub digest: String,
    /// Who invites them; `None` when an API key does.
    pub invited_by: Option<MemberId>,
    /// Its links are over from then on.
    pub expires_at: Timestamp,
}

/// A link to be made. Its token is a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct NewInviteLink {
    /// Where to.
    pub organisation_id: OrganisationId,
    /// What stands in the link; unique.
    pub token: Arc<str>,
    /// What they become.
    pub role: Role,
    /// Refused from then on.
    pub expires_at: Option<Timestamp>,
}

#[derive(sqlx::FromRow)]
struct InviteRow {
    id: i64,
    organisation_id: i64,
    email: String,
    role: String,
    invited_by: Option<i64>,
    created_at: i64,
}

impl TryFrom<InviteRow> for Invite {
    type Error = StoreError;

    fn try_from(row: InviteRow) -> StoreResult<Self> {
        Ok(Self {
            id: InviteId::new(row.id),
            organisation_id: OrganisationId::new(row.organisation_id),
            email: row.email,
            role: parse_role(Noun::Invite, row.id, &row.role)?,
            invited_by: row.invited_by.map(MemberId::new),
            created_at: Timestamp::from_micros(row.created_at),
        })
    }
}

#[derive(sqlx::FromRow)]
struct LinkRow {
    id: i64,
    organisation_id: i64,
    token: String,
    role: String,
    expires_at: Option<i64>,
    created_at: i64,
}

impl TryFrom<LinkRow> for InviteLink {
    type Error = StoreError;

    fn try_from(row: LinkRow) -> StoreResult<Self> {
        Ok(Self {
            id: InviteLinkId::new(row.id),
            organisation_id: OrganisationId::new(row.organisation_id),
            token: row.token.into(),
            role: parse_role(Noun::InviteLink, row.id, &row.role)?,
            expires_at: row.expires_at.map(Timestamp::from_micros),
            created_at: Timestamp::from_micros(row.created_at),
        })
    }
}

impl Store {
    /// The invitations of an organisation, in order of their ids.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn invites(&self, organisation: OrganisationId) -> StoreResult<Vec<Invite>> {
        const SQL: &str = "
            SELECT id, organisation_id, email, role, invited_by, created_at
            FROM invites
            WHERE organisation_id = $1
            ORDER BY id";
        let rows: Vec<InviteRow> = on_backend!(self, |pool| {
            sqlx::query_as(SQL)
                .bind(organisation.get())
                .fetch_all(pool)
                .await
        })?;
        rows.into_iter().map(Invite::try_from).collect()
    }

    /// The invitation one of whose links has this digest, while it lasts and its organisation is there.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn invite_by_digest(
        &self,
        digest: &str,
        now: Timestamp,
    ) -> StoreResult<Option<Invite>> {
        const SQL: &str = "
            SELECT i.id, i.organisation_id, i.email, i.role, i.invited_by, i.created_at
            FROM invites i JOIN organisations o ON o.id = i.organisation_id
            WHERE (i.token_hash = $1 OR i.mail_token_hash = $1) AND o.deleted_at IS NULL
                AND (i.expires_at IS NULL OR i.expires_at > $2)";
        let row: Option<InviteRow> = on_backend!(self, |pool| {
            sqlx::query_as(SQL)
                .bind(digest)
                .bind(now.micros())
                .fetch_optional(pool)
                .await
        })?;
        row.map(Invite::try_from).transpose()
    }

    /// True for the digest of a link that was mailed to whom it invites, and shown to nobody else.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn invite_was_mailed(&self, digest: &str) -> StoreResult<bool> {
        const SQL: &str = "SELECT COUNT(*) FROM invites WHERE mail_token_hash = $1";
        let count: i64 = on_backend!(self, |pool| {
            sqlx::query_scalar(SQL).bind(digest).fetch_one(pool).await
        })?;
        Ok(count > 0)
    }

    /// Gives an invitation the link that is mailed; the one that was mailed before stops. Unaudited: inviting was told.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn keep_mailed_invite(&self, id: InviteId, digest: &str) -> StoreResult<()> {
        const SQL: &str = "UPDATE invites SET mail_token_hash = $2 WHERE id = $1";
        execute!(self, SQL, id.get(), digest)?;
        Ok(())
    }

    /// The invite links of an organisation, in order of their ids.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn invite_links(&self, organisation: OrganisationId) -> StoreResult<Vec<InviteLink>> {
        const SQL: &str = "
            SELECT id, organisation_id, token, role, expires_at, created_at
            FROM invite_links
            WHERE organisation_id = $1
            ORDER BY id";
        let rows: Vec<LinkRow> = on_backend!(self, |pool| {
            sqlx::query_as(SQL)
                .bind(organisation.get())
                .fetch_all(pool)
                .await
        })?;
        rows.into_iter().map(InviteLink::try_from).collect()
    }

    /// An invite link by what stands in it, while its organisation is there.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn invite_link_by_token(&self, token: &str) -> StoreResult<Option<InviteLink>> {
        const SQL: &str = "
            SELECT l.id, l.organisation_id, l.token, l.role, l.expires_at, l.created_at
            FROM invite_links l JOIN organisations o ON o.id = l.organisation_id
            WHERE l.token = $1 AND o.deleted_at IS NULL";
        if !can_be_part(token) {
            return Ok(None);
        }
        let row: Option<LinkRow> = on_backend!(self, |pool| {
            sqlx::query_as(SQL).bind(token).fetch_optional(pool).await
        })?;
        row.map(InviteLink::try_from).transpose()
    }
}

impl Write {
    /// Makes an invitation.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] for an address that is invited already.
    pub async fn insert_invite(&mut self, new: &NewInvite, at: Timestamp) -> StoreResult<Invite> {
        const SQL: &str = "
            INSERT INTO invites (organisation_id, email, email_folded, role, token_hash, invited_by, created_at,
                expires_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
            RETURNING id, organisation_id, email, role, invited_by, created_at";
        let row: InviteRow = on_transaction!(&mut self.transaction, |connection| {
            sqlx::query_as(SQL)
                .bind(new.organisation_id.get())
                .bind(&new.email)
                .bind(folded_key(&new.email))
                .bind(role_text(new.role))
                .bind(&new.digest)
                .bind(new.invited_by.map(MemberId::get))
                .bind(at.micros())
                .bind(new.expires_at.micros())
                .fetch_one(connection)
                .await
        })
        .map_err(StoreError::conflict(Noun::Invite))?;
        Invite::try_from(row)
    }

    /// Gives an invitation another link and time anew; those before stop.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], and when the database does not answer.
    pub async fn renew_invite(
        &mut self,
        id: InviteId,
        digest: &str,
        expires_at: Timestamp,
    ) -> StoreResult<()> {
        const SQL: &str = "
            UPDATE invites SET token_hash = $2, mail_token_hash = NULL, expires_at = $3
            WHERE id = $1";
        change_row!(
            self,
            Noun::Invite,
            SQL,
            id.get(),
            digest,
            expires_at.micros()
        )
    }

    /// Removes an invitation.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], and when the database does not answer.
    pub async fn delete_invite(&mut self, id: InviteId) -> StoreResult<()> {
        const SQL: &str = "DELETE FROM invites WHERE id = $1";
        change_row!(self, Noun::Invite, SQL, id.get())
    }

    /// Makes an invite link.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] for a token in use.
    pub async fn insert_invite_link(
        &mut self,
        new: &NewInviteLink,
        at: Timestamp,
    ) -> StoreResult<InviteLink> {
        const SQL: &str = "
            INSERT INTO invite_links (organisation_id, token, role, expires_at, created_at)
            VALUES ($1, $2, $3, $4, $5)
            RETURNING id, organisation_id, token, role, expires_at, created_at";
        let row: LinkRow = on_transaction!(&mut self.transaction, |connection| {
            sqlx::query_as(SQL)
                .bind(new.organisation_id.get())
                .bind(&*new.token)
                .bind(role_text(new.role))
                .bind(new.expires_at.map(Timestamp::micros))
                .bind(at.micros())
                .fetch_one(connection)
                .await
        })
        .map_err(StoreError::conflict(Noun::InviteLink))?;
        InviteLink::try_from(row)
    }

    /// Removes an invite link.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], and when the database does not answer.
    pub async fn delete_invite_link(&mut self, id: InviteLinkId) -> StoreResult<()> {
        const SQL: &str = "DELETE FROM invite_links WHERE id = $1";
        change_row!(self, Noun::InviteLink, SQL, id.get())
    }
}
