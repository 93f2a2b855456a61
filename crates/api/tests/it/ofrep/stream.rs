//! The stream that says when to ask again.

use super::*;
use crate::face::{Event, Events};
use flagstaff_api::ApiConfig;
use std::time::Duration;

/// Opens the stream that a list names.
async fn open(face: &Face) -> Events {
    open_at(face, &stream_path(&list(face, json!({})).await)).await
}

async fn open_at(face: &Face, path: &str) -> Events {
    face.keyless("GET", path).follow().await
}

/// Waits for an event, not for ever.
async fn next(events: &mut Events) -> Option<Event> {
    let next = tokio::time::timeout(Duration::from_secs(5), events.next());
    next.await.unwrap()
}

/// Lets the state of the beginning grow so old that nobody can have missed it.
fn grow_old(face: &Face) {
    face.pass_seconds(120);
}

#[tokio::test]
async fn a_change_makes_clients_ask_again_within_a_second() {
    let face = Face::start().await;
    grow_old(&face);
    let mut events = open(&face).await;
    let greeting = next(&mut events).await.unwrap();

    face.set_text("banner", "other").await;
    let told = tokio::time::timeout(Duration::from_secs(1), events.next());
    let told = told.await.expect("within a second").unwrap();

    assert_eq!(events.header("content-type"), Some("text/event-stream"));
    assert_eq!(greeting.data, r#"{"type":"connected"}"#);
    assert_eq!(told.name, "message");
    let data: Json = serde_json::from_str(&told.data).unwrap();
    let updated_at = face.opened().await.snapshot().updated_at;
    assert_eq!(
        data,
        json!({
            "type": "refetchEvaluation",
            "etag": updated_at.micros().to_string(),
            "lastModified": updated_at.seconds(),
        })
    );
    assert_eq!(told.id, updated_at.micros().to_string());
    let hint = format!(
        "{LIST}?flagConfigEtag={}&flagConfigLastModified={}",
        data["etag"].as_str().unwrap(),
        data["lastModified"]
    );
    let fetched = ask(&face, &hint).send().await;
    assert_eq!(item(&fetched, "banner").unwrap()["value"], "other");
}

#[tokio::test]
async fn changes_that_follow_one_another_are_told_as_one() {
    let face = Face::start().await;
    grow_old(&face);
    let mut events = open(&face).await;
    next(&mut events).await.unwrap();

    for text in ["a", "b", "c"] {
        face.set_text("banner", text).await;
    }
    let told = next(&mut events).await.unwrap();
    let updated_at = face.opened().await.snapshot().updated_at;
    let more = tokio::time::timeout(Duration::from_millis(500), events.next()).await;

    assert_eq!(told.id, updated_at.micros().to_string());
    assert!(more.is_err(), "one event for three changes");
}

#[tokio::test]
async fn a_scheduled_change_is_told_at_its_time() {
    let face = Face::start().await;
    face.schedule_limit().await;
    grow_old_before(&face).await;
    let mut events = open(&face).await;
    next(&mut events).await.unwrap();
    drain(&mut events).await;

    face.pass_seconds(61);
    face.service.apply_due_changes().await.unwrap();
    let told = next(&mut events).await.unwrap();

    assert!(told.data.contains("refetchEvaluation"), "{}", told.data);
}

/// The environment is loaded before its time comes.
async fn grow_old_before(face: &Face) {
    list(face, json!({})).await;
}

/// Takes what is told of the time before the stream was opened.
async fn drain(events: &mut Events) {
    while tokio::time::timeout(Duration::from_millis(400), events.next())
        .await
        .is_ok()
    {}
}

#[tokio::test]
async fn who_comes_back_hears_of_what_was_missed_and_of_nothing_else() {
    let face = Face::start().await;
    grow_old(&face);
    let path = stream_path(&list(&face, json!({})).await);
    let greeting = next(&mut open_at(&face, &path).await).await.unwrap();

    face.set_text("banner", "other").await;
    grow_old(&face);
    let back = face
        .keyless("GET", &path)
        .header("last-event-id", &greeting.id);
    let mut back = back.follow().await;
    let (_, missed) = (next(&mut back).await, next(&mut back).await.unwrap());
    let up_to_date = face
        .keyless("GET", &path)
        .header("last-event-id", &missed.id);
    let mut up_to_date = up_to_date.follow().await;
    next(&mut up_to_date).await.unwrap();
    let nothing = tokio::time::timeout(Duration::from_millis(500), up_to_date.next()).await;

    assert!(missed.data.contains("refetchEvaluation"), "{}", missed.data);
    assert!(nothing.is_err());
}

#[tokio::test]
async fn a_change_between_a_list_and_its_stream_is_told() {
    let face = Face::start().await;
    grow_old(&face);
    let path = stream_path(&list(&face, json!({})).await);

    face.set_text("banner", "other").await;
    let mut events = open_at(&face, &path).await;
    next(&mut events).await.unwrap();
    let told = next(&mut events).await.unwrap();

    assert!(told.data.contains("refetchEvaluation"), "{}", told.data);
}

#[tokio::test]
async fn a_token_holds_no_key_and_opens_nothing_else() {
    let face = Face::start().await;

    for key in KEYS {
        let path = stream_path(&list_with(&face, key, json!({})).await);
        let (_, token) = path.split_once("?token=").unwrap();

        assert!(!token.contains(key), "{token}");
        for header in ["x-environment-key", "x-api-key"] {
            let reply = face
                .keyless("POST", LIST)
                .header(header, token)
                .send()
                .await;
            assert_eq!(reply.status, 403);
        }
        assert_eq!(face.keyless("GET", &path).head_only().await.status, 200);
    }
}

#[tokio::test]
async fn a_token_that_is_not_ours_or_too_old_opens_nothing() {
    let face = Face::start().await;
    let path = stream_path(&list(&face, json!({})).await);
    let status = async |path: &str| {
        let reply = face.keyless("GET", path).send().await;
        shapes::check_list(&reply);
        reply.status
    };

    assert_eq!(status("/ofrep/v1/stream").await, 401);
    assert_eq!(status("/ofrep/v1/stream?token=").await, 401);
    assert_eq!(status("/ofrep/v1/stream?token=1.2.3.4").await, 403);
    assert_eq!(status(&format!("{path}0")).await, 403);
    face.pass_seconds(2 * 3600);
    assert_eq!(status(&path).await, 403);
}

#[tokio::test]
async fn a_stream_ends_with_the_key_its_token_was_given_out_for() {
    let face = Face::start().await;
    let of_servers = stream_path(&list_with(&face, SERVER_KEY, json!({})).await);
    let mut of_servers_events = open_at(&face, &of_servers).await;
    let mut of_clients = open(&face).await;
    next(&mut of_servers_events).await.unwrap();
    next(&mut of_clients).await.unwrap();

    face.withdraw_server_key().await;
    let mut rest = next(&mut of_servers_events).await;
    while rest.is_some() {
        rest = next(&mut of_servers_events).await;
    }
    let again = face.keyless("GET", &of_servers).send().await;

    assert_eq!(again.status, 403);
    assert!(next(&mut of_clients).await.is_some(), "others follow on");
}

#[tokio::test]
async fn streams_end_when_the_server_stops_and_count_towards_the_limit() {
    let config = ApiConfig {
        streams: 1,
        ..ApiConfig::default()
    };
    let face = Face::start_with(config).await;
    let mut events = open(&face).await;
    next(&mut events).await.unwrap();

    let path = stream_path(&list(&face, json!({})).await);
    let refused = face.keyless("GET", &path).send().await;
    shapes::check_list(&refused);
    face.state.close_streams();
    let mut rest = next(&mut events).await;
    while rest.is_some() {
        rest = next(&mut events).await;
    }

    assert_eq!(
        (refused.status, refused.header("retry-after")),
        (503, Some("30"))
    );
}
