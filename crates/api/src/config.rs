//! Settings of the faces.

use serde::Deserialize;

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
    /// Notification streams open at once. Default 10,000.
    pub streams: usize,
    /// Answers above this many bytes are sent compressed to who asks for it, where they are kept. Default 1,400.
    pub compress_bytes: usize,
    /// Where people reach this server, without a slash at the end; links begin with it. Set from
    /// `server.public_url`; default `http://127.0.0.1:8000`.
    #[serde(skip)]
    pub public_url: String,
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
            compress_bytes: 1400,
            public_url: "http://127.0.0.1:8000".to_owned(),
        }
    }
}
