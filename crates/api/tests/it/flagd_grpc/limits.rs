//! What a call may not be, and that it harms nobody else.

use super::{integrate, serving};
use crate::face::{Face, SERVER_KEY};
use axum::body::{Body, Bytes};
use flagstaff_api::ApiConfig;
use futures::stream;
use std::convert::Infallible;
use std::time::Duration;

const METHOD: &str = "/flagd.sync.v1.FlagSyncService/GetMetadata";

/// Status of HTTP and of gRPC.
async fn post(face: &Face, path: &str, kind: &str, body: Body) -> (u16, Option<String>) {
    let ask = face
        .keyless("POST", path)
        .header("content-type", kind)
        .header("x-environment-key", SERVER_KEY);
    let reply = ask.stream(body).send().await;
    (reply.status, reply.header("grpc-status").map(str::to_owned))
}

async fn check(face: &Face, body: impl Into<Bytes>, expected: &str) {
    let body = Body::from(body.into());
    let reply = post(face, METHOD, "application/grpc", body).await;
    assert_eq!(reply, (200, Some(expected.to_owned())));
}

#[tokio::test]
async fn a_message_that_is_none_is_an_error_of_that_call_alone() {
    let face = serving().await;

    check(&face, "", "3").await;
    check(&face, &b"\0\0\0"[..], "3").await;
    check(&face, &b"\0\0\0\0\x05\x0a"[..], "3").await;
    check(&face, &b"\0\0\0\0\x02\xff\xff"[..], "3").await;
    check(&face, &b"\x01\0\0\0\x02\x1f\x8b"[..], "12").await;

    let good = Body::from(&b"\0\0\0\0\0"[..]);
    let (status, refusal) = post(&face, METHOD, "application/grpc", good).await;
    assert_eq!((status, refusal), (200, None));
}

#[tokio::test]
async fn a_message_that_is_too_large_is_refused_before_it_has_arrived() {
    let face = serving().await;
    // A header that announces 2 MiB, and nothing behind it for as long as anybody waits.
    let header = Bytes::from_static(&[0, 0, 0x20, 0, 0]);
    let endless = stream::unfold(Some(header), |header| async move {
        match header {
            Some(header) => Some((Ok::<_, Infallible>(header), None)),
            None => std::future::pending().await,
        }
    });

    let reply = post(
        &face,
        METHOD,
        "application/grpc",
        Body::from_stream(endless),
    )
    .await;

    assert_eq!(reply, (200, Some("8".to_owned())));
    check(&face, vec![0; 1024 * 1024 + 6], "8").await;
}

#[tokio::test]
async fn a_message_that_does_not_arrive_is_given_up() {
    let config = ApiConfig {
        body_seconds: 0,
        ..ApiConfig::default()
    };
    let face = Face::start_with(config).await;
    integrate(&face, true).await;
    let silent = Body::from_stream(stream::pending::<Result<Bytes, Infallible>>());

    let reply = post(&face, METHOD, "application/grpc", silent).await;

    assert_eq!(reply, (200, Some("4".to_owned())));
}

#[tokio::test]
async fn a_call_ends_with_the_patience_of_its_caller() {
    let face = serving().await;
    let evaluation = "/flagd.evaluation.v2.Service/ResolveBoolean";
    let ask = async |path: &str, patience: &str, body: Body| {
        let ask = face
            .keyless("POST", path)
            .header("content-type", "application/grpc")
            .header("x-environment-key", SERVER_KEY)
            .header("grpc-timeout", patience);
        let reply = tokio::time::timeout(Duration::from_secs(5), ask.stream(body).send()).await;
        reply.unwrap().header("grpc-status").map(str::to_owned)
    };
    // The server itself would wait ten seconds for a message.
    let silent = || Body::from_stream(stream::pending::<Result<Bytes, Infallible>>());
    let good = || Body::from(&b"\0\0\0\0\0"[..]);

    for path in [METHOD, evaluation] {
        assert_eq!(
            ask(path, "50m", silent()).await.as_deref(),
            Some("4"),
            "{path}"
        );
        assert_eq!(
            ask(path, "soon", good()).await.as_deref(),
            Some("3"),
            "{path}"
        );
    }
    assert_eq!(ask(METHOD, "10S", good()).await, None);
}

#[tokio::test]
async fn a_method_that_is_not_there_is_unimplemented() {
    let face = serving().await;
    let path = "/flagd.sync.v1.FlagSyncService/Nothing";

    let reply = post(&face, path, "application/grpc", Body::empty()).await;

    assert_eq!(reply, (200, Some("12".to_owned())));
}

#[tokio::test]
async fn what_is_no_call_is_told_so_in_http() {
    let face = serving().await;

    let reply = post(&face, METHOD, "application/json", Body::from("{}")).await;

    assert_eq!(reply.0, 415);
}
