//! What a context may hold.

use super::shop::{over, segment, shop};
use super::{context, keyed, v2};
use crate::face::Face;
use crate::flagd_grpc::code;
use flagstaff_proto::flagd::evaluation::v2::{ResolveStringRequest, ResolveStringResponse};
use prost_types::value::Kind;
use prost_types::{Struct, Value};
use serde_json::{Value as Json, json};
use tonic::{Code, Status};

async fn offer(face: &Face, context: Option<Struct>) -> Result<ResolveStringResponse, Status> {
    let request = ResolveStringRequest {
        flag_key: "offer".to_owned(),
        context,
    };
    let answer = v2(face).resolve_string(keyed(request)).await;
    answer.map(tonic::Response::into_inner)
}

async fn check(face: &Face, sent: Json, expected: &str) {
    let answer = offer(face, context(sent.clone())).await.unwrap();
    assert_eq!(answer.value.as_deref(), Some(expected), "{sent}");
}

#[tokio::test]
async fn attributes_have_the_types_that_json_would_have_given_them() {
    let face = shop().await;
    let adults = segment(&face, "adults", "age", "EQUAL", "18").await;
    over(&face, "offer", adults, true, "adult").await;
    let homes = segment(&face, "homes", "address.city", "EQUAL", "Ghent").await;
    over(&face, "offer", homes, true, "home").await;

    check(&face, json!({"age": 18}), "adult").await;
    check(&face, json!({"age": 18.0}), "adult").await;
    check(&face, json!({"age": 18.5}), "plain").await;
    check(&face, json!({"address": {"city": "Ghent"}}), "home").await;
    check(&face, json!({"address.city": "Ghent"}), "home").await;
    check(&face, json!({"address": ["Ghent"]}), "plain").await;
    check(
        &face,
        json!({"plan": "pro", "$plan": "x", "x": null}),
        "gold",
    )
    .await;
    check(&face, json!({}), "plain").await;
    assert_eq!(
        offer(&face, None).await.unwrap().value.as_deref(),
        Some("plain")
    );
}

#[tokio::test]
async fn what_no_json_could_say_is_refused() {
    let face = shop().await;
    let number = |number: f64| {
        let mut context = Struct::default();
        let kind = Some(Kind::NumberValue(number));
        context.fields.insert("age".to_owned(), Value { kind });
        Some(context)
    };

    for refused in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let answer = offer(&face, number(refused)).await;
        assert_eq!(code(&answer), Code::InvalidArgument, "{refused}");
        assert!(answer.unwrap_err().message().contains("`age`"));
    }
    for sent in [
        json!({"a": {"b": 1}, "a.b": 1}),
        json!({"targetingKey": "x".repeat(2001)}),
        json!({"targetingKey": "a\u{0}b"}),
    ] {
        let answer = offer(&face, context(sent)).await;
        assert_eq!(code(&answer), Code::InvalidArgument);
    }
}

/// As flagd has it, and as programs do that evaluate for themselves.
#[tokio::test]
async fn a_targeting_key_that_is_no_text_names_nobody() {
    let face = shop().await;

    for key in [json!(7), json!(true), json!({"a": 1}), json!(["u1"])] {
        check(&face, json!({"targetingKey": key, "plan": "pro"}), "gold").await;
        check(&face, json!({"targetingKey": key}), "plain").await;
    }
}

#[tokio::test]
async fn nobody_becomes_known_by_asking() {
    let face = shop().await;
    check(
        &face,
        json!({"targetingKey": "visitor", "plan": "pro"}),
        "gold",
    )
    .await;

    // Had it been stored, the plan would count here.
    check(&face, json!({"targetingKey": "visitor"}), "plain").await;
}

#[tokio::test]
async fn stored_traits_lie_under_what_is_sent() {
    let face = shop().await;
    let body = r#"{"identifier": "ada", "traits": [{"trait_key": "plan", "trait_value": "pro"}]}"#;
    let stored = face.post("/api/v1/identities/").body(body).send().await;
    assert_eq!(stored.status, 200);

    check(&face, json!({"targetingKey": "ada"}), "gold").await;
    check(
        &face,
        json!({"targetingKey": "ada", "plan": "free"}),
        "plain",
    )
    .await;
    check(&face, json!({"targetingKey": "ada", "plan": null}), "plain").await;
}
