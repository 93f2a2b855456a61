//! Environment documents: a recorded one, ones with every oddity, and generated ones.

use super::installation::Installation;
use flagstaff_core::{Hash, Snapshot};
use flagstaff_testkit::Random;
use flagstaff_wire::flagsmith::document::{environment_document, parse_environment_document};
use flagstaff_wire::flagsmith::import::ImportWarning;
use serde_json::{Value as Json, json};

const RECORDED: &[u8] = include_bytes!("../../golden/recorded_document.json");

fn snapshot(document: &Json) -> (Snapshot, Vec<ImportWarning>) {
    let (imported, warnings) = parse_environment_document(document.to_string().as_bytes()).unwrap();
    (Installation::new(&imported).snapshot(), warnings)
}

fn written(snapshot: &Snapshot) -> Json {
    serde_json::from_slice(&environment_document(snapshot).0).unwrap()
}

/// Takes away what is made up anew by whoever writes a document.
fn without_row_ids(mut document: Json) -> Json {
    fn clean(json: &mut Json) {
        match json {
            Json::Array(items) => items.iter_mut().for_each(clean),
            Json::Object(members) => {
                members.remove("identity_uuid");
                if members.contains_key("mv_fs_value_uuid") {
                    members.remove("id");
                }
                members.values_mut().for_each(clean);
            }
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
        }
    }
    clean(&mut document);
    document
}

/// Settings of snapshots in the folder of golden files.
fn golden(check: impl FnOnce()) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../golden");
    settings.set_prepend_module_to_snapshot(false);
    settings.bind(check);
}

#[test]
fn a_recorded_document_is_written_as_it_was_read() {
    let mut recorded: Json = serde_json::from_slice(RECORDED).unwrap();

    let (snapshot, warnings) = snapshot(&recorded);

    // The server picks `green` for both; SDKs would have read the control value here (DESIGN 5).
    for identity in recorded["identity_overrides"].as_array_mut().unwrap() {
        for state in identity["identity_features"].as_array_mut().unwrap() {
            if state["feature"]["name"] == "colour" {
                state["feature_state_value"] = json!("green");
            }
        }
    }
    let (ours, theirs) = (
        without_row_ids(written(&snapshot)),
        without_row_ids(recorded),
    );
    assert_eq!(ours.to_string(), theirs.to_string());
    assert_eq!(warnings, []);
}

#[test]
fn every_build_of_a_snapshot_gives_the_same_bytes() {
    let recorded: Json = serde_json::from_slice(RECORDED).unwrap();

    let first = environment_document(&snapshot(&recorded).0).0;
    let second = environment_document(&snapshot(&recorded).0).0;

    assert_eq!(first, second);
}

fn odd_document() -> Json {
    let option = |id: Json, value: Json, key: Json| json!({"id": id, "value": value, "key": key});
    json!({
        "id": 33, "api_key": "key", "name": "Dev",
        "hide_disabled_flags": true, "use_identity_composite_key_for_hashing": false,
        "use_identity_overrides_in_local_eval": true,
        "project": {"id": 29, "name": "P", "server_key_only_feature_ids": [4], "segments": [
            {"id": "seven", "name": "text id", "rules": [{"type": "NONE", "conditions": [
                {"operator": "PERCENTAGE_SPLIT", "value": "50", "property_": null}]}], "feature_states": [
                {"feature": {"id": 9, "name": "gone", "type": "STANDARD"}, "enabled": true, "django_id": 8,
                 "feature_state_value": 1},
                {"feature": {"id": 4, "name": "Split"}, "enabled": false, "django_id": 9,
                 "feature_segment": {"priority": null}, "feature_state_value": 2.5}]},
            {"id": 1, "name": "has the row id of the other one", "rules": []},
        ]},
        "feature_states": [
            {"feature": {"id": 4, "name": "split", "type": "MULTIVARIATE"}, "enabled": true, "django_id": null,
             "featurestate_uuid": "0347aaa3-d198-4423-92fe-425beca05ec6", "feature_state_value": 3_000_000_000_i64,
             "multivariate_feature_state_values": [
                {"id": null, "mv_fs_value_uuid": "f48a294c-1f16-4197-974b-aa01116449d1", "percentage_allocation": 30,
                 "multivariate_feature_option": option(json!(2), json!("b"), json!("bee"))},
                {"id": null, "mv_fs_value_uuid": "090402994d2d4cabad6c16ff85d5f289", "percentage_allocation": 20.5,
                 "multivariate_feature_option": option(json!(1), json!(true), Json::Null)}]},
            {"feature": {"id": 5, "name": "plain", "type": "CONFIG"}, "enabled": true},
            {"feature": {"id": 6, "name": "seedless"}, "enabled": true, "multivariate_feature_state_values": [
                {"percentage_allocation": 100, "multivariate_feature_option": option(Json::Null, json!("x"), Json::Null)}]},
            {"feature": {"id": 7, "name": "text seed"}, "enabled": true, "django_id": "007",
             "multivariate_feature_state_values": [
                {"percentage_allocation": 50, "multivariate_feature_option": option(Json::Null, json!("x"), Json::Null)}]},
        ],
        "identity_overrides": [
            {"identifier": "bob", "django_id": 7, "identity_features": [
                {"feature": {"id": 4, "name": "split"}, "enabled": false, "django_id": 1, "feature_state_value": "own",
                 "multivariate_feature_state_values": [{"percentage_allocation": 100.0,
                    "multivariate_feature_option": option(json!(2), json!("b"), json!("bee"))}]},
                {"feature": {"id": 4, "name": "split"}, "enabled": true, "django_id": 2},
            ], "identity_traits": [{"trait_key": "age", "trait_value": 30}]},
        ],
    })
}

