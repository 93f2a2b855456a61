//! How often variants of features were given out, by day: as far as the protocol tells.

use crate::backend::{Transaction, on_backend, on_transaction};
use crate::usage::{UsageRows, day};
use crate::{Store, StoreResult};
use flagstaff_core::{EnvironmentId, FeatureId, Timestamp};
use std::collections::BTreeMap;

/// How often a variant of a feature was given out on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VariantCountRow {
    /// Where.
    pub environment_id: EnvironmentId,
    /// Of what.
    pub feature_id: FeatureId,
    /// A time of the day, in UTC.
    pub at: Timestamp,
    /// Its name, as OpenFeature has it.
    pub variant: String,
    /// How often.
    pub count: i64,
}

impl Store {
    /// How often each variant of a feature was given out in an environment, on the days of a time; the most frequent first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn variant_sums(
        &self,
        environment: EnvironmentId,
        feature: FeatureId,
        (from, until): (Timestamp, Timestamp),
    ) -> StoreResult<Vec<(String, i64)>> {
        const SQL: &str = "
            SELECT variant, CAST(SUM(count) AS BIGINT) FROM variant_days
            WHERE environment_id = $1 AND feature_id = $2 AND day >= $3 AND day < $4
            GROUP BY variant ORDER BY 2 DESC, 1";
        Ok(on_backend!(self, |pool| {
            sqlx::query_as(SQL)
                .bind(environment.get())
                .bind(feature.get())
                .bind(from.start_of_day().micros())
                .bind(until.micros())
                .fetch_all(pool)
                .await
        })?)
    }
}

impl Transaction {
    /// Adds the variants of a batch to those of their days.
    pub(crate) async fn add_variants(&mut self, rows: &UsageRows) -> StoreResult<()> {
        const SQL: &str = "
            INSERT INTO variant_days (environment_id, day, feature_id, variant, count) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (environment_id, feature_id, day, variant)
            DO UPDATE SET count = variant_days.count + excluded.count";
        // Ordered, so that two batches never wait for one another.
        let mut variants = BTreeMap::new();
        for row in &rows.variants {
            let key = (
                row.environment_id,
                row.feature_id,
                day(row.at),
                &row.variant,
            );
            *variants.entry(key).or_insert(0_i64) += row.count;
        }
        for ((environment, feature, day, variant), count) in variants {
            on_transaction!(&mut *self, |connection| {
                sqlx::query(SQL)
                    .bind(environment.get())
                    .bind(day)
                    .bind(feature.get())
                    .bind(variant)
                    .bind(count)
                    .execute(connection)
                    .await
                    .map(drop)
            })?;
        }
        Ok(())
    }
}
