//! SDK answers against recorded ones, for the recorded environment.

use super::installation::Installation;
use flagstaff_core::{Attributes, Context, IdentityContext, Snapshot, Value};
use flagstaff_wire::flagsmith::document::parse_environment_document;
use flagstaff_wire::flagsmith::flag::{FlagForm, FlagFragments, write_multivariate_options};
use flagstaff_wire::flagsmith::identity::{IdentityAnswer, TraitAnswer};
use serde_json::{Value as Json, json};

const DOCUMENT: &[u8] = include_bytes!("../../golden/recorded_document.json");
const ANSWERS: &str = include_str!("../../golden/recorded_answers.json");

fn snapshot(change: impl FnOnce(&mut Json)) -> Snapshot {
    let mut document: Json = serde_json::from_slice(DOCUMENT).unwrap();
    change(&mut document);
    let (imported, _) = parse_environment_document(document.to_string().as_bytes()).unwrap();
    Installation::new(&imported).snapshot()
}

fn recorded() -> Json {
    serde_json::from_str(ANSWERS).unwrap()
}

/// Takes away what a document does not carry: row ids of states and what was typed in when a feature was made.
fn comparable(mut flag: Json) -> Json {
    flag["id"] = Json::Null;
    for name in [
        "created_date",
        "description",
        "initial_value",
        "default_enabled",
    ] {
        assert!(flag["feature"].get(name).is_some(), "{name} is missing");
        flag["feature"][name] = Json::Null;
    }
    if !flag["feature_segment"].is_null() {
        flag["feature_segment"] = json!("some");
    }
    flag
}

fn comparable_list(flags: &Json) -> Vec<String> {
    let flags = flags.as_array().unwrap();
    flags
        .iter()
        .map(|flag| comparable(flag.clone()).to_string())
        .collect()
}

