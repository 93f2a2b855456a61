//! Questions to the usage counts: sums by hour and day, and what was evaluated when.

use crate::backend::on_backend;
use crate::text::{CHUNK, placeholders};
use crate::usage::{DAY, RequestKind, UsageLabels};
use crate::{Noun, Store, StoreError, StoreResult};
use flagstaff_core::{EnvironmentId, FeatureId, Timestamp};
use sqlx::AssertSqlSafe;
use std::collections::HashMap;

/// By what times counts are added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UsageStep {
    /// By hour, out of the counts by 15 minutes: for a few days.
    Hour,
    /// By day in UTC: for months.
    Day,
}

impl UsageStep {
    /// How long one is, in microseconds.
    #[must_use]
    pub const fn micros(self) -> i64 {
        match self {
            Self::Hour => 3_600_000_000,
            Self::Day => DAY,
        }
    }

    /// The beginning of the hour or day a time is in.
    #[must_use]
    pub const fn start(self, time: Timestamp) -> Timestamp {
        Timestamp::from_micros(time.micros().div_euclid(self.micros()) * self.micros())
    }
}

/// How often something was asked for in an hour or on a day, in all environments that were named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestSum {
    /// Beginning of the hour or day.
    pub start: Timestamp,
    /// What.
    pub kind: RequestKind,
    /// By what.
    pub labels: UsageLabels,
    /// How often.
    pub count: i64,
}

/// How often a feature was evaluated in an hour or on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvaluationSum {
    /// Beginning of the hour or day.
    pub start: Timestamp,
    /// Whether it was on, where the SDK said so.
    pub enabled: Option<bool>,
    /// By what.
    pub labels: UsageLabels,
    /// How often.
    pub count: i64,
}

fn labels(user_agent: String, name: String, version: String) -> UsageLabels {
    let said = |text: String| (!text.is_empty()).then_some(text);
    UsageLabels {
        user_agent: said(user_agent),
        application_name: said(name),
        application_version: said(version),
    }
}

/// A list of numbers that are ours, as it stands in a statement.
fn list(numbers: impl Iterator<Item = i64>) -> String {
    let numbers: Vec<String> = numbers.map(|number| number.to_string()).collect();
    numbers.join(", ")
}

