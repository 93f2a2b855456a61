//! The environments in which every SDK's own answers are compared with the server's, and who is asked about.

use super::generated::{self, Numbers, Typing};
use super::{CLIENT_KEY, SERVER_KEY, sdk};
use crate::database::Database;
use md5::{Digest as _, Md5};
use serde_json::{Map, Value, json};
use std::path::PathBuf;

/// How many identities each environment is asked about.
const IDENTITIES: usize = 200;

/// An environment, and the identities that are asked about.
pub struct Environment {
    pub name: &'static str,
    /// As Flagsmith writes it, and as it is imported.
    pub document: Value,
    pub client_key: String,
    pub server_key: String,
    pub identities: Vec<Identity>,
}

pub struct Identity {
    pub identifier: String,
    pub traits: Map<String, Value>,
}

impl Environment {
    /// True when the identity has flags of its own.
    pub fn overrides(&self, identity: &Identity) -> bool {
        let mut overrides = self.document["identity_overrides"]
            .as_array()
            .unwrap()
            .iter();
        overrides.any(|found| found["identifier"] == identity.identifier.as_str())
    }

    /// Writes the document to a file.
    pub fn file(&self, database: &Database) -> PathBuf {
        let path = database.folder().join(format!("{}.json", self.client_key));
        std::fs::write(&path, self.document.to_string()).unwrap();
        path
    }

    /// What a script is told.
    pub fn case(&self) -> Value {
        let identities: Vec<_> = self
            .identities
            .iter()
            .map(|identity| json!({"identifier": identity.identifier, "traits": identity.traits}))
            .collect();
        json!({
            "client_key": self.client_key,
            "server_key": self.server_key,
            "identities": identities,
        })
    }
}

/// The environment that all other scripts know.
pub fn known() -> Environment {
    let text = std::fs::read_to_string(sdk::folder().join("environment.json")).unwrap();
    Environment {
        name: "known",
        document: serde_json::from_str(&text).unwrap(),
        client_key: CLIENT_KEY.to_owned(),
        server_key: SERVER_KEY.to_owned(),
        identities: (0..IDENTITIES).map(known_identity).collect(),
    }
}

fn known_identity(number: usize) -> Identity {
    let plans = ["pro", "free", "enterprise", "", "pro,enterprise", "Pro"];
    let codes = [
        json!("7"),
        json!("007"),
        json!(7),
        json!(7.0),
        json!(" 7"),
        json!("seven"),
    ];
    let versions = [
        json!("1.9.9"),
        json!("2.0.0"),
        json!("2.0.0-rc.1"),
        json!("2.0"),
        json!("10.0.0+build"),
        json!(2),
    ];
    let betas = [
        json!(true),
        json!(false),
        json!("true"),
        json!("false"),
        json!(1),
        json!(0),
    ];
    let host = if number.is_multiple_of(3) {
        "elsewhere"
    } else {
        "example"
    };
    let mut traits = json!({
        "age": 15 + number % 50,
        "email": format!("user-{number}@{host}.com"),
        "plan": plans[number % plans.len()],
        "code": codes[number % codes.len()],
        "version": versions[number % versions.len()],
        "is_staff": number.is_multiple_of(2),
        "beta": betas[number % betas.len()],
    });
    if !number.is_multiple_of(4) {
        let scores = [
            json!(2.5),
            json!(2),
            json!(-0.5),
            json!(1000.0),
            json!(2.4999),
        ];
        traits["score"] = scores[number % scores.len()].clone();
    }
    if number.is_multiple_of(7) {
        traits["colour"] = json!("blue");
    }
    let Value::Object(traits) = traits else {
        unreachable!("written as an object")
    };
    Identity {
        identifier: format!("user-{number}"),
        traits,
    }
}

/// Every trait has one type, and conditions suit it: what people have.
pub fn ordinary() -> Environment {
    generated("ordinary", "OrdinaryKey2234567890", Typing::Ordinary, 11)
}

/// Traits of any type meet conditions of any kind: what people get by mistake.
pub fn mixed() -> Environment {
    generated("mixed", "MixedKey2234567890123", Typing::Mixed, 12)
}

/// Conditions that no engine can read; one look at them is an error for some.
pub fn broken() -> Environment {
    generated("broken", "BrokenKey223456789012", Typing::Broken, 13)
}

fn generated(
    name: &'static str,
    client_key: &str,
    typing: Typing,
    number_of_environment: i64,
) -> Environment {
    let mut numbers = Numbers::new(number_of_environment.unsigned_abs());
    let document = generated::document(&mut numbers, typing, client_key, number_of_environment);
    let people = (0..IDENTITIES).map(|number| Identity {
        identifier: format!("person-{number}"),
        traits: generated::traits(&mut numbers, typing),
    });
    let identities = people.chain(at_the_edges(&document, client_key)).collect();
    Environment {
        name,
        document,
        client_key: client_key.to_owned(),
        server_key: format!("ser.{client_key}"),
        identities,
    }
}

/// Somebody at each place where engines that round, or that take `<` for `<=`, come to another variant: exactly at
/// 50 %, just below 99.99 %, and at 100 %, where the hash is taken again.
fn at_the_edges(document: &Value, client_key: &str) -> Vec<Identity> {
    let seed = |name: &str| {
        let mut states = document["feature_states"].as_array().unwrap().iter();
        let state = states.find(|state| state["feature"]["name"] == name);
        state.unwrap()["django_id"].to_string()
    };
    let edges = [
        ("half", generated::HALF, 4999),
        ("rounded", generated::NEARLY_ALL, 9997),
        ("again", generated::NEARLY_ALL, 9998),
    ];
    edges
        .iter()
        .map(|(name, feature, hash)| {
            let seed = seed(feature);
            let mut identifiers = (0..).map(|number| format!("{name}-{number}"));
            let identifier = identifiers
                .find(|identifier| hash_of(&format!("{seed},{client_key}_{identifier}")) == *hash)
                .unwrap();
            Identity {
                identifier,
                traits: Map::new(),
            }
        })
        .collect()
}

/// The number between 0 and 9998 of which the percentage is made.
fn hash_of(text: &str) -> u32 {
    let bytes = Md5::digest(text);
    bytes
        .iter()
        .fold(0, |rest, byte| (rest * 256 + u32::from(*byte)) % 9999)
}
