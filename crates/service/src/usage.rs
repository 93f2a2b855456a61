//! Usage counts: summed in memory, written in batches.
//!
//! A batch carries a flush id and is written again under the same id when the database failed in between, so
//! that nothing is counted twice and nothing acknowledged by the database is lost. What was counted since the
//! last flush is lost with the process, not with a stop.

use crate::Service;
use crate::environment_access::OpenEnvironment;
use crate::error::ServiceResult;
use flagstaff_core::{EnvironmentId, FeatureId, Timestamp};
use flagstaff_store::{
    EvaluationCountRow, OWN_ENVIRONMENT, RequestCountRow, UsageLabels, UsageRows, VariantCountRow,
};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use uuid::Uuid;

/// What kind of request is counted.
pub use flagstaff_store::RequestKind;

/// Width of a counting interval: 15 minutes, in microseconds.
const BUCKET: i64 = 15 * 60 * 1_000_000;
/// Different counters kept between two flushes; more are dropped and metered.
const LIMIT: usize = 100_000;
/// Characters of a label that are kept.
const LABEL_LIMIT: usize = 100;

/// How often a feature was evaluated by an SDK.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvaluationCount {
    /// The feature's name; unknown names are dropped.
    pub feature: String,
    /// Whether it was on, where the SDK says so.
    pub enabled: Option<bool>,
    /// Which variant was given out, where the protocol tells.
    pub variant: Option<String>,
    /// How often; only positive counts are kept.
    pub count: i64,
}

/// What an SDK says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct SdkLabels {
    /// `User-Agent` or `Flagsmith-SDK-User-Agent`.
    pub user_agent: Option<String>,
    /// `Flagsmith-Application-Name`.
    pub application_name: Option<String>,
    /// `Flagsmith-Application-Version`.
    pub application_version: Option<String>,
}

impl SdkLabels {
    fn kept(&self) -> UsageLabels {
        let keep = |label: &Option<String>| {
            label.as_ref().map(|text| {
                text.chars()
                    .filter(|c| *c != '\0')
                    .take(LABEL_LIMIT)
                    .collect()
            })
        };
        UsageLabels {
            user_agent: keep(&self.user_agent),
            application_name: keep(&self.application_name),
            application_version: keep(&self.application_version),
        }
    }
}

type EvaluationKey = (
    EnvironmentId,
    FeatureId,
    Option<bool>,
    Timestamp,
    Arc<UsageLabels>,
);
type VariantKey = (EnvironmentId, FeatureId, Timestamp, String);
type RequestKey = (EnvironmentId, RequestKind, Timestamp, Arc<UsageLabels>);

#[derive(Debug, Default)]
struct Counts {
    evaluations: HashMap<EvaluationKey, i64>,
    requests: HashMap<RequestKey, i64>,
    variants: HashMap<VariantKey, i64>,
    labels: HashMap<SdkLabels, Arc<UsageLabels>>,
}

impl Counts {
    fn labels(&mut self, labels: &SdkLabels) -> Arc<UsageLabels> {
        if let Some(kept) = self.labels.get(labels) {
            return Arc::clone(kept);
        }
        let kept = Arc::new(labels.kept());
        if self.labels.len() < LIMIT / 10 {
            self.labels.insert(labels.clone(), Arc::clone(&kept));
        }
        kept
    }
}

fn add<K: std::hash::Hash + Eq>(counts: &mut HashMap<K, i64>, key: K, count: i64) {
    if counts.len() >= LIMIT && !counts.contains_key(&key) {
        metrics::counter!("flagstaff_usage_counts_dropped_total").increment(1);
        return;
    }
    let sum = counts.entry(key).or_insert(0);
    *sum = sum.saturating_add(count);
}

/// The counts of this process since its last flush.
#[derive(Debug, Default)]
pub(crate) struct Usage {
    counts: Mutex<Counts>,
    /// A batch the database has not acknowledged yet.
    unwritten: tokio::sync::Mutex<Option<(Uuid, UsageRows)>>,
}

