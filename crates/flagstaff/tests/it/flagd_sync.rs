//! `flagd.sync.v1` on the real binary, asked as flagd's in-process clients ask: over h2c, without TLS.

use crate::database::Database;
use crate::desk::Desk;
use crate::server::Server;
use flagstaff_proto::flagd::sync::v1::flag_sync_service_client::FlagSyncServiceClient;
use flagstaff_proto::flagd::sync::v1::{FetchAllFlagsRequest, SyncFlagsRequest, SyncFlagsResponse};
use serde_json::Value as Json;
use std::future::Future;
use std::time::{Duration, Instant};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Streaming};

const PATIENCE: Duration = Duration::from_secs(20);

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(future)
}

async fn connect(url: &str) -> FlagSyncServiceClient<Channel> {
    let endpoint = Endpoint::from_shared(url.to_owned()).unwrap();
    FlagSyncServiceClient::new(endpoint.connect().await.unwrap())
}

/// The address of the listener of its own, from the log: standard output says no more than ever.
fn sync_address(server: &Server) -> String {
    // The log is read beside standard output, so the line may come after the server says that it listens.
    let deadline = Instant::now() + PATIENCE;
    loop {
        let log = server.log();
        if let Some(line) = log.lines().find(|line| line.contains("FlagdSync")) {
            let (_, address) = line.split_once("http://").unwrap();
            let end = address.find(|c: char| c.is_whitespace() || c == '"');
            return format!("http://{}", &address[..end.unwrap_or(address.len())]);
        }
        assert!(Instant::now() < deadline, "no listener is told of:\n{log}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

async fn follow(
    client: &mut FlagSyncServiceClient<Channel>,
    key: &str,
) -> Streaming<SyncFlagsResponse> {
    let mut request = Request::new(SyncFlagsRequest::default());
    if !key.is_empty() {
        let key = key.parse().unwrap();
        request.metadata_mut().insert("x-environment-key", key);
    }
    client.sync_flags(request).await.unwrap().into_inner()
}

async fn next(stream: &mut Streaming<SyncFlagsResponse>) -> Json {
    let message = tokio::time::timeout(PATIENCE, stream.message()).await;
    let message = message.unwrap().unwrap().unwrap();
    serde_json::from_str(&message.flag_configuration).unwrap()
}

fn control<'a>(document: &'a Json, flag: &str) -> &'a Json {
    &document["flags"][flag]["variants"]["control"]
}

#[test]
fn a_change_reaches_streams_on_the_common_port_and_on_a_listener_of_its_own() {
    let database = Database::sqlite();
    let prepared = Desk::prepare(&database);
    let variables = [
        ("FLAGSTAFF_FLAGD__SYNC_LISTEN", "127.0.0.1:0"),
        ("FLAGSTAFF_FLAGD__SYNC_CONTEXT", r#"{"tier":"gold"}"#),
    ];
    let mut server = Server::start_with(&database, &variables);
    block_on(async {
        let desk = prepared.sign_in(&server).await;
        let state = desk.feature(&server, "banner").await;
        let mut common = connect(&server.url).await;
        let mut own = connect(&sync_address(&server)).await;
        let mut on_common = follow(&mut common, &desk.server_key).await;
        let mut on_own = follow(&mut own, &desk.server_key).await;

        for stream in [&mut on_common, &mut on_own] {
            assert_eq!(control(&next(stream).await, "banner"), 0);
        }
        assert_eq!(desk.set(&server, state, "changed").await.status, 200);
        for stream in [&mut on_common, &mut on_own] {
            assert_eq!(control(&next(stream).await, "banner"), "changed");
        }

        server.signal("-TERM");
        for stream in [&mut on_common, &mut on_own] {
            let end = tokio::time::timeout(PATIENCE, stream.message()).await;
            assert_eq!(end.unwrap().unwrap_err().code(), Code::Unavailable);
        }
    });
    let (status, took) = server.wait(Duration::from_secs(12));
    assert!(status.success(), "{}", server.log());
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[test]
fn a_listener_that_stands_for_an_environment_needs_no_key() {
    let database = Database::sqlite();
    let prepared = Desk::prepare(&database);
    let key = database.folder().join("key");
    std::fs::write(&key, format!("{}\n", prepared.server_key())).unwrap();
    let variables = [
        ("FLAGSTAFF_FLAGD__SYNC_LISTEN", "127.0.0.1:0"),
        ("FLAGSTAFF_FLAGD__SYNC_KEY_FILE", key.to_str().unwrap()),
    ];
    let server = Server::start_with(&database, &variables);
    block_on(async {
        let mut own = connect(&sync_address(&server)).await;
        let mut stream = follow(&mut own, "").await;
        let named = SyncFlagsRequest {
            selector: "flagSetId=local-dev/development".to_owned(),
            ..SyncFlagsRequest::default()
        };
        let foreign = SyncFlagsRequest {
            selector: "flagSetId=local-dev/production".to_owned(),
            ..SyncFlagsRequest::default()
        };

        assert_eq!(
            next(&mut stream).await["metadata"]["flagSetId"],
            "local-dev/development"
        );
        assert!(own.sync_flags(named).await.is_ok());
        let refusal = own.sync_flags(foreign).await.unwrap_err();
        assert_eq!(refusal.code(), Code::NotFound);
        let mut common = connect(&server.url).await;
        let refusal = common.fetch_all_flags(FetchAllFlagsRequest::default());
        assert_eq!(refusal.await.unwrap_err().code(), Code::Unauthenticated);
    });
    assert!(!server.log().contains(prepared.server_key()));
    server.stop();
}

/// A reader that opens no window to be sent more: its stream is ended as soon as it takes something again.
#[test]
fn a_reader_that_takes_nothing_loses_its_stream_and_nobody_else_does() {
    let database = Database::sqlite();
    let prepared = Desk::prepare(&database);
    let variables = [("FLAGSTAFF_LIMITS__STREAM_STALL_SECONDS", "1")];
    let server = Server::start_with(&database, &variables);
    block_on(async {
        let desk = prepared.sign_in(&server).await;
        let state = desk.feature(&server, "banner").await;
        let endpoint = Endpoint::from_shared(server.url.clone()).unwrap();
        let narrow = endpoint.initial_stream_window_size(64);
        let mut slow = FlagSyncServiceClient::new(narrow.connect().await.unwrap());
        let mut quick = connect(&server.url).await;
        let mut unread = follow(&mut slow, &desk.server_key).await;
        let mut read = follow(&mut quick, &desk.server_key).await;
        next(&mut read).await;

        let begun = Instant::now();
        let mut number = 0;
        while desk
            .metric(&server, "flagstaff_slow_readers_total", "")
            .await
            < 1.0
        {
            assert!(begun.elapsed() < PATIENCE, "{}", server.log());
            number += 1;
            let value = format!("{number}").repeat(2000);
            assert_eq!(desk.set(&server, state, value.clone()).await.status, 200);
            assert_eq!(
                control(&next(&mut read).await, "banner"),
                &Json::from(value)
            );
        }

        let end = async {
            loop {
                match unread.message().await {
                    Ok(Some(_)) => {}
                    Ok(None) => panic!("ended without a status"),
                    Err(status) => break status.code(),
                }
            }
        };
        let end = tokio::time::timeout(PATIENCE, end).await.unwrap();
        assert!(
            matches!(
                end,
                Code::ResourceExhausted | Code::Unavailable | Code::Unknown
            ),
            "{end:?}"
        );
    });
    server.stop();
}
