//! Guards of rollouts. What they saw is written without an audit entry: what they do about it has one.

use crate::backend::{change_row, on_backend, on_transaction, on_writer};
use crate::error::{Noun, word};
use crate::{Store, StoreError, StoreResult, Write};
use flagstaff_core::guard::{
    Arms, Counts, Evidence, Guard, GuardAction, Harm, RateLimit, SequentialTest, Sight, Threshold,
    Verdict, Watch,
};
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

#[derive(sqlx::FromRow)]
struct GuardRow {
    id: i64,
    uuid: String,
    rollout_id: i64,
    name: String,
    kind: String,
    source: Option<String>,
    query: Option<String>,
    harm: Option<String>,
    limit_value: Option<f64>,
    minimum: Option<i64>,
    alpha: Option<f64>,
    tolerated: Option<f64>,
    harmful: Option<f64>,
    on_harm: String,
    on_silence: String,
    grace_seconds: i64,
    every_seconds: i64,
    looks: i64,
    created_by: String,
    created_at: i64,
    verdict: String,
    detail: String,
    measured: Option<String>,
    looked_at: Option<i64>,
    quiet_since: Option<i64>,
    harmful_looks: i64,
    step: Option<i64>,
    counted: String,
    evidence: String,
}

const COLUMNS: &str = "id, uuid, rollout_id, name, kind, source, query, harm, limit_value, minimum, alpha,
    tolerated, harmful, on_harm, on_silence, grace_seconds, every_seconds, looks, created_by, created_at,
    verdict, detail, measured, looked_at, quiet_since, harmful_looks, step, counted, evidence";

impl GuardRow {
    fn corrupt(&self, problem: &str) -> StoreError {
        StoreError::Corrupt {
            noun: Noun::Guard,
            id: self.id,
            problem: problem.to_owned(),
        }
    }

    fn watch(&self) -> StoreResult<Watch> {
        let missing = || self.corrupt("a column of its kind is empty");
        let limit = || self.limit_value.ok_or_else(missing);
        match self.kind.as_str() {
            "metric" => {
                let harm = self.harm.as_deref().ok_or_else(missing)?;
                Ok(Watch::Metric {
                    source: self.source.clone().ok_or_else(missing)?,
                    query: self.query.clone().ok_or_else(missing)?,
                    threshold: Threshold {
                        harm: word(Noun::Guard, self.id, Harm::parse, harm)?,
                        limit: limit()?,
                    },
                })
            }
            "failure_rate" => Ok(Watch::FailureRate(RateLimit {
                limit: limit()?,
                minimum: self.minimum.ok_or_else(missing)?.unsigned_abs(),
            })),
            "comparison" => Ok(Watch::Comparison(SequentialTest {
                alpha: self.alpha.ok_or_else(missing)?,
                tolerated: self.tolerated.ok_or_else(missing)?,
                harmful: self.harmful.ok_or_else(missing)?,
            })),
            "health" => Ok(Watch::Health),
            _ => Err(self.corrupt("its kind is unknown")),
        }
    }

    fn sight(&self) -> StoreResult<Sight> {
        let noun = Noun::Guard;
        let measured = self.measured.as_deref().map(str::parse::<f64>);
        let counted = arms(&self.counted).ok_or_else(|| self.corrupt("counts are no counts"))?;
        Ok(Sight {
            verdict: word(noun, self.id, Verdict::parse, &self.verdict)?,
            detail: self.detail.clone(),
            measured: measured
                .transpose()
                .map_err(|_| self.corrupt("what was measured is no number"))?,
            looked_at: self.looked_at.map(Timestamp::from_micros),
            quiet_since: self.quiet_since.map(Timestamp::from_micros),
            harmful_looks: small(self.harmful_looks),
            step: self.step.and_then(|step| usize::try_from(step).ok()),
            base: counted[0],
            counted: counted[1],
            evidence: Evidence::parse(&self.evidence)
                .ok_or_else(|| self.corrupt("evidence is none"))?,
        })
    }
}

impl TryFrom<GuardRow> for Guard {
    type Error = StoreError;

    fn try_from(row: GuardRow) -> StoreResult<Self> {
        let noun = Noun::Guard;
        Ok(Self {
            id: GuardId::new(row.id),
            uuid: crate::error::uuid(noun, row.id, &row.uuid)?,
            rollout_id: RolloutId::new(row.rollout_id),
            watch: row.watch()?,
            on_harm: word(noun, row.id, GuardAction::parse, &row.on_harm)?,
            on_silence: word(noun, row.id, GuardAction::parse, &row.on_silence)?,
            grace_seconds: small(row.grace_seconds),
            every_seconds: small(row.every_seconds),
            looks: small(row.looks),
            sight: row.sight()?,
            created_at: Timestamp::from_micros(row.created_at),
            name: row.name,
            created_by: row.created_by,
        })
    }
}

fn small(number: i64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Both counts of a sight, as they are stored.
fn counted_text(sight: &Sight) -> String {
    let of = |arms: Arms| {
        let (treated, control) = (arms.treated, arms.control);
        format!(
            "{} {} {} {}",
            treated.successes, treated.failures, control.successes, control.failures
        )
    };
    format!("{} {}", of(sight.base), of(sight.counted))
}

fn arms(text: &str) -> Option<[Arms; 2]> {
    let numbers: Result<Vec<u64>, _> = text.split(' ').map(str::parse).collect();
    let numbers: [u64; 8] = numbers.ok()?.try_into().ok()?;
    let counts = |at: usize| Counts {
        successes: numbers[at],
        failures: numbers[at + 1],
    };
    let arms = |at: usize| Arms {
        treated: counts(at),
        control: counts(at + 2),
    };
    Some([arms(0), arms(4)])
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
        let done = on_writer!(self, |pool| {
            sqlx::query(SQL)
                .bind(id.get())
                .bind(worker)
                .bind(sight.verdict.as_str())
                .bind(sight.detail.replace('\0', "\u{fffd}"))
                .bind(sight.measured.map(|number| number.to_string()))
                .bind(sight.looked_at.map(Timestamp::micros))
                .bind(sight.quiet_since.map(Timestamp::micros))
                .bind(i64::from(sight.harmful_looks))
                .bind(step)
                .bind(counted_text(sight))
                .bind(sight.evidence.to_text())
                .bind(due_at.map(Timestamp::micros))
                .execute(pool)
                .await
                .map(|done| done.rows_affected())
        })?;
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

/// The columns that a kind has.
#[derive(Default)]
struct Parts<'a> {
    source: Option<&'a str>,
    query: Option<&'a str>,
    harm: Option<&'static str>,
    limit: Option<f64>,
    minimum: Option<i64>,
    test: Option<&'a SequentialTest>,
}

impl<'a> Parts<'a> {
    fn of(watch: &'a Watch) -> Self {
        match watch {
            Watch::Metric {
                source,
                query,
                threshold,
            } => Self {
                source: Some(source),
                query: Some(query),
                harm: Some(threshold.harm.as_str()),
                limit: Some(threshold.limit),
                ..Self::default()
            },
            Watch::FailureRate(rate) => Self {
                limit: Some(rate.limit),
                minimum: Some(i64::try_from(rate.minimum).unwrap_or(i64::MAX)),
                ..Self::default()
            },
            Watch::Comparison(test) => Self {
                test: Some(test),
                ..Self::default()
            },
            Watch::Health => Self::default(),
        }
    }
}
