//! Failures, as the original words and shapes them.

use super::answer::Answer;
use super::field_errors::{FieldErrors, NON_FIELD};
use super::problem_text::problem_text;
use super::words;
use crate::request_body::BodyProblem;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use flagstaff_service::{
    AuthenticationProblem, ExternalProblem, Noun, Problem, ServiceError, VersioningProblem,
};
use serde_json::json;
use std::borrow::Cow;

/// Why a request of the Flagsmith face is refused, or failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// 400 with the errors laid out as the body is.
    #[error("invalid fields")]
    Invalid(FieldErrors),
    /// 400 with one sentence.
    #[error("refused: {0}")]
    Refused(Cow<'static, str>),
    /// 404 with a sentence of its own.
    #[error("not found: {0}")]
    Missing(Cow<'static, str>),
    /// 404: no route, or one whose placeholder cannot be what was sent.
    #[error("no such path")]
    NoSuchPath,
    #[error("method {0} is not allowed")]
    MethodNotAllowed(Method),
    #[error("JSON is not accepted")]
    NotAcceptable,
    #[error("unsupported media type `{0}`")]
    UnsupportedMediaType(String),
    #[error("the body has more than {limit} bytes")]
    BodyTooLarge { limit: usize },
    #[error("the body did not arrive within {seconds} s")]
    BodyTooSlow { seconds: u64 },
}

impl From<BodyProblem> for Failure {
    fn from(problem: BodyProblem) -> Self {
        match problem {
            BodyProblem::TooLarge { limit } => Self::BodyTooLarge { limit },
            BodyProblem::TooSlow { seconds } => Self::BodyTooSlow { seconds },
            BodyProblem::Broken => Self::Refused("The request body ended too early.".into()),
        }
    }
}

impl Failure {
    /// 400: one message about one field.
    pub(crate) fn of_field(
        field: impl Into<Cow<'static, str>>,
        text: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::Invalid(FieldErrors::of_field(field, text))
    }

    /// 400: one message about no field in particular.
    pub(crate) fn of_no_field(text: impl Into<Cow<'static, str>>) -> Self {
        Self::Invalid(FieldErrors::of_no_field(text))
    }

    /// 404 in the words of the original for a noun.
    pub(crate) fn no_match(noun: Noun) -> Self {
        Self::Missing(words::no_match(model(noun)))
    }

    fn answer(self) -> Answer {
        match self {
            Self::Service(error) => service_answer(error),
            Self::Invalid(errors) => Answer::of(&errors).with_status(StatusCode::BAD_REQUEST),
            Self::Refused(text) => detail(StatusCode::BAD_REQUEST, &text),
            Self::Missing(text) => detail(StatusCode::NOT_FOUND, &text),
            Self::NoSuchPath => detail(StatusCode::NOT_FOUND, "Not found."),
            Self::MethodNotAllowed(method) => detail(
                StatusCode::METHOD_NOT_ALLOWED,
                &format!("Method \"{method}\" not allowed."),
            ),
            Self::NotAcceptable => detail(
                StatusCode::NOT_ACCEPTABLE,
                "Could not satisfy the request Accept header.",
            ),
            Self::UnsupportedMediaType(media_type) => detail(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                &format!("Unsupported media type \"{media_type}\" in request."),
            ),
            Self::BodyTooLarge { limit } => detail(
                StatusCode::PAYLOAD_TOO_LARGE,
                &format!("The request body has more than {limit} bytes."),
            ),
            Self::BodyTooSlow { seconds } => detail(
                StatusCode::REQUEST_TIMEOUT,
                &format!("The request body did not arrive within {seconds} seconds."),
            ),
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        if let Self::Service(error) = &self
            && error.is_failure()
        {
            let cause = error.causes();
            tracing::error!(error = %error, cause, "a request failed");
        }
        self.answer().into_response()
    }
}

/// `{"detail": …}`
pub(crate) fn detail(status: StatusCode, text: &str) -> Answer {
    Answer::of(&json!({ "detail": text })).with_status(status)
}

fn service_answer(error: ServiceError) -> Answer {
    match error {
        ServiceError::KeyMissing => {
            detail(StatusCode::FORBIDDEN, "Invalid or missing Environment key")
        }
        ServiceError::KeyUnknown => {
            detail(StatusCode::FORBIDDEN, "Invalid or missing Environment Key")
        }
        ServiceError::OrganisationStopped => detail(
            StatusCode::FORBIDDEN,
            "Organisation is disabled from serving flags.",
        ),
        ServiceError::Unauthenticated(problem) => unauthenticated(problem),
        ServiceError::WrongCredentials => {
            Failure::of_no_field("Unable to log in with provided credentials.").answer()
        }
        ServiceError::TooManyAttempts {
            retry_after_seconds,
        } => throttled(retry_after_seconds),
        ServiceError::Forbidden => detail(
            StatusCode::FORBIDDEN,
            "You do not have permission to perform this action.",
        ),
        ServiceError::NotFound { noun } => Failure::no_match(noun).answer(),
        ServiceError::Conflict { noun } => {
            let errors = FieldErrors::of_field(NON_FIELD, conflict(noun));
            Failure::Invalid(errors).answer()
        }
        ServiceError::Outdated { noun } => detail(
            StatusCode::CONFLICT,
            &format!("The {noun} was changed meanwhile."),
        ),
        ServiceError::Versioning(problem) => versioning(&problem),
        ServiceError::Rollout(problem) => {
            detail(StatusCode::CONFLICT, &words::sentence(&problem.to_string()))
        }
        ServiceError::Invalid { field, problem }
        | ServiceError::InvalidPart { field, problem, .. } => invalid(field, &problem),
        ServiceError::External(problem) => external(problem),
        ServiceError::ChangeRequestNeeded => detail(
            StatusCode::FORBIDDEN,
            "This endpoint cannot be used when change requests are enabled. \
             Use the change request workflow instead.",
        ),
        ServiceError::Unavailable(_) => detail(
            StatusCode::SERVICE_UNAVAILABLE,
            "The database cannot be reached.",
        )
        .with_header(header::RETRY_AFTER, HeaderValue::from_static("1")),
        ServiceError::Internal(_) => {
            detail(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error.")
        }
    }
}

/// A dashboard shows the message as it is.
fn external(problem: ExternalProblem) -> Answer {
    let (status, text) = match problem {
        ExternalProblem::NotSetUp => (
            StatusCode::NOT_FOUND,
            "Signing in with this service is not set up.",
        ),
        ExternalProblem::Stale | ExternalProblem::Failed => (
            StatusCode::BAD_GATEWAY,
            "The service did not confirm the sign-in.",
        ),
        ExternalProblem::EmailUnverified => (
            StatusCode::FORBIDDEN,
            "The service has not verified your e-mail address.",
        ),
        ExternalProblem::DomainNotAllowed => (
            StatusCode::FORBIDDEN,
            "The domain of your e-mail address is not allowed.",
        ),
        ExternalProblem::Closed => (
            StatusCode::FORBIDDEN,
            "There is no account with your e-mail address.",
        ),
    };
    Answer::of(&json!({ "message": text, "detail": text })).with_status(status)
}

fn unauthenticated(problem: AuthenticationProblem) -> Answer {
    let text = match problem {
        AuthenticationProblem::Missing => "Authentication credentials were not provided.",
        AuthenticationProblem::InvalidToken => "Invalid token.",
        AuthenticationProblem::InvalidApiKey => "Valid Master API Key not found.",
    };
    detail(StatusCode::UNAUTHORIZED, text).with_header(
        header::WWW_AUTHENTICATE,
        HeaderValue::from_static("Token realm=\"api\""),
    )
}

fn throttled(seconds: u64) -> Answer {
    let text = format!("Request was throttled. Expected available in {seconds} seconds.");
    detail(StatusCode::TOO_MANY_REQUESTS, &text)
        .with_header(header::RETRY_AFTER, HeaderValue::from(seconds))
}

/// What the original says where versions of features stand against a change.
fn versioning(problem: &VersioningProblem) -> Answer {
    let said = |text: &str| detail(StatusCode::BAD_REQUEST, text);
    let under = |field: &'static str, text: String| {
        Failure::Invalid(FieldErrors::Bare(text.into()).under(field)).answer()
    };
    match problem {
        VersioningProblem::ByVersionsOnly => said(
            "This environment uses v2 feature versioning. Use the environment feature version endpoint instead.",
        ),
        VersioningProblem::NoVersions => under(
            "environment",
            "Environment must use v2 feature versioning.".to_owned(),
        ),
        VersioningProblem::AlreadyOn => said("Environment already using v2 versioning."),
        VersioningProblem::AlreadyOff => said("Environment is not using v2 versioning."),
        VersioningProblem::Published => said("Cannot modify published version."),
        VersioningProblem::Live => said("Cannot delete a live version."),
        VersioningProblem::PutOff => said("Cannot put off a live version."),
        VersioningProblem::DefaultNeeded => {
            said("Cannot delete environment default feature state.")
        }
        VersioningProblem::DefaultExists => under(
            "message",
            "Cannot create FeatureState objects that are not segment overrides.".to_owned(),
        ),
        VersioningProblem::OverrideExists(segment) => under(
            "message",
            format!(
                "An unresolvable conflict occurred: segment override already exists for segment '{segment}'"
            ),
        ),
        VersioningProblem::OverrideMissing(segment) => under(
            "message",
            format!(
                "An unresolvable conflict occurred: segment override does not exist for segment '{segment}'."
            ),
        ),
    }
}

/// Where the original puts a problem: mostly under its field, sometimes elsewhere.
fn invalid(field: &'static str, problem: &Problem) -> Answer {
    let place = match problem {
        Problem::TraitsNotStored => {
            return detail(
                StatusCode::FORBIDDEN,
                "Organisation is not authorised to store traits.",
            );
        }
        Problem::TraitNotInteger => {
            let errors = FieldErrors::message(problem_text(problem).remove(0));
            return Failure::Invalid(errors).answer();
        }
        Problem::ClientTraitsNotAllowed
        | Problem::PasswordsDiffer
        | Problem::SomeIdsUnknown
        | Problem::SeveralFeatures
        | Problem::TwoOwners
        | Problem::IdentityElsewhere
        | Problem::LinkElsewhere
        | Problem::UnknownIdentifier => NON_FIELD,
        _ => field,
    };
    Failure::Invalid(FieldErrors::Messages(problem_text(problem)).under(place)).answer()
}

/// The original's name for a noun in its sentence about a lookup that found nothing.
fn model(noun: Noun) -> &'static str {
    match noun {
        Noun::ApiKey => "MasterAPIKey",
        Noun::AuditEntry => "AuditLog",
        Noun::Environment | Noun::ClientKey => "Environment",
        Noun::Feature => "Feature",
        Noun::FeatureExport => "FeatureExport",
        Noun::FeatureImport => "FeatureImport",
        Noun::FeatureState => "FeatureState",
        Noun::FeatureSegment => "FeatureSegment",
        Noun::Grant => "UserPermission",
        Noun::Guard => "Guard",
        Noun::Invite => "Invite",
        Noun::InviteLink => "InviteLink",
        Noun::FeatureVersion => "EnvironmentFeatureVersion",
        Noun::FlagdIntegration => "FlagdIntegration",
        Noun::Identity => "Identity",
        Noun::Member => "FFAdminUser",
        Noun::MultivariateOption => "MultivariateFeatureOption",
        Noun::Organisation => "Organisation",
        Noun::Project => "Project",
        Noun::Rollout => "Rollout",
        Noun::RolloutHook => "RolloutHook",
        Noun::Segment => "Segment",
        Noun::ServerKey => "EnvironmentAPIKey",
        Noun::SignInLink => "SignInLink",
        Noun::Tag => "Tag",
        Noun::Trait => "Trait",
    }
}

/// What is said of a thing that is there already.
fn conflict(noun: Noun) -> Cow<'static, str> {
    format!("{} already exists.", model(noun)).into()
}
