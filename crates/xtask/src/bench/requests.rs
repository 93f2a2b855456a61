//! What is asked.

use serde::Serialize;
use serde_json::{Value, json};

use super::document::{CLIENT_KEY, SERVER_KEY};
use super::size::{Size, traits};

/// Requests of one kind, sent in turn.
pub(super) struct Scenario {
    pub(super) name: String,
    pub(super) requests: Vec<Request>,
}

/// One request; also what the bare server is told to repeat the answer of.
#[derive(Clone, Serialize)]
pub(super) struct Request {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) key: &'static str,
    pub(super) body: String,
    /// The answer that the client holds already.
    pub(super) if_none_match: Option<&'static str>,
}

impl Request {
    /// The bytes on the wire, for a connection that is kept open.
    pub(super) fn to_http(&self, host: &str) -> String {
        let Self {
            method,
            path,
            key,
            body,
            if_none_match,
        } = self;
        let held = if_none_match.map(|tag| format!("If-None-Match: {tag}\r\n"));
        let held = held.unwrap_or_default();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nX-Environment-Key: {key}\r\n{held}"
        );
        if body.is_empty() {
            return format!("{head}\r\n");
        }
        let length = body.len();
        format!("{head}Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}")
    }
}

/// Different people in one scenario; enough that no single one is always in the processor's cache.
const IDENTITIES: u32 = 1000;
/// Traits that each of them sends.
const TRAITS: usize = 3;

/// The calls that SDKs make, on a project of this size.
pub(super) fn scenarios(size: Size) -> Vec<Scenario> {
    if size != Size::SMALL {
        return vec![unchanged(size)];
    }
    vec![
        flags(),
        unchanged(size),
        Scenario {
            name: format!("`POST /api/v1/identities/`, transient, {}", size.name()),
            requests: (0..IDENTITIES)
                .map(|number| identity(number, true))
                .collect(),
        },
        Scenario {
            name: "`GET /api/v1/environment-document/`".to_owned(),
            requests: vec![get("/api/v1/environment-document/", SERVER_KEY)],
        },
    ]
}

/// The calls that OpenFeature's providers make.
pub(super) fn ofrep(size: Size) -> Vec<Scenario> {
    let contexts: Vec<Request> = (0..IDENTITIES).map(evaluation).collect();
    let nobody = Request {
        body: "{}".to_owned(),
        ..evaluation(0)
    };
    let held = contexts.iter().map(|request| Request {
        if_none_match: Some("*"),
        ..request.clone()
    });
    let path = contexts[0].path;
    vec![
        Scenario {
            name: format!("`POST {path}`, no context, {}", size.name()),
            requests: vec![nobody],
        },
        Scenario {
            name: format!("`POST {path}`, 304, {}", size.name()),
            requests: held.collect(),
        },
        Scenario {
            name: format!("`POST {path}`, {}", size.name()),
            requests: contexts,
        },
    ]
}

/// The list of flags.
pub(super) fn flags() -> Scenario {
    Scenario {
        name: "`GET /api/v1/flags/`".to_owned(),
        requests: vec![get("/api/v1/flags/", CLIENT_KEY)],
    }
}

/// People who are known, with traits that are stored already.
pub(super) fn unchanged(size: Size) -> Scenario {
    Scenario {
        name: format!("`POST /api/v1/identities/`, unchanged, {}", size.name()),
        requests: (0..IDENTITIES)
            .map(|number| identity(number, false))
            .collect(),
    }
}

/// What is sent while memory is watched: single flags, whole lists and identities.
pub(super) fn mixed() -> Scenario {
    let single = get("/api/v1/flags/?feature=feature_01", CLIENT_KEY);
    let list = get("/api/v1/flags/", CLIENT_KEY);
    let requests = (0..IDENTITIES).flat_map(|number| {
        let mut ten = vec![single.clone(); 7];
        ten.extend([
            list.clone(),
            identity(number, false),
            identity(number, true),
        ]);
        ten
    });
    Scenario {
        name: "of ten, seven for a single flag, one for all flags, two for identities with all their flags".to_owned(),
        requests: requests.collect(),
    }
}

/// A request without a body.
pub(super) fn get(path: &'static str, key: &'static str) -> Request {
    Request {
        method: "GET",
        path,
        key,
        body: String::new(),
        if_none_match: None,
    }
}

fn identity(number: u32, is_transient: bool) -> Request {
    let sent: Vec<Value> = traits(TRAITS)
        .into_iter()
        .map(|(key, value)| json!({ "trait_key": key, "trait_value": value }))
        .collect();
    let body = json!({
        "identifier": format!("person-{number:04}"),
        "transient": is_transient,
        "traits": sent,
    });
    Request {
        method: "POST",
        path: "/api/v1/identities/",
        key: CLIENT_KEY,
        body: body.to_string(),
        if_none_match: None,
    }
}

/// All flags of somebody of whom nothing is stored.
fn evaluation(number: u32) -> Request {
    let mut context = json!({ "targetingKey": format!("person-{number:04}") });
    for (name, value) in traits(TRAITS) {
        context[name] = value;
    }
    Request {
        method: "POST",
        path: "/ofrep/v1/evaluate/flags",
        key: CLIENT_KEY,
        body: json!({ "context": context }).to_string(),
        if_none_match: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_says_which_answer_is_held_already() {
        let scenarios = ofrep(Size::SMALL);
        let sent: Vec<String> = scenarios
            .iter()
            .map(|scenario| scenario.requests[0].to_http("localhost:1"))
            .collect();

        assert!(!sent[0].contains("If-None-Match") && sent[0].ends_with("\r\n\r\n{}"));
        assert!(sent[1].contains("\r\nIf-None-Match: *\r\n"), "{}", sent[1]);
        assert!(sent[2].contains(r#""targetingKey":"person-0000""#));
    }
}
