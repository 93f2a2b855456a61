//! Compares an answer with what was recorded: never loosely, only by the role of what cannot be equal.

use super::recording::Expected;
use super::roles::{Kind, Roles, is_made_up};
use crate::face::Reply;
use flagstaff_wire::time::{parse_http_date, parse_iso};
use serde_json::{Map, Value as Json, json};

/// Compares and says everything that differs; nothing where all is as expected.
pub fn compare(expected: &Expected, reply: &Reply, roles: &mut Roles) -> Vec<String> {
    let mut problems = Vec::new();
    if expected.status != u64::from(reply.status) {
        problems.push(format!("status {} is {}", expected.status, reply.status));
    }
    compare_headers(&expected.headers, reply, roles, &mut problems);
    compare_body(&expected.body, reply, roles, &mut problems);
    problems
}

fn is_compared(name: &str) -> bool {
    [
        "content-type",
        "location",
        "allow",
        "last-modified",
        "cache-control",
    ]
    .contains(&name)
        || name.starts_with("x-flagsmith-")
        || name.starts_with("access-control-")
}

fn compare_headers(
    expected: &Map<String, Json>,
    reply: &Reply,
    roles: &mut Roles,
    problems: &mut Vec<String>,
) {
    let recorded = expected
        .iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value.as_str().unwrap()));
    let recorded: Vec<_> = recorded.filter(|(name, _)| is_compared(name)).collect();
    for (name, value) in &recorded {
        match reply.header(name) {
            None => problems.push(format!("header {name}: {value} is absent")),
            Some(ours) if is_same_header(name, value, ours, roles) => {}
            Some(ours) => problems.push(format!("header {name}: {value} is {ours}")),
        }
    }
    for (name, ours) in &reply.headers {
        let is_expected = recorded.iter().any(|(each, _)| each == name);
        if is_compared(name) && !is_expected {
            problems.push(format!("header {name}: {ours} was not recorded"));
        }
    }
}

fn is_same_header(name: &str, recorded: &str, ours: &str, roles: &mut Roles) -> bool {
    match name {
        "x-flagsmith-document-updated-at" => match (micros(recorded), micros(ours)) {
            (Some(recorded), Some(ours)) => roles.are_the_same_instant(recorded, ours),
            _ => false,
        },
        "last-modified" => {
            let are_dates = parse_http_date(recorded).is_some() && parse_http_date(ours).is_some();
            are_dates && roles.play_the_same(Kind::Second, recorded, ours)
        }
        _ => recorded == ours,
    }
}

/// Seconds with up to six digits of fraction, as Python prints a float: no zeros at the end.
fn micros(text: &str) -> Option<i64> {
    let (seconds, fraction) = text.split_once('.')?;
    let is_fraction =
        (1..=6).contains(&fraction.len()) && (fraction == "0" || !fraction.ends_with('0'));
    let fraction: i64 = is_fraction.then(|| format!("{fraction:0<6}").parse().ok())??;
    Some(seconds.parse::<i64>().ok()? * 1_000_000 + fraction)
}

fn compare_body(expected: &Json, reply: &Reply, roles: &mut Roles, problems: &mut Vec<String>) {
    let is_json =
        reply.header("content-type") == Some("application/json") && !reply.body.is_empty();
    let ours = if is_json {
        serde_json::from_slice(&reply.body).unwrap()
    } else {
        Json::String(String::from_utf8_lossy(&reply.body).into_owned())
    };
    if let Some(head) = expected.get("__truncated__").and(expected.get("head")) {
        let names = ours
            .as_object()
            .map(|members| members.keys().cloned().collect::<Vec<_>>());
        if serde_json::to_value(&names).unwrap() != *head {
            problems.push(format!("members {head} are {names:?}"));
        }
        return;
    }
    let mut walk = Walk { roles, problems };
    walk.value("", None, expected, &ours);
}

struct Walk<'a> {
    roles: &'a mut Roles,
    problems: &'a mut Vec<String>,
}

