//! Guards of rollouts. What they saw is written without an audit entry: what they do about it has one.

use crate::backend::{change_row, execute, on_backend, on_transaction, on_writer};
use crate::error::Noun;
use crate::guard_rows::{COLUMNS, GuardRow, Parts, counted_text};
use crate::{Store, StoreError, StoreResult, Write};
use flagstaff_core::guard::{Guard, GuardAction, Sight, Watch};
use flagstaff_core::{GuardId, RolloutId, Timestamp};
use uuid::Uuid;

/// A guard to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct NewGuard {
    /// Stable id.
    pub uuid: Uuid,
    /// Whose.
    pub rollout_id: RolloutId,
    /// What people call it.
    pub name: String,
    /// The same, folded: unique within the rollout.
    pub folded_name: String,
    /// What it watches.
    pub watch: Watch,
    /// What it does about harm.
    pub on_harm: GuardAction,
    /// What it does about silence.
    pub on_silence: GuardAction,
    /// How long nothing may be measured.
    pub grace_seconds: u32,
    /// Seconds between two looks.
    pub every_seconds: u32,
    /// Harmful looks in a row that it takes.
    pub looks: u32,
    /// Who makes it, as people know them.
    pub created_by: String,
}

impl Store {
    /// Guards of a rollout, in the order in which they were made.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn guards(&self, rollout: RolloutId) -> StoreResult<Vec<Guard>> {
        let sql = format!("SELECT {COLUMNS} FROM rollout_guards WHERE rollout_id = $1 ORDER BY id");
        let rows: Vec<GuardRow> = on_backend!(self, |pool| {
            sqlx::query_as(sqlx::AssertSqlSafe(sql))
                .bind(rollout.get())
                .fetch_all(pool)
                .await
        })?;
        rows.into_iter().map(Guard::try_from).collect()
    }

    /// Claims guards that are to look, those that wait longest first: until `until` no other worker gets them.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn claim_guards(
        &self,
        worker: &str,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> StoreResult<Vec<Guard>> {
        // The outer condition decides on Postgres, where two workers may have chosen the same rows.
        let sql = format!(
            "UPDATE rollout_guards SET claimed_by = $1, due_at = $3
            WHERE due_at <= $2
                AND id IN (SELECT id FROM rollout_guards WHERE due_at <= $2 ORDER BY due_at, id LIMIT $4)
            RETURNING {COLUMNS}"
        );
        let rows: Vec<GuardRow> = on_writer!(self, |pool| {
            sqlx::query_as(sqlx::AssertSqlSafe(sql))
                .bind(worker)
                .bind(now.micros())
                .bind(until.micros())
                .bind(i64::from(limit))
                .fetch_all(pool)
                .await
        })?;
        rows.into_iter().map(Guard::try_from).collect()
    }

    /// True where a guard is to look by now: asked before anything is claimed, because that writes.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn has_due_guards(&self, now: Timestamp) -> StoreResult<bool> {
        const SQL: &str = "SELECT id FROM rollout_guards WHERE due_at <= $1 LIMIT 1";
        let found: Option<i64> = on_backend!(self, |pool| {
            sqlx::query_scalar(SQL)
                .bind(now.micros())
                .fetch_optional(pool)
                .await
        })?;
        Ok(found.is_some())
    }

    /// True while a worker's claim of a guard lasts.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn has_claim(&self, id: GuardId, worker: &str, now: Timestamp) -> StoreResult<bool> {
        const SQL: &str = "
            SELECT id FROM rollout_guards WHERE id = $1 AND claimed_by = $2 AND due_at > $3";
        let found: Option<i64> = on_backend!(self, |pool| {
            sqlx::query_scalar(SQL)
                .bind(id.get())
                .bind(worker)
                .bind(now.micros())
                .fetch_optional(pool)
                .await
        })?;
        Ok(found.is_some())
    }

    /// Writes what a claimed guard saw, and when it looks next: never, where its rollout has ended. False when the claim
    /// had passed to another.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn record_look(
        &self,
        id: GuardId,
        worker: &str,
        sight: &Sight,
        due_at: Option<Timestamp>,
    ) -> StoreResult<bool> {
        const SQL: &str = "
            UPDATE rollout_guards
            SET verdict = $3, detail = $4, measured = $5, looked_at = $6, quiet_since = $7, harmful_looks = $8,
                step = $9, counted = $10, evidence = $11, due_at = $12, claimed_by = NULL
            WHERE id = $1 AND claimed_by = $2";
        let step = sight.step.and_then(|step| i64::try_from(step).ok());
        let done = execute!(
            self,
            SQL,
            id.get(),
            worker,
            sight.verdict.as_str(),
            sight.detail.replace('\0', "\u{fffd}"),
            sight.measured.map(|number| number.to_string()),
            sight.looked_at.map(Timestamp::micros),
            sight.quiet_since.map(Timestamp::micros),
            i64::from(sight.harmful_looks),
            step,
            counted_text(sight),
            sight.evidence.to_text(),
            due_at.map(Timestamp::micros),
        )?;
        Ok(done > 0)
    }
}

impl Write {
    /// Makes a guard, which looks at once.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where the rollout has one of that name.
    pub async fn insert_guard(&mut self, new: &NewGuard, at: Timestamp) -> StoreResult<Guard> {
        let sql = format!(
            "INSERT INTO rollout_guards (uuid, rollout_id, name, folded_name, kind, source, query, harm,
                limit_value, minimum, alpha, tolerated, harmful, on_harm, on_silence, grace_seconds,
                every_seconds, looks, created_by, created_at, verdict, detail, harmful_looks, counted, evidence,
                due_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
                $21, '', 0, $22, $23, $20)
            RETURNING {COLUMNS}"
        );
        let sight = Sight::default();
        let parts = Parts::of(&new.watch);
        let row: GuardRow = on_transaction!(&mut self.transaction, |connection| {
            sqlx::query_as(sqlx::AssertSqlSafe(sql))
                .bind(new.uuid.to_string())
                .bind(new.rollout_id.get())
                .bind(&new.name)
                .bind(&new.folded_name)
                .bind(new.watch.kind())
                .bind(parts.source)
                .bind(parts.query)
                .bind(parts.harm)
                .bind(parts.limit)
                .bind(parts.minimum)
                .bind(parts.test.map(|test| test.alpha))
                .bind(parts.test.map(|test| test.tolerated))
                .bind(parts.test.map(|test| test.harmful))
                .bind(new.on_harm.as_str())
                .bind(new.on_silence.as_str())
                .bind(i64::from(new.grace_seconds))
                .bind(i64::from(new.every_seconds))
                .bind(i64::from(new.looks))
                .bind(&new.created_by)
                .bind(at.micros())
                .bind(sight.verdict.as_str())
                .bind(counted_text(&sight))
                .bind(sight.evidence.to_text())
                .fetch_one(connection)
                .await
        })
        .map_err(StoreError::conflict(Noun::Guard))?;
        Guard::try_from(row)
    }

    /// Deletes a guard: the audit log alone remembers it.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], and when the database does not answer.
    pub async fn delete_guard(&mut self, id: GuardId) -> StoreResult<()> {
        const SQL: &str = "DELETE FROM rollout_guards WHERE id = $1";
        change_row!(self, Noun::Guard, SQL, id.get())
    }
}
