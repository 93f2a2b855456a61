//! Asks servers that speak Prometheus' HTTP API: Prometheus itself, Thanos, Mimir, VictoriaMetrics and others.
//!
//! A source is either one that the settings name, whose address is the operator's and whose credentials are known, or
//! an address in a guard, which goes through the guarded client and never has credentials with it: else whoever may
//! write a guard could send the operator's password wherever they like.

use super::answer::{AnswerProblem, Reading};
use crate::config::{PrometheusConfig, ServiceConfig};
use crate::error::BoxError;
use crate::outbound::{OutboundClient, OutboundError};
use http::{HeaderValue, Request, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeMap;
use std::time::Duration;
use url::form_urlencoded;

/// How long a query may take, the way there and back included.
const TIME_LIMIT: Duration = Duration::from_secs(10);
/// How long the server may work on it: less, so that it says itself that it was too long.
const QUERY_TIME: &str = "8s";

/// Everything that guards can ask.
pub(crate) struct MetricSources {
    named: BTreeMap<String, Source>,
    guarded: OutboundClient,
    trusted: OutboundClient,
}

struct Source {
    endpoint: String,
    authorization: Option<SecretString>,
    organisations: Vec<String>,
}

/// Why nothing was measured. No address, no credential and no body of an answer is in the text.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MetricProblem {
    /// The settings name no such source, or not for this organisation.
    #[error("there is no metrics source `{0}`")]
    UnknownSource(String),
    /// The server was not reached, or did not answer whole and in time.
    #[error("the metrics source was not read: {0}")]
    Unread(#[from] OutboundError),
    /// It does not let us in.
    #[error("the metrics source does not accept the credentials (status {0})")]
    Unauthorised(u16),
    /// It answered something else.
    #[error("the metrics source answers with status {0}")]
    Status(u16),
    /// Redirects are not followed: they may lead anywhere.
    #[error("the metrics source redirects (status {0}); name the address it redirects to")]
    Redirected(u16),
    /// There is no number in the answer.
    #[error("{0}")]
    Answer(#[from] AnswerProblem),
}

impl MetricSources {
    /// The sources of the settings, and clients.
    ///
    /// # Errors
    /// When the file of further roots cannot be used, or a credential cannot stand in a header.
    pub(crate) fn new(config: &ServiceConfig) -> Result<Self, BoxError> {
        let mut named = BTreeMap::new();
        for (name, settings) in &config.prometheus {
            let source = Source {
                endpoint: endpoint(&settings.url),
                authorization: authorization(settings),
                organisations: settings.organisations.clone(),
            };
            if let Some(value) = &source.authorization {
                HeaderValue::from_str(value.expose_secret()).map_err(|_| {
                    format!(
                        "the token of metrics source `{name}` holds characters that no header takes"
                    )
                })?;
            }
            named.insert(name.clone(), source);
        }
        Ok(Self {
            named,
            guarded: OutboundClient::guarded(&config.outbound)?,
            trusted: OutboundClient::trusted(&config.outbound)?,
        })
    }

    /// Checks a source before it is kept: a name from the settings, or an address.
    ///
    /// # Errors
    /// [`MetricProblem::UnknownSource`], and what the guarded client has against the address.
    pub(crate) fn check(&self, source: &str, organisation: &str) -> Result<(), MetricProblem> {
        if is_address(source) {
            let checked = self.guarded.check_address(source).and_then(|url| {
                let is_bare = url.query().is_none() && url.fragment().is_none();
                is_bare.then_some(()).ok_or(OutboundError::NotAnAddress)
            });
            return Ok(checked?);
        }
        self.source(source, organisation).map(drop)
    }

    /// Asks one question.
    ///
    /// # Errors
    /// Every [`MetricProblem`].
    pub(crate) async fn read(
        &self,
        source: &str,
        organisation: &str,
        query: &str,
    ) -> Result<Reading, MetricProblem> {
        let (client, request) = if is_address(source) {
            (&self.guarded, request(&endpoint(source), None, query)?)
        } else {
            let source = self.source(source, organisation)?;
            let authorization = source.authorization.as_ref();
            (
                &self.trusted,
                request(&source.endpoint, authorization, query)?,
            )
        };
        let sent = tokio::time::timeout(TIME_LIMIT, client.send(request)).await;
        let answer = sent.unwrap_or(Err(OutboundError::TimedOut))?;
        let status = answer.status();
        match status {
            StatusCode::OK => Ok(Reading::parse(answer.body())?),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                Err(MetricProblem::Unauthorised(status.as_u16()))
            }
            _ if status.is_redirection() => Err(MetricProblem::Redirected(status.as_u16())),
            // A query that is wrong, that takes too long or that cannot be run: the body says which.
            _ => match Reading::parse(answer.body()) {
                Err(problem @ AnswerProblem::Refused { .. }) => Err(problem.into()),
                _ => Err(MetricProblem::Status(status.as_u16())),
            },
        }
    }

    fn source(&self, name: &str, organisation: &str) -> Result<&Source, MetricProblem> {
        let is_open = |source: &&Source| {
            let list = &source.organisations;
            list.is_empty() || list.iter().any(|each| each == organisation)
        };
        let found = self.named.get(name).filter(is_open);
        found.ok_or_else(|| MetricProblem::UnknownSource(name.to_owned()))
    }
}

impl std::fmt::Debug for MetricSources {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MetricSources")
            .field("named", &self.named.keys())
            .finish_non_exhaustive()
    }
}

/// Names have no colon.
fn is_address(source: &str) -> bool {
    source.contains(':')
}

fn endpoint(base: &str) -> String {
    format!("{}/api/v1/query", base.trim_end_matches('/'))
}

/// By POST, because queries are longer than addresses may be, and do not belong into the logs of proxies.
fn request(
    endpoint: &str,
    authorization: Option<&SecretString>,
    query: &str,
) -> Result<Request<Vec<u8>>, OutboundError> {
    let form = form_urlencoded::Serializer::new(String::new())
        .append_pair("query", query)
        .append_pair("timeout", QUERY_TIME)
        .finish();
    let mut request = Request::post(endpoint)
        .header("accept", "application/json")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form.into_bytes())
        .map_err(|_| OutboundError::NotAnAddress)?;
    if let Some(value) = authorization {
        let mut value = HeaderValue::from_str(value.expose_secret())
            .map_err(|_| OutboundError::NotAnAddress)?;
        value.set_sensitive(true);
        request.headers_mut().insert("authorization", value);
    }
    Ok(request)
}

fn authorization(settings: &PrometheusConfig) -> Option<SecretString> {
    if let Some(token) = &settings.token {
        return Some(format!("Bearer {}", token.expose_secret().trim()).into());
    }
    let user = settings.user.as_ref()?;
    let password = settings.password.as_ref().map(ExposeSecret::expose_secret);
    let pair = format!("{user}:{}", password.unwrap_or_default());
    Some(format!("Basic {}", base64(pair.as_bytes())).into())
}

/// Base64 with padding (RFC 4648, section 4).
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |index| u32::from(chunk.get(index).copied().unwrap_or(0));
        let number = byte(0) << 16 | byte(1) << 8 | byte(2);
        for position in 0..4 {
            if position <= chunk.len() {
                let digit = (number >> (18 - 6 * position)) & 63;
                text.push(char::from(DIGITS[digit as usize]));
            } else {
                text.push('=');
            }
        }
    }
    text
}

#[cfg(test)]
mod tests;
