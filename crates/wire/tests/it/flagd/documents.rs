//! The document as a whole, and diagnostics.

use super::environments::{
    Translated, condition, environment, feature, rules, segment, snapshot, snapshot_with,
    translated,
};
use flagstaff_core::Timestamp;
use flagstaff_wire::flagd::{DocumentOptions, document};
use serde_json::{Value as Json, json};

fn plain() -> Json {
    environment(json!([feature(1, "f", true, "x")]), json!([]), json!([]))
}

/// A segment that cannot be said, and a feature with values of two types.
fn with_warnings() -> Json {
    let overrides = json!([feature(1, "f", true, 5), feature(2, "g", true, "y")]);
    let unsayable = rules(&[condition("REGEX", "mail", "[a]")]);
    let said = rules(&[condition("IS_SET", "x", "")]);
    environment(
        json!([
            feature(1, "f", true, "x"),
            feature(2, "g", true, "x"),
            feature(3, "h", true, "x")
        ]),
        json!([
            segment(1, "unsayable", unsayable, overrides.clone()),
            segment(2, "said", said, overrides),
        ]),
        json!([]),
    )
}

#[test]
fn requirement_12_a_document_has_schema_flags_and_metadata() {
    let translated = translated(&plain());

    let members: Vec<_> = translated.json.as_object().unwrap().keys().collect();
    assert_eq!(members, ["$schema", "flags", "metadata"]);
    assert_eq!(
        translated.json["$schema"],
        "https://flagd.dev/schema/v0/flags.json"
    );
}

#[test]
fn requirement_13_metadata_says_where_a_document_comes_from() {
    let of_time = |micros| {
        let snapshot = snapshot_with(&plain(), |rows| {
            rows.environment.updated_at = Timestamp::from_micros(micros);
        });
        Translated::of(&snapshot, &DocumentOptions::default()).json["metadata"].clone()
    };

    let expected = json!({
        "flagSetId": "project/environment",
        "version": "2026-11-21T00:05:09.858003Z",
        "flagsmith.environmentId": 1,
        "flagsmith.translatorVersion": "v1",
    });
    assert_eq!(of_time(1_795_219_509_858_003), expected);
    assert_eq!(of_time(0)["version"], "0");
}

#[test]
fn requirement_29_diagnostics_list_and_count_all_warnings() {
    let translated = translated(&with_warnings());

    let expected = json!({
        "flagSetId": "project/environment",
        "translatorVersion": "v1",
        "environmentWarnings": [
            {"reason": "regex_unsupported", "detail": "operator=REGEX, property=mail"},
        ],
        "features": [{"name": "f", "warnings": [
            {"reason": "type_mismatch", "detail": "feature=f, types=[number, string]"},
        ]}],
        "summary": {"featuresWithWarnings": 1, "totalWarnings": 2},
    });
    let mut listed = translated.diagnostics;
    // Those have tests of their own: `differences.rs`.
    assert!(
        listed
            .as_object_mut()
            .unwrap()
            .shift_remove("differences")
            .is_some()
    );
    assert_eq!(listed, expected);
    let quiet = super::environments::translated(&plain()).diagnostics;
    assert_eq!(
        quiet["summary"],
        json!({"featuresWithWarnings": 0, "totalWarnings": 0})
    );
    assert_eq!(quiet["environmentWarnings"], json!([]));
}

#[test]
fn diagnostics_and_document_agree() {
    let translated = translated(&with_warnings());

    let of_document = translated.json["metadata"]["flagsmith.warnings"]
        .as_str()
        .unwrap();
    let of_document: Json = serde_json::from_str(of_document).unwrap();
    let mut listed = translated.diagnostics["environmentWarnings"]
        .as_array()
        .unwrap()
        .clone();
    for feature in translated.diagnostics["features"].as_array().unwrap() {
        listed.extend(feature["warnings"].as_array().unwrap().iter().cloned());
    }
    assert_eq!(of_document, Json::Array(listed));
}

#[test]
fn parity_is_told_of_each_flag() {
    let translated = translated(&with_warnings());

    let parity = |name| translated.flag(name)["metadata"]["flagstaff.parity"].clone();
    assert_eq!(parity("f"), "approximate");
    assert_eq!(parity("g"), "approximate");
    assert_eq!(parity("h"), "exact");
}

#[test]
fn every_build_of_a_snapshot_gives_the_same_bytes() {
    let bytes = || document(&snapshot(&with_warnings()), &DocumentOptions::default()).bytes;

    assert_eq!(bytes(), bytes());
}

#[test]
fn a_large_document_is_made_in_no_time_and_is_not_nested_more_for_it() {
    let features: Vec<Json> = (1..=200)
        .map(|id| feature(id, &format!("f{id}"), true, "x"))
        .collect();
    let segments: Vec<Json> = (1..=50)
        .map(|id| {
            let overrides: Vec<Json> = (1..=200)
                .map(|feature_id| {
                    feature(
                        feature_id,
                        &format!("f{feature_id}"),
                        true,
                        format!("s{id}"),
                    )
                })
                .collect();
            segment(
                id,
                &format!("s{id}"),
                rules(&[condition("EQUAL", "n", id.to_string())]),
                json!(overrides),
            )
        })
        .collect();

    let translated = translated(&environment(json!(features), json!(segments), json!([])));

    for flag in translated.json["flags"].as_object().unwrap().values() {
        let branches = flag["targeting"]["if"].as_array().unwrap();
        assert_eq!(branches.len(), 101);
        assert!(branches.iter().all(|branch| branch.get("if").is_none()));
    }
}
