//! Who gets something else than everybody.

use super::environments::{
    Translated, condition, environment, feature, identity, ranked, rules, segment, snapshot, split,
    translated,
};
use flagstaff_core::snapshot::SnapshotRows;
use flagstaff_core::{Attributes, Context, IdentityContext};
use flagstaff_wire::flagd::{DocumentOptions, WarningReason};
use serde_json::{Value as Json, json};

fn set(name: &str) -> Json {
    rules(&[condition("IS_SET", name, "")])
}

fn is_set(name: &str) -> Json {
    json!({"!==": [{"var": name}, null]})
}

fn identities(identifiers: &[&str]) -> Json {
    json!({"in": [{"var": "targetingKey"}, identifiers]})
}

fn f(value: impl Into<Json>) -> Json {
    feature(1, "f", true, value)
}

#[test]
fn requirement_18_an_override_with_another_value_is_a_variant() {
    let translated = translated(&environment(
        json!([f("old")]),
        json!([
            segment(1, "Beta users", set("x"), json!([f("new")])),
            segment(2, "beta-users!", set("y"), json!([f("newer")])),
            segment(3, "Beta-users", set("z"), json!([f("newest")])),
        ]),
        json!([identity(1, "ana@x.org", json!([f("hers")]))]),
    ));

    let flag = translated.flag("f");
    let variants = json!({
        "control": "old", "override_Beta-users": "new", "override_beta-users": "newer",
        "override_Beta-users-2": "newest", "override_ana-x-org": "hers",
    });
    assert_eq!(flag["variants"], variants);
}

#[test]
fn requirement_20_an_override_that_is_off_and_has_the_value_of_control_is_reported() {
    let off = || json!([feature(1, "f", false, "old")]);
    let translated = translated(&environment(
        json!([f("old")]),
        json!([segment(1, "beta", set("x"), off())]),
        json!([identity(1, "ana", off())]),
    ));

    assert_eq!(translated.flag("f").get("targeting"), None);
    let words = "the override is disabled and has the value of control";
    let reason = WarningReason::DisabledOverrideNoOp;
    assert_eq!(
        translated.warnings,
        [
            (reason, format!("feature=f, segment=beta; {words}")),
            (reason, format!("feature=f, identity=ana; {words}")),
        ],
    );
    assert_eq!(
        translated.flag("f")["metadata"]["flagstaff.parity"],
        "exact"
    );
}

#[test]
fn requirement_19_an_override_that_is_off_serves_its_value_and_is_reported() {
    let off = json!([feature(1, "f", false, "new")]);
    let translated = translated(&environment(
        json!([f("old")]),
        json!([segment(1, "beta", set("x"), off)]),
        json!([]),
    ));

    let expected = json!({"if": [is_set("x"), "override_beta", null]});
    assert_eq!(translated.flag("f")["targeting"], expected);
    assert_eq!(translated.reasons(), [WarningReason::OverrideDisablesFlag]);
}

#[test]
fn requirement_21_branches_that_change_nothing_are_not_written() {
    let same = || json!([f("old")]);
    let translated = translated(&environment(
        json!([f("old")]),
        json!([segment(1, "beta", set("x"), same())]),
        json!([identity(1, "ana", same())]),
    ));

    assert_eq!(translated.flag("f").get("targeting"), None);
    assert_eq!(translated.flag("f")["variants"], json!({"control": "old"}));
}

#[test]
fn requirement_21_a_branch_that_keeps_people_from_a_weaker_one_is_written() {
    let translated = translated(&environment(
        json!([f("old")]),
        json!([
            segment(1, "weak", set("x"), json!([ranked(f("new"), 2)])),
            segment(2, "strong", set("y"), json!([ranked(f("old"), 1)])),
            segment(3, "last", set("z"), json!([ranked(f("old"), 3)])),
        ]),
        json!([identity(1, "ana", json!([f("old")]))]),
    ));

    let expected = json!({"if": [
        identities(&["ana"]), "control",
        is_set("y"), "control",
        is_set("x"), "override_weak",
        null,
    ]});
    assert_eq!(translated.flag("f")["targeting"], expected);
}

#[test]
fn requirement_21_an_override_with_the_value_of_control_keeps_people_from_a_split() {
    let options = [(1, Some("red"), json!("r"), 50.0)];
    let translated = translated(&environment(
        json!([split(f("old"), &options)]),
        json!([segment(1, "beta", set("x"), json!([f("old")]))]),
        json!([]),
    ));

    let split = json!({"fractional": [["red", 50], ["control", 50]]});
    let expected = json!({"if": [is_set("x"), "control", split]});
    assert_eq!(translated.flag("f")["targeting"], expected);
}

