//! What a handler is called with.

use super::body;
use super::error::Failure;
use super::query::Query;
use crate::config::ApiConfig;
use crate::state::ApiState;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use flagstaff_service::{SdkLabels, Service};
use serde_json::Value as Json;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Mutex;
use uuid::Uuid;

/// One authenticated request: `subject` is what the declared authentication yielded.
pub(crate) struct Call<S> {
    pub(crate) state: ApiState,
    pub(crate) subject: S,
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
        let body = self.body.get_mut().ok().and_then(Option::take);
        match body {
            Some(body) => body::read(&self.parts.headers, body, self.state.config()).await,
            None => Ok(Json::Object(serde_json::Map::new())),
        }
    }

    /// Who sent the request; whoever accepts connections has looked behind trusted proxies already.
    pub(crate) fn peer(&self) -> IpAddr {
        let connected = self.parts.extensions.get::<ConnectInfo<SocketAddr>>();
        connected.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |info| info.0.ip())
    }

    /// What the SDK says of itself.
    pub(crate) fn sdk_labels(&self) -> SdkLabels {
        let label = |name: &str| {
            let text = self.headers().get(name)?.to_str().ok()?;
            (!text.is_empty()).then(|| text.to_owned())
        };
        SdkLabels {
            // Browsers do not let a script set `User-Agent`.
            user_agent: label("flagsmith-sdk-user-agent").or_else(|| label("user-agent")),
            application_name: label("flagsmith-application-name"),
            application_version: label("flagsmith-application-version"),
        }
    }
}
