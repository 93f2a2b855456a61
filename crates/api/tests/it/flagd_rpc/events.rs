//! The stream of events.

use super::shop::{feature, set, shop, shop_with};
use super::{json, keyed, v1, v2};
use crate::face::Face;
use crate::flagd_grpc::{code, integrate};
use flagstaff_api::{ApiConfig, FlagdConfig};
use flagstaff_core::ValueType;
use flagstaff_proto::flagd::evaluation::v1;
use flagstaff_proto::flagd::evaluation::v2::{EventStreamRequest, EventStreamResponse};
use flagstaff_service::EnvironmentPatch;
use serde_json::{Value as Json, json};
use std::time::Duration;
use tonic::{Code, Status, Streaming};

type Events = Streaming<EventStreamResponse>;

async fn follow(face: &Face) -> Events {
    let events = v2(face).event_stream(keyed(EventStreamRequest {})).await;
    events.unwrap().into_inner()
}

/// The next event, with the flags it names; the end of the stream is an error.
async fn next(events: &mut Events) -> Result<(String, Json), Status> {
    let patience = Duration::from_secs(20);
    let message = tokio::time::timeout(patience, events.message()).await;
    let message = message.unwrap()?;
    let message = message.ok_or_else(|| Status::ok(""))?;
    let data = message.data.map_or(Json::Null, |data| json(&data));
    Ok((message.r#type, data))
}

async fn check(events: &mut Events, kind: &str, data: Json) {
    let (told, found) = next(events).await.unwrap();
    assert_eq!((told.as_str(), found), (kind, data));
}

fn with_flagd(flagd: FlagdConfig) -> ApiConfig {
    ApiConfig {
        flagd,
        ..ApiConfig::default()
    }
}

#[tokio::test]
async fn a_stream_is_ready_at_once_and_hears_of_flags_that_changed() {
    let face = shop().await;
    let mut events = follow(&face).await;
    check(&mut events, "provider_ready", Json::Null).await;

    set(&face, "text", true, "new").await;
    check(
        &mut events,
        "configuration_change",
        json!({"flags": {"text": {"type": "update"}}}),
    )
    .await;

    feature(&face, "fresh", "true", true, ValueType::Auto).await;
    check(
        &mut events,
        "configuration_change",
        json!({"flags": {"fresh": {"type": "write"}}}),
    )
    .await;
}

#[tokio::test]
async fn a_scheduled_change_is_told_at_its_time() {
    let face = shop().await;
    face.schedule_limit().await;
    let mut events = follow(&face).await;
    check(&mut events, "provider_ready", Json::Null).await;

    face.pass_seconds(61);
    face.service.apply_due_changes().await.unwrap();

    let told = json!({"flags": {"limit": {"type": "update"}}});
    check(&mut events, "configuration_change", told).await;
}

#[tokio::test]
async fn a_reader_that_takes_too_long_is_told_so() {
    let face = shop_with(ApiConfig {
        stream_stall_seconds: 0,
        ..ApiConfig::default()
    })
    .await;
    let mut events = follow(&face).await;
    check(&mut events, "provider_ready", Json::Null).await;
    // Whatever is asked for more than a moment after what came before was too slow, where no time is allowed.
    tokio::time::sleep(Duration::from_millis(20)).await;

    let end = next(&mut events).await.unwrap_err();

    assert_eq!(end.code(), Code::ResourceExhausted);
    assert!(end.message().contains("too slow"), "{end}");
}

#[tokio::test]
async fn version_1_hears_the_same() {
    let face = shop().await;
    let mut client = v1(&face);
    let events = client.event_stream(keyed(v1::EventStreamRequest {}));
    let mut events = events.await.unwrap().into_inner();
    let ready = events.message().await.unwrap().unwrap();

    set(&face, "int", true, "6").await;
    let change = events.message().await.unwrap().unwrap();

    assert_eq!(ready.r#type, "provider_ready");
    assert_eq!(change.r#type, "configuration_change");
    assert_eq!(
        json(&change.data.unwrap()),
        json!({"flags": {"int": {"type": "update"}}})
    );
}

#[tokio::test]
async fn a_change_that_leaves_every_flag_equal_is_not_told() {
    let face = shop().await;
    let mut events = follow(&face).await;
    check(&mut events, "provider_ready", Json::Null).await;

    let banner = EnvironmentPatch {
        banner_text: Some(Some("hello".to_owned())),
        ..EnvironmentPatch::default()
    };
    face.update_environment(banner).await;
    set(&face, "text", true, "hello").await;
    set(&face, "bool", false, "true").await;

    // What comes first is the change that somebody can see.
    let told = json!({"flags": {"bool": {"type": "update"}}});
    check(&mut events, "configuration_change", told).await;
}

#[tokio::test]
async fn silence_is_broken_by_a_sign_of_life() {
    let face = shop_with(with_flagd(FlagdConfig {
        keep_alive_seconds: 1,
        ..FlagdConfig::default()
    }))
    .await;
    let mut events = follow(&face).await;
    check(&mut events, "provider_ready", Json::Null).await;

    check(&mut events, "keep_alive", Json::Null).await;
    check(&mut events, "keep_alive", Json::Null).await;
}

#[tokio::test]
async fn a_stream_may_have_an_end_that_clients_come_back_from() {
    let face = shop_with(with_flagd(FlagdConfig {
        stream_deadline_seconds: 1,
        ..FlagdConfig::default()
    }))
    .await;
    let mut events = follow(&face).await;
    check(&mut events, "provider_ready", Json::Null).await;

    let end = next(&mut events).await.unwrap_err();

    assert_eq!(end.code(), Code::DeadlineExceeded);
    let mut again = follow(&face).await;
    check(&mut again, "provider_ready", Json::Null).await;
}

#[tokio::test]
async fn whoever_follows_is_told_that_the_server_goes() {
    let face = shop().await;
    let mut events = follow(&face).await;
    check(&mut events, "provider_ready", Json::Null).await;

    face.state.close_streams();

    check(&mut events, "provider_shutdown", Json::Null).await;
    let end = next(&mut events).await.unwrap_err();
    assert_eq!(end.code(), Code::Unavailable);
}

#[tokio::test]
async fn a_stream_ends_with_its_key_and_with_the_integration() {
    let face = shop().await;
    let mut events = follow(&face).await;
    check(&mut events, "provider_ready", Json::Null).await;
    integrate(&face, false).await;
    assert_eq!(next(&mut events).await.unwrap_err().code(), Code::NotFound);

    integrate(&face, true).await;
    let mut events = follow(&face).await;
    check(&mut events, "provider_ready", Json::Null).await;
    face.withdraw_server_key().await;
    let end = next(&mut events).await.unwrap_err();
    assert!(
        matches!(end.code(), Code::PermissionDenied | Code::Unauthenticated),
        "{end}"
    );
}

#[tokio::test]
async fn nobody_follows_without_a_key() {
    let face = shop().await;

    let events = v2(&face).event_stream(EventStreamRequest {}).await;

    assert_eq!(code(&events), Code::Unauthenticated);
}

#[tokio::test]
async fn there_is_a_limit_of_streams() {
    let config = ApiConfig {
        streams: 1,
        ..ApiConfig::default()
    };
    let face = shop_with(config).await;
    let held = follow(&face).await;

    let refused = v2(&face).event_stream(keyed(EventStreamRequest {})).await;
    drop(held);
    let mut taken = follow(&face).await;

    assert_eq!(code(&refused), Code::ResourceExhausted);
    check(&mut taken, "provider_ready", Json::Null).await;
}

#[tokio::test]
async fn a_change_is_compared_once_for_all_who_follow() {
    let face = shop().await;
    let mut all = Vec::new();
    for _ in 0..20 {
        let mut events = follow(&face).await;
        check(&mut events, "provider_ready", Json::Null).await;
        all.push(events);
    }
    let before = comparisons(&face).await;

    // No other test changes this environment, but all share one collector: so the count is at most of one each.
    set(&face, "text", true, "new").await;
    for events in &mut all {
        let (kind, _) = next(events).await.unwrap();
        assert_eq!(kind, "configuration_change");
    }

    let after = comparisons(&face).await;
    assert!(after > before && after - before < 20, "{before} to {after}");
}

async fn comparisons(face: &Face) -> u64 {
    let metrics = face.keyless("GET", "/metrics").send().await.text();
    let name = "flagstaff_flagd_change_comparisons_total ";
    let line = metrics.lines().find_map(|line| line.strip_prefix(name));
    line.map_or(0, |count| count.parse().unwrap())
}
