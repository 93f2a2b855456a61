//! Streams of documents.

use super::{SyncClient, code, integrate, serving, sync_client, with};
use crate::face::{CLIENT_KEY, Face, SERVER_KEY};
use flagstaff_api::{ApiConfig, FlagdConfig, SyncContext};
use flagstaff_proto::flagd::sync::v1::{
    FetchAllFlagsRequest, GetMetadataRequest, SyncFlagsRequest, SyncFlagsResponse,
};
use serde_json::Value as Json;
use std::time::Duration;
use tonic::{Code, Request, Status, Streaming};

const KEY: &[(&str, &str)] = &[("x-environment-key", SERVER_KEY)];
const PATIENCE: Duration = Duration::from_secs(10);

async fn follow(client: &mut SyncClient) -> Streaming<SyncFlagsResponse> {
    let request = with(SyncFlagsRequest::default(), KEY);
    client.sync_flags(request).await.unwrap().into_inner()
}

/// What comes next; a stream that falls silent is a failure.
async fn next(
    stream: &mut Streaming<SyncFlagsResponse>,
) -> Result<Option<SyncFlagsResponse>, Status> {
    let next = tokio::time::timeout(PATIENCE, stream.message()).await;
    next.unwrap()
}

async fn document(stream: &mut Streaming<SyncFlagsResponse>) -> String {
    next(stream).await.unwrap().unwrap().flag_configuration
}

async fn end(stream: &mut Streaming<SyncFlagsResponse>) -> Status {
    next(stream).await.unwrap_err()
}

/// The document as flagd polls it.
async fn polled(face: &Face) -> String {
    let reply = face.get_with(SERVER_KEY, "/api/v1/flagd/flags.json");
    reply.send().await.text()
}

#[tokio::test]
async fn the_whole_document_comes_at_once_and_is_the_one_that_http_serves() {
    let face = serving().await;
    let mut client = sync_client(&face);
    let mut stream = follow(&mut client).await;

    let first = document(&mut stream).await;
    let request = with(FetchAllFlagsRequest::default(), KEY);
    let fetched = client.fetch_all_flags(request).await.unwrap().into_inner();

    assert_eq!(first, polled(&face).await);
    assert_eq!(fetched.flag_configuration, first);
    let first: Json = serde_json::from_str(&first).unwrap();
    assert!(!first["flags"].as_object().unwrap().is_empty());
}

#[tokio::test]
async fn a_change_brings_every_stream_another_whole_document() {
    let face = serving().await;
    let mut client = sync_client(&face);
    let mut streams = Vec::new();
    for _ in 0..20 {
        streams.push(follow(&mut client).await);
    }
    let mut before = String::new();
    for stream in &mut streams {
        before = document(stream).await;
    }

    face.set_allow_client_traits(false).await;

    let expected = polled(&face).await;
    assert_ne!(before, expected);
    for stream in &mut streams {
        assert_eq!(document(stream).await, expected);
    }
}

#[tokio::test]
async fn a_reader_that_was_away_is_given_the_newest_document_and_none_between() {
    let face = serving().await;
    let mut client = sync_client(&face);
    let mut stream = follow(&mut client).await;
    document(&mut stream).await;

    for allowed in [false, true, false, true, false, true, false] {
        face.set_allow_client_traits(allowed).await;
    }
    let newest = polled(&face).await;

    // What was under way when the first change came may still arrive.
    let mut seen = 1;
    while document(&mut stream).await != newest {
        seen += 1;
    }
    assert!(seen <= 3, "{seen} documents for seven changes");
}

