//! Pages as answers: the headers every page has, and what a refusal looks like.

use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use flagstaff_service::{PasswordProblem, Problem, ServiceError};

/// Own styles and forms, nothing else: no script, no frame, no foreign host.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; \
                      base-uri 'none'; frame-ancestors 'none'";

/// A page with its status.
pub(crate) fn page(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(text) => with_headers((status, Html(text)).into_response()),
        Err(error) => {
            tracing::error!(%error, "cannot render a page");
            with_headers(StatusCode::INTERNAL_SERVER_ERROR.into_response())
        }
    }
}

/// Sends the browser to another page of ours, by GET.
pub(crate) fn see_other(path: &'static str) -> Response {
    let location = [(header::LOCATION, HeaderValue::from_static(path))];
    with_headers((StatusCode::SEE_OTHER, location).into_response())
}

fn with_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    let list = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Not `no-referrer`: browsers would then send forms with the origin `null`.
        (header::REFERRER_POLICY, "same-origin"),
    ];
    for (name, value) in list {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(
        "cross-origin-opener-policy",
        HeaderValue::from_static("same-origin"),
    );
    response
}

/// A page that says one thing.
#[derive(Template)]
#[template(path = "notice.html")]
pub(crate) struct Notice<'a> {
    pub(crate) heading: &'a str,
    pub(crate) text: &'a str,
}

/// A page that says what went wrong, where there is no form to say it in.
pub(crate) fn refusal(error: &ServiceError) -> Response {
    if error.is_failure() {
        tracing::error!(
            error = error as &dyn std::error::Error,
            "a page could not be made"
        );
    }
    let (status, heading) = match error {
        ServiceError::NotFound { .. } => (StatusCode::NOT_FOUND, "Not found"),
        ServiceError::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, "The database is away"),
        ServiceError::Forbidden => (StatusCode::FORBIDDEN, "Not allowed"),
        ServiceError::TooManyAttempts { .. } => {
            (StatusCode::TOO_MANY_REQUESTS, "Too many attempts")
        }
        ServiceError::Internal(_) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "Something went wrong here",
        ),
        ServiceError::KeyMissing
        | ServiceError::KeyUnknown
        | ServiceError::OrganisationStopped
        | ServiceError::Unauthenticated(_)
        | ServiceError::WrongCredentials
        | ServiceError::Conflict { .. }
        | ServiceError::Versioning(_)
        | ServiceError::ChangeRequestNeeded
        | ServiceError::InvalidPart { .. }
        | ServiceError::Invalid { .. } => (StatusCode::BAD_REQUEST, "That did not work"),
    };
    let text = sentence(error);
    page(
        status,
        &Notice {
            heading,
            text: &text,
        },
    )
}

/// What a person is told about an error.
pub(crate) fn sentence(error: &ServiceError) -> String {
    match error {
        ServiceError::WrongCredentials => {
            "E-mail address and password do not belong together.".to_owned()
        }
        ServiceError::TooManyAttempts {
            retry_after_seconds,
        } => {
            format!("Too many attempts. Wait {retry_after_seconds} seconds before the next one.")
        }
        ServiceError::Invalid { problem, .. } | ServiceError::InvalidPart { problem, .. } => {
            problem_sentence(problem)
        }
        ServiceError::Unavailable(_) => {
            "The database cannot be reached. Try again in a moment.".to_owned()
        }
        ServiceError::Internal(_) => "The server's log says more.".to_owned(),
        ServiceError::NotFound { .. } => {
            "There is no such thing, or it is not yours to see.".to_owned()
        }
        ServiceError::Forbidden => "Your role does not allow this.".to_owned(),
        ServiceError::KeyMissing
        | ServiceError::KeyUnknown
        | ServiceError::OrganisationStopped
        | ServiceError::Unauthenticated(_)
        | ServiceError::Versioning(_)
        | ServiceError::ChangeRequestNeeded
        | ServiceError::Conflict { .. } => format!("Refused: {error}."),
    }
}

fn problem_sentence(problem: &Problem) -> String {
    match problem {
        Problem::InvalidEmail => "This is not an e-mail address.".to_owned(),
        Problem::WeakPassword(list) => {
            let reasons: Vec<&str> = list.iter().map(weakness).collect();
            format!("This password {}.", reasons.join(" and "))
        }
        other => format!("Refused: {other}."),
    }
}

const fn weakness(problem: &PasswordProblem) -> &'static str {
    match problem {
        PasswordProblem::TooShort => "has fewer than 8 characters",
        PasswordProblem::TooCommon => "is among the first that anybody tries",
        PasswordProblem::EntirelyNumeric => "has nothing but digits",
        PasswordProblem::TooLong => "has more than 128 characters",
    }
}