impl Store {
    /// Requests to some environments together from one time to before another, by hour or day, kind and labels, in that
    /// order.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn request_sums(
        &self,
        environments: &[EnvironmentId],
        step: UsageStep,
        (from, until): (Timestamp, Timestamp),
    ) -> StoreResult<Vec<RequestSum>> {
        if environments.is_empty() {
            return Ok(Vec::new());
        }
        let ids = list(environments.iter().map(|id| id.get()));
        let (table, column) = match step {
            UsageStep::Hour => ("request_counts", "bucket_start"),
            UsageStep::Day => ("request_days", "day"),
        };
        let width = step.micros();
        let sql = format!(
            "SELECT {column} / {width} * {width}, kind, sdk_user_agent, application_name, application_version,
                CAST(SUM(count) AS BIGINT)
            FROM {table}
            WHERE environment_id IN ({ids}) AND {column} >= $1 AND {column} < $2
            GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5"
        );
        let rows: Vec<(i64, String, String, String, String, i64)> = on_backend!(self, |pool| {
            sqlx::query_as(AssertSqlSafe(sql))
                .bind(from.micros())
                .bind(until.micros())
                .fetch_all(pool)
                .await
        })?;
        let sum = |(start, kind, agent, name, version, count): (i64, String, _, _, _, _)| {
            let known = RequestKind::ALL.iter().find(|each| each.as_str() == kind);
            Ok(RequestSum {
                start: Timestamp::from_micros(start),
                kind: *known.ok_or_else(|| StoreError::Corrupt {
                    noun: Noun::Environment,
                    id: 0,
                    problem: format!("counts of unknown requests `{kind}`"),
                })?,
                labels: labels(agent, name, version),
                count,
            })
        };
        rows.into_iter().map(sum).collect()
    }

    /// Evaluations of a feature in an environment from one time to before another, by hour or day, state and labels, in
    /// that order.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn evaluation_sums(
        &self,
        environment: EnvironmentId,
        feature: FeatureId,
        step: UsageStep,
        (from, until): (Timestamp, Timestamp),
    ) -> StoreResult<Vec<EvaluationSum>> {
        const SQL: &str = "
            SELECT bucket_start / $5 * $5, state, sdk_user_agent, application_name, application_version,
                CAST(SUM(count) AS BIGINT)
            FROM evaluation_counts
            WHERE environment_id = $1 AND feature_id = $2 AND bucket_start >= $3 AND bucket_start < $4
            GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5";
        let rows: Vec<(i64, String, String, String, String, i64)> = on_backend!(self, |pool| {
            sqlx::query_as(SQL)
                .bind(environment.get())
                .bind(feature.get())
                .bind(from.micros())
                .bind(until.micros())
                .bind(step.micros())
                .fetch_all(pool)
                .await
        })?;
        let sum = |(start, state, agent, name, version, count): (i64, String, _, _, _, _)| {
            EvaluationSum {
                start: Timestamp::from_micros(start),
                enabled: match state.as_str() {
                    "enabled" => Some(true),
                    "disabled" => Some(false),
                    _ => None,
                },
                labels: labels(agent, name, version),
                count,
            }
        };
        Ok(rows.into_iter().map(sum).collect())
    }

    /// Evaluations of many features in an environment on some days, each given by its beginning in UTC. Features and days
    /// without any are left out.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn evaluation_days(
        &self,
        environment: EnvironmentId,
        features: &[FeatureId],
        days: &[Timestamp],
    ) -> StoreResult<HashMap<(FeatureId, Timestamp), i64>> {
        let mut counts = HashMap::new();
        let days = list(days.iter().map(|day| day.micros()));
        if days.is_empty() {
            return Ok(counts);
        }
        for chunk in features.chunks(CHUNK) {
            // Each day and each feature is looked up in the index: nothing between them is read.
            let sql = format!(
                "SELECT feature_id, day, count FROM evaluation_days
                WHERE environment_id = $1 AND day IN ({days}) AND feature_id IN ({})",
                placeholders(2, chunk.len())
            );
            let rows: Vec<(i64, i64, i64)> = on_backend!(self, |pool| {
                let mut query = sqlx::query_as(AssertSqlSafe(sql)).bind(environment.get());
                for id in chunk {
                    query = query.bind(id.get());
                }
                query.fetch_all(pool).await
            })?;
            counts.extend(rows.into_iter().map(|(feature, day, count)| {
                let key = (FeatureId::new(feature), Timestamp::from_micros(day));
                (key, count)
            }));
        }
        Ok(counts)
    }

    /// The features of an environment that were evaluated most since a day, the most evaluated first, with their counts.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn busiest_features(
        &self,
        environment: EnvironmentId,
        since: Timestamp,
        limit: u32,
    ) -> StoreResult<Vec<(FeatureId, i64)>> {
        const SQL: &str = "
            SELECT d.feature_id, CAST(SUM(d.count) AS BIGINT)
            FROM evaluation_days d
            WHERE d.environment_id = $1 AND d.day >= $2
            GROUP BY d.feature_id ORDER BY 2 DESC, 1 LIMIT $3";
        let rows: Vec<(i64, i64)> = on_backend!(self, |pool| {
            sqlx::query_as(SQL)
                .bind(environment.get())
                .bind(since.micros())
                .bind(i64::from(limit))
                .fetch_all(pool)
                .await
        })?;
        let pair = |(feature, count)| (FeatureId::new(feature), count);
        Ok(rows.into_iter().map(pair).collect())
    }

    /// The beginning of the last 15 minutes in which each of some features was evaluated in any of some environments. Those that never
    /// were are left out.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn last_evaluations(
        &self,
        environments: &[EnvironmentId],
        features: &[FeatureId],
    ) -> StoreResult<HashMap<FeatureId, Timestamp>> {
        let mut last = HashMap::new();
        for environment in environments {
            for chunk in features.chunks(CHUNK) {
                // The end of each feature's part of the index; nothing else is read.
                let sql = format!(
                    "SELECT f.id, (SELECT MAX(c.bucket_start) FROM evaluation_counts c
                        WHERE c.environment_id = $1 AND c.feature_id = f.id)
                    FROM features f WHERE f.id IN ({})",
                    placeholders(2, chunk.len())
                );
                let rows: Vec<(i64, Option<i64>)> = on_backend!(self, |pool| {
                    let mut query = sqlx::query_as(AssertSqlSafe(sql)).bind(environment.get());
                    for id in chunk {
                        query = query.bind(id.get());
                    }
                    query.fetch_all(pool).await
                })?;
                for (feature, at) in rows {
                    let Some(at) = at.map(Timestamp::from_micros) else {
                        continue;
                    };
                    let known = last.entry(FeatureId::new(feature)).or_insert(at);
                    *known = at.max(*known);
                }
            }
        }
        Ok(last)
    }
}
