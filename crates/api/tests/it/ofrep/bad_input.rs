//! What nobody should send.

use super::*;
use axum::body::{Body, Bytes};
use flagstaff_api::ApiConfig;
use futures::stream;
use std::convert::Infallible;

/// Sends a body to both ways of asking and compares what is refused.
async fn refuse(face: &Face, body: &str, details: &str) {
    let single = ask(face, &path("banner"))
        .body(body.to_owned())
        .send()
        .await;
    let all = ask(face, LIST).body(body.to_owned()).send().await;

    shapes::check_single(&single);
    shapes::check_list(&all);
    assert_eq!(
        (single.status, single.json()),
        (
            400,
            json!({"key": "banner", "errorCode": "INVALID_CONTEXT", "errorDetails": details})
        ),
        "{body}"
    );
    assert_eq!(
        (all.status, all.json()),
        (
            400,
            json!({"errorCode": "INVALID_CONTEXT", "errorDetails": details})
        ),
        "{body}"
    );
}

#[tokio::test]
async fn what_is_no_context_is_refused_with_a_reason() {
    let face = Face::start().await;

    for (body, details) in [
        ("{", "the body is not valid JSON: line 1 column 1"),
        (
            r#"{"context": {"a": NaN}}"#,
            "the body is not valid JSON: line 1 column 19",
        ),
        ("[]", "the body must be an object"),
        (r#"{"context": "u1"}"#, "`context` must be an object"),
        (
            r#"{"context": {"targetingKey": 7}}"#,
            "`targetingKey` must be a text",
        ),
        (r#"{"context": {"a": 1, "a": 2}}"#, "`a` is given twice"),
        (r#"{"context": {"a": 1e400}}"#, "`a` is no finite number"),
        (
            r#"{"context": {"targetingKey": "a\u0000"}}"#,
            "invalid targetingKey: contains a NUL character",
        ),
    ] {
        refuse(&face, body, details).await;
    }
}

#[tokio::test]
async fn a_context_may_not_be_too_deep_or_too_wide() {
    let face = Face::start().await;
    let deep = format!(
        "{}1{}",
        r#"{"context":{"a":"#.to_owned() + &r#"{"a":"#.repeat(63),
        "}".repeat(65)
    );
    let lists = format!(
        r#"{{"context":{{"a":{}1{}}}}}"#,
        "[".repeat(64),
        "]".repeat(64)
    );
    let members: Vec<String> = (0..10_000).map(|n| format!(r#""a{n}":{n}"#)).collect();
    let wide = format!(r#"{{"context":{{{}}}}}"#, members.join(","));
    let long = format!(r#"{{"context":{{"targetingKey":"{}"}}}}"#, "x".repeat(2001));

    refuse(
        &face,
        &deep,
        "invalid body: it is nested more than 64 levels deep",
    )
    .await;
    refuse(
        &face,
        &lists,
        "invalid body: it is nested more than 64 levels deep",
    )
    .await;
    refuse(&face, &wide, "the context has more than 1000 attributes").await;
    refuse(
        &face,
        &long,
        "invalid targetingKey: has more than 2000 characters",
    )
    .await;
    let next = flag(&face, "banner", json!({})).await;
    assert_eq!(next["value"], "hello", "the neighbour is answered");
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_before_it_is_read() {
    let face = Face::start().await;
    let details = json!({"errorDetails": "the body has more than 1048576 bytes"});

    for path in [LIST.to_owned(), path("banner")] {
        let unread = Body::from_stream(stream::pending::<Result<Bytes, Infallible>>());
        let announced = ask(&face, &path)
            .header("content-length", "1048577")
            .stream(unread)
            .send()
            .await;
        let endless = stream::repeat_with(|| Ok::<_, Infallible>(Bytes::from(vec![b' '; 65_536])));
        let unannounced = ask(&face, &path)
            .stream(Body::from_stream(endless))
            .send()
            .await;
        for reply in [announced, unannounced] {
            shapes::check_list(&reply);
            assert_eq!((reply.status, reply.json()), (413, details.clone()));
        }
    }
}

#[tokio::test]
async fn a_body_that_never_ends_is_given_up() {
    let config = ApiConfig {
        body_seconds: 0,
        ..ApiConfig::default()
    };
    let face = Face::start_with(config).await;
    let unread = Body::from_stream(stream::pending::<Result<Bytes, Infallible>>());

    let reply = ask(&face, LIST).stream(unread).send().await;

    shapes::check_list(&reply);
    assert_eq!(reply.status, 408);
}

#[tokio::test]
async fn flags_are_asked_for_with_post() {
    let face = Face::start().await;

    for path in [LIST.to_owned(), format!("{LIST}/"), path("banner")] {
        let reply = face.get(&path).send().await;
        shapes::check_list(&reply);
        assert_eq!(reply.status, 405, "{path}");
        assert_eq!(reply.header("allow"), Some("POST, OPTIONS"));
    }
}

#[tokio::test]
async fn the_configuration_route_of_older_versions_is_not_there() {
    let face = Face::start().await;

    let reply = face.get("/ofrep/v1/configuration").send().await;

    assert_eq!(reply.status, 404);
}
