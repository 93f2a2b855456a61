//! One question, asked by every protocol that evaluates here: the same answer.

use super::shop::{over, segment, shop};
use super::{connect, context, json, keyed, v1, v2};
use crate::face::{Face, SERVER_KEY};
use flagstaff_proto::flagd::evaluation::v1::any_flag::Value as Any;
use flagstaff_proto::flagd::evaluation::v1::{AnyFlag, ResolveAllRequest};
use flagstaff_proto::flagd::evaluation::v2;
use serde_json::{Map, Value as Json, json};
use std::collections::HashMap;

/// Contexts that fall on every side of what the features ask about.
fn contexts() -> Vec<Map<String, Json>> {
    let mut contexts = Vec::new();
    let plans = [json!("pro"), json!("free"), json!(5), json!(true)];
    let ages = [json!(17), json!(18), json!(18.5), json!("18"), json!("x")];
    for number in 0..60_usize {
        let mut context = Map::new();
        context.insert("targetingKey".to_owned(), json!(format!("user {number}")));
        if let Some(plan) = plans.get(number % 5) {
            context.insert("plan".to_owned(), plan.clone());
        }
        if let Some(age) = ages.get(number % 7) {
            context.insert("age".to_owned(), age.clone());
        }
        contexts.push(context);
    }
    contexts
}

async fn face() -> Face {
    let face = shop().await;
    let operators = [
        ("GREATER_THAN_INCLUSIVE", "18"),
        ("CONTAINS", "8"),
        ("IN", "17,18"),
        ("MODULO", "2|0"),
        ("IS_SET", ""),
    ];
    let features = ["text", "offer", "split", "beta", "text"];
    for ((operator, value), feature) in operators.into_iter().zip(features) {
        let name = format!("by {operator}");
        let segment = segment(&face, &name, "age", operator, value).await;
        over(&face, feature, segment, operator != "IN", operator).await;
    }
    let tenth = segment(&face, "a tenth", "", "PERCENTAGE_SPLIT", "10").await;
    over(&face, "bool", tenth, true, "false").await;
    face
}

/// What everybody is to be told: value, reason and variant of each flag that has a value.
type Flags = HashMap<String, (Json, String, String)>;

async fn by_grpc(face: &Face, sent: &Map<String, Json>) -> Flags {
    let request = ResolveAllRequest {
        context: context(Json::Object(sent.clone())),
    };
    let answer = v1(face).resolve_all(keyed(request)).await.unwrap();
    let flags = answer.into_inner().flags.into_iter();
    let told = |flag: AnyFlag| {
        let value = match flag.value.unwrap() {
            Any::BoolValue(value) => json!(value),
            Any::StringValue(text) => json!(text),
            Any::DoubleValue(number) => json!(number),
            Any::ObjectValue(object) => json(&object),
        };
        (value, flag.reason, flag.variant)
    };
    flags.map(|(name, flag)| (name, told(flag))).collect()
}

async fn by_connect(face: &Face, sent: &Map<String, Json>) -> Flags {
    let ask = connect(face, "/flagd.evaluation.v1.Service/ResolveAll");
    let body = json!({ "context": sent }).to_string();
    let reply = ask.body(body).send().await.json();
    let flags = reply["flags"].as_object().unwrap().iter();
    let told = |flag: &Json| {
        let names = ["boolValue", "stringValue", "doubleValue", "objectValue"];
        let value = names.iter().find_map(|name| flag.get(*name)).unwrap();
        let text = |name: &str| flag[name].as_str().unwrap().to_owned();
        (floats(value), text("reason"), text("variant"))
    };
    flags
        .map(|(name, flag)| (name.clone(), told(flag)))
        .collect()
}

async fn by_ofrep(face: &Face, sent: &Map<String, Json>) -> Flags {
    let ask = face
        .keyless("POST", "/ofrep/v1/evaluate/flags")
        .header("x-environment-key", SERVER_KEY)
        .header("content-type", "application/json");
    let body = json!({ "context": sent }).to_string();
    let reply = ask.body(body).send().await.json();
    let flags = reply["flags"].as_array().unwrap().iter();
    let told = flags.filter_map(|flag| {
        let value = floats(flag.get("value")?);
        let text = |name: &str| flag[name].as_str().unwrap().to_owned();
        Some((text("key"), (value, text("reason"), text("variant"))))
    });
    told.collect()
}

