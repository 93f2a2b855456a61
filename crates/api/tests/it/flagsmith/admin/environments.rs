use super::desk::{Desk, check_refusal};
use serde_json::json;

const LIST: &str = "/api/v1/environments/";

#[tokio::test]
async fn names_are_unique_in_a_project_without_regard_to_case() {
    let desk = Desk::open().await;
    let expected = json!({
        "name": ["Environment with that name already exists for this project."],
    });

    let body = json!({ "name": "DEVELOPMENT", "project": desk.project });
    let made = desk.post(LIST, body).await;
    desk.make_environment("Production").await;
    let renamed = desk
        .patch(&desk.in_environment(""), json!({ "name": "production" }))
        .await;

    check_refusal(&made, 400, &expected);
    check_refusal(&renamed, 400, &expected);
}

#[tokio::test]
async fn nobody_may_make_one_in_a_project_that_is_not_there() {
    let desk = Desk::open().await;
    let forbidden = json!({ "detail": "You do not have permission to perform this action." });

    for project in [json!(null), json!("x"), json!(99999), json!([1])] {
        let body = json!({ "name": "Staging", "project": project });
        check_refusal(&desk.post(LIST, body).await, 403, &forbidden);
    }
}

#[tokio::test]
async fn somebody_elses_environment_is_not_found() {
    let desk = Desk::open().await;
    let stranger = desk.stranger().await;
    let missing = json!({ "detail": "No Environment matches the given query." });
    let below = [
        "",
        "my-permissions/",
        "document/",
        "api-keys/",
        "featurestates/",
        "identities/",
    ];

    for path in below {
        let path = desk.in_environment(path);
        check_refusal(&stranger.ask("GET", &path, None).await, 404, &missing);
    }
    let deleted = stranger.ask("DELETE", &desk.in_environment(""), None).await;
    check_refusal(&deleted, 404, &missing);
}

#[tokio::test]
async fn members_get_the_document_that_sdks_get() {
    let desk = Desk::open().await;
    desk.make_feature(json!({ "name": "banner", "initial_value": "hello" }))
        .await;
    let key = desk
        .post(
            &desk.in_environment("api-keys/"),
            json!({ "name": "backend" }),
        )
        .await;
    let key = key.json()["key"].as_str().unwrap().to_owned();

    let of_member = desk.get(&desk.in_environment("document/")).await;
    let ask = desk.face.keyless("GET", "/api/v1/environment-document/");
    let of_sdk = ask.header("x-environment-key", &key).send().await;

    assert_eq!(of_member.status, 200);
    assert_eq!(of_member.text(), of_sdk.text());
    assert!(of_member.text().contains("banner"));
}

#[tokio::test]
async fn settings_reach_sdks_at_once() {
    let desk = Desk::open().await;
    desk.make_feature(json!({ "name": "off" })).await;
    let count = async || {
        let ask = desk.face.keyless("GET", "/api/v1/flags/");
        let reply = ask.header("x-environment-key", &desk.key).send().await;
        reply.json().as_array().unwrap().len()
    };
    let path = desk.in_environment("");

    let before = count().await;
    desk.patch(&path, json!({ "hide_disabled_flags": true }))
        .await;
    let hidden = count().await;
    let patched = desk
        .patch(&path, json!({ "hide_disabled_flags": null }))
        .await;

    assert_eq!((before, hidden, count().await), (1, 0, 1));
    assert_eq!(patched.json()["hide_disabled_flags"], json!(null));
}

#[tokio::test]
async fn a_deleted_environment_stops_at_once() {
    let desk = Desk::open().await;

    let deleted = desk.delete(&desk.in_environment("")).await;

    assert_eq!(deleted.status, 204);
    assert_eq!(desk.get(&desk.in_environment("")).await.status, 404);
    let ask = desk.face.keyless("GET", "/api/v1/flags/");
    let flags = ask.header("x-environment-key", &desk.key).send().await;
    assert_eq!(flags.status, 403);
}

