use crate::face::Face;
use serde_json::json;

#[tokio::test]
async fn telemetry_needs_no_key_and_is_echoed() {
    let face = Face::start().await;
    let body = json!({
        "organisations": 1, "projects": 2, "environments": 3, "features": 4, "segments": 5, "users": 6,
        "debug_enabled": false, "env": "production",
    });

    let post = face.keyless("POST", "/api/v1/analytics/telemetry/");
    let post = post
        .header("content-type", "application/json")
        .body(body.to_string());
    let reply = post.send().await;

    assert_eq!((reply.status, reply.json()), (201, body));
}

#[tokio::test]
async fn counts_that_cannot_be_are_dropped_without_a_word() {
    let face = Face::start().await;

    for body in [
        r#"{"banner": 1e99, "": 1, "nope": 3}"#,
        r#"{"banner": 99999999999999999999}"#,
    ] {
        let reply = face
            .post("/api/v1/analytics/flags/")
            .body(body)
            .send()
            .await;
        assert_eq!((reply.status, reply.body.len()), (200, 0), "{body}");
    }
}
