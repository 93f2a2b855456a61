//! What places people, what kind of values features have, and what off means: members that Flagsmith lacks.

use super::desk::{Desk, check_refusal, is_pro};
use serde_json::{Value as Json, json};

const HASHES: &str = "flagsmith, flagd-v2, flagd-v3, flipt, fnv1a32";

fn no_choice(word: &str, known: &str) -> Json {
    json!([format!("\"{word}\" is not a valid choice: one of {known}.")])
}

#[tokio::test]
async fn a_feature_has_the_environments_hash_and_flagsmiths_types_until_told_otherwise() {
    let desk = Desk::open().await;
    let id = desk.make_feature(json!({ "name": "a" })).await;
    let path = desk.in_project(&format!("features/{id}/"));
    let shown = async || {
        let feature = desk.get(&path).await.json();
        (feature["hash"].clone(), feature["value_type"].clone())
    };

    assert_eq!(shown().await, (json!(null), json!("auto")));
    desk.patch(&path, json!({ "hash": "flipt", "value_type": "json" }))
        .await;
    assert_eq!(shown().await, (json!("flipt"), json!("json")));
    desk.patch(&path, json!({ "description": "x" })).await;
    assert_eq!(shown().await, (json!("flipt"), json!("json")));
    desk.patch(&path, json!({ "hash": null, "value_type": "auto" }))
        .await;
    assert_eq!(shown().await, (json!(null), json!("auto")));
    let audited = desk.last_audited(1).await;
    assert_eq!(audited, ["Flag / Remote Config updated: a"]);
}

#[tokio::test]
async fn hash_and_type_may_be_given_with_a_new_feature() {
    let desk = Desk::open().await;
    let body =
        json!({ "name": "a", "hash": "fnv1a32", "value_type": "number", "initial_value": "1.5" });

    let made = desk.post(&desk.in_project("features/"), body).await.json();

    assert_eq!(
        (&made["hash"], &made["value_type"]),
        (&json!("fnv1a32"), &json!("number"))
    );
    let list = desk.get(&desk.in_project("features/")).await.json();
    assert_eq!(list["results"][0]["hash"], "fnv1a32");
}

#[tokio::test]
async fn the_day_by_which_a_feature_is_to_be_gone_is_kept_as_a_day() {
    let desk = Desk::open().await;
    let body = json!({ "name": "a", "expected_removal_date": "2026-12-31" });
    let made = desk.post(&desk.in_project("features/"), body).await.json();
    assert_eq!(made["expected_removal_date"], "2026-12-31");
    let path = desk.in_project(&format!("features/{}/", made["id"]));

    for (sent, kept) in [
        (json!({ "description": "x" }), json!("2026-12-31")),
        (
            json!({ "expected_removal_date": "2024-02-29" }),
            json!("2024-02-29"),
        ),
        (json!({ "expected_removal_date": null }), json!(null)),
    ] {
        desk.patch(&path, sent).await;
        let feature = desk.get(&path).await.json();
        assert_eq!(feature["expected_removal_date"], kept);
    }
    let refused = "Date has wrong format. Use one of these formats instead: YYYY-MM-DD.";
    for wrong in ["2026-02-30", "31.12.2026", "2026-12-31T00:00:00Z", ""] {
        let reply = desk
            .patch(&path, json!({ "expected_removal_date": wrong }))
            .await;
        let expected = json!({ "expected_removal_date": [refused] });
        check_refusal(&reply, 400, &expected);
    }
}

#[tokio::test]
async fn other_words_are_refused_and_those_that_are_known_are_named() {
    let desk = Desk::open().await;
    let id = desk.make_feature(json!({ "name": "a" })).await;
    let feature = desk.in_project(&format!("features/{id}/"));
    let segment = desk.make_segment("s").await;
    let segment = desk.in_project(&format!("segments/{segment}/"));
    let environment = desk.in_environment("");

    for path in [&feature, &segment, &environment] {
        let reply = desk.patch(path, json!({ "hash": "md5" })).await;
        check_refusal(&reply, 400, &json!({ "hash": no_choice("md5", HASHES) }));
    }
    let reply = desk.patch(&feature, json!({ "value_type": "float" })).await;
    let types = "auto, boolean, integer, number, string, json";
    check_refusal(
        &reply,
        400,
        &json!({ "value_type": no_choice("float", types) }),
    );
    let reply = desk
        .patch(&environment, json!({ "disabled_as": "off" }))
        .await;
    let known = no_choice("off", "auto, state");
    check_refusal(&reply, 400, &json!({ "disabled_as": known }));
    let reply = desk.patch(&environment, json!({ "hash": null })).await;
    let null = json!({ "hash": ["This field may not be null."] });
    check_refusal(&reply, 400, &null);
}

