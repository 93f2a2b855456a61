//! What this server answers, in each of its protocols.

use crate::face::Face;
use crate::flagd_rpc::{context, json, v1};
use flagstaff_proto::flagd::evaluation::v1::any_flag::Value as Any;
use flagstaff_proto::flagd::evaluation::v1::{AnyFlag, ResolveAllRequest};
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;

/// A flag as OpenFeature has it: `None` as value leaves the default in the caller's code.
#[derive(Debug, Clone, PartialEq)]
pub struct Flag {
    pub value: Option<Json>,
    pub variant: Option<String>,
    pub reason: String,
}

pub type Flags = BTreeMap<String, Flag>;

/// A flag as Flagsmith has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    pub enabled: bool,
    pub value: Json,
}

/// Asks one environment.
pub struct Asker<'f> {
    pub face: &'f Face,
    pub key: String,
}

impl Asker<'_> {
    async fn post(&self, path: &str, body: &Json) -> Json {
        let ask = self
            .face
            .keyless("POST", path)
            .header("x-environment-key", &self.key)
            .header("content-type", "application/json");
        let reply = ask.body(body.to_string()).send().await;
        assert_eq!(reply.status, 200, "{path} {body}: {}", reply.text());
        reply.json()
    }

    pub async fn document(&self, path: &str) -> String {
        let reply = self.face.get_with(&self.key, path).send().await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        reply.text()
    }

    pub async fn by_ofrep(&self, sent: &Json) -> Flags {
        let reply = self
            .post("/ofrep/v1/evaluate/flags", &json!({ "context": sent }))
            .await;
        let flags = reply["flags"].as_array().unwrap().iter();
        flags
            .map(|flag| {
                let text = |name: &str| flag[name].as_str().map(str::to_owned);
                let told = Flag {
                    value: flag.get("value").cloned(),
                    variant: text("variant"),
                    reason: text("reason").unwrap(),
                };
                (text("key").unwrap(), told)
            })
            .collect()
    }

    /// Of all flags, version 1 leaves out those that have no value for this caller.
    pub async fn by_grpc(&self, sent: &Json) -> Flags {
        let request = ResolveAllRequest {
            context: context(sent.clone()),
        };
        let carrier = [("x-environment-key", self.key.as_str())];
        let request = crate::flagd_grpc::with(request, &carrier);
        let answer = v1(self.face).resolve_all(request).await.unwrap();
        let told = |flag: AnyFlag| Flag {
            value: Some(match flag.value.unwrap() {
                Any::BoolValue(value) => json!(value),
                Any::StringValue(text) => json!(text),
                Any::DoubleValue(number) => json!(number),
                Any::ObjectValue(object) => json(&object),
            }),
            variant: Some(flag.variant),
            reason: flag.reason,
        };
        let flags = answer.into_inner().flags.into_iter();
        flags.map(|(name, flag)| (name, told(flag))).collect()
    }

    pub async fn by_connect(&self, sent: &Json) -> Flags {
        let reply = self
            .post(
                "/flagd.evaluation.v1.Service/ResolveAll",
                &json!({ "context": sent }),
            )
            .await;
        let flags = reply["flags"].as_object().unwrap().iter();
        let told = |flag: &Json| {
            let names = ["boolValue", "stringValue", "doubleValue", "objectValue"];
            let text = |name: &str| flag[name].as_str().unwrap().to_owned();
            Flag {
                value: names.iter().find_map(|name| flag.get(*name)).cloned(),
                variant: Some(text("variant")),
                reason: text("reason"),
            }
        };
        flags
            .map(|(name, flag)| (name.clone(), told(flag)))
            .collect()
    }

    /// Nothing is stored by asking.
    pub async fn by_flagsmith(&self, sent: &Json) -> BTreeMap<String, Shown> {
        let attributes = traits(sent);
        let traits: Vec<Json> = attributes
            .iter()
            .filter(|(name, _)| *name != "targetingKey")
            .map(|(name, value)| json!({"trait_key": name, "trait_value": value}))
            .collect();
        let body = json!({"identifier": sent["targetingKey"], "traits": traits, "transient": true});
        let reply = self.post("/api/v1/identities/", &body).await;
        let flags = reply["flags"].as_array().unwrap().iter();
        flags
            .map(|flag| {
                let name = flag["feature"]["name"].as_str().unwrap().to_owned();
                let shown = Shown {
                    enabled: flag["enabled"].as_bool().unwrap(),
                    value: flag["feature_state_value"].clone(),
                };
                (name, shown)
            })
            .collect()
    }
}

/// A context as Flagsmith can be told it: it knows neither lists nor objects, and whole numbers as OpenFeature's
/// clients write them.
pub fn traits(sent: &Json) -> Map<String, Json> {
    let members = sent.as_object().unwrap().iter();
    members
        .filter(|(_, value)| !(value.is_array() || value.is_object() || value.is_null()))
        .map(|(name, value)| (name.clone(), whole(value)))
        .collect()
}

fn whole(value: &Json) -> Json {
    match value.as_f64() {
        Some(float) if float.fract() == 0.0 && float.abs() < 9e15 => json!(float as i64),
        _ => value.clone(),
    }
}

/// True for equal values, however their numbers are spelt.
pub fn same(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Number(a), Json::Number(b)) => a.as_f64() == b.as_f64(),
        (Json::Array(a), Json::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Json::Object(a), Json::Object(b)) => {
            let is_same =
                |(name, value): (&String, &Json)| b.get(name).is_some_and(|b| same(value, b));
            a.len() == b.len() && a.iter().all(is_same)
        }
        (a, b) => a == b,
    }
}

/// Whether a feature is off in its environment, and if so, what that means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Off {
    /// It is on.
    No,
    /// Those in an override that is on get it all the same.
    ForMost,
    /// Whatever overrides say.
    ForEverybody,
}

/// True where Flagsmith shows what OpenFeature is told: it has text for numbers with a fraction and for objects, and a
/// value for what is off.
pub fn is_shown_as(told: Option<&Json>, shown: &Shown, off: Off) -> bool {
    let Some(value) = told else {
        return off == Off::ForEverybody || (off == Off::ForMost && !shown.enabled);
    };
    if off == Off::ForEverybody || (off == Off::ForMost && !shown.enabled) {
        return false;
    }
    match &shown.value {
        Json::Null => *value == json!(shown.enabled),
        Json::String(text) if !value.is_string() => {
            serde_json::from_str(text).is_ok_and(|parsed: Json| same(&parsed, value))
        }
        shown => same(shown, value),
    }
}