#[tokio::test]
async fn segment_overrides_are_counted() {
    let desk = Desk::open().await;
    let feature = desk.make_feature(json!({ "name": "banner" })).await;
    let segment = desk.make_segment("pro").await;
    let path = desk.in_environment(&format!("features/{feature}/create-segment-override/"));
    let body = json!({ "feature_segment": { "segment": segment }, "feature_state_value": {} });
    desk.make(&path, body).await;

    let environment = desk.get(&desk.in_environment("")).await.json();

    assert_eq!(environment["total_segment_overrides"], 1);
}

#[tokio::test]
async fn a_copied_environment_serves_the_same_without_identities_and_keys() {
    let desk = Desk::open().await;
    let feature = desk
        .make_feature(json!({ "name": "banner", "initial_value": "hello" }))
        .await;
    let segment = desk.make_segment("pro").await;
    let body = json!({
        "feature_segment": { "segment": segment }, "enabled": true,
        "feature_state_value": { "type": "unicode", "string_value": "for pros" },
    });
    let path = desk.in_environment(&format!("features/{feature}/create-segment-override/"));
    desk.make(&path, body).await;
    let bob = desk
        .make(
            &desk.in_environment("identities/"),
            json!({ "identifier": "bob" }),
        )
        .await;
    let body = json!({ "feature": feature, "enabled": true, "feature_state_value": "for bob" });
    desk.make(
        &desk.in_environment(&format!("identities/{bob}/featurestates/")),
        body,
    )
    .await;
    desk.post(
        &desk.in_environment("api-keys/"),
        json!({ "name": "server" }),
    )
    .await;
    let settings = json!({ "description": "d", "banner_text": "b", "hide_sensitive_data": false,
        "allow_client_traits": true, "minimum_change_request_approvals": 2,
        "hash": "flagd-v2", "disabled_as": "state" });
    desk.patch(&desk.in_environment(""), settings).await;

    let missing = desk.post(&desk.in_environment("clone/"), json!({})).await;
    let copy = desk
        .post(&desk.in_environment("clone/"), json!({ "name": "Staging" }))
        .await;
    let again = desk
        .post(&desk.in_environment("clone/"), json!({ "name": "STAGING" }))
        .await;

    check_refusal(
        &missing,
        400,
        &json!({ "name": ["This field is required."] }),
    );
    assert_eq!(copy.status, 200, "{}", copy.text());
    let copy = copy.json();
    let names: Vec<&String> = copy.as_object().unwrap().keys().collect();
    assert_eq!(names, ["id", "name", "api_key", "project"]);
    let text = "Environment with that name already exists for this project.";
    check_refusal(&again, 400, &json!({ "name": [text] }));
    let original = desk.get(&desk.in_environment("")).await.json();
    let mut desk = desk;
    desk.key = copy["api_key"].as_str().unwrap().to_owned();
    let shown = desk.get(&desk.in_environment("")).await.json();
    for (name, value) in original.as_object().unwrap() {
        if !["id", "uuid", "name", "api_key"].contains(&name.as_str()) {
            assert_eq!(&shown[name], value, "{name}");
        }
    }
    let value = async |identifier: &str, traits| {
        desk.flag("banner", Some((identifier, traits))).await["feature_state_value"].clone()
    };
    let pro = json!([{ "trait_key": "plan", "trait_value": "pro" }]);
    assert_eq!(value("anna", pro).await, "for pros");
    assert_eq!(value("bob", json!([])).await, "hello");
    let keys = desk.get(&desk.in_environment("api-keys/")).await.json();
    assert_eq!(keys, json!([]));
    let by_uuid = format!(
        "/api/v1/environments/get-by-uuid/{}/",
        shown["uuid"].as_str().unwrap()
    );
    assert_eq!(desk.get(&by_uuid).await.json()["api_key"], shown["api_key"]);
}

