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
