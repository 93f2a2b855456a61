//! Whether the server lives and is ready, what it is, and what it counts.

use crate::auth::Open;
use crate::flagsmith::answer::Answer;
use crate::flagsmith::error::Failure;
use crate::routes::Routes;
use crate::state::ApiState;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use serde_json::json;

/// Upper ends, in seconds, of the intervals that durations are counted in.
const SECONDS: [f64; 12] = [
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.1, 0.5, 1.0, 5.0,
];

/// Collects the metrics of this process, and gives what `/metrics` reads them from.
///
/// # Errors
/// When the process has another collector already.
pub fn metrics_recorder() -> Result<PrometheusHandle, BuildError> {
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?
        .install_recorder()
}

pub(crate) fn routes(routes: Routes) -> Routes {
    // Probes are configured with and without a slash; the original redirects one of them.
    routes
        .open("/health", readiness)
        .open("/health/liveness", liveness)
        .open("/health/liveness/", liveness)
        .open("/health/readiness", readiness)
        .open("/health/readiness/", readiness)
        .open("/version", version)
        .open("/version/", version)
        .open("/metrics", metrics)
        .open("/robots.txt", robots)
}

impl Routes {
    fn open<H, F>(self, path: &'static str, handler: H) -> Self
    where
        H: Fn(ApiState, (), HeaderMap) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Response> + Send,
    {
        let refuse = |error| Failure::from(error).into_response();
        self.plain(path, Open, refuse, handler)
    }
}

/// `GET /health/liveness/`
async fn liveness(_: ApiState, (): (), _: HeaderMap) -> Response {
    Answer::of(&json!({ "status": "ok" })).into_response()
}

/// `GET /health/readiness/` and `GET /health`
async fn readiness(state: ApiState, (): (), _: HeaderMap) -> Response {
    let readiness = state.service().readiness().await;
    let (status, word) = if readiness.database {
        (StatusCode::OK, "working")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "unavailable")
    };
    // A server that serves has brought its database to its version first.
    let body = json!({ "DatabaseBackend": word, "MigrationsHealthCheck": "working" });
    Answer::of(&body).with_status(status).into_response()
}

/// `GET /version/`
async fn version(_: ApiState, (): (), _: HeaderMap) -> Response {
    let version = env!("CARGO_PKG_VERSION");
    Answer::of(&json!({
        "ci_commit_sha": option_env!("FLAGSTAFF_COMMIT").unwrap_or("unknown"),
        "image_tag": version,
        "has_email_provider": false,
        "is_enterprise": false,
        "is_saas": false,
        "package_versions": { ".": version },
    }))
    .into_response()
}

/// `GET /metrics`
async fn metrics(state: ApiState, (): (), _: HeaderMap) -> Response {
    let text = state.metrics().render();
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4")];
    (kind, text).into_response()
}

/// `GET /robots.txt`
async fn robots(_: ApiState, (): (), _: HeaderMap) -> Response {
    let kind = [(header::CONTENT_TYPE, "text/plain")];
    (kind, "User-agent: *\nDisallow: /\n").into_response()
}
