//! What every handler can reach.

use crate::config::ApiConfig;
use crate::flagd::rpc::FlagLabels;
use crate::pace::Pace;
use crate::streams::Streams;
use axum::http::HeaderValue;
use bytes::Bytes;
use flagstaff_service::Service;
use metrics_exporter_prometheus::PrometheusHandle;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::watch;
use uuid::Uuid;

/// Requests between two condensations of what the histograms hold.
const CONDENSE_EVERY: u64 = 4096;

/// What every handler can reach. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct ApiState(Arc<Parts>);

struct Parts {
    service: Service,
    config: ApiConfig,
    metrics: PrometheusHandle,
    streams: Streams,
    ofrep_pace: Pace,
    flag_labels: FlagLabels,
    /// Tells this process's request ids from those of others.
    process: String,
    requests: AtomicU64,
    measured: AtomicU64,
}

impl ApiState {
    /// Joins the product, the settings of the faces and the place where metrics are read from.
    #[must_use]
    pub fn new(service: Service, config: ApiConfig, metrics: PrometheusHandle) -> Self {
        let stall = Duration::from_secs(config.stream_stall_seconds);
        let streams = Streams::new(config.streams, config.stream_starts, stall);
        let ofrep_pace = Pace::new(config.ofrep_requests);
        Self(Arc::new(Parts {
            service,
            config,
            metrics,
            streams,
            ofrep_pace,
            flag_labels: FlagLabels::default(),
            process: Uuid::new_v4().simple().to_string(),
            requests: AtomicU64::new(0),
            measured: AtomicU64::new(0),
        }))
    }

    /// Ends every notification stream and takes no new one: the first step of a graceful stop.
    pub fn close_streams(&self) {
        self.0.streams.close();
        self.0.service.wake_followers();
    }

    /// Becomes true when streams have to end, for streams that are not this crate's.
    pub fn closing(&self) -> watch::Receiver<bool> {
        self.0.streams.closing()
    }

    pub(crate) fn service(&self) -> &Service {
        &self.0.service
    }

    pub(crate) fn config(&self) -> &ApiConfig {
        &self.0.config
    }

    pub(crate) fn metrics(&self) -> &PrometheusHandle {
        &self.0.metrics
    }

    /// An id for a request that came without one.
    pub(crate) fn next_request_id(&self) -> HeaderValue {
        let number = self.0.requests.fetch_add(1, Ordering::Relaxed);
        let mut id = Vec::with_capacity(self.0.process.len() + 21);
        id.extend_from_slice(self.0.process.as_bytes());
        // Writing to memory cannot fail.
        let _ = write!(id, "-{number}");
        HeaderValue::from_maybe_shared(Bytes::from(id))
            .unwrap_or(HeaderValue::from_static("unknown"))
    }

    /// Histograms keep every sample until they are condensed; nobody may ever read the metrics.
    pub(crate) fn keep_metrics_small(&self) {
        let measured = self.0.measured.fetch_add(1, Ordering::Relaxed);
        if measured % CONDENSE_EVERY == CONDENSE_EVERY - 1 {
            self.0.metrics.run_upkeep();
        }
    }

    /// How fast keys may ask through OFREP.
    pub(crate) fn ofrep_pace(&self) -> &Pace {
        &self.0.ofrep_pace
    }

    /// The flags whose names are labels of metrics; `None` where no names are.
    pub(crate) fn flag_labels(&self) -> Option<&FlagLabels> {
        self.0
            .config
            .metrics
            .flag_labels
            .then_some(&self.0.flag_labels)
    }

    pub(crate) fn streams(&self) -> &Streams {
        &self.0.streams
    }
}

impl std::fmt::Debug for ApiState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ApiState")
    }
}