#[test]
fn requirement_22_identities_come_before_segments_and_segments_by_priority() {
    let translated = translated(&environment(
        json!([f("old")]),
        json!([
            segment(1, "none", set("n"), json!([f("n")])),
            segment(2, "second", set("b"), json!([ranked(f("b"), 5)])),
            segment(3, "first", set("a"), json!([ranked(f("a"), 0)])),
            segment(4, "second too", set("c"), json!([ranked(f("c"), 5)])),
        ]),
        json!([identity(1, "ana", json!([f("hers")]))]),
    ));

    let expected = json!({"if": [
        identities(&["ana"]), "override_ana",
        is_set("a"), "override_first",
        is_set("b"), "override_second",
        is_set("c"), "override_second-too",
        is_set("n"), "override_none",
        null,
    ]});
    assert_eq!(translated.flag("f")["targeting"], expected);
}

#[test]
fn requirement_23_identities_with_one_variant_stand_in_one_list() {
    let options = [
        (1, Some("red"), json!("r"), 100.0),
        (2, Some("blue"), json!("b"), 0.0),
    ];
    let red = || json!([split(f("old"), &options)]);
    let translated = translated(&environment(
        json!([split(
            f("old"),
            &[
                (1, Some("red"), json!("r"), 0.0),
                (2, Some("blue"), json!("b"), 0.0)
            ]
        )]),
        json!([segment(1, "beta", set("x"), json!([f("new")]))]),
        json!([
            identity(1, "ana", red()),
            identity(2, "bob", json!([f("old")])),
            identity(3, "cleo", red()),
            identity(4, "dan", json!([f("his")])),
        ]),
    ));

    let expected = json!({"if": [
        identities(&["ana", "cleo"]), "red",
        identities(&["bob"]), "control",
        identities(&["dan"]), "override_dan",
        is_set("x"), "override_beta",
        null,
    ]});
    assert_eq!(translated.flag("f")["targeting"], expected);
}

#[test]
fn requirement_23_identities_beyond_the_limit_are_left_out_and_counted() {
    let all: Vec<Json> = (1..=7)
        .map(|id| identity(id, &format!("id{id}"), json!([f(format!("v{id}"))])))
        .collect();
    let environment = environment(json!([f("old")]), json!([]), Json::Array(all));
    let options = DocumentOptions {
        identity_override_limit: 5,
        ..DocumentOptions::default()
    };

    let translated = Translated::of(&snapshot(&environment), &options);

    let flag = translated.flag("f");
    assert_eq!(flag["variants"].as_object().unwrap().len(), 6);
    assert_eq!(flag["targeting"]["if"].as_array().unwrap().len(), 11);
    assert_eq!(flag["metadata"]["flagstaff.parity"], "approximate");
    let detail = "feature=f, dropped=2".to_owned();
    let reason = WarningReason::IdentityOverrideLimitExceeded;
    assert_eq!(translated.warnings, [(reason, detail)]);
    assert_eq!(DocumentOptions::default().identity_override_limit, 10_000);
}

#[test]
fn a_long_list_of_identities_that_are_off_is_told_in_short() {
    let off = || json!([feature(1, "f", false, "new")]);
    let all: Vec<Json> = (1..=130)
        .map(|id| identity(id, &format!("id{id}"), off()))
        .collect();

    let translated = translated(&environment(json!([f("old")]), json!([]), Json::Array(all)));

    assert_eq!(translated.warnings.len(), 101);
    assert_eq!(translated.warnings[100].1, "feature=f; 30 more identities");
}

#[test]
fn an_override_with_weights_of_its_own_is_split_by_them() {
    let of_default = [(1, Some("red"), json!("r"), 0.0)];
    let of_override = [(1, Some("red"), json!("r"), 12.5)];
    let environment = |value: &str| {
        environment(
            json!([split(f("old"), &of_default)]),
            json!([segment(
                1,
                "beta",
                set("x"),
                json!([split(f(value), &of_override)])
            )]),
            json!([]),
        )
    };

    let same = translated(&environment("old"));
    let other = translated(&environment("new"));

    let split = |rest: &str| json!({"fractional": [["red", 125], [rest, 875]]});
    let expected = json!({"if": [is_set("x"), split("control"), null]});
    assert_eq!(same.flag("f")["targeting"], expected);
    // Without identifier the split gives the default variant, but here it is the override's own value that holds.
    let guarded =
        json!({"if": [{"!!": [{"var": "targetingKey"}]}, split("override_beta"), "override_beta"]});
    let expected = json!({"if": [is_set("x"), guarded, null]});
    assert_eq!(other.flag("f")["targeting"], expected);
    assert_eq!(other.reasons(), [WarningReason::BucketingDiffers]);
}

