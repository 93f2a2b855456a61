//! What diagnostics say of answers that may differ: where, for whom, and in which clients.

use super::environments::{
    Translated, condition, environment, feature, options, rules, segment, snapshot, snapshot_with,
    split,
};
use flagstaff_core::{FlagdEvaluators, FlagdForm, Hash, Snapshot};
use serde_json::{Value as Json, json};

const OF_FLAGD: [&str; 4] = ["flagd-go", "flagd-javascript", "flagd-python", "flagd-rust"];

fn differences(snapshot: &Snapshot) -> Json {
    let options = options(FlagdForm::Typed, FlagdEvaluators::default());
    Translated::of(snapshot, &options).diagnostics["differences"].clone()
}

/// Of a feature that one segment with these rules overrides.
fn of_rules(rules: Json) -> Json {
    let over = feature(1, "f", true, "new");
    differences(&snapshot(&environment(
        json!([feature(1, "f", true, "old")]),
        json!([segment(7, "S", rules, json!([over]))]),
        json!([]),
    )))
}

fn of_condition(operator: &str, property: &str, value: &str) -> Json {
    of_rules(rules(&[condition(operator, property, value)]))
}

/// Of a feature that is split, with a hash for everything.
fn of_split(name: &str, hash: Hash) -> Json {
    let feature = split(feature(1, name, true, "c"), &[(1, None, json!("o"), 50.0)]);
    let environment = environment(json!([feature]), json!([]), json!([]));
    differences(&snapshot_with(&environment, |rows| {
        rows.environment.hash = hash
    }))
}

#[test]
fn a_condition_is_named_by_its_place_and_the_attributes_it_sees_otherwise() {
    let inner = json!({"type": "ANY", "rules": [], "conditions": [
        condition("EQUAL", "beta", "true"), condition("CONTAINS", "plan", "pro"),
    ]});
    let rules = json!([
        {"type": "ALL", "rules": [], "conditions": []},
        {"type": "ALL", "rules": [inner], "conditions": []},
    ]);

    let expected = json!([{
        "reason": "attribute_type", "features": ["f"], "segment": "S",
        "condition": "/1/rules/0/conditions/1", "operator": "CONTAINS", "attribute": "plan",
        "attributes": [{"is": "number_in_text", "clients": OF_FLAGD}],
    }]);
    assert_eq!(of_rules(rules), expected);
}

#[test]
fn what_cannot_be_said_differs_for_everybody() {
    let expected = json!([{
        "reason": "regex_unsupported", "features": ["f"], "segment": "S",
        "condition": "/0/conditions/0", "operator": "REGEX", "attribute": "mail",
        "attributes": [{"is": "anything", "clients": OF_FLAGD}],
    }]);
    assert_eq!(of_condition("REGEX", "mail", "[a-z]+"), expected);
}

#[test]
fn conditions_that_hold_for_the_same_callers_everywhere_are_not_listed() {
    assert_eq!(of_condition("EQUAL", "beta", "true"), json!([]));
    assert_eq!(
        of_condition("EQUAL", "$.identity.identifier", "ana"),
        json!([])
    );
    assert_eq!(
        of_condition("IS_SET", "$.identity.identifier", ""),
        json!([])
    );
    assert_eq!(
        of_condition("EQUAL", "$.environment.name", "Production"),
        json!([])
    );
}

#[test]
fn a_path_to_a_trait_is_named_as_the_attribute_it_is() {
    let listed = of_condition("NOT_EQUAL", "$.identity.traits.plan", "pro");

    assert_eq!(listed[0]["attribute"], "plan");
}

#[test]
fn a_split_names_the_clients_with_another_hash() {
    let of = |name: &str, hash| of_split(name, hash)[0]["attributes"].clone();
    let anything = |clients: &[&str]| json!({"is": "anything", "clients": clients});

    assert_eq!(of("f", Hash::Flagsmith), json!([anything(&OF_FLAGD)]));
    let v2 = ["flagd-python", "flagd-rust", "flagsmith-local"];
    let in_javascript = json!({"is": "beyond_ascii", "clients": ["flagd-javascript"]});
    assert_eq!(
        of("f", Hash::FlagdV2),
        json!([anything(&v2), in_javascript])
    );
    // The name is hashed too.
    let beyond_ascii = [
        "flagd-python",
        "flagd-rust",
        "flagsmith-local",
        "flagd-javascript",
    ];
    assert_eq!(of("é", Hash::FlagdV2), json!([anything(&beyond_ascii)]));
    let v3 = ["flagd-go", "flagd-javascript", "flagsmith-local"];
    assert_eq!(of("f", Hash::FlagdV3), json!([anything(&v3)]));
}

#[test]
fn a_percentage_of_an_attribute_names_who_is_placed_otherwise_and_who_is_read_otherwise() {
    let over = feature(1, "f", true, "new");
    let rules = rules(&[condition("PERCENTAGE_SPLIT", "company", "50")]);
    let environment = environment(
        json!([feature(1, "f", true, "old")]),
        json!([segment(7, "S", rules, json!([over]))]),
        json!([]),
    );
    let listed = differences(&snapshot_with(&environment, |rows| {
        rows.environment.hash = Hash::FlagdV3;
    }));

    let is = |index: usize| {
        let attributes = listed[index]["attributes"].as_array().unwrap().iter();
        attributes
            .map(|seen| seen["is"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(listed[0]["reason"], "attribute_type");
    assert_eq!(
        is(0),
        ["list", "object", "unusual_number", "blank_at_an_end"]
    );
    assert_eq!(listed[1]["reason"], "bucketing_differs");
    assert_eq!(is(1), ["anything"]);
    assert_eq!(listed.as_array().unwrap().len(), 2);
}

#[test]
fn values_of_several_types_are_named_with_their_feature() {
    let over = feature(1, "f", true, 5);
    let rules = rules(&[condition("IS_SET", "$.identity.identifier", "")]);
    let listed = differences(&snapshot(&environment(
        json!([feature(1, "f", true, "old")]),
        json!([segment(7, "S", rules, json!([over]))]),
        json!([]),
    )));

    assert_eq!(listed[0]["reason"], "type_mismatch");
    assert_eq!(listed[0]["features"], json!(["f"]));
    assert_eq!(listed[0].get("condition"), None);
}
