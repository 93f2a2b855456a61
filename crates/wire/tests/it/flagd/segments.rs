//! Rule trees, and where segments stand.

use super::environments::{
    Translated, condition, environment, feature, options, rules, segment, snapshot, snapshot_with,
    translated,
};
use flagstaff_core::{FlagdEvaluators, FlagdForm, Hash};
use flagstaff_wire::flagd::WarningReason;
use serde_json::{Value as Json, json};

fn c(name: &str) -> Json {
    condition("IS_SET", name, "")
}

/// What a condition made by [`c`] becomes.
fn e(name: &str) -> Json {
    json!({"!==": [{"var": name}, null]})
}

fn rule(kind: &str, conditions: &[Json], rules: &[Json]) -> Json {
    json!({"type": kind, "conditions": conditions, "rules": rules})
}

/// Two features that one segment with these rules overrides.
fn two_features(name: &str, rules: Json) -> Json {
    let overrides = json!([feature(1, "a", true, "new"), feature(2, "b", true, "new")]);
    environment(
        json!([feature(1, "a", true, "old"), feature(2, "b", true, "old")]),
        json!([segment(7, name, rules, overrides)]),
        json!([]),
    )
}

#[track_caller]
fn check(rules: Json, expected: Json) {
    let over = json!([feature(1, "a", true, "new")]);
    let environment = environment(
        json!([feature(1, "a", true, "old")]),
        json!([segment(7, "S", rules, over)]),
        json!([]),
    );
    assert_eq!(
        translated(&environment).flag("a")["targeting"]["if"][0],
        expected
    );
}

#[test]
fn requirement_26_rules_are_joined_by_their_type() {
    check(
        json!([rule("ALL", &[c("x"), c("y")], &[])]),
        json!({"and": [e("x"), e("y")]}),
    );
    check(
        json!([rule("ANY", &[c("x"), c("y")], &[])]),
        json!({"or": [e("x"), e("y")]}),
    );
    check(
        json!([rule("NONE", &[c("x"), c("y")], &[])]),
        json!({"!": [{"or": [e("x"), e("y")]}]}),
    );
    check(json!([rule("ANY", &[c("x")], &[])]), e("x"));
    check(
        json!([rule("NONE", &[c("x")], &[])]),
        json!({"!": [e("x")]}),
    );
    let two = json!([
        rule("ALL", &[c("x")], &[]),
        rule("ANY", &[c("y"), c("z")], &[])
    ]);
    check(two, json!({"and": [e("x"), {"or": [e("y"), e("z")]}]}));
}

#[test]
fn conditions_and_rules_of_a_rule_must_both_hold() {
    let inner = rule("ANY", &[c("z"), c("w")], &[]);
    check(
        json!([rule("ANY", &[c("x"), c("y")], std::slice::from_ref(&inner))]),
        json!({"and": [{"or": [e("x"), e("y")]}, {"or": [e("z"), e("w")]}]}),
    );
    check(
        json!([rule("NONE", &[c("x")], &[inner])]),
        json!({"and": [{"!": [e("x")]}, {"!": [{"or": [e("z"), e("w")]}]}]}),
    );
}

#[test]
fn an_empty_rule_holds_for_everybody_and_no_rules_hold_for_nobody() {
    check(json!([rule("ANY", &[], &[])]), json!({"===": [1, 1]}));
    check(
        json!([rule("ALL", &[c("x")], &[]), rule("NONE", &[], &[])]),
        e("x"),
    );

    let nobody = translated(&two_features("S", json!([])));
    assert_eq!(nobody.flag("a").get("targeting"), None);
    assert_eq!(nobody.reasons(), []);
    let under_none = json!([rule("NONE", &[], &[rule("ALL", &[], &[])])]);
    assert_eq!(
        translated(&two_features("S", under_none))
            .flag("a")
            .get("targeting"),
        None
    );
}

#[test]
fn requirement_24_a_segment_of_several_features_stands_under_evaluators() {
    let translated = translated(&two_features("Beta users", rules(&[c("x")])));

    assert_eq!(
        translated.json["$evaluators"],
        json!({"Beta-users": e("x")})
    );
    for name in ["a", "b"] {
        let expected = json!({"if": [{"$ref": "Beta-users"}, "override_Beta-users", null]});
        assert_eq!(translated.flag(name)["targeting"], expected);
    }
}