fn identity_answer(snapshot: &Snapshot, identifier: &str, traits: &[TraitAnswer<'_>]) -> Json {
    let mut attributes = Attributes::new();
    for each in traits {
        attributes.insert(each.key, each.value.clone());
    }
    let overrides = snapshot.identity(identifier);
    let context = Context {
        identity: Some(IdentityContext {
            identifier,
            key: None,
            attributes: &attributes,
            overrides: overrides.map(|part| part.flags.as_slice()),
        }),
    };
    // The recorded client key does not see the one feature that is for servers only.
    let flags: Vec<_> = snapshot
        .rules
        .evaluator(&context)
        .flags()
        .into_iter()
        .filter(|flag| !snapshot.features[flag.feature].feature.is_server_key_only)
        .collect();
    let answer = IdentityAnswer { identifier, traits };
    serde_json::from_slice(&answer.to_bytes(&FlagFragments::new(snapshot), flags)).unwrap()
}

#[test]
fn environment_flags_are_answered_as_recorded() {
    let snapshot = snapshot(|_| {});
    let shown = (0..snapshot.features.len())
        .filter(|index| !snapshot.features[*index].feature.is_server_key_only);
    let mut out = Vec::new();

    FlagFragments::new(&snapshot).write_defaults(shown, &mut out);

    let ours: Json = serde_json::from_slice(&out).unwrap();
    assert_eq!(
        comparable_list(&ours),
        comparable_list(&recorded()["flags"])
    );
}

#[test]
fn identities_are_answered_as_recorded() {
    let snapshot = snapshot(|_| {});
    for theirs in recorded()["identities"].as_array().unwrap() {
        let ours = identity_answer(&snapshot, theirs["identifier"].as_str().unwrap(), &[]);

        assert_eq!(
            comparable_list(&ours["flags"]),
            comparable_list(&theirs["flags"])
        );
        assert_eq!(ours["identifier"], theirs["identifier"]);
    }
}

/// Flags that follow one another are copied together; leaving out any of them must not be seen in the others.
#[test]
fn a_list_is_made_of_its_flags_whichever_are_left_out() {
    let snapshot = snapshot(|_| {});
    let fragments = FlagFragments::new(&snapshot);
    let attributes = Attributes::new();
    for theirs in recorded()["identities"].as_array().unwrap() {
        let identifier = theirs["identifier"].as_str().unwrap();
        let overrides = snapshot.identity(identifier);
        let context = Context {
            identity: Some(IdentityContext {
                identifier,
                key: None,
                attributes: &attributes,
                overrides: overrides.map(|part| part.flags.as_slice()),
            }),
        };
        let all = snapshot.rules.evaluator(&context).flags();
        for left_out in (0..1 << 14).step_by(37) {
            let is_shown = |index: &usize| left_out >> (index % 14) & 1 == 0;
            let shown: Vec<_> = (0..all.len()).filter(is_shown).map(|i| all[i]).collect();
            let texts = shown.iter().map(|flag| {
                let mut text = Vec::new();
                fragments.write(flag, FlagForm::WithVariant, &mut text);
                String::from_utf8(text).unwrap()
            });
            let texts: Vec<String> = texts.collect();
            let answer = IdentityAnswer {
                identifier,
                traits: &[],
            };

            let bytes = answer.to_bytes(&fragments, shown);

            let list = format!(r#""flags":[{}]}}"#, texts.join(","));
            assert!(String::from_utf8(bytes).unwrap().ends_with(&list));
        }
    }
}

#[test]
fn forty_identities_keep_their_recorded_variants() {
    let snapshot = snapshot(|_| {});
    for (identifier, theirs) in recorded()["variants"].as_object().unwrap() {
        let ours = identity_answer(&snapshot, identifier, &[]);

        let colour = ours["flags"]
            .as_array()
            .unwrap()
            .iter()
            .find(|flag| flag["feature"]["name"] == "colour")
            .unwrap();
        assert_eq!(
            comparable(colour.clone()).to_string(),
            comparable(theirs.clone()).to_string(),
            "{identifier}"
        );
    }
}

#[test]
fn a_segment_override_is_answered_with_its_link_and_value() {
    let snapshot = snapshot(|_| {});
    let value = Value::text("pro");
    let plan = TraitAnswer {
        id: None,
        key: "plan",
        value: &value,
        transient: true,
    };

    let ours = identity_answer(&snapshot, "ghost3", &[plan]);

    // Recorded in row 32 of `11-sdk-identities.jsonl`.
    let flag = |name: &str| {
        let flags = ours["flags"].as_array().unwrap();
        let flag = flags
            .iter()
            .find(|flag| flag["feature"]["name"] == name)
            .unwrap();
        comparable(flag.clone())
    };
    assert_eq!(flag("banner")["feature_state_value"], "pro-banner");
    assert_eq!(flag("banner")["feature_segment"], "some");
    assert_eq!(flag("colour")["feature_state_value"], "blue");
    assert_eq!(flag("colour")["variant"], Json::Null);
    assert_eq!(flag("colour2")["variant"], "control");
    assert_eq!(
        ours["traits"].to_string(),
        r#"[{"id":null,"trait_key":"plan","trait_value":"pro","transient":true}]"#
    );
}

#[test]
fn sensitive_data_is_hidden_as_recorded() {
    let snapshot = snapshot(|document| document["hide_sensitive_data"] = json!(true));
    let value = Value::Integer(1);
    let sent = TraitAnswer {
        id: None,
        key: "a",
        value: &value,
        transient: false,
    };
    let mut banner = Vec::new();

    let feature = snapshot.rules.feature_index("banner").unwrap();
    FlagFragments::new(&snapshot).write_default(feature, FlagForm::WithoutVariant, &mut banner);
    let identity = identity_answer(&snapshot, "carol", &[sent]);

    // Recorded in rows 37 and 38 of `10-sdk-flags.jsonl`.
    assert_eq!(
        String::from_utf8(banner).unwrap(),
        r#"{"id":null,"feature":{"id":2,"name":"banner","created_date":null,"description":null,"initial_value":null,"default_enabled":null,"type":"STANDARD"},"feature_state_value":"hello","environment":null,"identity":null,"feature_segment":null,"enabled":true}"#
    );
    assert_eq!(identity["traits"], json!([]));
}

#[test]
fn multivariate_options_are_answered_as_recorded() {
    let snapshot = snapshot(|_| {});
    let feature = snapshot.rules.feature_index("colour").unwrap();
    let mut out = Vec::new();

    write_multivariate_options(&snapshot.features[feature], &mut out);

    // Recorded in row 32 of `10-sdk-flags.jsonl`.
    assert_eq!(
        String::from_utf8(out).unwrap(),
        r#"{"control_value":"red","options":[{"value":"blue"},{"value":"green"}]}"#
    );
}
