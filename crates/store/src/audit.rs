//! What was done by whom: a chain of entries for each organisation.
//!
//! Each entry carries the hash of the one before and its own over both, so that a changed or missing entry shows.

use crate::backend::{Transaction, on_transaction};
use crate::text::hexadecimal;
use crate::{Noun, StoreResult};
use flagstaff_core::{
    ApiKeyId, EnvironmentId, FeatureId, IdentityId, MemberId, OrganisationId, ProjectId, SegmentId,
    Timestamp, fold,
};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Something was made.
    Create,
    /// Something was changed.
    Update,
    /// Something was deleted.
    Delete,
}

impl Action {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Create, Self::Update, Self::Delete];

    /// The action of a word that is stored.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == word)
    }

    /// The word that is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// A person.
    Member {
        /// Row id.
        id: MemberId,
        /// E-mail address at that time.
        name: String,
    },
    /// A program with an API key.
    ApiKey {
        /// Row id.
        id: ApiKeyId,
        /// The key's name at that time.
        name: String,
    },
    /// The product itself, or its command line.
    System {
        /// Which part.
        name: String,
    },
}

/// What an entry tells of beside its own row, so that a reader can ask for it. Not part of the entry's hash.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AuditSubjects {
    /// The feature.
    pub feature_id: Option<FeatureId>,
    /// The segment.
    pub segment_id: Option<SegmentId>,
    /// The identity.
    pub identity_id: Option<IdentityId>,
}

/// An entry to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Whose chain it goes into; `None` is the installation's own.
    pub organisation_id: Option<OrganisationId>,
    /// The project it tells of.
    pub project_id: Option<ProjectId>,
    /// The environment it tells of.
    pub environment_id: Option<EnvironmentId>,
    /// Who did it.
    pub actor: Actor,
    /// What was done.
    pub action: Action,
    /// To what.
    pub noun: Noun,
    /// Its row.
    pub object_id: Option<i64>,
    /// Its stable id.
    pub object_uuid: Option<Uuid>,
    /// In words.
    pub summary: String,
    /// More, as JSON.
    pub details: Option<String>,
    /// What else it tells of.
    pub subjects: AuditSubjects,
}

/// An entry as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct StoredAuditEntry {
    /// Row id; not part of the hash.
    pub id: i64,
    /// Whose chain it is in; `None` is the installation's own.
    pub organisation_id: Option<i64>,
    /// Place in its chain, from 1.
    pub sequence: i64,
    /// Hash of the entry before; empty for the first.
    pub previous_hash: String,
    /// Hash of this entry.
    pub hash: String,
    /// When, in microseconds since the epoch.
    pub at: i64,
    /// The project's id.
    pub project_id: Option<i64>,
    /// The environment's id.
    pub environment_id: Option<i64>,
    /// `member`, `api key` or `system`.
    pub actor_kind: String,
    /// The member's or the key's id.
    pub actor_id: Option<i64>,
    /// The member's address, the key's name, or the part of the product.
    pub actor_name: String,
    /// `create`, `update` or `delete`.
    pub action: String,
    /// To what.
    pub noun: String,
    /// Its row.
    pub object_id: Option<i64>,
    /// Its stable id.
    pub object_uuid: Option<String>,
    /// In words.
    pub summary: String,
    /// More, as JSON.
    pub details: Option<String>,
    /// The feature it tells of; not part of the hash, as what follows.
    pub feature_id: Option<i64>,
    /// The segment it tells of.
    pub segment_id: Option<i64>,
    /// The identity it tells of.
    pub identity_id: Option<i64>,
}

/// The columns of an entry, for `SELECT`.
macro_rules! audit_columns {
    () => {
        "id, organisation_id, sequence, previous_hash, hash, at, project_id, environment_id, actor_kind, actor_id,
            actor_name, action, noun, object_id, object_uuid, summary, details, feature_id, segment_id, identity_id"
    };
}
pub(crate) use audit_columns;

impl StoredAuditEntry {
    /// The hash this entry must have: SHA-256 over every field from the previous hash to the details, each preceded by its length, in hexadecimal digits.
    #[must_use]
    pub fn expected_hash(&self) -> String {
        let number = |number: Option<i64>| number.map(|number| number.to_string());
        let fields = [
            Some(self.previous_hash.clone()),
            number(self.organisation_id),
            Some(self.sequence.to_string()),
            Some(self.at.to_string()),
            number(self.project_id),
            number(self.environment_id),
            Some(self.actor_kind.clone()),
            number(self.actor_id),
            Some(self.actor_name.clone()),
            Some(self.action.clone()),
            Some(self.noun.clone()),
            number(self.object_id),
            self.object_uuid.clone(),
            Some(self.summary.clone()),
            self.details.clone(),
        ];
        let mut digest = Sha256::new();
        for field in fields {
            match field {
                Some(text) => {
                    digest.update(format!("{}:", text.len()));
                    digest.update(text);
                }
                None => digest.update("-"),
            }
        }
        hexadecimal(&digest.finalize())
    }
}

