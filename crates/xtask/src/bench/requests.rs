//! What is asked.

use serde::Serialize;
use serde_json::json;

use super::document::{CLIENT_KEY, SERVER_KEY};

/// Requests of one kind, sent in turn.
pub(super) struct Scenario {
    pub(super) name: &'static str,
    pub(super) requests: Vec<Request>,
}

/// One request; also what the bare server is told to repeat the answer of.
#[derive(Serialize)]
pub(super) struct Request {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) key: &'static str,
    pub(super) body: String,
}

impl Request {
    /// The bytes on the wire, for a connection that is kept open.
    pub(super) fn to_http(&self, host: &str) -> String {
        let Self {
            method,
            path,
            key,
            body,
        } = self;
        let head =
            format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nX-Environment-Key: {key}\r\n");
        if body.is_empty() {
            return format!("{head}\r\n");
        }
        let length = body.len();
        format!("{head}Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}")
    }
}

/// Different people in one scenario; enough that no single one is always in the processor's cache.
const IDENTITIES: u32 = 1000;

/// The calls that SDKs make.
pub(super) fn scenarios() -> Vec<Scenario> {
    let get = |path, key| {
        vec![Request {
            method: "GET",
            path,
            key,
            body: String::new(),
        }]
    };
    vec![
        Scenario {
            name: "`GET /api/v1/flags/`",
            requests: get("/api/v1/flags/", CLIENT_KEY),
        },
        Scenario {
            name: "`POST /api/v1/identities/`, transient",
            requests: (0..IDENTITIES)
                .map(|number| identity(number, true))
                .collect(),
        },
        Scenario {
            name: "`POST /api/v1/identities/`, known and unchanged",
            requests: (0..IDENTITIES)
                .map(|number| identity(number, false))
                .collect(),
        },
        Scenario {
            name: "`GET /api/v1/environment-document/`",
            requests: get("/api/v1/environment-document/", SERVER_KEY),
        },
    ]
}

fn identity(number: u32, is_transient: bool) -> Request {
    let body = json!({
        "identifier": format!("person-{number:04}"),
        "transient": is_transient,
        "traits": [
            { "trait_key": "plan", "trait_value": "pro" },
            { "trait_key": "email", "trait_value": "someone@example.com" },
            { "trait_key": "version", "trait_value": "5.1.0" },
        ],
    });
    Request {
        method: "POST",
        path: "/api/v1/identities/",
        key: CLIENT_KEY,
        body: body.to_string(),
    }
}
