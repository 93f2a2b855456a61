//! Every operator with every pair of values, and every path, against engine 10: one segment per condition.

use super::differences::Differences;
use super::generate::{Engine, pool, read};
use super::ours;
use super::python::{Answer, PythonEngine};
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeSet;

#[test]
fn every_operator_agrees_on_every_pair_of_values() {
    let Some(mut python) = PythonEngine::start(Engine::Ten) else {
        return;
    };
    let segments = segments(conditions("seen"));
    for value in pool("traits") {
        let context = context(json!({ "seen": read(value) }), &segments);

        check(&mut python, &context, value);
    }
}

#[test]
fn every_path_leads_to_the_same_value() {
    let Some(mut python) = PythonEngine::start(Engine::Ten) else {
        return;
    };
    let mut listed = Vec::new();
    for path in pool("paths").iter().chain(pool("odd_paths")) {
        for (operator, value) in [
            ("IS_SET", ""),
            ("EQUAL", "7"),
            ("EQUAL", "x"),
            ("EQUAL", "E"),
        ] {
            listed.push(json!({ "operator": operator, "property": path, "value": value }));
        }
    }
    let mut context = context(
        json!({"plan": 7, "a.b": "x", "été": "x", "it's": 7, "": "x", "a\nb": 7, "😀": 7, "$.odd": 7, "$.": "x"}),
        &segments(listed),
    );
    context["features"] = json!({
        "f0": {"key": "7", "name": "f0", "enabled": true, "value": 7},
        "f1": {"key": "x", "name": "f1", "enabled": false, "value": "x"},
        "f-2": {"key": "x", "name": "f-2", "enabled": false, "value": "7"},
    });

    check(&mut python, &context, "paths");
}

/// Every operator with every value that a condition could compare with.
fn conditions(property: &str) -> Vec<Json> {
    let mut conditions = Vec::new();
    for operator in pool("operators") {
        let values = [
            "operands",
            "lists",
            "patterns",
            "moduli",
            "odd_percentages",
            "needles",
        ];
        for value in values.into_iter().flat_map(pool) {
            // What only Python's dialect or only ours can read is listed elsewhere.
            if operator == "REGEX" && !pool("patterns").contains(value) {
                continue;
            }
            conditions.push(json!({ "operator": operator, "property": property, "value": value }));
        }
    }
    for list in pool("traits") {
        conditions.push(json!({ "operator": "IN", "property": property, "value": [read(list)] }));
    }
    conditions
}

/// One segment for each condition, named after it.
fn segments(conditions: Vec<Json>) -> Json {
    let segments: Map<String, Json> = conditions
        .into_iter()
        .enumerate()
        .map(|(number, condition)| {
            let segment = json!({
                "key": "1",
                "name": condition.to_string(),
                "rules": [{ "type": "ALL", "conditions": [condition] }],
            });
            (number.to_string(), segment)
        })
        .collect();
    Json::Object(segments)
}

fn context(traits: Json, segments: &Json) -> Json {
    json!({
        "environment": { "key": "7", "name": "E" },
        "identity": { "identifier": "x", "key": "7", "traits": traits },
        "segments": segments,
    })
}

/// Names the conditions that hold for one engine only, unless they are deliberate differences.
fn check(python: &mut PythonEngine, context: &Json, subject: &str) {
    let Answer::Result(theirs) = python.evaluate(context) else {
        panic!("Python raises an error for {subject}");
    };
    let (ours, theirs) = (names(&ours(context, Engine::Ten).unwrap()), names(&theirs));
    let disputed: Vec<&String> = ours
        .symmetric_difference(&theirs)
        .filter(|name| {
            let condition = json!([serde_json::from_str::<Json>(name).unwrap()]);
            let context = json!({ "identity": context["identity"], "segments": condition });
            !Differences::read().explain(&context, Engine::Ten)
        })
        .collect();

    assert!(
        disputed.is_empty(),
        "{subject}: {} of {} conditions differ: {disputed:#?} (ours: {:?})",
        disputed.len(),
        context["segments"].as_object().unwrap().len(),
        disputed
            .iter()
            .map(|name| ours.contains(*name))
            .collect::<Vec<_>>()
    );
}

fn names(result: &Json) -> BTreeSet<String> {
    result["segments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|segment| segment["name"].as_str().unwrap().to_owned())
        .collect()
}