#[test]
fn a_split_override_of_an_identity_is_the_variant_the_server_places_it_in() {
    let options = |red: f64| {
        [
            (1, Some("red"), json!("r"), red),
            (2, Some("blue"), json!("b"), 50.0 - red / 2.0),
        ]
    };
    let all: Vec<Json> = (1..=40)
        .map(|id| {
            identity(
                id,
                &format!("id{id}"),
                json!([split(f("own"), &options(40.0))]),
            )
        })
        .collect();
    let environment = environment(
        json!([split(f("old"), &options(0.0))]),
        json!([]),
        Json::Array(all),
    );
    let snapshot = snapshot(&environment);

    let translated = Translated::of(&snapshot, &DocumentOptions::default());

    let branches = translated.flag("f")["targeting"]["if"].as_array().unwrap();
    let mut seen = 0;
    for branch in branches.chunks_exact(2) {
        for identifier in branch[0]["in"][1].as_array().unwrap() {
            let attributes = Attributes::new();
            let context = Context {
                identity: Some(IdentityContext {
                    identifier: identifier.as_str().unwrap(),
                    key: None,
                    attributes: &attributes,
                    overrides: None,
                }),
            };
            let resolution = snapshot.resolver(&context).resolve(0);
            let variant = resolution.variant.unwrap();
            assert_eq!(branch[1], variant.name(), "{identifier}");
            seen += 1;
        }
    }
    assert_eq!(seen, 40);
    assert!(branches.len() > 5, "{branches:?}");
}

#[test]
fn rows_can_be_changed_where_flagsmiths_documents_say_nothing() {
    let environment = environment(json!([f("old")]), json!([]), json!([]));
    let rename = |rows: &mut SnapshotRows| rows.project.slug = "my-shop".to_owned();
    let snapshot = super::environments::snapshot_with(&environment, rename);

    let translated = Translated::of(&snapshot, &DocumentOptions::default());

    let id = &translated.json["metadata"]["flagSetId"];
    assert_eq!(id, "my-shop/environment");
}

#[test]
fn very_many_branches_stand_in_several_ifs() {
    let all: Vec<Json> = (1..=501)
        .map(|id| identity(id, &format!("id{id}"), json!([f(format!("v{id}"))])))
        .collect();
    let translated = translated(&environment(
        json!([f("old")]),
        json!([segment(1, "beta", set("x"), json!([f("new")]))]),
        Json::Array(all),
    ));

    let outer = translated.flag("f")["targeting"]["if"].as_array().unwrap();
    assert_eq!(outer.len(), 5);
    assert_eq!(outer[0]["or"][0]["in"][1].as_array().unwrap().len(), 500);
    assert_eq!(outer[1]["if"].as_array().unwrap().len(), 1000);
    assert_eq!(
        outer[2],
        json!({"or": [identities(&["id501"]), is_set("x")]})
    );
    let last =
        json!({"if": [identities(&["id501"]), "override_id501", is_set("x"), "override_beta"]});
    assert_eq!(outer[3], last);
    assert_eq!(outer[4], Json::Null);
}

#[test]
fn many_identities_have_the_names_that_each_has_alone() {
    let identifiers = [
        "ana", "ana@", "a b", "a-b", "a@b", "日本", "identity", "beta", "beta-2", "beta!",
        "control", "x-2", "x!", "x?", "x",
    ];
    let of_options = [(1, Some("override_x"), json!("r"), 0.0)];
    let all: Vec<Json> = (1..)
        .zip(identifiers)
        .map(|(id, identifier)| {
            let value = if id % 5 == 0 {
                "old".to_owned()
            } else {
                format!("v{id}")
            };
            identity(id, identifier, json!([f(value)]))
        })
        .collect();
    let snapshot = snapshot(&environment(
        json!([split(f("old"), &of_options)]),
        json!([
            segment(1, "beta", set("b"), json!([f("new")])),
            segment(2, "Beta", set("b"), json!([f("newer")])),
            segment(3, "beta?", set("b"), json!([f("newest")])),
        ]),
        Json::Array(all),
    ));
    let variants = snapshot.variants(0);
    let identities = snapshot.identities.in_order();

    let together = variants.of_identities(&identities);

    assert_eq!(together.len(), identifiers.len());
    for (identity, over) in together {
        assert_eq!(Some(over), variants.of_identity(identity));
    }
}
