//! Input that is broken, deep or large: an error of that call, and of no other.

use super::shop::shop;
use super::{connect, context, keyed, v2};
use crate::face::{Face, SERVER_KEY};
use crate::flagd_grpc::code;
use flagstaff_proto::flagd::evaluation::v2::{EventStreamRequest, ResolveBooleanRequest};
use prost_types::Struct;
use serde_json::{Value as Json, json};
use tonic::{Code, Status};

const METHOD: &str = "/flagd.evaluation.v2.Service/ResolveBoolean";

async fn grpc(face: &Face, context: Option<Struct>) -> Code {
    let request = ResolveBooleanRequest {
        flag_key: "bool".to_owned(),
        context,
    };
    code(&v2(face).resolve_boolean(keyed(request)).await)
}

async fn json(face: &Face, body: impl Into<axum::body::Bytes>) -> (u16, String) {
    let reply = connect(face, METHOD).body(body).send().await;
    let code = reply.json()["code"].as_str().unwrap_or("ok").to_owned();
    (reply.status, code)
}

fn deep(levels: usize) -> Json {
    (0..levels).fold(json!(1), |inner, _| json!({ "a": inner }))
}

fn wide(members: usize) -> Json {
    let members = (0..members).map(|number| (format!("a{number}"), json!(number)));
    Json::Object(members.collect())
}

#[tokio::test]
async fn a_bad_call_of_grpc_harms_no_other() {
    let face = shop().await;

    let (deep, wide, large, good) = tokio::join!(
        grpc(&face, context(deep(64))),
        grpc(&face, context(wide(10_000))),
        grpc(&face, context(json!({"a": "x".repeat(1024 * 1024)}))),
        grpc(&face, context(json!({"targetingKey": "u1"}))),
    );

    assert_eq!(deep, Code::InvalidArgument);
    assert_eq!(wide, Code::InvalidArgument);
    assert_eq!(large, Code::ResourceExhausted);
    assert_eq!(good, Code::Ok);
    assert_eq!(grpc(&face, context(self::deep(20))).await, Code::Ok);
    assert_eq!(grpc(&face, context(self::wide(1000))).await, Code::Ok);
}

#[tokio::test]
async fn whoever_asks_what_has_one_answer_only_is_told_not_to_ask_again() {
    let face = shop().await;
    let ask = |flag_key: &str| ResolveBooleanRequest {
        flag_key: flag_key.to_owned(),
        context: None,
    };
    let pushback = |status: &Status| {
        let told = status.metadata().get("grpc-retry-pushback-ms");
        told.map(|told| told.to_str().unwrap().to_owned())
    };
    let mut client = v2(&face);

    let not_found = client.resolve_boolean(keyed(ask("nothing"))).await;
    let wrong_type = client.resolve_boolean(keyed(ask("text"))).await;
    let without_key = client.resolve_boolean(ask("bool")).await;
    let stream = client.event_stream(EventStreamRequest {}).await;

    for (refused, code) in [
        (not_found, Code::NotFound),
        (wrong_type, Code::InvalidArgument),
        (without_key, Code::Unauthenticated),
    ] {
        let status = refused.unwrap_err();
        assert_eq!(status.code(), code);
        assert_eq!(pushback(&status).as_deref(), Some("-1"), "{status}");
    }
    // Clients that may not try a stream again would open another one at once.
    assert_eq!(pushback(&stream.unwrap_err()), None);
}

#[tokio::test]
async fn a_bad_call_of_connect_harms_no_other() {
    let face = shop().await;
    let asking = |context: Json| json!({"flagKey": "bool", "context": context}).to_string();
    let invalid = (400, "invalid_argument".to_owned());

    for body in [
        asking(deep(64)).into_bytes(),
        asking(wide(10_000)).into_bytes(),
        br#"{"flagKey": "bool", "context": {"a": 1, "a": 2}}"#.to_vec(),
        br#"{"flagKey": "bool", "flagKey": "bool"}"#.to_vec(),
        br#"{"flagKey": "bool", "context": {"a": NaN}}"#.to_vec(),
        br#"{"flagKey": "bool", "context": {"a": 1e999}}"#.to_vec(),
        b"{\"flagKey\": \"\xff\"}".to_vec(),
        b"{\"flagKey\": \"bool\"".to_vec(),
        b"".to_vec(),
        b"null".to_vec(),
        vec![b'['; 100_000],
    ] {
        let start = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        assert_eq!(json(&face, body).await, invalid, "{start}");
    }
    let large = vec![b' '; 1024 * 1024 + 1];
    assert_eq!(
        json(&face, large).await,
        (429, "resource_exhausted".to_owned())
    );
    let huge = vec![b' '; 3 * 1024 * 1024];
    assert_eq!(
        json(&face, huge).await,
        (429, "resource_exhausted".to_owned())
    );
    assert_eq!(json(&face, asking(deep(60))).await, (200, "ok".to_owned()));
    assert_eq!(
        json(&face, asking(wide(1000))).await,
        (200, "ok".to_owned())
    );
}

#[tokio::test]
async fn messages_that_are_no_protobuf_are_refused() {
    let face = shop().await;
    let raw = async |message: &[u8]| {
        let mut body = vec![0];
        body.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
        body.extend(message);
        let ask = face
            .keyless("POST", METHOD)
            .header("x-environment-key", SERVER_KEY)
            .header("content-type", "application/grpc");
        let reply = ask.body(body).send().await;
        reply.header("grpc-status").map(str::to_owned)
    };

    assert_eq!(raw(b"\x0a\x01\xff").await.as_deref(), Some("3"), "no UTF-8");
    assert_eq!(raw(b"\x0a\x7f").await.as_deref(), Some("3"), "cut off");
    assert_eq!(raw(b"\xff\xff\xff").await.as_deref(), Some("3"), "noise");
    // An unknown field is passed over.
    assert_eq!(raw(b"\x0a\x04bool\x78\x01").await, None);
}