#[tokio::test]
async fn environments_of_others_are_not_copied_nor_found_by_uuid() {
    let desk = Desk::open().await;
    let uuid = desk.get(&desk.in_environment("")).await.json()["uuid"]
        .as_str()
        .unwrap()
        .to_owned();
    let stranger = desk.stranger().await;
    let body = Some(json!({ "name": "Mine" }));

    let copied = stranger
        .ask("POST", &desk.in_environment("clone/"), body)
        .await;
    let found = stranger
        .ask(
            "GET",
            &format!("/api/v1/environments/get-by-uuid/{uuid}/"),
            None,
        )
        .await;

    let missing = json!({ "detail": "No Environment matches the given query." });
    check_refusal(&copied, 404, &missing);
    check_refusal(&found, 404, &missing);
    let unknown = "/api/v1/environments/get-by-uuid/61fd85a1-24cb-4c53-a4f3-397f441d74c7/";
    check_refusal(&desk.get(unknown).await, 404, &missing);
}

#[tokio::test]
async fn a_deleted_environment_leaves_its_name_to_others() {
    let desk = Desk::open().await;
    let first = desk.make_environment("Staging").await;

    let deleted = desk.delete(&format!("/api/v1/environments/{first}/")).await;
    let second = desk.make_environment("staging").await;
    let copy = desk
        .post(
            &format!("/api/v1/environments/{first}/clone/"),
            json!({ "name": "x" }),
        )
        .await;

    assert_eq!(deleted.status, 204);
    assert_ne!(first, second);
    let missing = json!({ "detail": "No Environment matches the given query." });
    check_refusal(&copy, 404, &missing);
}

#[tokio::test]
async fn metrics_count_what_an_environment_has() {
    let desk = Desk::open().await;
    let on = desk
        .make_feature(json!({ "name": "on", "default_enabled": true }))
        .await;
    desk.make_feature(json!({ "name": "off" })).await;
    let segment = desk.make_segment("pro").await;
    let body = json!({ "enabled": true, "feature_segment": { "segment": segment },
        "feature_state_value": { "type": "unicode", "string_value": "x" } });
    let path = desk.in_environment(&format!("features/{on}/create-segment-override/"));
    desk.make(&path, body).await;
    let identities = desk.in_environment("identities/");
    let identity = desk.make(&identities, json!({ "identifier": "bob" })).await;
    let path = format!("{identities}{identity}/featurestates/");
    desk.make(&path, json!({ "feature": on, "enabled": false }))
        .await;

    let metrics = desk.get(&desk.in_environment("metrics/")).await.json();
    let stranger = desk.stranger().await;
    let refused = stranger
        .ask("GET", &desk.in_environment("metrics/"), None)
        .await;

    let values: Vec<&serde_json::Value> = metrics["metrics"]
        .as_array()
        .unwrap()
        .iter()
        .map(|metric| &metric["value"])
        .collect();
    assert_eq!(values, [2, 1, 1, 1]);
    assert_eq!(metrics["metrics"][3]["name"], "identity_overrides");
    assert_eq!(refused.status, 404);
}

#[tokio::test]
async fn anybody_with_the_client_key_learns_when_flags_were_first_asked_for() {
    let desk = Desk::open().await;
    let path = desk.in_environment("onboarding-status/");
    let before = desk.face.keyless("GET", &path).send().await.json();
    let ask = desk.face.keyless("GET", "/api/v1/flags/");
    let ask = ask.header("x-environment-key", &desk.key);
    ask.header("user-agent", "flagsmith-rust-sdk/2.0")
        .send()
        .await;

    desk.face.service.flush_usage().await.unwrap();
    let after = desk.face.keyless("GET", &path).send().await.json();
    let other = "/api/v1/environments/nope/onboarding-status/";
    let unknown = desk.face.keyless("GET", other).send().await;

    assert_eq!(before["first_evaluated_at"], json!(null));
    assert_eq!(after["first_evaluated_at"], "2026-11-21T00:15:00Z");
    assert_eq!(after["first_evaluated_sdk_label"], "flagsmith-rust-sdk/2.0");
    let missing = json!({ "detail": "No Environment matches the given query." });
    check_refusal(&unknown, 404, &missing);
}