#[tokio::test]
async fn a_segment_has_a_hash_that_copies_keep() {
    let desk = Desk::open().await;
    let body = json!({ "name": "s", "hash": "flagd-v2", "rules": [is_pro()] });
    let made = desk.post(&desk.in_project("segments/"), body).await.json();
    let path = desk.in_project(&format!("segments/{}/", made["id"]));

    let copy = desk
        .post(&format!("{path}clone/"), json!({ "name": "copy" }))
        .await
        .json();
    let cleared = desk.patch(&path, json!({ "hash": null })).await.json();

    assert_eq!(made["hash"], "flagd-v2");
    assert_eq!(copy["hash"], "flagd-v2");
    assert_eq!(cleared["hash"], json!(null));
    assert_eq!(desk.get(&path).await.json()["hash"], json!(null));
}

#[tokio::test]
async fn an_environment_says_what_places_people_and_what_off_means() {
    let desk = Desk::open().await;
    let path = desk.in_environment("");
    let before = desk.get(&path).await.json();

    let body = json!({ "hash": "flagd-v3", "disabled_as": "state" });
    let patched = desk.patch(&path, body).await.json();

    assert_eq!(
        (&before["hash"], &before["disabled_as"]),
        (&json!("flagsmith"), &json!("auto"))
    );
    assert_eq!(
        (&patched["hash"], &patched["disabled_as"]),
        (&json!("flagd-v3"), &json!("state"))
    );
    let shown = desk.get(&path).await.json();
    assert_eq!(
        (&shown["hash"], &shown["disabled_as"]),
        (&json!("flagd-v3"), &json!("state"))
    );
}

#[tokio::test]
async fn another_hash_moves_people_at_once() {
    let desk = Desk::open().await;
    let options =
        json!([{ "type": "unicode", "string_value": "on", "default_percentage_allocation": 50 }]);
    let body = json!({ "name": "split", "default_enabled": true, "initial_value": "off",
        "multivariate_options": options });
    desk.make_feature(body).await;
    let served = async || {
        let mut served = Vec::new();
        for number in 0..40 {
            let identity = Some((format!("user-{number}"), json!([])));
            let identity = identity
                .as_ref()
                .map(|(who, traits)| (who.as_str(), traits.clone()));
            served.push(desk.flag("split", identity).await["feature_state_value"].clone());
        }
        served
    };

    let by_flagsmith = served().await;
    desk.patch(&desk.in_environment(""), json!({ "hash": "flagd-v2" }))
        .await;
    let by_flagd = served().await;
    desk.patch(&desk.in_environment(""), json!({ "hash": "flagsmith" }))
        .await;

    assert_ne!(by_flagd, by_flagsmith);
    assert_eq!(served().await, by_flagsmith);
}

/// What is wrong with a value that is no number.
fn no_number(value: &str) -> Json {
    let text = format!(
        "Values of the feature \"price\" are of type number: \"{value}\" must be a finite number."
    );
    json!([text])
}

