//! gRPC-Web: the same calls from browsers that cannot read trailers.

use super::shop::shop;
use crate::face::{Face, SERVER_KEY};
use axum::body::Bytes;
use flagstaff_proto::flagd::evaluation::v2::{ResolveBooleanRequest, ResolveBooleanResponse};
use prost::Message as _;

const METHOD: &str = "/flagd.evaluation.v2.Service/ResolveBoolean";

fn framed(key: &str) -> Vec<u8> {
    let request = ResolveBooleanRequest {
        flag_key: key.to_owned(),
        context: None,
    };
    let message = request.encode_to_vec();
    let mut bytes = vec![0];
    bytes.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
    bytes.extend(message);
    bytes
}

async fn ask(face: &Face, kind: &str, body: Vec<u8>) -> crate::face::Reply {
    face.keyless("POST", METHOD)
        .header("x-environment-key", SERVER_KEY)
        .header("content-type", kind)
        .header("x-grpc-web", "1")
        .body(body)
        .send()
        .await
}

/// Flags and contents of the frames of a body.
fn frames(mut body: Bytes) -> Vec<(u8, Bytes)> {
    let mut frames = Vec::new();
    while !body.is_empty() {
        let header = body.split_to(5);
        let length = u32::from_be_bytes(header[1..5].try_into().unwrap());
        frames.push((header[0], body.split_to(usize::try_from(length).unwrap())));
    }
    frames
}

#[tokio::test]
async fn trailers_come_as_a_frame_of_the_body() {
    let face = shop().await;

    let reply = ask(&face, "application/grpc-web+proto", framed("bool")).await;

    assert_eq!(reply.status, 200);
    assert_eq!(
        reply.header("content-type"),
        Some("application/grpc-web+proto")
    );
    let frames = frames(reply.body);
    let answer = ResolveBooleanResponse::decode(frames[0].1.clone()).unwrap();
    assert_eq!((answer.value, &*answer.reason), (Some(true), "STATIC"));
    assert_eq!(frames[1].0, 0x80);
    let trailers = String::from_utf8(frames[1].1.to_vec()).unwrap();
    assert!(trailers.contains("grpc-status:0"), "{trailers}");
}

#[tokio::test]
async fn refusals_stand_in_the_header() {
    let face = shop().await;

    let reply = ask(&face, "application/grpc-web", framed("gone")).await;

    assert_eq!(
        (reply.status, reply.header("grpc-status")),
        (200, Some("5"))
    );
    let refused = face
        .keyless("POST", METHOD)
        .header("content-type", "application/grpc-web+proto")
        .body(framed("bool"))
        .send()
        .await;
    assert_eq!(
        (refused.status, refused.header("grpc-status")),
        (200, Some("16"))
    );
}
