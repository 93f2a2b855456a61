//! Usage counts: by 15 minutes, and added up by day for charts over months.

use crate::backend::{Transaction, on_backend, on_transaction};
use crate::variant_counts::VariantCountRow;
use crate::{Store, StoreResult};
use flagstaff_core::{EnvironmentId, FeatureId, Timestamp};
use std::collections::BTreeMap;
use uuid::Uuid;

/// A day, in microseconds.
pub(crate) const DAY: i64 = 24 * 3_600_000_000;

/// How long the id of a flush is remembered: a day, far longer than anybody tries again.
const FLUSH_MEMORY: i64 = 24 * 3_600_000_000;

/// What kind of request was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RequestKind {
    /// All flags of an environment.
    Flags,
    /// Flags of an identity.
    Identities,
    /// Traits alone.
    Traits,
    /// The document for local evaluation.
    EnvironmentDocument,
}

impl RequestKind {
    /// Every one, in the order people know them in.
    pub const ALL: [Self; 4] = [
        Self::Flags,
        Self::Identities,
        Self::Traits,
        Self::EnvironmentDocument,
    ];

    /// The word that is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Flags => "flags",
            Self::Identities => "identities",
            Self::Traits => "traits",
            Self::EnvironmentDocument => "environment_document",
        }
    }
}

/// What an SDK said of itself; kept as empty text where it said nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UsageLabels {
    /// Name and version of the SDK.
    pub user_agent: Option<String>,
    /// The application's name.
    pub application_name: Option<String>,
    /// The application's version.
    pub application_version: Option<String>,
}

/// How often a feature was evaluated in an interval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvaluationCountRow {
    /// Where.
    pub environment_id: EnvironmentId,
    /// Of what.
    pub feature_id: FeatureId,
    /// Whether it was on, where the SDK said so.
    pub enabled: Option<bool>,
    /// Beginning of the interval.
    pub bucket: Timestamp,
    /// By what.
    pub labels: UsageLabels,
    /// How often.
    pub count: i64,
}

/// How often something was asked for in an interval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestCountRow {
    /// Where.
    pub environment_id: EnvironmentId,
    /// What.
    pub kind: RequestKind,
    /// Beginning of the interval.
    pub bucket: Timestamp,
    /// By what.
    pub labels: UsageLabels,
    /// How often.
    pub count: i64,
}

/// Counts that are written together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UsageRows {
    /// Evaluations that SDKs report.
    pub evaluations: Vec<EvaluationCountRow>,
    /// Requests.
    pub requests: Vec<RequestCountRow>,
    /// Variants that were given out.
    pub variants: Vec<VariantCountRow>,
}

const fn state_text(enabled: Option<bool>) -> &'static str {
    match enabled {
        Some(true) => "enabled",
        Some(false) => "disabled",
        None => "unknown",
    }
}

impl Store {
    /// Adds counts. Unaudited. A batch that was written before under the same id adds nothing.
    ///
    /// # Errors
    /// When the database does not answer; then nothing was added.
    pub async fn record_counts(
        &self,
        flush_id: Uuid,
        rows: &UsageRows,
        at: Timestamp,
    ) -> StoreResult<()> {
        const FLUSH: &str = "
            INSERT INTO usage_flushes (flush_id, at) VALUES ($1, $2)
            ON CONFLICT (flush_id) DO NOTHING";
        const FORGET: &str = "DELETE FROM usage_flushes WHERE at < $1";
        let mut transaction = self.begin().await?;
        let new = on_transaction!(&mut transaction, |connection| {
            sqlx::query(FLUSH)
                .bind(flush_id.to_string())
                .bind(at.micros())
                .execute(connection)
                .await
                .map(|done| done.rows_affected())
        })?;
        if new == 0 {
            return Ok(());
        }
        on_transaction!(&mut transaction, |connection| {
            sqlx::query(FORGET)
                .bind(at.micros() - FLUSH_MEMORY)
                .execute(connection)
                .await
                .map(drop)
        })?;
        // In one order, so that two nodes do not lock rows against each other.
        let mut evaluations: Vec<_> = rows.evaluations.iter().collect();
        evaluations.sort_by_key(|row| {
            let place = (row.environment_id, row.feature_id, row.bucket, row.enabled);
            (place, &row.labels)
        });
        for row in evaluations {
            transaction.add_evaluations(row).await?;
        }
        let mut requests: Vec<_> = rows.requests.iter().collect();
        requests.sort_by_key(|row| {
            let place = (row.environment_id, row.kind, row.bucket);
            (place, &row.labels)
        });
        for row in requests {
            transaction.add_requests(row).await?;
        }
        transaction.add_days(rows).await?;
        transaction.add_variants(rows).await?;
        transaction.commit().await
    }