#[tokio::test]
async fn values_of_another_type_are_refused_wherever_they_are_written() {
    let desk = Desk::open().await;
    let id = desk
        .make_feature(json!({ "name": "price", "value_type": "number", "initial_value": "9.5" }))
        .await;
    let wrong = |name: &str| json!({ name: no_number("cheap") });

    let state = desk.state_of(id).await;
    let state_path = desk.in_environment(&format!("featurestates/{state}/"));
    let reply = desk
        .patch(&state_path, json!({ "feature_state_value": "cheap" }))
        .await;
    check_refusal(&reply, 400, &wrong("feature_state_value"));
    let reply = desk
        .patch(&state_path, json!({ "feature_state_value": "7.25" }))
        .await;
    assert_eq!(reply.status, 200, "{}", reply.text());

    let option =
        json!({ "type": "unicode", "string_value": "cheap", "default_percentage_allocation": 5 });
    let path = desk.in_project(&format!("features/{id}/mv-options/"));
    let mut body = option.clone();
    body["feature"] = id.into();
    let reply = desk.post(&path, body).await;
    check_refusal(&reply, 400, &wrong("feature_state_value"));

    let with_options =
        json!({ "name": "price", "value_type": "number", "multivariate_options": [option] });
    let body = json!({ "name": "price 2", "value_type": "number", "initial_value": "cheap" });
    for body in [with_options, body] {
        let reply = desk.post(&desk.in_project("features/"), body).await;
        assert_eq!(reply.status, 400, "{}", reply.text());
    }

    let segment = desk.make_segment("pro").await;
    let path = desk.in_environment(&format!("features/{id}/create-segment-override/"));
    let body = json!({ "feature_segment": { "segment": segment },
        "enabled": true, "feature_state_value": { "type": "unicode", "string_value": "cheap" } });
    let reply = desk.post(&path, body).await;
    assert_eq!(reply.status, 400, "{}", reply.text());
    assert!(
        reply.text().contains("must be a finite number"),
        "{}",
        reply.text()
    );
}

#[tokio::test]
async fn a_type_that_present_values_do_not_have_is_refused() {
    let desk = Desk::open().await;
    let id = desk
        .make_feature(json!({ "name": "price", "initial_value": "cheap" }))
        .await;
    let path = desk.in_project(&format!("features/{id}/"));

    let reply = desk.patch(&path, json!({ "value_type": "number" })).await;

    check_refusal(
        &reply,
        400,
        &json!({ "feature_state_value": no_number("cheap") }),
    );
    assert_eq!(desk.get(&path).await.json()["value_type"], "auto");
    let reply = desk.patch(&path, json!({ "value_type": "string" })).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
}

#[tokio::test]
async fn overrides_of_identities_have_the_type_of_their_feature() {
    let desk = Desk::open().await;
    let id = desk
        .make_feature(json!({ "name": "price", "value_type": "number" }))
        .await;
    let identities = desk.in_environment("identities/");
    let bob = desk.make(&identities, json!({ "identifier": "bob" })).await;
    let path = format!("{identities}{bob}/featurestates/");
    let body =
        |value: &str| json!({ "feature": id, "enabled": true, "feature_state_value": value });

    let refused = desk.post(&path, body("cheap")).await;
    let made = desk.post(&path, body("0.5")).await;

    check_refusal(
        &refused,
        400,
        &json!({ "feature_state_value": no_number("cheap") }),
    );
    assert_eq!(made.status, 201, "{}", made.text());
    let feature = desk.in_project(&format!("features/{id}/"));
    let reply = desk
        .patch(&feature, json!({ "value_type": "integer" }))
        .await;
    let text = "Values of the feature \"price\" are of type integer: \"0.5\" must be a whole number of 64 bits.";
    check_refusal(&reply, 400, &json!({ "feature_state_value": [text] }));
}

#[tokio::test]
async fn published_versions_have_values_of_the_features_type() {
    let desk = Desk::open().await;
    let id = desk
        .make_feature(json!({ "name": "price", "value_type": "number", "initial_value": "1" }))
        .await;
    desk.use_versions().await;
    let environment = desk.get(&desk.in_environment("")).await.json()["id"].clone();
    let versions = format!("/api/v1/environments/{environment}/features/{id}/versions/");
    let version = desk.post(&versions, json!({})).await.json();
    let states = format!(
        "{versions}{}/featurestates/",
        version["uuid"].as_str().unwrap()
    );
    let state = desk.get(&states).await.json()[0]["id"].clone();

    let body = json!({ "enabled": true,
        "feature_state_value": { "type": "unicode", "string_value": "cheap" } });
    let reply = desk.patch(&format!("{states}{state}/"), body).await;

    check_refusal(
        &reply,
        400,
        &json!({ "feature_state_value": no_number("cheap") }),
    );
}
