//! What rollouts are told: successes and failures, and reports of health. Unaudited.

use crate::backend::{on_backend, on_transaction, on_writer};
use crate::error::Noun;
use crate::{Store, StoreError, StoreResult};
use flagstaff_core::guard::{Arms, Counts, HealthReport};
use flagstaff_core::{RolloutId, Timestamp};

/// How long it is remembered that a report counted.
const KEY_MEMORY: i64 = 24 * 3_600_000_000;
/// No total grows beyond this: it stays a whole number everywhere.
const MOST: i64 = 1 << 53;

/// Names a report, so that it counts once however often it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportKey<'a> {
    /// What the sender calls it.
    pub key: &'a str,
    /// Digest of what is reported.
    pub digest: &'a str,
}

/// What became of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// It was counted.
    Counted,
    /// It had been counted before.
    Known,
    /// Something else was counted under its key.
    Different,
}

impl Store {
    /// Adds successes and failures. Unaudited.
    ///
    /// # Errors
    /// When the database does not answer; then nothing was added.
    pub async fn record_signals(
        &self,
        rollout: RolloutId,
        arms: Arms,
        key: Option<ReportKey<'_>>,
        at: Timestamp,
    ) -> StoreResult<Recorded> {
        const KEY: &str = "
            INSERT INTO rollout_signal_keys (rollout_id, idempotency_key, digest, at) VALUES ($1, $2, $3, $4)
            ON CONFLICT (rollout_id, idempotency_key) DO NOTHING";
        const KNOWN: &str = "
            SELECT digest FROM rollout_signal_keys WHERE rollout_id = $1 AND idempotency_key = $2";
        const FORGET: &str = "DELETE FROM rollout_signal_keys WHERE at < $1";
        const ADD: &str = "
            INSERT INTO rollout_signals (rollout_id, arm, successes, failures, updated_at)
            VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (rollout_id, arm) DO UPDATE SET
                successes = CASE WHEN rollout_signals.successes > $6 - excluded.successes
                    THEN $6 ELSE rollout_signals.successes + excluded.successes END,
                failures = CASE WHEN rollout_signals.failures > $6 - excluded.failures
                    THEN $6 ELSE rollout_signals.failures + excluded.failures END,
                updated_at = excluded.updated_at";
        let mut transaction = self.begin().await?;
        if let Some(key) = key {
            let old = at.micros() - KEY_MEMORY;
            on_transaction!(&mut transaction, |connection| {
                sqlx::query(FORGET)
                    .bind(old)
                    .execute(connection)
                    .await
                    .map(drop)
            })?;
            let new = on_transaction!(&mut transaction, |connection| {
                sqlx::query(KEY)
                    .bind(rollout.get())
                    .bind(key.key)
                    .bind(key.digest)
                    .bind(at.micros())
                    .execute(connection)
                    .await
                    .map(|done| done.rows_affected())
            })?;
            if new == 0 {
                let known: String = on_transaction!(&mut transaction, |connection| {
                    sqlx::query_scalar(KNOWN)
                        .bind(rollout.get())
                        .bind(key.key)
                        .fetch_one(connection)
                        .await
                })?;
                let is_same = known == key.digest;
                transaction.roll_back().await?;
                return Ok(if is_same {
                    Recorded::Known
                } else {
                    Recorded::Different
                });
            }
        }
        // Always in this order, so that two reports do not wait for each other.
        for (arm, counts) in [("control", arms.control), ("treated", arms.treated)] {
            if counts.total() == 0 {
                continue;
            }
            let number = |count: u64| i64::try_from(count).unwrap_or(MOST).min(MOST);
            on_transaction!(&mut transaction, |connection| {
                sqlx::query(ADD)
                    .bind(rollout.get())
                    .bind(arm)
                    .bind(number(counts.successes))
                    .bind(number(counts.failures))
                    .bind(at.micros())
                    .bind(MOST)
                    .execute(connection)
                    .await
                    .map(drop)
            })?;
        }
        transaction.commit().await?;
        Ok(Recorded::Counted)
    }

    /// All successes and failures that were reported of a rollout.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn signals(&self, rollout: RolloutId) -> StoreResult<Arms> {
        const SQL: &str =
            "SELECT arm, successes, failures FROM rollout_signals WHERE rollout_id = $1";
        let rows: Vec<(String, i64, i64)> = on_backend!(self, |pool| {
            sqlx::query_as(SQL)
                .bind(rollout.get())
                .fetch_all(pool)
                .await
        })?;
        let mut arms = Arms::default();
        for (arm, successes, failures) in rows {
            let counts = Counts {
                successes: successes.unsigned_abs(),
                failures: failures.unsigned_abs(),
            };
            match arm.as_str() {
                "treated" => arms.treated = counts,
                "control" => arms.control = counts,
                other => {
                    return Err(StoreError::Corrupt {
                        noun: Noun::Rollout,
                        id: rollout.get(),
                        problem: format!("counts of `{other}`"),
                    });
                }
            }
        }
        Ok(arms)
    }

    /// Writes what somebody last reported of a feature's health; false where so many others have reported that one more
    /// is too many. Unaudited.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn record_health(
        &self,
        rollout: RolloutId,
        report: &HealthReport,
        most: i64,
    ) -> StoreResult<bool> {
        const SQL: &str = "
            INSERT INTO rollout_health (rollout_id, source, is_healthy, reason, at)
            SELECT CAST($1 AS BIGINT), CAST($2 AS TEXT), CAST($3 AS BOOLEAN), CAST($4 AS TEXT), CAST($5 AS BIGINT)
            WHERE (SELECT COUNT(*) FROM rollout_health WHERE rollout_id = $1 AND source <> $2) < $6
            ON CONFLICT (rollout_id, source) DO UPDATE SET
                is_healthy = excluded.is_healthy, reason = excluded.reason, at = excluded.at";
        let done = on_writer!(self, |pool| {
            sqlx::query(SQL)
                .bind(rollout.get())
                .bind(&report.source)
                .bind(report.is_healthy)
                .bind(&report.reason)
                .bind(report.at.micros())
                .bind(most)
                .execute(pool)
                .await
                .map(|done| done.rows_affected())
        })?;
        Ok(done > 0)
    }

    /// The last report of each who reports, by name.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn health_reports(&self, rollout: RolloutId) -> StoreResult<Vec<HealthReport>> {
        const SQL: &str = "
            SELECT source, is_healthy, reason, at FROM rollout_health
            WHERE rollout_id = $1 ORDER BY source";
        let rows: Vec<(String, bool, Option<String>, i64)> = on_backend!(self, |pool| {
            sqlx::query_as(SQL)
                .bind(rollout.get())
                .fetch_all(pool)
                .await
        })?;
        let report = |(source, is_healthy, reason, at)| HealthReport {
            source,
            is_healthy,
            reason,
            at: Timestamp::from_micros(at),
        };
        Ok(rows.into_iter().map(report).collect())
    }
}
