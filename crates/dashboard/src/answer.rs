//! Pages as answers: the headers every page has, and what a refusal looks like.

use crate::texts;
use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use flagstaff_service::ServiceError;

/// Own files and forms, nothing else: nothing inline, no frame, no foreign host.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// What a page answers: itself, or the page that says why not.
pub(crate) type PageResult = Result<Response, Refused>;

/// The page that says why there is no other.
pub(crate) struct Refused(Box<Response>);

impl From<ServiceError> for Refused {
    fn from(error: ServiceError) -> Self {
        Self(Box::new(refusal(&error)))
    }
}

impl From<Response> for Refused {
    fn from(response: Response) -> Self {
        Self(Box::new(response))
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        *self.0
    }
}

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

/// A file to be kept, written as it is made.
pub(crate) fn file(body: axum::body::Body, media_type: &'static str, name: &str) -> Response {
    let disposition = format!("attachment; filename=\"{name}\"");
    let disposition = HeaderValue::from_str(&disposition);
    let mut response = with_headers(body.into_response());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(
        header::CONTENT_DISPOSITION,
        disposition.unwrap_or(HeaderValue::from_static("attachment")),
    );
    response
}

/// Sends the browser to another page of ours, by GET.
pub(crate) fn see_other(path: &str) -> Response {
    // A path of ours fits into a header; what does not is none.
    let location = HeaderValue::from_str(path).unwrap_or(HeaderValue::from_static("/"));
    with_headers((StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response())
}

/// True for a path on this server, whoever wrote it: browsers take `//host` and `/\host` for another one.
pub(crate) fn is_own_path(path: &str) -> bool {
    let mut characters = path.chars();
    characters.next() == Some('/')
        && !matches!(characters.next(), Some('/' | '\\'))
        && !path.contains(char::is_control)
}

/// Text as it stands in a path or a query.
pub(crate) fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

fn with_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    let list = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // For browsers that do not know `frame-ancestors`.
        (header::X_FRAME_OPTIONS, "DENY"),
        // A fragment and the whole page have one address.
        (header::VARY, crate::visitor::FRAGMENT),
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
    let (status, heading) = (status_of(error), texts::heading(error));
    let text = texts::sentence(error);
    page(
        status,
        &Notice {
            heading,
            text: &text,
        },
    )
}

/// The status of a page that says why there is no other.
const fn status_of(error: &ServiceError) -> StatusCode {
    match error {
        ServiceError::NotFound { .. } => StatusCode::NOT_FOUND,
        ServiceError::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        ServiceError::Forbidden => StatusCode::FORBIDDEN,
        ServiceError::TooManyAttempts { .. } => StatusCode::TOO_MANY_REQUESTS,
        ServiceError::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
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
        | ServiceError::Invalid { .. } => StatusCode::BAD_REQUEST,
    }
}

/// A page for a request that came to no page of ours.
pub(crate) fn plain_refusal(status: StatusCode) -> Response {
    let (heading, text) = texts::of_plain_refusal(status);
    page(status, &Notice { heading, text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_this_server_are_its_own() {
        for path in ["/", "/environments/a/features?page=2"] {
            assert!(is_own_path(path), "{path}");
        }
        for path in [
            "",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/a\r\nb",
        ] {
            assert!(!is_own_path(path), "{path}");
        }
    }

    #[test]
    fn text_is_encoded_for_paths() {
        assert_eq!(encoded("a b/ä?"), "a%20b%2F%C3%A4%3F");
    }
}
