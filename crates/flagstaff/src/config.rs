//! Settings of the binary itself: where it listens, what it lets a connection do, how it logs.

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Where the server listens and keeps its data: the `[server]` table of `flagstaff.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ServerConfig {
    /// Address for everything the server speaks; port 0 picks a free one. Default `127.0.0.1:8000`.
    pub(crate) listen: SocketAddr,
    /// `sqlite:<file>` or `postgres://…`. A secret, because it may hold a password.
    /// `DATABASE_URL` sets it too. Default `sqlite:flagstaff.db`.
    pub(crate) database_url: DatabaseUrl,
    /// Address under which people reach the server, such as `https://flags.example.com`; links and cookies
    /// go by it. When it is left out, the address the server listens on is used.
    pub(crate) public_url: Option<PublicUrl>,
    /// Addresses of proxies whose `X-Forwarded-For` is believed; in a variable, separated by commas.
    pub(crate) trusted_proxies: Vec<IpAddr>,
    /// Whether a start on an empty database makes a demo project. Default `true`.
    pub(crate) demo: bool,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8000)),
            database_url: DatabaseUrl("sqlite:flagstaff.db".into()),
            public_url: None,
            trusted_proxies: Vec::new(),
            demo: true,
        }
    }
}

/// What one connection may cost: the `[connections]` table of `flagstaff.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ConnectionConfig {
    /// Connections open at once; further ones wait to be accepted. Default `10000`.
    pub(crate) limit: u32,
    /// New connections that are taken on within a second, for each processor; further ones wait to be accepted, so that
    /// thousands of clients who come back at once leave room for those who are there. Default `2000`.
    pub(crate) per_second: u32,
    /// Seconds in which the header of a request has to arrive; also how long an idle HTTP/1.1 connection
    /// stays open. Default `30`.
    pub(crate) header_seconds: u32,
    /// Bytes the header of a request may have, at least 8192. Default `32768`.
    pub(crate) header_bytes: u32,
    /// Seconds after which a connection whose peer takes nothing off it is closed. Default `30`.
    pub(crate) stall_seconds: u32,
    /// Requests that one HTTP/2 connection may have under way. Default `200`.
    pub(crate) streams: u32,
}

impl Default for ConnectionConfig {
    fn default() -> Self {
        Self {
            limit: 10_000,
            per_second: 2000,
            header_seconds: 30,
            header_bytes: 32_768,
            stall_seconds: 30,
            streams: 200,
        }
    }
}

/// What is written to standard error: the `[log]` table of `flagstaff.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct LogConfig {
    /// `text`, `json`, or `auto`: text on a terminal, JSON elsewhere. Default `auto`.
    pub(crate) format: LogFormat,
    /// `error`, `warn`, `info`, `debug` or `trace`; also by target, such as `info,flagstaff_store=debug`. Default `info`.
    pub(crate) level: LogLevel,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            format: LogFormat::Auto,
            level: LogLevel("info".to_owned()),
        }
    }
}

/// The address of a database. It may hold a password, so nothing shows it.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct DatabaseUrl(SecretString);

impl DatabaseUrl {
    /// The address, for whoever opens it.
    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl TryFrom<String> for DatabaseUrl {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let is_server = text.starts_with("postgres://") || text.starts_with("postgresql://");
        match text
            .strip_prefix("sqlite:")
            .map(|path| path.trim_start_matches('/'))
        {
            None if !is_server => Err("begins neither with `sqlite:` nor with `postgres://`"),
            // Memory would be another database for each connection, and gone at the end.
            Some("" | ":memory:") => Err("`sqlite:` needs the name of a file"),
            None | Some(_) => Ok(Self(text.into())),
        }
    }
}

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    Auto,
    /// One readable line.
    Text,
    /// One JSON object a line.
    Json,
}

/// A filter of log lines that was found to be one.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct LogLevel(String);

impl LogLevel {
    /// The filter as it was written.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for LogLevel {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        // `EnvFilter` takes any word for a target's name, so a typing error would silence everything.
        for part in text.split(',') {
            let level = part
                .rsplit_once('=')
                .map_or(part, |(_, level)| level)
                .trim();
            if level
                .parse::<tracing::level_filters::LevelFilter>()
                .is_err()
            {
                return Err(format!("invalid log level: `{level}`"));
            }
        }
        match tracing_subscriber::EnvFilter::try_new(&text) {
            Ok(_) => Ok(Self(text)),
            Err(error) => Err(format!("invalid log level: {error}")),
        }
    }
}

/// An `http` or `https` address without path, query or trailing slash.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct PublicUrl(String);

impl PublicUrl {
    /// The address, such as `https://flags.example.com`.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for PublicUrl {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let url = url::Url::parse(&text).map_err(|error| format!("invalid address: {error}"))?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err("invalid address: neither http:// nor https://".to_owned());
        }
        let is_bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        if !is_bare || !url.username().is_empty() || url.password().is_some() {
            return Err("invalid address: more than scheme, host and port".to_owned());
        }
        Ok(Self(url.as_str().trim_end_matches('/').to_owned()))
    }
}
