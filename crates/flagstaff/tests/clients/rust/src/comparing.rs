//! What the SDK's own engine says, beside the server and without it; the tests that run this compare.

use crate::server::{local, remote, shown, traits, variable};
use flagsmith::flagsmith::offline_handler::LocalFileHandler;
use flagsmith::{Flagsmith, FlagsmithOptions};
use serde_json::{Value, json};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};

pub fn local_equals_remote() {
    let answers: Vec<Vec<Value>> = cases()
        .iter()
        .map(|case| {
            let key = case["server_key"].as_str().unwrap();
            let (client, engine) = (remote(key), local(key));
            let identities = case["identities"].as_array().unwrap().iter();
            identities
                .map(|identity| {
                    let identifier = identity["identifier"].as_str().unwrap();
                    let ask = |traits| client.get_identity_flags(identifier, traits, None).unwrap();
                    json!({
                        "local": evaluated(&engine, identity),
                        "sent": shown(&ask(traits(identity["traits"].clone()))),
                        "stored": shown(&ask(None)),
                    })
                })
                .collect()
        })
        .collect();
    write(&json!(answers));
}

pub fn alone() {
    let answers: Vec<_> = cases()
        .iter()
        .map(|case| {
            let handler = LocalFileHandler::new(case["document"].as_str().unwrap()).unwrap();
            let options = FlagsmithOptions {
                offline_handler: Some(Box::new(handler)),
                offline_mode: true,
                ..FlagsmithOptions::default()
            };
            evaluated(&Flagsmith::new("none".to_owned(), options), case)
        })
        .collect();
    write(&json!(answers));
}

/// What the SDK's own engine says, or how it fails.
fn evaluated(engine: &Flagsmith, identity: &Value) -> Value {
    let identifier = identity["identifier"].as_str().unwrap();
    let traits = traits(identity["traits"].clone());
    let flags = catch_unwind(AssertUnwindSafe(|| {
        engine.get_identity_flags(identifier, traits, None)
    }));
    match flags {
        Ok(Ok(flags)) => shown(&flags),
        Ok(Err(error)) => json!({"error": error.to_string()}),
        Err(_) => json!({"error": "panic"}),
    }
}

fn cases() -> Vec<Value> {
    serde_json::from_str(&fs::read_to_string(variable("CASES")).unwrap()).unwrap()
}

fn write(answers: &Value) {
    fs::write(variable("ANSWERS"), answers.to_string()).unwrap();
}
