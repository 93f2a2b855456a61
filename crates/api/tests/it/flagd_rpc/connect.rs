//! The Connect protocol.

use super::connect;
use super::shop::{set, shop};
use crate::face::{Face, SERVER_KEY};
use axum::body::Body;
use axum::http::Request;
use flagstaff_proto::flagd::evaluation::v1::{ResolveBooleanRequest, ResolveBooleanResponse};
use http_body_util::BodyExt as _;
use prost::Message as _;
use serde_json::{Value as Json, json};
use tower::ServiceExt as _;

const BOOLEAN: &str = "/flagd.evaluation.v1.Service/ResolveBoolean";
const EVENTS: &str = "/flagd.evaluation.v1.Service/EventStream";

async fn ask(face: &Face, method: &str, body: Json) -> (u16, Json) {
    let reply = connect(face, method).body(body.to_string()).send().await;
    assert_eq!(reply.header("content-type"), Some("application/json"));
    let mut json = reply.json();
    if let Some(members) = json.as_object_mut() {
        members.remove("metadata");
    }
    (reply.status, json)
}

#[tokio::test]
async fn members_that_are_not_set_are_there_in_version_1() {
    let face = shop().await;
    let check = async |method: &str, key: &str, expected: Json| {
        let path = format!("/flagd.evaluation.v1.Service/{method}");
        let (status, found) = ask(&face, &path, json!({"flagKey": key, "unknown": [1]})).await;
        assert_eq!((status, found), (200, expected), "{method} {key}");
    };

    let control = |value: Json| json!({"value": value, "reason": "STATIC", "variant": "control"});
    check("ResolveBoolean", "bool", control(json!(true))).await;
    check("ResolveString", "text", control(json!("hello"))).await;
    check("ResolveInt", "int", control(json!("5"))).await;
    check("ResolveFloat", "int", control(json!(5))).await;
    check("ResolveFloat", "float", control(json!(1.5))).await;
    check("ResolveObject", "object", control(json!({"a": [1, "x"]}))).await;
    let off = |value: Json| json!({"value": value, "reason": "DISABLED", "variant": ""});
    check("ResolveBoolean", "off", off(json!(false))).await;
    check("ResolveString", "off", off(json!(""))).await;
    check("ResolveInt", "off", off(json!("0"))).await;
    check("ResolveFloat", "off", off(json!(0))).await;
    check("ResolveObject", "off", off(json!(null))).await;
}

#[tokio::test]
async fn what_is_absent_in_version_2_is_not_there() {
    let face = shop().await;
    let path = "/flagd.evaluation.v2.Service/ResolveInt";

    let found = ask(&face, path, json!({"flag_key": "off"})).await;
    assert_eq!(found, (200, json!({"reason": "DISABLED"})));
    let found = ask(&face, path, json!({"flag_key": "int", "context": null})).await;
    let expected = json!({"value": "5", "reason": "STATIC", "variant": "control"});
    assert_eq!(found, (200, expected));
}

#[tokio::test]
async fn all_flags_come_with_the_metadata_of_their_set() {
    let face = shop().await;
    let context = json!({"context": {"targetingKey": "u1", "plan": "pro"}});

    let reply = connect(&face, "/flagd.evaluation.v1.Service/ResolveAll");
    let reply = reply.body(context.to_string()).send().await.json();

    assert_eq!(reply["flags"]["bool"]["boolValue"], true);
    assert_eq!(reply["flags"]["beta"]["stringValue"], "early");
    assert_eq!(reply["flags"]["beta"]["variant"], "override_pros");
    assert_eq!(reply["flags"]["int"]["doubleValue"], 5);
    assert_eq!(
        reply["flags"]["object"]["objectValue"],
        json!({"a": [1, "x"]})
    );
    assert_eq!(reply["flags"].get("off"), None);
    assert!(reply["metadata"]["flagSetId"].is_string());
}

#[tokio::test]
async fn refusals_have_a_code_and_a_status() {
    let face = shop().await;
    let check = async |path: &str, key: &str, status: u16, code: &str| {
        let (found, body) = ask(&face, path, json!({"flagKey": key})).await;
        assert_eq!((found, &body["code"]), (status, &json!(code)), "{key}");
        assert!(body["message"].is_string());
    };

    check(BOOLEAN, "gone", 404, "not_found").await;
    check(BOOLEAN, "text", 400, "invalid_argument").await;
    let reply = face
        .keyless("POST", BOOLEAN)
        .header("content-type", "application/json")
        .body("{}")
        .send()
        .await;
    assert_eq!(reply.status, 401);
    assert_eq!(reply.json()["code"], "unauthenticated");
    let reply = face
        .keyless("POST", BOOLEAN)
        .header("content-type", "application/json")
        .header("x-environment-key", "ser.unknown")
        .body("{}")
        .send()
        .await;
    assert_eq!(
        (reply.status, reply.json()["code"].clone()),
        (403, json!("permission_denied"))
    );
}

#[tokio::test]
async fn messages_may_be_binary() {
    let face = shop().await;
    let request = ResolveBooleanRequest {
        flag_key: "bool".to_owned(),
        context: None,
    };
    let binary = |body: Vec<u8>| {
        face.keyless("POST", BOOLEAN)
            .header("x-environment-key", SERVER_KEY)
            .header("content-type", "application/proto")
            .body(body)
    };

    let reply = binary(request.encode_to_vec()).send().await;
    assert_eq!(reply.header("content-type"), Some("application/proto"));
    let answer = ResolveBooleanResponse::decode(reply.body).unwrap();
    assert_eq!((answer.value, &*answer.reason), (true, "STATIC"));

    // Refusals are JSON all the same.
    let reply = binary(vec![0xff; 3]).send().await;
    assert_eq!(reply.status, 400);
    assert_eq!(reply.json()["code"], "invalid_argument");
}

