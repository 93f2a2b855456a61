//! Whatever comes in: an answer or an error, never a panic.

use super::differential::generate::{Engine, Generator};
use super::installation::Installation;
use flagstaff_core::ReasonWords;
use flagstaff_testkit::Random;
use flagstaff_wire::flagsmith::analytics;
use flagstaff_wire::flagsmith::context::EvaluationContext;
use flagstaff_wire::flagsmith::document::{environment_document, parse_environment_document};
use flagstaff_wire::python;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

const DOCUMENT: &[u8] = include_bytes!("../../golden/recorded_document.json");

fn try_everything(text: &[u8]) {
    if let Ok(context) = EvaluationContext::parse(text) {
        let mut out = Vec::new();
        context.write_explained_result(ReasonWords::Engine11, &mut out);
        let _: Json = serde_json::from_slice(&out).unwrap();
    }
    if let Ok((imported, warnings)) = parse_environment_document(text) {
        let told: Vec<String> = warnings.iter().map(ToString::to_string).collect();
        assert!(told.iter().all(|warning| !warning.is_empty()));
        let (out, _) = environment_document(&Installation::new(&imported).snapshot());
        let _: Json = serde_json::from_slice(&out).unwrap();
    }
    if let Ok(json) = serde_json::from_slice(text) {
        let _ = analytics::counts(&json);
        let _ = analytics::evaluations(&json);
        let _ = python::text(&json);
    }
}

/// Values that are wrong, or odd, in most places.
fn odd_values() -> Vec<Json> {
    let deep = (0..100).fold(json!(null), |inner, _| json!([inner]));
    let deep_rule = (0..55).fold(
        json!({"type": "ALL"}),
        |inner, _| json!({"type": "ALL", "rules": [inner]}),
    );
    let mut values: Vec<Json> = [
        "null",
        "true",
        "0",
        "-1",
        "1e400",
        "-1e400",
        "0.1",
        "99999999999999999999999999999999999999999",
        "-9223372036854775808",
        "\"\"",
        "\"\\u0000\"",
        "\"$.flags.f0.enabled\"",
        "\"😀\"",
        "[]",
        "{}",
        "[[]]",
        "{\"\":{}}",
        "\"ALL\"",
        "\"IN\"",
        "\"[[[[\"",
        "\"1e400|0\"",
        "\"(((((((((((((a{99}){99}){99}\"",
    ]
    .iter()
    .map(|text| serde_json::from_str(text).unwrap())
    .collect();
    values.extend([deep, deep_rule, Json::String("9".repeat(5000))]);
    values
}

/// Puts another value in some place of a document.
fn change(random: &mut Random, json: &mut Json, values: &[Json]) {
    let size = match json {
        Json::Array(items) => items.len(),
        Json::Object(members) => members.len(),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => 0,
    };
    if size == 0 || random.percent(8) {
        *json = random.pick(values).clone();
        return;
    }
    let position = random.below(size);
    let part = match json {
        Json::Array(items) => items.get_mut(position),
        Json::Object(members) => members.values_mut().nth(position),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => None,
    };
    change(random, part.unwrap(), values);
}

#[test]
fn contexts_with_an_odd_value_somewhere_are_answered_or_refused() {
    let values = odd_values();
    let mut random = Random::new(1);
    let mut generator = Generator::new(2, Engine::Eleven);
    for _ in 0..3_000 {
        let mut context = generator.context();
        for _ in 0..=random.below(3) {
            change(&mut random, &mut context, &values);
        }

        try_everything(context.to_string().as_bytes());
    }
}

#[test]
fn documents_with_an_odd_value_somewhere_are_answered_or_refused() {
    let values = odd_values();
    let mut random = Random::new(3);
    for _ in 0..1_000 {
        let mut document: Json = serde_json::from_slice(DOCUMENT).unwrap();
        for _ in 0..=random.below(3) {
            change(&mut random, &mut document, &values);
        }

        try_everything(document.to_string().as_bytes());
    }
}

#[test]
fn a_document_that_breaks_off_is_refused() {
    for end in (0..DOCUMENT.len() - 2).step_by(97) {
        assert!(parse_environment_document(&DOCUMENT[..end]).is_err());
        assert!(EvaluationContext::parse(&DOCUMENT[..end]).is_err());
    }
}

fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        any::<String>().prop_map(Json::from),
    ];
    leaf.prop_recursive(6, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Json::from),
            prop::collection::hash_map("[a-z_$.]{0,12}", inner, 0..8)
                .prop_map(|members| members.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn any_json_is_answered_or_refused(json in any_json()) {
        try_everything(json.to_string().as_bytes());
    }

    #[test]
    fn any_bytes_are_answered_or_refused(bytes: Vec<u8>) {
        try_everything(&bytes);
    }
}