/// Numbers as messages have them.
fn floats(value: &Json) -> Json {
    match value {
        Json::Number(number) => json!(number.as_f64()),
        Json::Array(items) => items.iter().map(floats).collect(),
        Json::Object(members) => {
            let members = members.iter();
            Json::Object(
                members
                    .map(|(name, value)| (name.clone(), floats(value)))
                    .collect(),
            )
        }
        Json::Null | Json::Bool(_) | Json::String(_) => value.clone(),
    }
}

/// The state of every feature as Flagsmith's SDKs are told it: on or off, and the value.
async fn by_flagsmith(face: &Face, sent: &Map<String, Json>) -> HashMap<String, (bool, Json)> {
    let attributes = sent.iter().filter(|(name, _)| *name != "targetingKey");
    let traits: Vec<Json> = attributes
        .map(|(name, value)| json!({"trait_key": name, "trait_value": value}))
        .collect();
    let body = json!({"identifier": sent["targetingKey"], "traits": traits, "transient": true});
    let ask = face
        .keyless("POST", "/api/v1/identities/")
        .header("x-environment-key", SERVER_KEY)
        .header("content-type", "application/json");
    let reply = ask.body(body.to_string()).send().await.json();
    let flags = reply["flags"].as_array().unwrap().iter();
    flags
        .map(|flag| {
            let name = flag["feature"]["name"].as_str().unwrap().to_owned();
            let enabled = flag["enabled"].as_bool().unwrap();
            (name, (enabled, flag["feature_state_value"].clone()))
        })
        .collect()
}

#[tokio::test]
async fn rpc_ofrep_and_flagsmith_agree() {
    let face = face().await;
    let mut seen = HashMap::<&str, usize>::new();
    for sent in contexts() {
        let grpc = by_grpc(&face, &sent).await;
        let connect = by_connect(&face, &sent).await;
        let ofrep = by_ofrep(&face, &sent).await;
        let flagsmith = by_flagsmith(&face, &sent).await;

        assert_eq!(grpc, connect, "{sent:?}");
        assert_eq!(grpc, ofrep, "{sent:?}");
        for (name, (value, reason, _)) in &grpc {
            let (_, expected) = &flagsmith[name];
            // What is text or no value at all there is typed here.
            if value.is_string() {
                assert_eq!(value, expected, "{name} {sent:?}");
            } else if expected.is_number() {
                assert_eq!(*value, floats(expected), "{name} {sent:?}");
            } else if expected.is_boolean() {
                assert_eq!(value, expected, "{name} {sent:?}");
            }
            *seen.entry(reason_of(reason)).or_default() += 1;
        }
        for name in ["off", "beta"] {
            let is_on = flagsmith[name].0;
            assert_eq!(grpc.contains_key(name), is_on, "{name} {sent:?}");
        }
    }
    for reason in ["STATIC", "DEFAULT", "TARGETING_MATCH", "SPLIT"] {
        assert!(seen.contains_key(reason), "{reason} among {seen:?}");
    }
}

fn reason_of(reason: &str) -> &'static str {
    match reason {
        "STATIC" => "STATIC",
        "DEFAULT" => "DEFAULT",
        "SPLIT" => "SPLIT",
        _ => "TARGETING_MATCH",
    }
}

#[tokio::test]
async fn one_flag_is_the_same_as_among_all() {
    let face = face().await;
    for sent in contexts().into_iter().take(12) {
        let all = by_grpc(&face, &sent).await;
        for name in ["text", "offer", "split"] {
            let request = v2::ResolveStringRequest {
                flag_key: name.to_owned(),
                context: context(Json::Object(sent.clone())),
            };
            let answer = v2(&face).resolve_string(keyed(request)).await.unwrap();
            let answer = answer.into_inner();
            let (value, reason, variant) = &all[name];
            assert_eq!(answer.value.as_deref(), value.as_str(), "{name} {sent:?}");
            assert_eq!(
                (&answer.reason, answer.variant.as_ref()),
                (reason, Some(variant))
            );
        }
    }
}
