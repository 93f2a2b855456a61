//! Events that wait to be delivered: claimed row by row, for a time. Unaudited.

use crate::backend::{execute, on_transaction};
use crate::{OutboxEvent, Store, StoreResult};
use flagstaff_core::{EnvironmentId, OrganisationId, Timestamp};

/// An event that a worker has claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedEvent {
    /// Row id.
    pub id: i64,
    /// What is to be delivered.
    pub event: OutboxEvent,
    /// When it was written.
    pub created_at: Timestamp,
    /// How often it was claimed, this time included.
    pub attempts: i64,
}

#[derive(sqlx::FromRow)]
struct EventRow {
    id: i64,
    kind: String,
    organisation_id: Option<i64>,
    environment_id: Option<i64>,
    payload: String,
    created_at: i64,
    attempts: i64,
}

impl From<EventRow> for ClaimedEvent {
    fn from(row: EventRow) -> Self {
        Self {
            id: row.id,
            event: OutboxEvent {
                kind: row.kind,
                organisation_id: row.organisation_id.map(OrganisationId::new),
                environment_id: row.environment_id.map(EnvironmentId::new),
                payload: row.payload,
            },
            created_at: Timestamp::from_micros(row.created_at),
            attempts: row.attempts,
        }
    }
}

impl Store {
    /// Writes an event that no change has caused, to be delivered at once. Unaudited: a wish that may come to nothing.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn insert_event(&self, event: &OutboxEvent, at: Timestamp) -> StoreResult<()> {
        const SQL: &str = "
            INSERT INTO outbox (kind, organisation_id, environment_id, payload, created_at, due_at)
            VALUES ($1, $2, $3, $4, $5, $5)";
        execute!(
            self,
            SQL,
            &event.kind,
            event.organisation_id.map(OrganisationId::get),
            event.environment_id.map(EnvironmentId::get),
            &event.payload,
            at.micros()
        )?;
        Ok(())
    }

    /// Claims events of a kind that are due, oldest first: until `lease_until` no other worker gets them, and afterwards they
    /// are due again.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn claim_outbox(
        &self,
        kind: &str,
        worker: &str,
        now: Timestamp,
        lease_until: Timestamp,
        limit: u32,
    ) -> StoreResult<Vec<ClaimedEvent>> {
        // The outer condition decides on Postgres, where two workers may have chosen the same rows.
        const SQL: &str = "
            UPDATE outbox SET claimed_by = $1, due_at = $3, attempts = attempts + 1
            WHERE due_at <= $2
                AND id IN (SELECT id FROM outbox WHERE due_at <= $2 AND kind = $5 ORDER BY due_at, id LIMIT $4)
            RETURNING id, kind, organisation_id, environment_id, payload, created_at, attempts";
        let mut transaction = self.begin().await?;
        let mut rows: Vec<EventRow> = on_transaction!(&mut transaction, |connection| {
            sqlx::query_as(SQL)
                .bind(worker)
                .bind(now.micros())
                .bind(lease_until.micros())
                .bind(i64::from(limit))
                .bind(kind)
                .fetch_all(connection)
                .await
        })?;
        transaction.commit().await?;
        rows.sort_by_key(|row| row.id);
        Ok(rows.into_iter().map(ClaimedEvent::from).collect())
    }

    /// Takes a delivered event out; false when the worker's claim had passed to another.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn finish_outbox(&self, id: i64, worker: &str) -> StoreResult<bool> {
        const SQL: &str = "DELETE FROM outbox WHERE id = $1 AND claimed_by = $2";
        let done = execute!(self, SQL, id, worker)?;
        Ok(done > 0)
    }

    /// Gives an event back that could not be delivered, to be due later; false when the worker's claim had passed to
    /// another.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn retry_outbox(
        &self,
        id: i64,
        worker: &str,
        due_at: Timestamp,
        problem: &str,
    ) -> StoreResult<bool> {
        const SQL: &str = "
            UPDATE outbox SET claimed_by = NULL, due_at = $3, last_error = $4
            WHERE id = $1 AND claimed_by = $2";
        let done = execute!(
            self,
            SQL,
            id,
            worker,
            due_at.micros(),
            problem.replace('\0', "\u{fffd}")
        )?;
        Ok(done > 0)
    }
}
