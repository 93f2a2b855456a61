//! The OpenFeature Remote Evaluation Protocol.

mod agreement;
mod bad_input;
mod contexts;
mod keys;
mod lists;
mod setting;
mod shapes;
mod single;
mod stream;

use crate::face::{Ask, CLIENT_KEY, Face, Reply, SERVER_KEY};
use serde_json::{Value as Json, json};

const LIST: &str = "/ofrep/v1/evaluate/flags";

/// The path of one flag.
fn path(key: &str) -> String {
    let encoded: String = url_encoded(key);
    format!("{LIST}/{encoded}")
}

fn url_encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
            char::from(byte).to_string()
        }
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

/// A request with the client key, not sent yet.
fn ask<'a>(face: &'a Face, path: &str) -> Ask<'a> {
    ask_with(face, CLIENT_KEY, path)
}

fn ask_with<'a>(face: &'a Face, key: &str, path: &str) -> Ask<'a> {
    face.keyless("POST", path)
        .header("x-environment-key", key)
        .header("content-type", "application/json")
}

/// One flag for a context, as the client key gets it. Whatever is answered has to have a shape of the protocol.
async fn flag(face: &Face, key: &str, context: Json) -> Json {
    flag_with(face, CLIENT_KEY, key, context).await
}

async fn flag_with(face: &Face, environment_key: &str, key: &str, context: Json) -> Json {
    let body = json!({ "context": context }).to_string();
    let reply = ask_with(face, environment_key, &path(key)).body(body);
    let reply = reply.send().await;
    shapes::check_single(&reply);
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()
}

/// All flags for a context.
async fn list(face: &Face, context: Json) -> Reply {
    list_with(face, CLIENT_KEY, context).await
}

async fn list_with(face: &Face, environment_key: &str, context: Json) -> Reply {
    let body = json!({ "context": context }).to_string();
    let reply = ask_with(face, environment_key, LIST).body(body);
    let reply = reply.send().await;
    shapes::check_list(&reply);
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply
}

/// The item of a flag in a list.
fn item(list: &Reply, key: &str) -> Option<Json> {
    let list = list.json();
    let mut items = list["flags"].as_array().unwrap().iter();
    items.find(|item| item["key"] == key).cloned()
}

/// Where the stream is, as a list says.
fn stream_path(list: &Reply) -> String {
    let list = list.json();
    let endpoint = &list["eventStreams"][0]["endpoint"];
    endpoint["requestUri"].as_str().unwrap().to_owned()
}

/// Someone with a plan.
fn on_plan(targeting_key: &str, plan: &str) -> Json {
    json!({ "targetingKey": targeting_key, "plan": plan })
}

/// The keys of both kinds.
const KEYS: [&str; 2] = [CLIENT_KEY, SERVER_KEY];
