//! Whether the server lives and is ready, what it is, and what it counts.

use crate::auth::Open;
use crate::flagd;
use crate::flagsmith::answer::Answer;
use crate::flagsmith::error::Failure;
use crate::routes::Routes;
use crate::state::ApiState;
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use serde_json::json;

/// Upper ends, in seconds, of the intervals that durations are counted in.
const SECONDS: [f64; 12] = [
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.1, 0.5, 1.0, 5.0,
];

/// Collects the metrics of this process, and gives what `/metrics` reads them from.
///
/// Where another collector was installed before, that one goes on collecting and `/metrics` stays empty.
#[must_use]
pub fn metrics_recorder() -> PrometheusHandle {
    let buckets = [
        (Matcher::Suffix("_seconds".to_owned()), &SECONDS[..]),
        (
            Matcher::Full(flagd::SIZE.to_owned()),
            &flagd::SIZE_BYTES[..],
        ),
    ];
    let mut builder = PrometheusBuilder::new();
    for (names, ends) in buckets {
        // Fails only without buckets.
        builder = builder
            .set_buckets_for_metric(names, ends)
            .unwrap_or_else(|_| PrometheusBuilder::new());
    }
    let recorder = builder.build_recorder();
    let handle = recorder.handle();
    if metrics::set_global_recorder(recorder).is_err() {
        tracing::warn!("metrics are collected elsewhere already");
    }
    handle
}

/// Whether the server lives and is ready: on every listener that speaks HTTP.
pub(crate) fn probes(routes: Routes) -> Routes {
    // Probes are configured with and without a slash; the original redirects one of them.
    routes
        .open("/health", readiness)
        .open("/health/liveness", liveness)
        .open("/health/liveness/", liveness)
        .open("/health/readiness", readiness)
        .open("/health/readiness/", readiness)
}

pub(crate) fn routes(routes: Routes) -> Routes {
    probes(routes)
        .open("/version", version)
        .open("/version/", version)
        .open("/metrics", render_metrics)
        .open("/config/project-overrides", project_overrides)
        .open("/robots.txt", robots)
}

impl Routes {
    fn open<H, F>(self, path: &'static str, handler: H) -> Self
    where
        H: Fn(ApiState, (), Parts) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Response> + Send,
    {
        let refuse = |error| Failure::from(error).into_response();
        self.plain(path, Open, refuse, handler)
    }
}

/// `GET /health/liveness/`
async fn liveness(_: ApiState, (): (), _: Parts) -> Response {
    Answer::of(&json!({ "status": "ok" })).into_response()
}

/// `GET /health/readiness/` and `GET /health`
async fn readiness(state: ApiState, (): (), _: Parts) -> Response {
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
async fn version(state: ApiState, (): (), _: Parts) -> Response {
    let version = env!("CARGO_PKG_VERSION");
    Answer::of(&json!({
        "ci_commit_sha": option_env!("FLAGSTAFF_COMMIT").unwrap_or("unknown"),
        "image_tag": version,
        "has_email_provider": state.service().sends_mail(),
        "is_enterprise": false,
        "is_saas": false,
        "package_versions": { ".": version },
    }))
    .into_response()
}

/// `GET /config/project-overrides`: what Flagsmith's own dashboard is told about the server it is to work with.
async fn project_overrides(state: ApiState, (): (), _: Parts) -> Response {
    let service = state.service();
    let source = match service.own_flags_source().await {
        Ok(source) => source,
        Err(error) => return Failure::from(error).into_response(),
    };
    let overrides = json!({
        "api": "/api/v1/",
        "flagsmith": source.key.unwrap_or_default(),
        "flagsmithClientAPI": source.api.unwrap_or_else(|| "/api/v1/".to_owned()),
        "flagsmithAnalytics": false,
        "preventSignup": !service.config().sign_in.allow_sign_up,
        "useSecureCookies": state.config().public_url.starts_with("https://"),
    });
    let script = format!("window.projectOverrides = {overrides};\n");
    let kind = [
        (header::CONTENT_TYPE, "application/javascript"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (kind, script).into_response()
}

/// `GET /metrics`
async fn render_metrics(state: ApiState, (): (), _: Parts) -> Response {
    let facts = state.service().facts();
    metrics::gauge!("flagstaff_resident_environments").set(as_gauge(facts.snapshots));
    metrics::gauge!("flagstaff_resident_identities").set(as_gauge(facts.identities));
    let text = state.metrics().render();
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4")];
    (kind, text).into_response()
}

#[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
fn as_gauge(count: impl TryInto<u64>) -> f64 {
    count.try_into().unwrap_or(u64::MAX) as f64
}

/// `GET /robots.txt`
async fn robots(_: ApiState, (): (), _: Parts) -> Response {
    let kind = [(header::CONTENT_TYPE, "text/plain")];
    (kind, "User-agent: *\nDisallow: /\n").into_response()
}
