//! Why a request has no flags for an answer, in the shapes of OFREP.

use crate::pace::TooFast;
use crate::request_body::BodyProblem;
use axum::body::Body;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use flagstaff_service::ServiceError;
use flagstaff_wire::ofrep::{ErrorCode, InvalidContext, write_details, write_failure};

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Why a request is refused, or failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error(transparent)]
    Service(#[from] ServiceError),
    #[error(transparent)]
    Body(#[from] BodyProblem),
    #[error(transparent)]
    Context(#[from] InvalidContext),
    /// A limit that is known before the body is read as JSON.
    #[error("invalid body: {0}")]
    Limit(#[from] crate::flagsmith::json_limits::JsonLimit),
    #[error("flag not found")]
    NoSuchFlag,
    #[error("method {0} is not allowed: flags are asked for with POST")]
    Method(Method),
    #[error("too many requests: try again in {} s", .0.seconds)]
    TooFast(TooFast),
    #[error("too many streams are open")]
    TooManyStreams,
}

impl Refusal {
    /// The answer; `key` is the flag that was asked for, where it was one.
    pub(super) fn respond(self, key: Option<&str>) -> Response {
        let text = self.to_string();
        match self {
            Self::Service(error) => service_failure(&error, key),
            Self::Context(_) | Self::Limit(_) => failure(
                StatusCode::BAD_REQUEST,
                key,
                ErrorCode::InvalidContext,
                &text,
            ),
            Self::NoSuchFlag => failure(StatusCode::NOT_FOUND, key, ErrorCode::FlagNotFound, &text),
            Self::Body(BodyProblem::TooLarge { .. }) => {
                details(StatusCode::PAYLOAD_TOO_LARGE, &text)
            }
            Self::Body(BodyProblem::TooSlow { .. }) => details(StatusCode::REQUEST_TIMEOUT, &text),
            Self::Body(BodyProblem::Broken) => failure(
                StatusCode::BAD_REQUEST,
                key,
                ErrorCode::InvalidContext,
                &text,
            ),
            Self::Method(_) => details(StatusCode::METHOD_NOT_ALLOWED, &text),
            Self::TooFast(early) => retry(
                details(StatusCode::TOO_MANY_REQUESTS, &text),
                early.retry_after(),
            ),
            Self::TooManyStreams => retry(
                details(StatusCode::SERVICE_UNAVAILABLE, &text),
                HeaderValue::from_static("30"),
            ),
        }
    }
}

fn service_failure(error: &ServiceError, key: Option<&str>) -> Response {
    if error.is_failure() {
        let cause = error.causes();
        tracing::error!(error = %error, cause, "a request failed");
    }
    let text = error.to_string();
    match error {
        ServiceError::KeyMissing => {
            let mut response = details(StatusCode::UNAUTHORIZED, &text);
            let scheme = HeaderValue::from_static("Bearer");
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, scheme);
            response
        }
        ServiceError::KeyUnknown | ServiceError::OrganisationStopped | ServiceError::Forbidden => {
            details(StatusCode::FORBIDDEN, &text)
        }
        // Nothing else of a request is checked there but its targeting key.
        ServiceError::Invalid { problem, .. } => failure(
            StatusCode::BAD_REQUEST,
            key,
            ErrorCode::InvalidContext,
            &format!("invalid targetingKey: {problem}"),
        ),
        ServiceError::Unavailable(_) => retry(
            details(StatusCode::SERVICE_UNAVAILABLE, &text),
            HeaderValue::from_static("1"),
        ),
        // What people who manage flags are told is never told here.
        ServiceError::Internal(_)
        | ServiceError::Unauthenticated(_)
        | ServiceError::WrongCredentials
        | ServiceError::TooManyAttempts { .. }
        | ServiceError::NotFound { .. }
        | ServiceError::Conflict { .. }
        | ServiceError::Versioning(_)
        | ServiceError::Rollout(_)
        | ServiceError::External(_)
        | ServiceError::InvalidPart { .. }
        | ServiceError::ChangeRequestNeeded
        | ServiceError::Outdated { .. } => {
            details(StatusCode::INTERNAL_SERVER_ERROR, "internal error")
        }
    }
}

/// `{"errorDetails":…}`
pub(super) fn details(status: StatusCode, text: &str) -> Response {
    let mut out = Vec::new();
    write_details(text, &mut out);
    json(status, out)
}

fn failure(status: StatusCode, key: Option<&str>, code: ErrorCode, text: &str) -> Response {
    let mut out = Vec::new();
    write_failure(key, code, text, &mut out);
    json(status, out)
}

fn retry(mut response: Response, after: HeaderValue) -> Response {
    response.headers_mut().insert(header::RETRY_AFTER, after);
    response
}

/// An answer of JSON that is already written.
pub(super) fn json(status: StatusCode, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    // With those that are added around it.
    headers.reserve(20);
    headers.insert(header::CONTENT_TYPE, JSON);
    response
}