#[tokio::test]
async fn headers_say_what_is_understood() {
    let face = shop().await;
    let check = async |name: &str, value: &str, status: u16| {
        let ask = face
            .keyless("POST", BOOLEAN)
            .header("x-environment-key", SERVER_KEY)
            .header("content-type", "application/json")
            .header(name, value);
        let reply = ask.body(r#"{"flagKey": "bool"}"#).send().await;
        assert_eq!(reply.status, status, "{name}: {value}");
    };

    check("connect-protocol-version", "1", 200).await;
    check("connect-protocol-version", "2", 400).await;
    check("connect-timeout-ms", "10000", 200).await;
    check("connect-timeout-ms", "soon", 400).await;
    check("content-encoding", "gzip", 501).await;
    check("content-type", "application/json; charset=utf-8", 200).await;
    check("content-type", "text/plain", 415).await;
    check("content-type", "application/connect+json", 415).await;
}

#[tokio::test]
async fn only_posts_are_answered() {
    let face = shop().await;

    let reply = face.keyless("GET", BOOLEAN).send().await;

    assert_eq!(reply.status, 405);
}

#[tokio::test]
async fn browsers_of_any_site_may_ask() {
    let face = shop().await;
    let names = "connect-protocol-version,connect-timeout-ms,content-type,x-environment-key,flagd-selector,x-grpc-web,grpc-timeout,x-user-agent";

    let preflight = face
        .keyless("OPTIONS", BOOLEAN)
        .header("origin", "https://shop.example")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", names)
        .send()
        .await;
    let reply = connect(&face, BOOLEAN)
        .header("origin", "https://shop.example")
        .body(r#"{"flagKey": "bool"}"#)
        .send()
        .await;

    assert_eq!(preflight.status, 200);
    assert_eq!(preflight.header("access-control-allow-origin"), Some("*"));
    let allowed = preflight.header("access-control-allow-headers").unwrap();
    for name in names.split(',') {
        assert!(allowed.split(", ").any(|each| each == name), "{name}");
    }
    let methods = preflight.header("access-control-allow-methods").unwrap();
    assert!(methods.contains("POST"));
    assert_eq!(reply.header("access-control-allow-origin"), Some("*"));
    let exposed = reply.header("access-control-expose-headers").unwrap();
    assert!(exposed.to_lowercase().contains("grpc-status"), "{exposed}");
}

fn enveloped(message: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0];
    bytes.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
    bytes.extend(message);
    bytes
}

/// The parts of a stream, one envelope each.
struct Envelopes(Body);

impl Envelopes {
    /// The flags of the next envelope and its message.
    async fn next(&mut self) -> Option<(u8, Json)> {
        let frame = self.0.frame().await?.unwrap().into_data().unwrap();
        let message = &frame[5..];
        let length = u32::from_be_bytes(frame[1..5].try_into().unwrap());
        assert_eq!(usize::try_from(length).unwrap(), message.len());
        Some((frame[0], serde_json::from_slice(message).unwrap()))
    }
}

async fn follow(face: &Face, headers: &[(&str, &str)]) -> Envelopes {
    let mut request = Request::post(EVENTS)
        .header("content-type", "application/connect+json")
        .header("connect-protocol-version", "1");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::from(enveloped(b"{}"))).unwrap();
    let response = face.router().oneshot(request).await.unwrap();
    assert_eq!(response.status(), 200);
    let kind = response.headers()["content-type"].to_str().unwrap();
    assert_eq!(kind, "application/connect+json");
    Envelopes(response.into_body())
}

#[tokio::test]
async fn events_stand_in_envelopes_and_the_last_one_says_how_it_ended() {
    let face = shop().await;
    let mut events = follow(&face, &[("x-environment-key", SERVER_KEY)]).await;
    let ready = events.next().await.unwrap();
    set(&face, "text", true, "new").await;
    let change = events.next().await.unwrap();
    face.state.close_streams();
    let shutdown = events.next().await.unwrap();
    let end = events.next().await.unwrap();

    assert_eq!(ready, (0, json!({"type": "provider_ready", "data": null})));
    let data = json!({"flags": {"text": {"type": "update"}}});
    assert_eq!(
        change,
        (0, json!({"type": "configuration_change", "data": data}))
    );
    assert_eq!(shutdown.1["type"], "provider_shutdown");
    assert_eq!((end.0, &end.1["error"]["code"]), (2, &json!("unavailable")));
    assert!(events.next().await.is_none());
}

#[tokio::test]
async fn a_stream_that_is_refused_says_so_in_its_only_envelope() {
    let face = shop().await;

    let mut refused = follow(&face, &[]).await;
    let (flags, end) = refused.next().await.unwrap();

    assert_eq!(
        (flags, &end["error"]["code"]),
        (2, &json!("unauthenticated"))
    );
    assert!(refused.next().await.is_none());
}

#[tokio::test]
async fn a_stream_lasts_as_long_as_the_caller_waits() {
    let face = shop().await;
    let headers = [
        ("x-environment-key", SERVER_KEY),
        ("connect-timeout-ms", "300"),
    ];
    let mut events = follow(&face, &headers).await;
    events.next().await.unwrap();

    let (flags, end) = events.next().await.unwrap();

    assert_eq!(
        (flags, &end["error"]["code"]),
        (2, &json!("deadline_exceeded"))
    );
}
