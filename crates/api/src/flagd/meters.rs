//! What is counted of flagd documents; no key, environment or feature is a label.

use axum::http::StatusCode;
use flagstaff_service::ServiceError;
use std::time::Duration;

/// Upper ends of the intervals that sizes of documents are counted in, in bytes.
pub(crate) const SIZE_BYTES: [f64; 5] = [512.0, 4096.0, 32_768.0, 262_144.0, 2_097_152.0];
/// Name of the histogram of sizes.
pub(crate) const SIZE: &str = "flagstaff_flagd_document_size_bytes";

/// Counts a question for the document by its answer.
pub(super) fn count_request(status: StatusCode) {
    metrics::counter!("flagstaff_flagd_sync_requests_total", "status" => status.as_str().to_owned())
        .increment(1);
}

/// Counts a question that was refused for its key.
pub(super) fn count_refusal(error: &ServiceError) {
    count_request(match error {
        ServiceError::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        error if error.is_failure() => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::FORBIDDEN,
    });
}

/// Measures a document that was just made.
pub(super) fn measure(took: Duration, bytes: usize) {
    metrics::histogram!("flagstaff_flagd_document_build_seconds").record(took.as_secs_f64());
    #[expect(clippy::cast_precision_loss, reason = "a histogram is made of floats")]
    metrics::histogram!(SIZE).record(bytes as f64);
}

/// Counts a warning of a document that was just made.
pub(super) fn count_warning(reason: &'static str) {
    metrics::counter!("flagstaff_flagd_translation_warnings_total", "reason" => reason)
        .increment(1);
}