#[tokio::test]
async fn the_context_of_the_settings_comes_with_the_document_and_as_metadata() {
    let context = r#"{"tier":"gold","limits":{"seats":5},"beta":true}"#;
    let context: SyncContext = context.to_owned().try_into().unwrap();
    let config = ApiConfig {
        flagd: FlagdConfig {
            sync_context: context,
            ..FlagdConfig::default()
        },
        ..ApiConfig::default()
    };
    let face = Face::start_with(config).await;
    integrate(&face, true).await;
    let mut client = sync_client(&face);
    let mut stream = follow(&mut client).await;

    let sent = next(&mut stream).await.unwrap().unwrap();
    let request = with(GetMetadataRequest {}, KEY);
    let metadata = client.get_metadata(request).await.unwrap().into_inner();

    let sent = sent.sync_context.unwrap();
    assert_eq!(sent.fields.len(), 3);
    assert_eq!(metadata.metadata, Some(sent));
    assert!(SyncContext::try_from("[1]".to_owned()).is_err());
}

#[tokio::test]
async fn without_such_a_setting_there_is_no_context() {
    let face = serving().await;
    let mut stream = follow(&mut sync_client(&face)).await;

    let sent = next(&mut stream).await.unwrap().unwrap();

    assert_eq!(sent.sync_context, None);
}

#[tokio::test]
async fn a_key_may_stand_in_the_message() {
    let face = serving().await;
    let mut client = sync_client(&face);
    let of = |provider_id: &str, selector: &str| {
        Request::new(SyncFlagsRequest {
            provider_id: provider_id.to_owned(),
            selector: selector.to_owned(),
        })
    };

    assert!(client.sync_flags(of(SERVER_KEY, "")).await.is_ok());
    assert!(
        client
            .sync_flags(of("my-service", SERVER_KEY))
            .await
            .is_ok()
    );
    let nobody = client.sync_flags(of("my-service", "")).await;
    assert_eq!(code(&nobody), Code::Unauthenticated);
    let of_client = client.sync_flags(of("ser.unknown", "")).await;
    assert_eq!(code(&of_client), Code::PermissionDenied);
    // Metadata comes before the message.
    let mut request = of(SERVER_KEY, "flagSetId=another/one");
    let own = "default".parse().unwrap();
    request.metadata_mut().insert("flagd-selector", own);
    assert!(client.sync_flags(request).await.is_ok());
    let foreign = client
        .sync_flags(of(SERVER_KEY, "flagSetId=another/one"))
        .await;
    assert_eq!(code(&foreign), Code::NotFound);
}

#[tokio::test]
async fn a_client_key_is_shown_no_document() {
    let face = serving().await;
    let request = with(
        SyncFlagsRequest::default(),
        &[("x-environment-key", CLIENT_KEY)],
    );

    let refusal = sync_client(&face).sync_flags(request).await;

    assert_eq!(code(&refusal), Code::PermissionDenied);
}

#[tokio::test]
async fn a_stream_ends_with_the_key_that_opened_it_and_no_other() {
    let face = serving().await;
    face.add_server_key("ser.second", true, None).await;
    let mut client = sync_client(&face);
    let mut stream = follow(&mut client).await;
    let second = with(
        SyncFlagsRequest::default(),
        &[("x-environment-key", "ser.second")],
    );
    let mut other = client.sync_flags(second).await.unwrap().into_inner();
    document(&mut stream).await;
    document(&mut other).await;

    face.withdraw_server_key().await;

    let ended = loop {
        // A change of keys may be a change of the document's version.
        match next(&mut stream).await {
            Ok(_) => {}
            Err(status) => break status,
        }
    };
    assert_eq!(ended.code(), Code::PermissionDenied);
    face.set_allow_client_traits(false).await;
    assert!(next(&mut other).await.unwrap().is_some());
}

#[tokio::test]
async fn a_stream_ends_when_its_key_expires() {
    let face = serving().await;
    face.let_server_key_expire_in(60).await;
    let mut stream = follow(&mut sync_client(&face)).await;
    document(&mut stream).await;

    face.pass_seconds(61);

    assert_eq!(end(&mut stream).await.code(), Code::PermissionDenied);
}

