//! What a handler answers.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Serialize;

/// Headers that an answer has at most, as a rule.
const HEADERS: usize = 20;

/// A status, a body and a few headers; everything else is added around it.
#[derive(Debug)]
pub(crate) struct Answer {
    status: StatusCode,
    content_type: Option<HeaderValue>,
    body: Bytes,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Answer {
    /// 200 with JSON that is already written.
    pub(crate) fn json(body: impl Into<Bytes>) -> Self {
        Self {
            status: StatusCode::OK,
            content_type: Some(HeaderValue::from_static("application/json")),
            body: body.into(),
            headers: Vec::new(),
        }
    }

    /// 200 with something that serialises.
    pub(crate) fn of(value: &impl Serialize) -> Self {
        // Only a map with keys that are no text fails; none of ours has one.
        Self::json(serde_json::to_vec(value).unwrap_or_default())
    }

    /// A status without a body.
    pub(crate) fn empty(status: StatusCode) -> Self {
        Self {
            status,
            content_type: None,
            body: Bytes::new(),
            headers: Vec::new(),
        }
    }

    /// The status it has now.
    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// The same headers with a status that has no body.
    pub(crate) fn without_body(self, status: StatusCode) -> Self {
        Self {
            status,
            content_type: None,
            body: Bytes::new(),
            ..self
        }
    }

    /// The same with another status.
    pub(crate) fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    /// The same with one more header.
    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        // With those that are added around it; a map of headers that grows is made anew each time.
        headers.reserve(HEADERS);
        if let Some(content_type) = self.content_type {
            headers.insert(header::CONTENT_TYPE, content_type);
        }
        headers.extend(self.headers);
        response
    }
}