#[test]
fn what_a_document_cannot_keep_is_told() {
    let (_, warnings) = snapshot(&odd_document());

    let told: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(told.join("\n"), @r"
    identities are hashed by row ids that the document lacks: some may change their variant
    feature_states[0].feature_state_value: kept as text, because values are 32-bit whole numbers
    feature `seedless`: the document lacks what its variants are hashed by: identities may change their variant
    override of `gone` for `text id` is left out: the feature has no default in this environment
    project.segments[0].feature_states[1].feature_state_value: kept as text, because values are 32-bit whole numbers
    second override of `split` for `bob` is left out
    ");
}

#[test]
fn a_document_of_another_version_is_filled_in() {
    let (snapshot, _) = snapshot(&odd_document());

    let (document, warnings) = environment_document(&snapshot);

    let document: Json = serde_json::from_slice(&document).unwrap();
    let warnings: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    let told = json!({ "document": document, "warnings": warnings });
    golden(|| {
        insta::assert_snapshot!(
            "filled_in_document",
            serde_json::to_string_pretty(&told).unwrap()
        );
    });
}

#[test]
fn broken_documents_are_refused_with_the_place_of_the_mistake() {
    let check = |change: fn(&mut Json), expected: &str| {
        let mut document: Json = serde_json::from_slice(RECORDED).unwrap();
        change(&mut document);
        let error = parse_environment_document(document.to_string().as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), expected);
    };

    check(
        |json| *json = json!([]),
        "the document must be an object, not a list",
    );
    check(
        |json| json["api_key"] = json!("ser.x"),
        "api_key is not a client-side environment key: `ser.x`",
    );
    check(
        |json| json["project"]["segments"][1]["id"] = json!(10),
        "project.segments[1].id collides with `pro`",
    );
    check(
        |json| json["feature_states"][1]["feature"]["name"] = json!("SIMPLE"),
        "feature_states[1].feature.name collides with `simple`",
    );
    check(
        |json| json["identity_overrides"][1]["identifier"] = json!("alice@example.com"),
        "identity_overrides[1].identifier collides with `alice@example.com`",
    );
    check(
        |json| json["feature_states"][2]["feature_state_value"] = json!([1]),
        "feature_states[2].feature_state_value must be text, a number, true, false or null, not a list",
    );
    check(
        |json| json["updated_at"] = json!("yesterday"),
        "updated_at is not a time: `yesterday`",
    );
    check(
        |json| {
            let colour = &mut json["project"]["segments"][0]["feature_states"][1];
            colour["multivariate_feature_state_values"][0]["percentage_allocation"] = json!(101);
        },
        "project.segments[0].feature_states[1].multivariate_feature_state_values[0].percentage_allocation must be between 0 and 100",
    );
}