/// Whoever holds a key that lasts does not look at the clock; they are woken where it comes to have an end.
#[tokio::test]
async fn a_stream_ends_when_a_key_that_lasted_is_given_an_end() {
    let face = serving().await;
    let mut stream = follow(&mut sync_client(&face)).await;
    document(&mut stream).await;

    face.let_server_key_expire_in(60).await;
    face.pass_seconds(61);

    let ended = loop {
        // A change of keys may be a change of the document's version.
        match next(&mut stream).await {
            Ok(_) => {}
            Err(status) => break status,
        }
    };
    assert_eq!(ended.code(), Code::PermissionDenied);
}

#[tokio::test]
async fn a_stream_ends_when_its_project_is_no_longer_served_to_flagd() {
    let face = serving().await;
    let mut stream = follow(&mut sync_client(&face)).await;
    document(&mut stream).await;

    integrate(&face, false).await;

    let ended = end(&mut stream).await;
    assert_eq!(ended.code(), Code::NotFound);
    assert_eq!(
        ended.message(),
        "flagd integration is not enabled for this project."
    );
}

#[tokio::test]
async fn streams_end_when_the_server_stops_and_are_asked_to_come_back_at_their_own_time() {
    let face = serving().await;
    let mut client = sync_client(&face);
    let mut waits = Vec::new();
    let mut streams = Vec::new();
    for _ in 0..8 {
        let mut stream = follow(&mut client).await;
        document(&mut stream).await;
        streams.push(stream);
    }

    face.state.close_streams();

    for stream in &mut streams {
        let ended = end(stream).await;
        assert_eq!(ended.code(), Code::Unavailable);
        let wait = ended.metadata().get("grpc-retry-pushback-ms").unwrap();
        let wait: u32 = wait.to_str().unwrap().parse().unwrap();
        assert!(wait < 5000);
        waits.push(wait);
    }
    waits.sort_unstable();
    waits.dedup();
    assert!(waits.len() > 1, "all were told the same");
}

#[tokio::test]
async fn there_is_a_limit_of_streams() {
    let config = ApiConfig {
        streams: 1,
        ..ApiConfig::default()
    };
    let face = Face::start_with(config).await;
    integrate(&face, true).await;
    let mut client = sync_client(&face);
    let held = follow(&mut client).await;

    let one_more = client
        .sync_flags(with(SyncFlagsRequest::default(), KEY))
        .await;
    drop(held);
    let instead = client
        .sync_flags(with(SyncFlagsRequest::default(), KEY))
        .await;

    assert_eq!(code(&one_more), Code::ResourceExhausted);
    assert_eq!(code(&instead), Code::Ok);
}

#[tokio::test]
async fn a_reader_that_takes_too_long_is_told_so() {
    let config = ApiConfig {
        stream_stall_seconds: 0,
        ..ApiConfig::default()
    };
    let face = Face::start_with(config).await;
    integrate(&face, true).await;
    let mut stream = follow(&mut sync_client(&face)).await;
    document(&mut stream).await;
    // Whatever is asked for more than a moment after what came before was too slow, where no time is allowed.
    tokio::time::sleep(Duration::from_millis(20)).await;

    let ended = end(&mut stream).await;

    assert_eq!(ended.code(), Code::ResourceExhausted);
}

#[tokio::test]
async fn open_streams_are_counted() {
    let face = serving().await;
    let mut stream = follow(&mut sync_client(&face)).await;
    document(&mut stream).await;

    let metrics = face.keyless("GET", "/metrics").send().await.text();

    // Other tests count in the same process.
    for name in [
        "flagstaff_streams_open{protocol=\"flagd-sync\"} ",
        "flagstaff_flagd_sync_active_streams ",
        "flagstaff_grpc_calls_total{",
    ] {
        assert!(metrics.contains(name), "{name}");
    }
    assert!(!metrics.contains(SERVER_KEY));
}
