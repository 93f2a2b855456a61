//! Values, splits and states of single flags.

use super::environments::{
    Translated, environment, feature, identity, ranked, rules, segment, snapshot_with, split,
    translated,
};
use flagstaff_core::snapshot::SnapshotRows;
use flagstaff_core::{DisabledAs, Hash, ValueType};
use flagstaff_wire::flagd::WarningReason;
use serde_json::{Value as Json, json};

fn with_features(features: Json) -> Json {
    environment(features, json!([]), json!([]))
}

fn changed(environment: &Json, change: impl FnOnce(&mut SnapshotRows)) -> Translated {
    Translated::of(&snapshot_with(environment, change), &Default::default())
}

#[test]
fn requirement_15_every_feature_is_a_flag_by_its_name() {
    let translated = translated(&with_features(json!([
        feature(2, "second", false, "b"),
        feature(1, "Erste Größe", true, "a"),
    ])));

    let names: Vec<_> = translated.json["flags"]
        .as_object()
        .unwrap()
        .keys()
        .collect();
    assert_eq!(names, ["Erste Größe", "second"]);
    let first = json!({
        "state": "ENABLED", "variants": {"control": "a"}, "defaultVariant": "control",
        "metadata": {"flagstaff.parity": "exact"},
    });
    assert_eq!(*translated.flag("Erste Größe"), first);
    let second = json!({
        "state": "DISABLED", "variants": {"control": "b"}, "defaultVariant": "control",
        "metadata": {"flagstaff.parity": "exact"},
    });
    assert_eq!(*translated.flag("second"), second);
}

#[test]
fn requirement_16_control_has_the_type_of_the_value() {
    let control = |value: Json, value_type| {
        let environment = with_features(json!([feature(1, "f", true, value)]));
        let translated = changed(&environment, |rows| {
            rows.features[0].value_type = value_type
        });
        assert_eq!(translated.reasons(), []);
        translated.flag("f")["variants"]["control"].to_string()
    };

    assert_eq!(control(json!("5"), ValueType::Auto), "\"5\"");
    assert_eq!(control(json!(5), ValueType::Auto), "5");
    assert_eq!(control(json!(true), ValueType::Auto), "true");
    assert_eq!(control(Json::Null, ValueType::Auto), "true");
    assert_eq!(control(json!("true"), ValueType::Boolean), "true");
    assert_eq!(control(json!("5"), ValueType::Integer), "5");
    assert_eq!(control(json!("5.0"), ValueType::Number), "5");
    assert_eq!(control(json!("5.5"), ValueType::Number), "5.5");
    assert_eq!(control(json!(5), ValueType::String), "\"5\"");
    let object = control(json!("{ \"a\": [1.0, null] }"), ValueType::Json);
    assert_eq!(object, "{\"a\":[1.0,null]}");
}

#[test]
fn requirement_17_options_are_split_by_whole_weights_without_bucket() {
    let options = [
        (1, Some("red"), json!("r"), 33.3),
        (2, None, json!("g"), 33.3),
        (3, Some("never"), json!("n"), 0.0),
    ];
    let environment = with_features(json!([split(feature(1, "f", true, "c"), &options)]));

    let translated = changed(&environment, |rows| rows.environment.hash = Hash::FlagdV3);

    let flag = translated.flag("f");
    let variants = json!({"control": "c", "red": "r", "variant_2": "g", "never": "n"});
    assert_eq!(flag["variants"], variants);
    let expected = json!({"fractional": [["red", 333], ["variant_2", 333], ["control", 334]]});
    assert_eq!(flag["targeting"], expected);
    assert_eq!(flag["metadata"]["flagstaff.parity"], "exact");
    assert_eq!(translated.reasons(), []);
}

#[test]
fn a_split_of_another_hash_than_flagds_is_reported() {
    let options = [(1, None, json!("r"), 100.0)];
    let environment = with_features(json!([split(feature(1, "f", true, "c"), &options)]));

    let translated = translated(&environment);

    let expected = json!({"fractional": [["variant_1", 100], ["control", 0]]});
    assert_eq!(translated.flag("f")["targeting"], expected);
    assert_eq!(
        translated.flag("f")["metadata"]["flagstaff.parity"],
        "approximate"
    );
    let detail = "feature=f, hash=flagsmith".to_owned();
    assert_eq!(
        translated.warnings,
        [(WarningReason::BucketingDiffers, detail)]
    );
}

#[test]
fn options_without_weight_split_nobody() {
    let options = [(1, Some("red"), json!("r"), 0.0)];
    let environment = with_features(json!([split(feature(1, "f", true, "c"), &options)]));

    let translated = translated(&environment);

    assert_eq!(translated.flag("f").get("targeting"), None);
    assert_eq!(translated.reasons(), []);
}

/// A feature that is off, with an override for a segment that is on and one that is off.
fn off_with_overrides() -> Json {
    let beta = ranked(feature(1, "f", true, "new"), 2);
    let banned = ranked(feature(1, "f", false, "other"), 1);
    let tail = ranked(feature(1, "f", false, "tail"), 3);
    environment(
        json!([feature(1, "f", false, "old")]),
        json!([
            segment(1, "beta", rules(&[set("beta")]), json!([beta])),
            segment(2, "banned", rules(&[set("banned")]), json!([banned])),
            segment(3, "tail", rules(&[set("tail")]), json!([tail])),
        ]),
        json!([
            identity(1, "ana", json!([feature(1, "f", true, "old")])),
            identity(2, "bob", json!([feature(1, "f", false, "old")])),
        ]),
    )
}