#[test]
fn generated_documents_come_back_as_they_went_out() {
    let mut random = Random::new(7);
    for _ in 0..300 {
        let (first, _) = snapshot(&generated(&mut random));
        let out = environment_document(&first).0;

        let (imported, warnings) = parse_environment_document(&out).unwrap();
        let again = environment_document(&Installation::new(&imported).snapshot()).0;

        assert_eq!(warnings, []);
        assert_eq!(
            String::from_utf8(again).unwrap(),
            String::from_utf8(out).unwrap()
        );
    }
}

fn generated(random: &mut Random) -> Json {
    let count = 1 + random.below(4);
    let states: Vec<Json> = (0..count).map(|index| state(random, index)).collect();
    let segments: Vec<Json> = (0..random.below(4))
        .map(|index| {
            let feature = random.below(count);
            let mut overriding = state(random, feature);
            overriding["feature_segment"] = json!({ "priority": random.below(5) });
            json!({
                "id": index * 7 + 1,
                "name": *random.pick(&["pro", "é", "a\"b"]),
                "rules": [{"type": "ALL", "rules": [{"type": "ANY", "rules": [], "conditions": [
                    {"operator": "IN", "value": "[\"a\",1]", "property_": "plan"},
                ]}], "conditions": []}],
                "feature_states": [overriding],
            })
        })
        .collect();
    let identities: Vec<Json> = (0..random.below(4))
        .map(|index| {
            let feature = random.below(count);
            json!({
                "identifier": format!("user-{index}"), "django_id": index + 1,
                "created_date": "2026-11-21T00:08:05+00:00",
                "identity_features": [state(random, feature)],
            })
        })
        .collect();
    json!({
        "id": 1, "api_key": "key", "name": "Dev", "updated_at": "2026-11-21T00:11:29.147205+00:00",
        "use_identity_composite_key_for_hashing": true,
        "use_identity_overrides_in_local_eval": random.percent(80),
        "project": {"id": 1, "name": "P", "segments": segments, "server_key_only_feature_ids": [1]},
        "feature_states": states, "identity_overrides": identities,
    })
}

fn state(random: &mut Random, feature: usize) -> Json {
    let values = [
        json!(null),
        json!(true),
        json!(-7),
        json!("text"),
        json!("é\n\""),
    ];
    let weights: Vec<Json> = (0..random.below(3))
        .map(|option| {
            json!({
                "id": option * 10 + 1, "mv_fs_value_uuid": format!("f48a294c-1f16-4197-974b-00000000000{option}"),
                "percentage_allocation": *random.pick(&[0.0, 12.5, 30.0, 33.333_333]),
                "multivariate_feature_option": {"id": feature * 10 + option + 1, "value": option, "key": null},
            })
        })
        .collect();
    let seed = match random.below(3) {
        0 => Json::Null,
        _ => json!(random.below(100)),
    };
    json!({
        "feature": {"id": feature + 1, "name": format!("f{feature}"), "type": "STANDARD"},
        "enabled": random.percent(50), "django_id": seed,
        "featurestate_uuid": format!("0347aaa3-d198-4423-92fe-{:012x}", random.below(1 << 30)),
        "feature_state_value": random.pick(&values).clone(),
        "multivariate_feature_state_values": weights,
    })
}

/// Nothing is added that an SDK could stumble over; what it places differently is reported.
#[test]
fn another_hash_than_flagsmiths_changes_no_byte_and_is_reported() {
    let recorded: Json = serde_json::from_slice(RECORDED).unwrap();
    let (imported, _) = parse_environment_document(recorded.to_string().as_bytes()).unwrap();
    let with = |hash| {
        let snapshot =
            Installation::new(&imported).snapshot_with(|rows| rows.environment.hash = hash);
        let (bytes, warnings) = environment_document(&snapshot);
        let warnings: Vec<String> = warnings.iter().map(ToString::to_string).collect();
        (bytes, warnings)
    };

    let (plain, without) = with(Hash::Flagsmith);
    let (bytes, warnings) = with(Hash::FlagdV2);

    assert_eq!(bytes, plain);
    let added = warnings.iter().filter(|warning| !without.contains(warning));
    let added: Vec<&String> = added.collect();
    assert!(
        added.iter().any(|warning| warning.starts_with("feature `"))
            && added
                .iter()
                .all(|warning| warning.contains("place identities differently")),
        "{added:?}"
    );
}