impl Usage {
    fn with<T>(&self, act: impl FnOnce(&mut Counts) -> T) -> T {
        act(&mut self.counts.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn take(&self) -> Option<UsageRows> {
        let counts = self.with(std::mem::take);
        if counts.evaluations.is_empty() && counts.requests.is_empty() {
            return None;
        }
        let evaluations = counts.evaluations.into_iter().map(
            |((environment_id, feature_id, enabled, bucket, labels), count)| EvaluationCountRow {
                environment_id,
                feature_id,
                enabled,
                bucket,
                labels: (*labels).clone(),
                count,
            },
        );
        let requests =
            counts
                .requests
                .into_iter()
                .map(
                    |((environment_id, kind, bucket, labels), count)| RequestCountRow {
                        environment_id,
                        kind,
                        bucket,
                        labels: (*labels).clone(),
                        count,
                    },
                );
        let variants = counts.variants.into_iter().map(
            |((environment_id, feature_id, at, variant), count)| VariantCountRow {
                environment_id,
                feature_id,
                at,
                variant,
                count,
            },
        );
        Some(UsageRows {
            variants: variants.collect(),
            evaluations: evaluations.collect(),
            requests: requests.collect(),
        })
    }
}

fn bucket(now: Timestamp) -> Timestamp {
    Timestamp::from_micros(now.micros().div_euclid(BUCKET) * BUCKET)
}

impl Service {
    /// Counts a request of an SDK. In memory; costs no query.
    pub fn count_request(&self, open: &OpenEnvironment, kind: RequestKind, labels: &SdkLabels) {
        let bucket = bucket(self.clock().now());
        let environment = open.snapshot().environment.id;
        if environment == OWN_ENVIRONMENT {
            return;
        }
        self.usage().with(|counts| {
            let labels = counts.labels(labels);
            add(&mut counts.requests, (environment, kind, bucket, labels), 1);
        });
    }

    /// Counts evaluations an SDK reports. Unknown features and counts below 1 are dropped.
    pub fn count_evaluations(
        &self,
        open: &OpenEnvironment,
        evaluations: &[EvaluationCount],
        labels: &SdkLabels,
    ) {
        let bucket = bucket(self.clock().now());
        let snapshot = open.snapshot();
        if snapshot.environment.id == OWN_ENVIRONMENT {
            return;
        }
        self.usage().with(|counts| {
            let labels = counts.labels(labels);
            for evaluation in evaluations.iter().filter(|evaluation| evaluation.count > 0) {
                let Some(index) = snapshot.rules.feature_index(&evaluation.feature) else {
                    continue;
                };
                let Some(feature) = snapshot.features.get(index) else {
                    continue;
                };
                if let Some(variant) = &evaluation.variant {
                    let day = bucket.start_of_day();
                    let place = (snapshot.environment.id, feature.feature.id);
                    let key = (place.0, place.1, day, variant.clone());
                    add(&mut counts.variants, key, evaluation.count);
                }
                let key = (
                    snapshot.environment.id,
                    feature.feature.id,
                    evaluation.enabled,
                    bucket,
                    Arc::clone(&labels),
                );
                add(&mut counts.evaluations, key, evaluation.count);
            }
        });
    }

    /// Writes what was counted since the last time.
    ///
    /// # Errors
    /// When the database fails; the batch is kept and written by the next call.
    pub async fn flush_usage(&self) -> ServiceResult<()> {
        let usage = self.usage();
        let mut unwritten = usage.unwritten.lock().await;
        if unwritten.is_none() {
            *unwritten = usage.take().map(|rows| (Uuid::new_v4(), rows));
        }
        let Some((flush_id, rows)) = unwritten.as_ref() else {
            return Ok(());
        };
        self.store()
            .record_counts(*flush_id, rows, self.clock().now())
            .await?;
        *unwritten = None;
        Ok(())
    }
}
