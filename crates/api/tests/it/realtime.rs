//! Notifications of changes.

use crate::face::{CLIENT_KEY, Face, SERVER_KEY};
use flagstaff_api::ApiConfig;
use serde_json::json;
use std::time::Duration;

fn path() -> String {
    format!("/sse/environments/{CLIENT_KEY}/stream")
}

#[tokio::test]
async fn a_new_follower_hears_of_the_current_state_and_of_each_change() {
    let face = Face::start().await;
    let mut events = face.keyless("GET", &path()).follow().await;
    let first = events.next().await.unwrap();

    face.set_allow_client_traits(false).await;
    let second = events.next().await.unwrap();

    assert_eq!(events.header("content-type"), Some("text/event-stream"));
    assert_eq!(
        (first.name.as_str(), second.name.as_str()),
        ("environment_updated", "environment_updated")
    );
    assert!(first.id.parse::<i64>().unwrap() < second.id.parse::<i64>().unwrap());
    let document = face
        .get_with(SERVER_KEY, "/api/v1/environment-document/")
        .send()
        .await;
    let shown = document.header("x-flagsmith-document-updated-at").unwrap();
    assert_eq!(second.data, format!("{{\"updated_at\": {shown}}}"));
}

#[tokio::test]
async fn who_comes_back_hears_only_of_what_is_newer() {
    let face = Face::start().await;
    let first = face
        .keyless("GET", &path())
        .follow()
        .await
        .next()
        .await
        .unwrap();
    let again = face
        .keyless("GET", &path())
        .header("last-event-id", &first.id);
    let mut events = again.follow().await;

    face.set_allow_client_traits(false).await;

    // The state of `first` is not repeated: what comes first is the change.
    let next = events.next().await.unwrap();
    assert!(next.id.parse::<i64>().unwrap() > first.id.parse::<i64>().unwrap());
}

#[tokio::test]
async fn streams_end_when_the_server_stops() {
    let face = Face::start().await;
    let mut events = face.keyless("GET", &path()).follow().await;
    events.next().await.unwrap();

    face.state.close_streams();

    assert!(events.next().await.is_none());
}

#[tokio::test]
async fn there_is_a_limit_of_streams_and_closed_ones_make_room() {
    let config = ApiConfig {
        streams: 1,
        ..ApiConfig::default()
    };
    let face = Face::start_with(config).await;
    let held = face.keyless("GET", &path()).follow().await;

    let refused = face.keyless("GET", &path()).send().await;
    drop(held);
    let taken = face.keyless("GET", &path()).head_only().await;

    assert_eq!(
        (refused.status, refused.header("retry-after")),
        (503, Some("30"))
    );
    assert_eq!(
        refused.json(),
        json!({"detail": "Too many streams are open."})
    );
    assert_eq!(taken.status, 200);
}

#[tokio::test]
async fn an_unknown_key_follows_nothing() {
    let face = Face::start().await;

    let reply = face
        .keyless("GET", "/sse/environments/unknown/stream")
        .send()
        .await;

    assert_eq!(reply.status, 403);
    assert_eq!(
        reply.json(),
        json!({"detail": "Invalid or missing Environment Key"})
    );
}

#[tokio::test]
async fn a_stream_ends_with_the_key_that_opened_it() {
    let face = Face::start().await;
    let path = format!("/sse/environments/{SERVER_KEY}/stream");
    let mut events = face.keyless("GET", &path).follow().await;
    let mut others = face.keyless("GET", &self::path()).follow().await;
    events.next().await.unwrap();
    others.next().await.unwrap();

    face.withdraw_server_key().await;
    let ended = tokio::time::timeout(Duration::from_secs(2), events.next()).await;

    assert!(ended.expect("it ends within two seconds").is_none());
    assert!(others.next().await.is_some(), "the client key follows on");
}

#[tokio::test]
async fn a_stream_ends_when_its_key_expires() {
    let face = Face::start().await;
    let path = format!("/sse/environments/{SERVER_KEY}/stream");
    face.let_server_key_expire_in(60).await;
    let mut events = face.keyless("GET", &path).follow().await;
    events.next().await.unwrap();

    face.pass_seconds(61);
    let ended = tokio::time::timeout(Duration::from_secs(2), events.next()).await;

    assert!(ended.expect("it ends within two seconds").is_none());
}
