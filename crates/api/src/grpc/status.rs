//! Refusals and failures, as gRPC says them.

use super::{CONTENT_TYPE, is_kind_of_call};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use flagstaff_service::ServiceError;
use tonic::metadata::MetadataValue;
use tonic::{Code, Status};

/// When to try again, in milliseconds; a negative number means never.
const RETRY_PUSHBACK: &str = "grpc-retry-pushback-ms";
/// Milliseconds over which those are spread who are sent away at once.
const PUSHBACK: u32 = 5000;

/// The answer to a call of this content type that comes to nothing: its status stands in the header, without a body.
pub(crate) fn refuse(content_type: Option<&HeaderValue>, status: Status) -> Response {
    let mut response: Response = status.into_http();
    let kind = content_type;
    // gRPC-Web is answered in its own content type, whatever the encoding; of text there is none.
    let is_web = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc-web"));
    let kind = match kind {
        Some(kind) if is_web => kind.clone(),
        Some(_) | None => HeaderValue::from_static(CONTENT_TYPE),
    };
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    if !content_type.is_some_and(is_kind_of_call) {
        // Whoever speaks no gRPC does not know where to look for a status.
        *response.status_mut() = StatusCode::UNSUPPORTED_MEDIA_TYPE;
    }
    response
}

/// The same, and that asking again brings the same answer, where that is so.
///
/// OpenFeature's provider for Java asks three times on every status but two, and a flag that is not found would take
/// it seconds. For single questions only: with streams its haste would know no pause.
pub(crate) fn refuse_for_good(content_type: Option<&HeaderValue>, mut status: Status) -> Response {
    let is_final = matches!(
        status.code(),
        Code::InvalidArgument
            | Code::NotFound
            | Code::AlreadyExists
            | Code::PermissionDenied
            | Code::FailedPrecondition
            | Code::OutOfRange
            | Code::Unimplemented
            | Code::DataLoss
            | Code::Unauthenticated
    );
    if is_final {
        let never = MetadataValue::from_static("-1");
        status.metadata_mut().insert(RETRY_PUSHBACK, never);
    }
    refuse(content_type, status)
}

/// What the service answers, as a status. What is our fault goes to the log.
///
/// Who presents no key is `UNAUTHENTICATED`; who presents one that opens nothing is `PERMISSION_DENIED`, as with the
/// 403 of the HTTP faces: clients give up on it where they are told to, and try again on everything else.
pub(crate) fn status_of(error: &ServiceError) -> Status {
    match error {
        ServiceError::KeyMissing => Status::unauthenticated(error.to_string()),
        ServiceError::KeyUnknown => Status::permission_denied(error.to_string()),
        ServiceError::OrganisationStopped | ServiceError::Forbidden => {
            Status::permission_denied(error.to_string())
        }
        ServiceError::Unauthenticated(_) | ServiceError::WrongCredentials => {
            Status::unauthenticated(error.to_string())
        }
        ServiceError::TooManyAttempts { .. } => Status::resource_exhausted(error.to_string()),
        ServiceError::NotFound { .. } => Status::not_found(error.to_string()),
        ServiceError::Conflict { .. } => Status::already_exists(error.to_string()),
        ServiceError::Invalid { .. } | ServiceError::InvalidPart { .. } => {
            Status::invalid_argument(error.to_string())
        }
        ServiceError::Versioning(_)
        | ServiceError::Rollout(_)
        | ServiceError::External(_)
        | ServiceError::ChangeRequestNeeded
        | ServiceError::Outdated { .. } => Status::failed_precondition(error.to_string()),
        ServiceError::Unavailable(_) => {
            log(error);
            Status::unavailable(error.to_string())
        }
        ServiceError::Internal(_) => {
            log(error);
            Status::internal(error.to_string())
        }
    }
}

fn log(error: &ServiceError) {
    let cause = error.causes();
    tracing::error!(error = %error, cause, "a call failed");
}

/// The refusal of one stream more than there may be. Whoever comes back is asked to do so at a time of their own.
pub(crate) fn too_many_streams() -> Status {
    with_pushback(Status::resource_exhausted("too many streams are open"))
}

/// The end of a stream whose reader should come back, but not at the instant at which all others do.
///
/// Clients that follow the retry design of gRPC wait for so many milliseconds; others have a schedule of their own.
pub(crate) fn with_pushback(mut status: Status) -> Status {
    let wait = uuid::Uuid::new_v4().as_u128() % u128::from(PUSHBACK);
    if let Ok(wait) = wait.to_string().parse() {
        status.metadata_mut().insert(RETRY_PUSHBACK, wait);
    }
    status
}