impl Walk<'_> {
    fn value(
        &mut self,
        path: &str,
        parent: Option<&Map<String, Json>>,
        recorded: &Json,
        ours: &Json,
    ) {
        match (recorded, ours) {
            (Json::Object(recorded), Json::Object(ours)) => self.object(path, recorded, ours),
            (Json::Array(recorded), Json::Array(ours)) => self.list(path, recorded, ours),
            (Json::Number(id), Json::Number(our_id)) => {
                let kind = id_kind(path, parent);
                let is_same = match kind {
                    Some(kind) => self.roles.play_the_same(kind, id.as_str(), our_id.as_str()),
                    None => id == our_id,
                };
                self.check(is_same, path, recorded, ours);
            }
            (Json::String(text), Json::String(our_text)) => {
                let is_same = self.is_same_text(path, text, our_text);
                self.check(is_same, path, recorded, ours);
            }
            _ => self.check(recorded == ours, path, recorded, ours),
        }
    }

    fn object(&mut self, path: &str, recorded: &Map<String, Json>, ours: &Map<String, Json>) {
        for (name, value) in recorded {
            match ours.get(name) {
                Some(our_value) => {
                    self.value(&format!("{path}/{name}"), Some(recorded), value, our_value);
                }
                None => self
                    .problems
                    .push(format!("{path}/{name}: {value} is absent")),
            }
        }
        for (name, value) in ours
            .iter()
            .filter(|(name, _)| !recorded.contains_key(*name))
        {
            self.problems
                .push(format!("{path}/{name}: {value} was not recorded"));
        }
    }

    fn list(&mut self, path: &str, recorded: &[Json], ours: &[Json]) {
        if recorded.len() != ours.len() {
            let (recorded, ours) = (recorded.len(), ours.len());
            self.problems
                .push(format!("{path}: {recorded} items are {ours}"));
            return;
        }
        for (position, (value, our_value)) in recorded.iter().zip(ours).enumerate() {
            self.value(&format!("{path}/{position}"), None, value, our_value);
        }
    }

    fn is_same_text(&mut self, path: &str, recorded: &str, ours: &str) -> bool {
        let name = path.rsplit('/').next().unwrap();
        match name {
            "created_date" | "updated_at" => {
                let (Some(at), Some(our_at)) = (parse_iso(recorded), parse_iso(ours)) else {
                    return false;
                };
                let is_same_form = shape(recorded) == shape(ours);
                is_same_form
                    && self
                        .roles
                        .are_the_same_instant(at.micros(), our_at.micros())
            }
            "featurestate_uuid" | "mv_fs_value_uuid" | "identity_uuid" => {
                shape(recorded).len() == shape(ours).len()
                    && self.roles.play_the_same(Kind::Uuid, recorded, ours)
            }
            "identifier" if is_made_up(recorded) => {
                is_made_up(ours)
                    && self
                        .roles
                        .play_the_same(Kind::MadeUpIdentifier, recorded, ours)
            }
            _ => recorded == ours,
        }
    }

    fn check(&mut self, is_same: bool, path: &str, recorded: &Json, ours: &Json) {
        if !is_same {
            self.problems.push(format!("{path}: {recorded} is {ours}"));
        }
    }
}

/// Which id a number is, by its name and the members beside it. Seeds, under `django_id`, are no ids.
fn id_kind(path: &str, parent: Option<&Map<String, Json>>) -> Option<Kind> {
    let parent = parent?;
    let has = |name: &str| parent.contains_key(name);
    let mut steps = path.rsplit('/');
    let name = steps.next()?;
    let above = steps.next().unwrap_or_default();
    match name {
        "environment" => Some(Kind::Environment),
        "identity" => Some(Kind::Identity),
        "feature_segment" => Some(Kind::FeatureSegment),
        "django_id" if has("identity_features") => Some(Kind::Identity),
        "id" if has("trait_key") => Some(Kind::Trait),
        "id" if has("feature_state_value") => Some(Kind::FeatureState),
        "id" if above == "feature" => Some(Kind::Feature),
        "id" if above == "multivariate_feature_option" => Some(Kind::Option),
        "id" if has("percentage_allocation") => Some(Kind::VariantWeight),
        "id" if above == "project" => Some(Kind::Project),
        "id" if above == "organisation" => Some(Kind::Organisation),
        "id" if has("api_key") => Some(Kind::Environment),
        // A segment's id in a document is what it hashes by, and has to be the same.
        "id" if has("rules") => None,
        "id" if path.starts_with("/segments/") => Some(Kind::Segment),
        _ => None,
    }
}

/// A text with its digits made equal.
fn shape(text: &str) -> String {
    let zero = |c: char| if c.is_ascii_digit() { '0' } else { c };
    text.chars().map(zero).collect()
}

/// What differs between a recorded answer and one of ours.
fn differences(recorded: (u64, Json, Json), ours: (u16, &str, Json)) -> Vec<String> {
    let (status, headers, body) = recorded;
    let expected = Expected {
        status,
        headers: headers.as_object().unwrap().clone(),
        body,
    };
    let (status, allow, body) = ours;
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let reply = Reply {
        status,
        headers: vec![
            header("content-type", "application/json"),
            header("allow", allow),
        ],
        body: body.to_string().into(),
    };
    compare(&expected, &reply, &mut Roles::default())
}

#[test]
fn an_equal_answer_has_no_differences() {
    let headers = json!({"Content-Type": "application/json", "Allow": "GET", "Date": "today"});
    let body =
        json!({"id": 7, "feature_state_value": 1.5, "created_date": "2026-11-21T00:05:09.858003Z"});
    let ours =
        json!({"id": 8, "feature_state_value": 1.5, "created_date": "2027-01-01T10:00:00.000001Z"});

    assert_eq!(
        differences((200, headers, body), (200, "GET", ours)),
        [""; 0]
    );
}

#[test]
fn whatever_is_not_the_same_is_told() {
    let headers =
        json!({"Content-Type": "application/json", "Allow": "GET", "X-Flagsmith-Version": "2"});
    let recorded = json!({
        "value": 1, "left": true, "created_date": "2026-11-21T00:05:09.858003Z", "items": [1], "null": null, "text": "a",
    });
    let ours = json!({
        "value": 1.0, "new": true, "created_date": "2026-11-21T00:05:09Z", "items": [1, 2], "null": 0, "text": "A",
    });

    let told = differences((200, headers, recorded), (201, "POST", ours)).join("\n");

    for place in [
        "status",
        "header allow",
        "header x-flagsmith-version",
        "/value",
        "/left",
        "/new",
        "/created_date",
        "/items",
        "/null",
        "/text",
    ] {
        assert!(
            told.contains(&format!("{place}: ")) || told.contains(&format!("{place} ")),
            "{place} in\n{told}"
        );
    }
}
