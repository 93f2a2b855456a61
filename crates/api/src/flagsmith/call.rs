//! What a handler is called with.

use super::body::{Received, Upload};
use super::error::Failure;
use super::query::Query;
use crate::config::ApiConfig;
use crate::request_body;
use crate::sdk_labels;
use crate::state::ApiState;
use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use bytes::Bytes;
use flagstaff_service::{SdkLabels, Service};
use serde_json::Value as Json;
use std::net::IpAddr;
use std::sync::Mutex;
use uuid::Uuid;

/// One authenticated request: `subject` is what the declared authentication yielded.
pub(crate) struct Call<S> {
    pub(crate) state: ApiState,
    pub(crate) subject: S,
    pub(super) peer: IpAddr,
    pub(super) parts: Parts,
    pub(super) path_parameters: Vec<(String, String)>,
    /// Locked by nobody: it only makes a call shareable between threads, which a body alone is not.
    pub(super) body: Mutex<Option<Body>>,
}

impl<S> Call<S> {
    pub(crate) fn service(&self) -> &Service {
        self.state.service()
    }

    pub(crate) fn config(&self) -> &ApiConfig {
        self.state.config()
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.parts.headers
    }

    /// The path as it was asked for.
    pub(crate) fn path(&self) -> &str {
        self.parts.uri.path()
    }

    pub(crate) fn query(&self) -> Query {
        Query::parse(self.parts.uri.query())
    }

    /// A decoded piece of the path.
    pub(crate) fn path_text(&self, name: &str) -> Result<&str, Failure> {
        self.path_parameters
            .iter()
            .find(|(each, _)| each == name)
            .map(|(_, text)| text.as_str())
            .ok_or(Failure::NoSuchPath)
    }

    /// A piece of the path that is a row id. What can be none is a path that does not exist.
    pub(crate) fn path_id(&self, name: &str) -> Result<i64, Failure> {
        let text = self.path_text(name)?;
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let id = digits.then(|| text.parse().ok()).flatten();
        id.ok_or(Failure::NoSuchPath)
    }

    /// A piece of the path that is a stable id. What can be none is a path that does not exist.
    pub(crate) fn path_uuid(&self, name: &str) -> Result<Uuid, Failure> {
        self.path_text(name)?
            .parse()
            .map_err(|_| Failure::NoSuchPath)
    }

    /// The body as JSON, whatever it was sent as; an empty one is an empty object.
    ///
    /// It can be read once; later calls see an empty object.
    pub(crate) async fn body(&mut self) -> Result<Json, Failure> {
        let bytes = self.body_bytes().await?;
        self.received(&bytes).json(self.config())
    }

    /// The body as it was sent. It can be read once; later calls see an empty one.
    pub(crate) async fn body_bytes(&mut self) -> Result<Bytes, Failure> {
        let limit = self.config().body_bytes;
        self.bytes_up_to(limit).await
    }

    /// The body with the file that has this name; read once, as [`Call::body`].
    pub(crate) async fn upload(&mut self, name: &str) -> Result<Upload, Failure> {
        let limit = self.config().import_bytes;
        let bytes = self.bytes_up_to(limit).await?;
        self.received(&bytes).upload(self.config(), name)
    }

    async fn bytes_up_to(&mut self, limit: usize) -> Result<Bytes, Failure> {
        let body = self.body.get_mut().ok().and_then(Option::take);
        let (headers, config) = (&self.parts.headers, self.state.config());
        match body {
            Some(body) => Ok(request_body::collect(headers, body, config, limit).await?),
            None => Ok(Bytes::new()),
        }
    }

    /// Bytes of this call's body, ready to be read.
    pub(crate) fn received<'a>(&'a self, bytes: &'a [u8]) -> Received<'a> {
        Received::new(&self.parts.headers, bytes)
    }

    /// Who sent the request; whoever accepts connections has looked behind trusted proxies already.
    pub(crate) const fn peer(&self) -> IpAddr {
        self.peer
    }

    /// What the SDK says of itself.
    pub(crate) fn sdk_labels(&self) -> SdkLabels {
        sdk_labels::of(self.headers())
    }
}
