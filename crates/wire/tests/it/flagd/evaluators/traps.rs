//! What flagd's clients are known to stumble over: every one reads our documents all the same.

use super::conditions::server_says;
use crate::flagd::environments::{
    condition, environment, feature, identity, rules, segment, snapshot, snapshot_with,
};
use flagstaff_core::{DisabledAs, Snapshot};
use flagstaff_testkit::evaluators::Runtime;
use flagstaff_wire::flagd::{DocumentOptions, document};
use serde_json::{Map, Value as Json, json};

/// Compares every flag in every client with the server.
fn check(snapshot: &Snapshot, contexts: &[Json]) {
    let document = document(snapshot, &DocumentOptions::default());
    for runtime in Runtime::ALL {
        let Some(mut evaluator) = runtime.start() else {
            return;
        };
        let answers = evaluator.evaluate(&document.bytes, contexts);
        for (context, answer) in contexts.iter().zip(&answers) {
            let expected = server_says(snapshot, context);
            for (part, expected) in snapshot.features.iter().zip(expected) {
                let flag = &answer[part.feature.name.as_str()];
                let name = part.feature.name.as_str();
                assert_eq!(
                    flag["variant"].as_str(),
                    expected.as_deref(),
                    "{runtime:?} {name} {context}"
                );
                assert_eq!(flag.get("error"), None, "{runtime:?} {name} {context}");
            }
        }
    }
}

#[test]
fn attributes_with_odd_names_are_found() {
    let names = [
        "é", "a b", "a/b", "$x", "length", "toString", "1", "-", "\"", "'", "日本", "$ref", "var",
        "a\tb",
    ];
    let (mut features, mut segments) = (Vec::new(), Vec::new());
    let mut all = Map::new();
    for (id, name) in (1..).zip(names) {
        features.push(feature(id, name, true, "out"));
        let overrides = json!([feature(id, name, true, "in")]);
        let rules = rules(&[condition("IS_SET", name, ""), condition("EQUAL", name, "x")]);
        segments.push(segment(id, &format!("s{id}"), rules, overrides));
        all.insert(name.to_owned(), json!("x"));
    }
    all.insert("targetingKey".to_owned(), json!("ana"));
    let snapshot = snapshot(&environment(json!(features), json!(segments), json!([])));

    check(
        &snapshot,
        &[Json::Object(all), json!({"targetingKey": "ana"}), json!({})],
    );
}

#[test]
fn odd_values_are_read_in_evaluators_and_in_flags() {
    let values = [
        "é",
        "a\"b",
        "a\\b",
        "$&",
        "$1",
        "line\nbreak",
        "<&>",
        "\\u0041",
        "{}",
        "plain",
        "'",
        "\\g<0>",
    ];
    let both = json!([feature(1, "a", true, "new"), feature(2, "b", true, "new")]);
    let segments: Vec<Json> = (1..)
        .zip(values)
        .map(|(id, value)| {
            let overrides = both.as_array().unwrap().iter().map(|over| {
                let mut over = over.clone();
                over["feature_state_value"] = json!(format!("value {id}"));
                over
            });
            let overrides: Json = overrides.collect();
            segment(
                id,
                value,
                rules(&[condition("EQUAL", "x", value)]),
                overrides,
            )
        })
        .collect();
    let features = json!([feature(1, "a", true, "old"), feature(2, "b", true, "old")]);
    let snapshot = snapshot(&environment(features, json!(segments), json!([])));
    let mut contexts: Vec<Json> = values.iter().map(|value| json!({"x": value})).collect();
    contexts.push(json!({"x": "other"}));

    check(&snapshot, &contexts);
}

