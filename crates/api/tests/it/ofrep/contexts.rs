//! What is made of a context.

use super::*;

#[tokio::test]
async fn whoever_sends_no_context_asks_as_nobody() {
    let face = Face::start().await;
    let bare = ask(&face, &path("banner")).send().await;

    for body in ["", "{}", r#"{"context": {}}"#, r#"{"context": null}"#, " "] {
        let reply = ask(&face, &path("banner"))
            .body(body.to_owned())
            .send()
            .await;
        assert_eq!((reply.status, reply.json()), (200, bare.json()), "{body}");
    }
    let untyped = face
        .keyless("POST", &path("banner"))
        .header("x-environment-key", CLIENT_KEY)
        .body("{}");
    assert_eq!(untyped.send().await.json(), bare.json());
}

#[tokio::test]
async fn objects_are_flattened_and_lists_left_out() {
    let face = Face::start().await;
    face.segment("nested", "user.plan", "EQUAL", "gold").await;
    face.override_for("limit", "nested", "7").await;

    let nested = json!({ "targetingKey": "u1", "user": { "plan": "gold" }, "list": [1, {"a": 2}] });
    let flat = json!({ "targetingKey": "u1", "user.plan": "gold" });

    assert_eq!(flag(&face, "limit", nested).await["value"], 7);
    assert_eq!(flag(&face, "limit", flat).await["value"], 7);
}

#[tokio::test]
async fn names_that_begin_with_a_dollar_are_dropped() {
    let face = Face::start().await;
    face.segment("path", "$.identity.identifier", "EQUAL", "boss")
        .await;
    face.override_for("limit", "path", "7").await;

    let claimed = json!({ "targetingKey": "u1", "$.identity.identifier": "boss" });
    let is = json!({ "targetingKey": "boss" });

    assert_eq!(flag(&face, "limit", claimed).await["value"], 10);
    assert_eq!(flag(&face, "limit", is).await["value"], 7);
}

#[tokio::test]
async fn numbers_and_booleans_are_what_they_are() {
    let face = Face::start().await;
    face.segment("old enough", "age", "GREATER_THAN_INCLUSIVE", "18")
        .await;
    face.override_for("limit", "old enough", "7").await;

    for (age, expected) in [
        (json!(18), 7),
        (json!(17.5), 10),
        (json!("18"), 7),
        (json!(null), 10),
    ] {
        let context = json!({ "targetingKey": "u1", "age": age });
        assert_eq!(
            flag(&face, "limit", context).await["value"],
            expected,
            "{age}"
        );
    }
}
