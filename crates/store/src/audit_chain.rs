//! The chain of the audit log, followed from its first entry to its head.

use crate::audit::{StoredAuditEntry, audit_columns};
use crate::backend::on_backend;
use crate::{Noun, Store, StoreError, StoreResult};
use flagstaff_core::OrganisationId;

/// Whether a chain is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditVerdict {
    /// Every entry follows from the one before, up to the head.
    Whole {
        /// How many entries.
        entries: i64,
    },
    /// An entry was changed, or one is missing.
    Broken {
        /// The first place that does not fit.
        sequence: i64,
    },
}

impl Store {
    /// Entries of a chain after a place in it, in order; at most `limit`.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn audit_entries(
        &self,
        organisation: Option<OrganisationId>,
        after: i64,
        limit: i64,
    ) -> StoreResult<Vec<StoredAuditEntry>> {
        const SQL: &str = concat!(
            "SELECT ",
            audit_columns!(),
            " FROM audit_entries
            WHERE organisation_id IS NOT DISTINCT FROM $1 AND sequence > $2
            ORDER BY sequence LIMIT $3"
        );
        Ok(on_backend!(self, |pool| {
            sqlx::query_as(SQL)
                .bind(organisation.map(OrganisationId::get))
                .bind(after)
                .bind(limit)
                .fetch_all(pool)
                .await
        })?)
    }

    /// Organisations with their names, deleted ones too: each has a chain.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn organisations_with_audit(&self) -> StoreResult<Vec<(OrganisationId, String)>> {
        const SQL: &str = "SELECT id, name FROM organisations ORDER BY id";
        let rows: Vec<(i64, String)> =
            on_backend!(self, |pool| { sqlx::query_as(SQL).fetch_all(pool).await })?;
        let rows = rows.into_iter();
        Ok(rows
            .map(|(id, name)| (OrganisationId::new(id), name))
            .collect())
    }

    /// Follows a chain from its first entry to its head.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there never was such an organisation, and when the database does not answer.
    pub async fn verify_audit(
        &self,
        organisation: Option<OrganisationId>,
    ) -> StoreResult<AuditVerdict> {
        const PAGE: i64 = 1000;
        // An entry added meanwhile is not yet followed; so the head is read first.
        let (last, head) = self.audit_head(organisation).await?;
        let mut sequence = 0;
        let mut previous = String::new();
        while sequence < last {
            let page = PAGE.min(last - sequence);
            let entries = self.audit_entries(organisation, sequence, page).await?;
            if entries.is_empty() {
                break;
            }
            for entry in entries {
                sequence += 1;
                let fits = entry.sequence == sequence
                    && entry.previous_hash == previous
                    && entry.hash == entry.expected_hash();
                if !fits {
                    return Ok(AuditVerdict::Broken { sequence });
                }
                previous = entry.hash;
            }
        }
        if (sequence, &previous) != (last, &head) {
            return Ok(AuditVerdict::Broken {
                sequence: sequence + 1,
            });
        }
        Ok(AuditVerdict::Whole { entries: sequence })
    }

    async fn audit_head(&self, organisation: Option<OrganisationId>) -> StoreResult<(i64, String)> {
        const ORGANISATION: &str =
            "SELECT audit_sequence, audit_hash FROM organisations WHERE id = $1";
        const INSTANCE: &str = "SELECT audit_sequence, audit_hash FROM instance WHERE id = $1";
        let (sql, id) = match organisation {
            Some(id) => (ORGANISATION, id.get()),
            None => (INSTANCE, 1),
        };
        let head: Option<(i64, String)> = on_backend!(self, |pool| {
            sqlx::query_as(sql).bind(id).fetch_optional(pool).await
        })?;
        head.ok_or(StoreError::NotFound {
            noun: Noun::Organisation,
        })
    }
}