/// Postgres cannot store a NUL, and an entry must not fail for what it tells of.
fn without_nul(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

impl Transaction {
    /// Appends an entry to its chain. Updating the head first makes others wait for their turn.
    pub(crate) async fn append_audit(
        &mut self,
        entry: &AuditEntry,
        at: Timestamp,
    ) -> StoreResult<()> {
        let (sequence, previous_hash) = self.next_in_chain(entry.organisation_id).await?;
        let (actor_kind, actor_id, actor_name) = match &entry.actor {
            Actor::Member { id, name } => ("member", Some(id.get()), without_nul(name)),
            Actor::ApiKey { id, name } => ("api key", Some(id.get()), without_nul(name)),
            Actor::System { name } => ("system", None, without_nul(name)),
        };
        let mut stored = StoredAuditEntry {
            // The database gives it.
            id: 0,
            organisation_id: entry.organisation_id.map(OrganisationId::get),
            sequence,
            previous_hash,
            hash: String::new(),
            at: at.micros(),
            project_id: entry.project_id.map(ProjectId::get),
            environment_id: entry.environment_id.map(EnvironmentId::get),
            actor_kind: actor_kind.to_owned(),
            actor_id,
            actor_name,
            action: entry.action.as_str().to_owned(),
            noun: entry.noun.as_str().to_owned(),
            object_id: entry.object_id,
            object_uuid: entry.object_uuid.map(|uuid| uuid.to_string()),
            summary: without_nul(&entry.summary),
            details: entry.details.as_deref().map(without_nul),
            feature_id: entry.subjects.feature_id.map(FeatureId::get),
            segment_id: entry.subjects.segment_id.map(SegmentId::get),
            identity_id: entry.subjects.identity_id.map(IdentityId::get),
        };
        stored.hash = stored.expected_hash();
        self.insert_audit(&stored).await?;
        self.keep_head(entry.organisation_id, &stored.hash).await
    }

    async fn next_in_chain(
        &mut self,
        organisation: Option<OrganisationId>,
    ) -> StoreResult<(i64, String)> {
        const ORGANISATION: &str = "
            UPDATE organisations SET audit_sequence = audit_sequence + 1
            WHERE id = $1 RETURNING audit_sequence, audit_hash";
        const INSTANCE: &str = "
            UPDATE instance SET audit_sequence = audit_sequence + 1
            WHERE id = $1 RETURNING audit_sequence, audit_hash";
        let (sql, id) = match organisation {
            Some(id) => (ORGANISATION, id.get()),
            None => (INSTANCE, 1),
        };
        Ok(on_transaction!(self, |connection| {
            sqlx::query_as(sql).bind(id).fetch_one(connection).await
        })?)
    }

    async fn keep_head(
        &mut self,
        organisation: Option<OrganisationId>,
        hash: &str,
    ) -> StoreResult<()> {
        const ORGANISATION: &str = "UPDATE organisations SET audit_hash = $2 WHERE id = $1";
        const INSTANCE: &str = "UPDATE instance SET audit_hash = $2 WHERE id = $1";
        let (sql, id) = match organisation {
            Some(id) => (ORGANISATION, id.get()),
            None => (INSTANCE, 1),
        };
        on_transaction!(self, |connection| {
            sqlx::query(sql)
                .bind(id)
                .bind(hash)
                .execute(connection)
                .await
                .map(drop)
        })?;
        Ok(())
    }

    async fn insert_audit(&mut self, entry: &StoredAuditEntry) -> StoreResult<()> {
        const SQL: &str = "
            INSERT INTO audit_entries (organisation_id, sequence, previous_hash, hash, at, project_id,
                environment_id, actor_kind, actor_id, actor_name, action, noun, object_id, object_uuid,
                summary, details, feature_id, segment_id, identity_id, words_folded)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)";
        let words = fold(&format!("{} {}", entry.summary, entry.actor_name));
        on_transaction!(self, |connection| {
            sqlx::query(SQL)
                .bind(entry.organisation_id)
                .bind(entry.sequence)
                .bind(&entry.previous_hash)
                .bind(&entry.hash)
                .bind(entry.at)
                .bind(entry.project_id)
                .bind(entry.environment_id)
                .bind(&entry.actor_kind)
                .bind(entry.actor_id)
                .bind(&entry.actor_name)
                .bind(&entry.action)
                .bind(&entry.noun)
                .bind(entry.object_id)
                .bind(&entry.object_uuid)
                .bind(&entry.summary)
                .bind(&entry.details)
                .bind(entry.feature_id)
                .bind(entry.segment_id)
                .bind(entry.identity_id)
                .bind(&words)
                .execute(connection)
                .await
                .map(drop)
        })?;
        Ok(())
    }
}
