//! Recorded requests with their answers, and the differences that are named beside them.

use serde_json::{Map, Value as Json};
use std::path::PathBuf;

/// One line of a recording.
pub struct Exchange {
    pub number: u64,
    pub note: String,
    pub method: String,
    pub path: String,
    pub request_headers: Vec<(String, String)>,
    pub request_body: Option<Vec<u8>>,
    pub expected: Expected,
    /// What differs from the recording, by the names of their reasons.
    pub differences: Vec<String>,
}

/// What has to be answered: the recorded answer, changed where a difference says so.
#[derive(Clone, PartialEq)]
pub struct Expected {
    pub status: u64,
    pub headers: Map<String, Json>,
    pub body: Json,
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/flagsmith")
}

/// Reads a recording and lays the named differences over it.
pub fn read(file: &str) -> Vec<Exchange> {
    let text = std::fs::read_to_string(folder().join(format!("{file}.jsonl"))).unwrap();
    let differences = differences();
    let mut exchanges: Vec<Exchange> = text.lines().map(parse).collect();
    send_what_was_downloaded(&mut exchanges);
    let recorded: Vec<Expected> = exchanges.iter().map(|each| each.expected.clone()).collect();
    for difference in differences.iter().filter(|each| each["file"] == *file) {
        for row in difference["rows"].as_array().unwrap() {
            let exchange = exchanges
                .iter_mut()
                .find(|exchange| Some(exchange.number) == row.as_u64())
                .unwrap_or_else(|| panic!("{file} has no row {row}"));
            apply(difference, exchange, &recorded);
        }
    }
    exchanges
}

/// The differences between the original and us, one data file for the replay and the documentation.
pub fn differences() -> Vec<Json> {
    named_differences()["differences"]
        .as_array()
        .unwrap()
        .clone()
}

pub fn named_differences() -> Json {
    let text = std::fs::read_to_string(folder().join("differences.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn parse(line: &str) -> Exchange {
    let row: Json = serde_json::from_str(line).unwrap();
    let text = |name: &str| row[name].as_str().unwrap().to_owned();
    let headers = row["request_headers"].as_object().unwrap();
    Exchange {
        number: row["n"].as_u64().unwrap(),
        note: text("note"),
        method: text("method"),
        path: text("path"),
        request_headers: headers
            .iter()
            .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
            .collect(),
        request_body: match &row["request_body"] {
            Json::Null => None,
            // What was no JSON was recorded as it was sent.
            Json::String(raw) => Some(raw.clone().into_bytes()),
            json => Some(json.to_string().into_bytes()),
        },
        expected: Expected {
            status: row["status"].as_u64().unwrap(),
            headers: row["response_headers"].as_object().unwrap().clone(),
            body: row["response_body"].clone(),
        },
        differences: Vec::new(),
    }
}

/// Files that were sent are not recorded: they were what had been downloaded before.
fn send_what_was_downloaded(exchanges: &mut [Exchange]) {
    let mut file = String::new();
    for exchange in exchanges {
        if exchange.path.contains("/download-feature-export/") {
            file = exchange.expected.body.to_string();
        }
        let body = exchange.request_body.as_deref().unwrap_or_default();
        let body: Json = serde_json::from_slice(body).unwrap_or_default();
        if body["file"] != "(multipart)" {
            continue;
        }
        let strategy = body["strategy"].as_str().unwrap();
        let form = format!(
            "--recorded\r\nContent-Disposition: form-data; name=\"strategy\"\r\n\r\n{strategy}\r\n\
            --recorded\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f.json\"\r\n\r\n\
            {file}\r\n--recorded--\r\n"
        );
        exchange.request_body = Some(form.into_bytes());
        let media_type = "multipart/form-data; boundary=recorded".to_owned();
        let header = ("Content-Type".to_owned(), media_type);
        exchange.request_headers.push(header);
    }
}

/// Changes what is expected. A difference that changes nothing is not one.
fn apply(difference: &Json, exchange: &mut Exchange, rows: &[Expected]) {
    let recorded = exchange.expected.clone();
    let expected = &mut exchange.expected;
    if let Some(row) = difference["like"].as_u64() {
        *expected = rows[usize::try_from(row).unwrap() - 1].clone();
    }
    if let Some(status) = difference.get("status") {
        expected.status = status.as_u64().unwrap();
    }
    for (name, value) in difference["headers"].as_object().into_iter().flatten() {
        match value {
            Json::Null => {
                expected.headers.remove(name);
            }
            value => {
                expected.headers.insert(name.clone(), value.clone());
            }
        }
    }
    if let Some(body) = difference.get("body") {
        expected.body = body.clone();
    }
    for pointer in difference["remove"].as_array().into_iter().flatten() {
        remove(&mut expected.body, pointer.as_str().unwrap());
    }
    for (pointer, value) in difference["set"].as_object().into_iter().flatten() {
        *expected.body.pointer_mut(pointer).unwrap() = value.clone();
    }
    for (pointer, items) in difference["append"].as_object().into_iter().flatten() {
        let list = expected.body.pointer_mut(pointer).unwrap();
        let items = items.as_array().unwrap().iter().cloned();
        list.as_array_mut().unwrap().extend(items);
    }
    for pointer in difference["any"].as_array().into_iter().flatten() {
        let value = expected.body.pointer_mut(pointer.as_str().unwrap());
        *value.unwrap() = serde_json::json!({ "__any__": true });
    }
    let number = exchange.number;
    assert!(
        *expected != recorded,
        "row {number}: {difference} differs in nothing"
    );
    let why = difference["why"].as_str().unwrap().to_owned();
    exchange.differences.push(why);
}

fn remove(body: &mut Json, pointer: &str) {
    let (parent, last) = pointer.rsplit_once('/').unwrap();
    match body.pointer_mut(parent).unwrap() {
        Json::Array(items) => {
            items.remove(last.parse().unwrap());
        }
        Json::Object(members) => {
            members.remove(last).unwrap();
        }
        other => panic!("{other} has no members"),
    }
}
