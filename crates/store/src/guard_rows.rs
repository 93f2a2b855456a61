//! How guards of rollouts are stored: a row has the columns of every kind of guard.

use crate::error::{Noun, word};
use crate::{StoreError, StoreResult};
use flagstaff_core::guard::{
    Arms, Counts, Evidence, Guard, GuardAction, Harm, RateLimit, SequentialTest, Sight, Threshold,
    Verdict, Watch,
};
use flagstaff_core::{GuardId, RolloutId, Timestamp};

/// A guard as it is stored.
#[derive(sqlx::FromRow)]
pub(crate) struct GuardRow {
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

/// What a [`GuardRow`] is read from.
pub(crate) const COLUMNS: &str = "id, uuid, rollout_id, name, kind, source, query, harm, limit_value, minimum, alpha,
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
pub(crate) fn counted_text(sight: &Sight) -> String {
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

/// The columns that a kind has.
#[derive(Default)]
pub(crate) struct Parts<'a> {
    pub(crate) source: Option<&'a str>,
    pub(crate) query: Option<&'a str>,
    pub(crate) harm: Option<&'static str>,
    pub(crate) limit: Option<f64>,
    pub(crate) minimum: Option<i64>,
    pub(crate) test: Option<&'a SequentialTest>,
}

impl<'a> Parts<'a> {
    pub(crate) fn of(watch: &'a Watch) -> Self {
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