#[test]
fn ten_thousand_identities_are_read() {
    let identities: Vec<Json> = (0..10_000)
        .map(|id| {
            // Each is a variant of its own, so that there are as many branches.
            let over = feature(1, "f", true, format!("v{id}"));
            identity(id + 1, &format!("id{id}"), json!([over]))
        })
        .collect();
    let features = json!([feature(1, "f", true, "v0")]);
    let snapshot = snapshot(&environment(features, json!([]), json!(identities)));
    let contexts: Vec<Json> = [0, 1, 9_999, 10_000]
        .iter()
        .map(|id| json!({"targetingKey": format!("id{id}")}))
        .collect();

    check(&snapshot, &contexts);
}

#[test]
fn thousands_of_segments_of_one_feature_are_read() {
    let segments: Vec<Json> = (1..=3_000)
        .map(|id| {
            let rules = rules(&[condition("EQUAL", "n", format!("n{id}"))]);
            let over = feature(1, "f", true, format!("v{id}"));
            segment(id, &format!("s{id}"), rules, json!([over]))
        })
        .collect();
    let features = json!([feature(1, "f", true, "v0")]);
    let identities = json!([identity(1, "ana", json!([feature(1, "f", true, "hers")]))]);
    let snapshot = snapshot(&environment(features, json!(segments), identities));
    let contexts: Vec<Json> = [0, 1, 499, 500, 501, 2_999, 3_000, 3_001]
        .iter()
        .map(|id| json!({"targetingKey": "bob", "n": format!("n{id}")}))
        .chain([json!({"targetingKey": "ana", "n": "n7"})])
        .collect();

    check(&snapshot, &contexts);
}

#[test]
fn rules_as_deep_as_are_written_are_read() {
    let overrides = json!([feature(1, "f", true, "new"), feature(2, "g", true, "new")]);
    let plain = rules(&[
        condition("EQUAL", "x", "5"),
        condition("LESS_THAN", "y", "7"),
    ]);
    let environment = environment(
        json!([feature(1, "f", true, "old"), feature(2, "g", true, "old")]),
        json!([segment(1, "deep", plain, overrides)]),
        json!([]),
    );
    let nested = |depth: usize| {
        snapshot_with(&environment, |rows| {
            let rules = &mut rows.segments[0].rules;
            for level in 1..depth {
                let mut outer = rules[0].clone();
                outer.kind = if level % 3 == 0 {
                    flagstaff_core::RuleKind::None
                } else {
                    flagstaff_core::RuleKind::Any
                };
                outer.rules = std::mem::take(rules);
                rules.push(outer);
            }
        })
    };
    let is_said = |snapshot: &Snapshot| {
        let warnings = document(snapshot, &DocumentOptions::default()).warnings;
        warnings.is_empty()
    };
    let deepest = (1..64)
        .take_while(|depth| is_said(&nested(*depth)))
        .last()
        .unwrap();
    assert!(deepest >= 15, "{deepest}");

    let contexts = [json!({"x": 5, "y": 3}), json!({"x": 4, "y": 9}), json!({})];
    check(&nested(deepest), &contexts);
}

#[test]
fn a_flag_without_default_variant_is_read() {
    let environment = environment(
        json!([feature(1, "f", false, "old"), feature(2, "g", true, "old")]),
        json!([
            segment(
                1,
                "beta",
                rules(&[condition("IS_SET", "beta", "")]),
                json!([feature(1, "f", true, "new")])
            ),
            segment(
                2,
                "out",
                rules(&[condition("IS_SET", "out", "")]),
                json!([
                    {"feature": {"id": 1, "name": "f"}, "enabled": false, "feature_segment": {"priority": 0}},
                ])
            ),
        ]),
        json!([identity(1, "ana", json!([feature(1, "f", true, "old")]))]),
    );
    let contexts = [
        json!({"targetingKey": "ana"}),
        json!({"targetingKey": "bob"}),
        json!({"targetingKey": "bob", "beta": 1}),
        json!({"targetingKey": "bob", "beta": 1, "out": 1}),
        json!({}),
    ];

    for disabled_as in DisabledAs::ALL {
        let snapshot = snapshot_with(&environment, |rows| {
            rows.environment.disabled_as = disabled_as;
        });
        check(&snapshot, &contexts);
    }
}
