//! What people are told where something is refused, whichever page it is: one place for headings and sentences. What pages say by
//! themselves is in their templates.

use axum::http::StatusCode;
use flagstaff_core::rollout::InvalidPlan;
use flagstaff_service::{ExternalProblem, PasswordProblem, Problem, RolloutFault, ServiceError};

const NOT_FOUND: &str = "There is no such thing, or it is not yours to see.";

/// What stands over the page of a refusal.
pub(crate) const fn heading(error: &ServiceError) -> &'static str {
    match error {
        ServiceError::NotFound { .. } => "Not found",
        ServiceError::Unavailable(_) => "The database is away",
        ServiceError::Forbidden => "Not allowed",
        ServiceError::TooManyAttempts { .. } => "Too many attempts",
        ServiceError::Internal(_) => "Something went wrong here",
        ServiceError::KeyMissing
        | ServiceError::KeyUnknown
        | ServiceError::OrganisationStopped
        | ServiceError::Unauthenticated(_)
        | ServiceError::WrongCredentials
        | ServiceError::Conflict { .. }
        | ServiceError::Versioning(_)
        | ServiceError::Rollout(_)
        | ServiceError::External(_)
        | ServiceError::ChangeRequestNeeded
        | ServiceError::Outdated { .. }
        | ServiceError::InvalidPart { .. }
        | ServiceError::Invalid { .. } => "That did not work",
    }
}

/// Heading and text for a request that came to no page of ours.
pub(crate) fn of_plain_refusal(status: StatusCode) -> (&'static str, &'static str) {
    match status {
        StatusCode::NOT_FOUND => ("Not found", NOT_FOUND),
        StatusCode::METHOD_NOT_ALLOWED => (
            "Nothing to see here",
            "This address takes forms only, or shows only. Go back to the page you came from.",
        ),
        StatusCode::PAYLOAD_TOO_LARGE => (
            "Too much at once",
            "The form was larger than forms may be. Nothing was changed.",
        ),
        StatusCode::REQUEST_TIMEOUT => (
            "That took too long",
            "The form did not arrive in time. Try again.",
        ),
        _ => (
            "That did not work",
            "The address or the form is not as pages of this server make them. Nothing was changed.",
        ),
    }
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
        ServiceError::NotFound { .. } => NOT_FOUND.to_owned(),
        ServiceError::External(problem) => external_sentence(*problem).to_owned(),
        ServiceError::Forbidden => "Your role does not allow this.".to_owned(),
        ServiceError::Outdated { .. } => {
            "Somebody else changed this meanwhile. Nothing was overwritten.".to_owned()
        }
        ServiceError::ChangeRequestNeeded => {
            "This environment changes by approved change requests only.".to_owned()
        }
        ServiceError::KeyMissing
        | ServiceError::KeyUnknown
        | ServiceError::OrganisationStopped
        | ServiceError::Unauthenticated(_)
        | ServiceError::Versioning(_)
        | ServiceError::Rollout(_)
        | ServiceError::Conflict { .. } => format!("Refused: {error}."),
    }
}

const fn external_sentence(problem: ExternalProblem) -> &'static str {
    match problem {
        ExternalProblem::NotSetUp => "Signing in with this service is not set up.",
        ExternalProblem::Stale => {
            "This sign-in was begun elsewhere, or took too long. Begin again."
        }
        ExternalProblem::Failed => {
            "The service did not confirm who you are. Try again; the server's log says more."
        }
        ExternalProblem::EmailUnverified => {
            "The service has not verified your e-mail address. Verify it there, then try again."
        }
        ExternalProblem::DomainNotAllowed => {
            "People with an e-mail address of this domain do not come in here."
        }
        ExternalProblem::Closed => {
            "There is no account with your e-mail address. Ask for an invitation."
        }
    }
}

fn problem_sentence(problem: &Problem) -> String {
    match problem {
        Problem::InvalidEmail => "This is not an e-mail address.".to_owned(),
        Problem::WeakPassword(list) => {
            let reasons: Vec<&str> = list.iter().map(weakness).collect();
            format!("This password {}.", reasons.join(" and "))
        }
        // Said of all steps together.
        Problem::Rollout(RolloutFault::Plan(InvalidPlan::Empty)) => {
            "A rollout has at least one step.".to_owned()
        }
        Problem::WrongType { wrong, .. } => {
            format!(
                "This {wrong}: the feature has values of type {}.",
                wrong.0.name()
            )
        }
        other => {
            let text = other.to_string();
            // What is said of the field itself becomes a sentence about it.
            let verbs = [
                "is ",
                "has ",
                "does ",
                "contains ",
                "belongs ",
                "names ",
                "cannot ",
                "differs ",
                "would ",
            ];
            if verbs.iter().any(|verb| text.starts_with(verb)) {
                return format!("This {text}.");
            }
            let mut characters = text.chars();
            let first = characters
                .next()
                .map(|first| first.to_uppercase().to_string());
            format!("{}{}.", first.unwrap_or_default(), characters.as_str())
        }
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