#[test]
fn requirement_24_segments_of_one_feature_stand_in_it_and_those_of_none_nowhere() {
    let over = json!([feature(1, "a", true, "new")]);
    let translated = translated(&environment(
        json!([feature(1, "a", true, "old")]),
        json!([
            segment(7, "one", rules(&[c("x")]), over),
            segment(
                8,
                "none",
                rules(&[condition("REGEX", "x", "[a]")]),
                json!([])
            ),
        ]),
        json!([]),
    ));

    assert_eq!(translated.json.get("$evaluators"), None);
    assert_eq!(translated.flag("a")["targeting"]["if"][0], e("x"));
    assert_eq!(translated.reasons(), []);
}

#[test]
fn requirement_24_segments_of_one_name_have_keys_of_their_own() {
    let both = || json!([feature(1, "a", true, "new"), feature(2, "b", true, "new")]);
    let translated = translated(&environment(
        json!([feature(1, "a", true, "old"), feature(2, "b", true, "old")]),
        json!([
            segment(7, "S!", rules(&[c("x")]), both()),
            segment(8, "S?", rules(&[c("y")]), both()),
            segment(9, "???", rules(&[c("z")]), both()),
        ]),
        json!([]),
    ));

    let expected = json!({"S": e("x"), "S-2": e("y"), "segment-3": e("z")});
    assert_eq!(translated.json["$evaluators"], expected);
}

#[test]
fn requirement_25_evaluators_refer_to_nothing() {
    let nested = json!([rule(
        "ALL",
        &[c("x")],
        &[rule("ANY", &[c("y")], &[rule("NONE", &[c("z")], &[])])]
    )]);

    let translated = translated(&two_features("S", nested));

    let text = translated.json["$evaluators"].to_string();
    assert!(!text.contains("$ref"), "{text}");
}

#[test]
fn what_clients_would_misread_under_evaluators_stands_in_each_flag() {
    for value in ["é", "a\"b", "a\\b", "$&", "line\nbreak"] {
        let environment = two_features("S", rules(&[condition("EQUAL", "x", value)]));

        let translated = translated(&environment);

        assert_eq!(translated.json.get("$evaluators"), None, "{value}");
        let expected = json!({"===": [{"var": "x"}, value]});
        assert_eq!(translated.flag("a")["targeting"]["if"][0], expected);
        let detail = "segment=S".to_owned();
        let reason = WarningReason::EvaluatorInlinedUnsafe;
        assert_eq!(translated.warnings, [(reason, detail)]);
        assert_eq!(
            translated.flag("a")["metadata"]["flagstaff.parity"],
            "exact"
        );
    }
}

#[test]
fn a_project_may_have_every_segment_in_each_flag() {
    let snapshot = snapshot(&two_features("S", rules(&[c("x")])));
    let options = options(FlagdForm::Typed, FlagdEvaluators::Inline);

    let translated = Translated::of(&snapshot, &options);

    assert_eq!(translated.json.get("$evaluators"), None);
    assert_eq!(translated.flag("a")["targeting"]["if"][0], e("x"));
    assert_eq!(translated.flag("b")["targeting"]["if"][0], e("x"));
}

#[test]
fn rules_that_clients_cannot_read_for_depth_leave_out_their_segment() {
    let nested = |depth: usize| {
        let environment = two_features("S", json!([rule("NONE", &[c("x")], &[])]));
        let snapshot = snapshot_with(&environment, |rows| {
            let rules = &mut rows.segments[0].rules;
            for _ in 1..depth {
                let mut outer = rules[0].clone();
                outer.rules = std::mem::take(rules);
                rules.push(outer);
            }
        });
        Translated::of(&snapshot, &Default::default())
    };

    assert_eq!(nested(15).reasons(), []);
    // The server stops at 64 levels.
    for refused in [nested(40), nested(65)] {
        assert_eq!(refused.reasons(), [WarningReason::RulesTooDeep]);
        assert_eq!(refused.flag("a").get("targeting"), None);
    }
}

#[test]
fn percentages_of_another_hash_than_flagds_are_reported() {
    let split = condition("PERCENTAGE_SPLIT", Json::Null, "10");
    let environment = two_features("S", rules(&[split]));
    let with = |of_segment, of_environment| {
        let snapshot = snapshot_with(&environment, |rows| {
            rows.segments[0].hash = of_segment;
            rows.environment.hash = of_environment;
        });
        Translated::of(&snapshot, &Default::default()).warnings
    };

    let detail = "segment=S, hash=flagsmith".to_owned();
    let expected = [(WarningReason::BucketingDiffers, detail)];
    assert_eq!(with(None, Hash::Flagsmith), expected);
    assert_eq!(with(Some(Hash::Flagsmith), Hash::FlagdV2), expected);
    assert_eq!(with(None, Hash::FlagdV2), []);
    assert_eq!(with(Some(Hash::FlagdV3), Hash::Flagsmith), []);
}
