//! Settings of the faces.

use bytes::Bytes;
use secrecy::SecretString;
use serde::Deserialize;
use std::net::SocketAddr;
use std::sync::OnceLock;

/// What a request may cost: the `[limits]` table of `flagstaff.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ApiConfig {
    /// Bytes of a request's body. Default 1,048,576.
    pub body_bytes: usize,
    /// Bytes of a request that brings a file of features to be imported. Default 16,777,216.
    pub import_bytes: usize,
    /// Levels of lists and objects in a body. Default 64.
    pub json_depth: usize,
    /// Values in a body: every member, item and form field counts. Default 100,000.
    pub json_values: usize,
    /// Traits in one request. Default 1,000.
    pub traits: usize,
    /// Seconds in which a body has to arrive. Default 10.
    pub body_seconds: u64,
    /// Seconds after which an answer is given up. Default 30.
    pub answer_seconds: u64,
    /// Streams open at once, of all protocols. Default 10,000.
    pub streams: usize,
    /// Streams that are given their first document within a second, for each processor: more wait in a queue, so that
    /// thousands of clients who come back at once leave room for the requests of others. Default 1,000.
    pub stream_starts: u32,
    /// Seconds in which the reader of a stream has to take what it is sent; its stream is ended where it takes longer,
    /// its connection closed where it takes twice as long. Default 30.
    pub stream_stall_seconds: u64,
    /// Answers above this many bytes are sent compressed to who asks for it, where they are kept. Default 1,400.
    pub compress_bytes: usize,
    /// OFREP requests that one environment key may make in a second, on each node; 0 means that they are not limited. Default 0.
    pub ofrep_requests: u32,
    /// Where people reach this server, without a slash at the end; links begin with it. Set from
    /// `server.public_url`; default `http://127.0.0.1:8000`.
    #[serde(skip)]
    pub public_url: String,
    /// The table of its own.
    #[serde(skip)]
    pub flagd: FlagdConfig,
    /// The table of its own.
    #[serde(skip)]
    pub metrics: MetricsConfig,
}

impl Default for ApiConfig {
    fn default() -> Self {
        Self {
            body_bytes: 1024 * 1024,
            import_bytes: 16 * 1024 * 1024,
            json_depth: 64,
            json_values: 100_000,
            traits: 1000,
            body_seconds: 10,
            answer_seconds: 30,
            streams: 10_000,
            stream_starts: 1000,
            stream_stall_seconds: 30,
            compress_bytes: 1400,
            ofrep_requests: 0,
            public_url: "http://127.0.0.1:8000".to_owned(),
            flagd: FlagdConfig::default(),
            metrics: MetricsConfig::default(),
        }
    }
}

/// What clients of flagd are served: the `[flagd]` table of `flagstaff.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FlagdConfig {
    /// Identity overrides of one feature that a flagd document holds; the rest is left out, and a warning says how
    /// many. Default 10,000.
    pub identity_override_limit: usize,
    /// An address more for `flagd.sync.v1`, where clients that evaluate for themselves look for it: usually port 8015.
    pub sync_listen: Option<SocketAddr>,
    /// Server-side key of the environment that `sync_listen` serves to clients that bring no key.
    pub sync_key: Option<SecretString>,
    /// What is laid under the context of every evaluation that such a client makes: a JSON object.
    /// Default `{}`.
    pub sync_context: SyncContext,
    /// An address more for `flagd.evaluation.v1` and `.v2`, over gRPC, gRPC-Web and Connect: usually port 8013.
    pub evaluation_listen: Option<SocketAddr>,
    /// Server-side key of the environment that `evaluation_listen` serves to clients that bring no key.
    pub evaluation_key: Option<SecretString>,
    /// Seconds of silence after which a stream of events is given a sign of life. Default 20.
    pub keep_alive_seconds: u64,
    /// Seconds after which a stream of events is ended, so that its client connects anew. Default 0: never.
    pub stream_deadline_seconds: u64,
    /// An address more for OFREP, where flagd has it: usually port 8016.
    pub ofrep_listen: Option<SocketAddr>,
    /// Environment key, of either kind, that `ofrep_listen` lends to clients that bring none.
    pub ofrep_key: Option<SecretString>,
}

impl Default for FlagdConfig {
    fn default() -> Self {
        Self {
            identity_override_limit: 10_000,
            sync_listen: None,
            sync_key: None,
            sync_context: SyncContext::default(),
            evaluation_listen: None,
            evaluation_key: None,
            keep_alive_seconds: 20,
            stream_deadline_seconds: 0,
            ofrep_listen: None,
            ofrep_key: None,
        }
    }
}

/// What metrics tell: the `[metrics]` table of `flagstaff.toml`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MetricsConfig {
    /// Whether names of flags are labels. Only the first 500 that are asked for are told apart. Default `false`.
    pub flag_labels: bool,
}

/// A JSON object that every evaluation of a client begins with.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(try_from = "String")]
pub struct SyncContext {
    pub(crate) members: serde_json::Map<String, serde_json::Value>,
    /// As a message has it, written once for all streams.
    pub(crate) field: OnceLock<Bytes>,
}

impl TryFrom<String> for SyncContext {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match serde_json::from_str(&text) {
            Ok(members) => Ok(Self {
                members,
                field: OnceLock::new(),
            }),
            Err(error) => Err(format!("is no JSON object: {error}")),
        }
    }
}