fn set(name: &str) -> Json {
    super::environments::condition("IS_SET", name, "")
}

fn is_set(name: &str) -> Json {
    json!({"!==": [{"var": name}, null]})
}

#[test]
fn requirement_15_off_with_an_override_that_is_on_is_enabled_without_default() {
    let translated = translated(&off_with_overrides());

    let flag = translated.flag("f");
    assert_eq!(flag["state"], "ENABLED");
    // Every client takes it for none, and Rust's takes nothing else for it.
    assert_eq!(flag["defaultVariant"], "");
    let in_list = |identifier: &str| json!({"in": [{"var": "targetingKey"}, [identifier]]});
    let expected = json!({"if": [
        in_list("ana"), "control",
        in_list("bob"), null,
        is_set("banned"), null,
        is_set("beta"), "override_beta",
        null,
    ]});
    assert_eq!(flag["targeting"], expected);
    assert_eq!(
        flag["variants"],
        json!({"control": "old", "override_beta": "new"})
    );
    let enables = WarningReason::OverrideEnablesDisabledFlag;
    let no_op = WarningReason::DisabledOverrideNoOp;
    assert_eq!(translated.reasons(), [enables, enables, no_op]);
}

#[test]
fn requirement_15_the_state_alone_decides_where_the_environment_says_so() {
    let translated = changed(&off_with_overrides(), |rows| {
        rows.environment.disabled_as = DisabledAs::State;
    });

    assert_eq!(translated.flag("f")["state"], "DISABLED");
    assert_eq!(translated.flag("f")["defaultVariant"], "control");
    let reasons = translated.reasons();
    assert!(reasons.contains(&WarningReason::OverrideEnablesDisabledFlag));
}

#[test]
fn off_without_an_override_that_is_on_is_disabled() {
    let over = json!([feature(1, "f", false, "other")]);
    let environment = environment(
        json!([feature(1, "f", false, "old")]),
        json!([segment(1, "beta", rules(&[set("beta")]), over)]),
        json!([]),
    );

    assert_eq!(translated(&environment).flag("f")["state"], "DISABLED");
}

#[test]
fn hidden_flags_are_left_out_but_where_an_override_is_on() {
    let mut environment = off_with_overrides();
    let features = environment["feature_states"].as_array_mut().unwrap();
    features.push(feature(2, "hidden", false, "x"));
    features.push(feature(3, "shown", true, "x"));
    environment["hide_disabled_flags"] = json!(true);

    let auto = translated(&environment);
    let state = changed(&environment, |rows| {
        rows.environment.disabled_as = DisabledAs::State;
    });

    let names = |translated: &Translated| -> Vec<String> {
        let flags = translated.json["flags"].as_object().unwrap();
        flags.keys().cloned().collect()
    };
    assert_eq!(names(&auto), ["f", "shown"]);
    assert_eq!(names(&state), ["shown"]);
}

#[test]
fn a_project_hides_flags_where_its_environment_does_not_say_otherwise() {
    let mut environment = with_features(json!([feature(1, "off", false, "x")]));
    environment["project"]["hide_disabled_flags"] = json!(true);
    assert_eq!(translated(&environment).json["flags"], json!({}));

    environment["hide_disabled_flags"] = json!(false);
    assert_eq!(translated(&environment).flag("off")["state"], "DISABLED");
}

#[test]
fn requirement_31_values_of_several_types_are_reported_in_document_and_diagnostics() {
    let over = json!([feature(1, "f", true, "new")]);
    let environment = environment(
        json!([feature(1, "f", true, 5)]),
        json!([segment(1, "beta", rules(&[set("beta")]), over)]),
        json!([]),
    );

    let translated = translated(&environment);

    let detail = "feature=f, types=[number, string]";
    assert_eq!(
        translated.warnings,
        [(WarningReason::TypeMismatch, detail.to_owned())],
    );
    let listed = json!([{"reason": "type_mismatch", "detail": detail}]);
    let of_document = translated.json["metadata"]["flagsmith.warnings"]
        .as_str()
        .unwrap();
    assert_eq!(serde_json::from_str::<Json>(of_document).unwrap(), listed);
    let of_feature = &translated.diagnostics["features"][0];
    assert_eq!(*of_feature, json!({"name": "f", "warnings": listed}));
}

#[test]
fn a_feature_without_value_anywhere_is_a_boolean() {
    let environment = environment(
        json!([feature(1, "f", true, Json::Null)]),
        json!([
            segment(
                1,
                "out",
                rules(&[set("out")]),
                json!([feature(1, "f", false, Json::Null)])
            ),
            segment(
                2,
                "in",
                rules(&[set("in")]),
                json!([feature(1, "f", true, Json::Null)])
            ),
        ]),
        json!([]),
    );

    let translated = translated(&environment);

    let flag = translated.flag("f");
    assert_eq!(
        flag["variants"],
        json!({"control": true, "override_out": false})
    );
    assert_eq!(
        flag["targeting"],
        json!({"if": [is_set("out"), "override_out", null]})
    );
    assert_eq!(translated.reasons(), [WarningReason::OverrideDisablesFlag]);
}