    /// Evaluations of a feature in an environment since a time.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn count_evaluations(
        &self,
        environment: EnvironmentId,
        feature: FeatureId,
        since: Timestamp,
    ) -> StoreResult<i64> {
        const SQL: &str = "
            SELECT CAST(COALESCE(SUM(count), 0) AS BIGINT) FROM evaluation_counts
            WHERE environment_id = $1 AND feature_id = $2 AND bucket_start >= $3";
        Ok(on_backend!(self, |pool| {
            sqlx::query_scalar(SQL)
                .bind(environment.get())
                .bind(feature.get())
                .bind(since.micros())
                .fetch_one(pool)
                .await
        })?)
    }

    /// Beginning of the first interval in which flags of an environment were asked for, with what the SDK said of
    /// itself.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn first_request(
        &self,
        environment: EnvironmentId,
    ) -> StoreResult<Option<(Timestamp, UsageLabels)>> {
        const SQL: &str = "
            SELECT bucket_start, sdk_user_agent, application_name, application_version
            FROM request_counts
            WHERE environment_id = $1 AND kind <> 'traits'
            ORDER BY bucket_start, sdk_user_agent DESC LIMIT 1";
        let row: Option<(i64, String, String, String)> = on_backend!(self, |pool| {
            sqlx::query_as(SQL)
                .bind(environment.get())
                .fetch_optional(pool)
                .await
        })?;
        let said = |text: String| (!text.is_empty()).then_some(text);
        Ok(row.map(|(start, user_agent, name, version)| {
            let labels = UsageLabels {
                user_agent: said(user_agent),
                application_name: said(name),
                application_version: said(version),
            };
            (Timestamp::from_micros(start), labels)
        }))
    }

    /// Requests of a kind to an environment since a time.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn count_requests(
        &self,
        environment: EnvironmentId,
        kind: RequestKind,
        since: Timestamp,
    ) -> StoreResult<i64> {
        const SQL: &str = "
            SELECT CAST(COALESCE(SUM(count), 0) AS BIGINT) FROM request_counts
            WHERE environment_id = $1 AND kind = $2 AND bucket_start >= $3";
        Ok(on_backend!(self, |pool| {
            sqlx::query_scalar(SQL)
                .bind(environment.get())
                .bind(kind.as_str())
                .bind(since.micros())
                .fetch_one(pool)
                .await
        })?)
    }
}

impl Transaction {
    async fn add_evaluations(&mut self, row: &EvaluationCountRow) -> StoreResult<()> {
        const SQL: &str = "
            INSERT INTO evaluation_counts (environment_id, feature_id, bucket_start, state, sdk_user_agent,
                application_name, application_version, count)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
            ON CONFLICT (environment_id, feature_id, bucket_start, state, sdk_user_agent,
                application_name, application_version)
            DO UPDATE SET count = evaluation_counts.count + excluded.count";
        on_transaction!(self, |connection| {
            sqlx::query(SQL)
                .bind(row.environment_id.get())
                .bind(row.feature_id.get())
                .bind(row.bucket.micros())
                .bind(state_text(row.enabled))
                .bind(row.labels.user_agent.as_deref().unwrap_or_default())
                .bind(row.labels.application_name.as_deref().unwrap_or_default())
                .bind(
                    row.labels
                        .application_version
                        .as_deref()
                        .unwrap_or_default(),
                )
                .bind(row.count)
                .execute(connection)
                .await
                .map(drop)
        })?;
        Ok(())
    }

    async fn add_requests(&mut self, row: &RequestCountRow) -> StoreResult<()> {
        const SQL: &str = "
            INSERT INTO request_counts (environment_id, kind, bucket_start, sdk_user_agent,
                application_name, application_version, count)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            ON CONFLICT (environment_id, bucket_start, kind, sdk_user_agent, application_name,
                application_version)
            DO UPDATE SET count = request_counts.count + excluded.count";
        on_transaction!(self, |connection| {
            sqlx::query(SQL)
                .bind(row.environment_id.get())
                .bind(row.kind.as_str())
                .bind(row.bucket.micros())
                .bind(row.labels.user_agent.as_deref().unwrap_or_default())
                .bind(row.labels.application_name.as_deref().unwrap_or_default())
                .bind(
                    row.labels
                        .application_version
                        .as_deref()
                        .unwrap_or_default(),
                )
                .bind(row.count)
                .execute(connection)
                .await
                .map(drop)
        })?;
        Ok(())
    }

    /// Adds the same counts to those of their days.
    async fn add_days(&mut self, rows: &UsageRows) -> StoreResult<()> {
        const EVALUATIONS: &str = "
            INSERT INTO evaluation_days (environment_id, day, feature_id, count) VALUES ($1, $2, $3, $4)
            ON CONFLICT (environment_id, day, feature_id)
            DO UPDATE SET count = evaluation_days.count + excluded.count";
        const REQUESTS: &str = "
            INSERT INTO request_days (environment_id, day, kind, sdk_user_agent, application_name,
                application_version, count)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            ON CONFLICT (environment_id, day, kind, sdk_user_agent, application_name, application_version)
            DO UPDATE SET count = request_days.count + excluded.count";
        // Ordered, as above.
        let mut evaluations = BTreeMap::new();
        for row in &rows.evaluations {
            let key = (row.environment_id, day(row.bucket), row.feature_id);
            *evaluations.entry(key).or_insert(0_i64) += row.count;
        }
        for ((environment, day, feature), count) in evaluations {
            on_transaction!(&mut *self, |connection| {
                sqlx::query(EVALUATIONS)
                    .bind(environment.get())
                    .bind(day)
                    .bind(feature.get())
                    .bind(count)
                    .execute(connection)
                    .await
                    .map(drop)
            })?;
        }
        let mut requests = BTreeMap::new();
        for row in &rows.requests {
            let key = (row.environment_id, day(row.bucket), row.kind, &row.labels);
            *requests.entry(key).or_insert(0_i64) += row.count;
        }
        for ((environment, day, kind, labels), count) in requests {
            on_transaction!(&mut *self, |connection| {
                sqlx::query(REQUESTS)
                    .bind(environment.get())
                    .bind(day)
                    .bind(kind.as_str())
                    .bind(labels.user_agent.as_deref().unwrap_or_default())
                    .bind(labels.application_name.as_deref().unwrap_or_default())
                    .bind(labels.application_version.as_deref().unwrap_or_default())
                    .bind(count)
                    .execute(connection)
                    .await
                    .map(drop)
            })?;
        }
        Ok(())
    }
}

/// The first microsecond of the day a time is in, in UTC.
pub(crate) const fn day(time: Timestamp) -> i64 {
    time.micros().div_euclid(DAY) * DAY
}
