//! Why flags are what they are, for programs that may know.

use crate::face::{CLIENT_KEY, Face, Reply, SERVER_KEY};
use serde_json::{Value as Json, json};

const ALL: &str = "/api/v1/explain/flags/";

async fn get(face: &Face, key: &str, path: &str) -> Reply {
    let ask = face.keyless("GET", path);
    ask.header("x-environment-key", key).send().await
}

async fn post(face: &Face, path: &str, context: Json) -> Reply {
    let body = json!({ "context": context }).to_string();
    let ask = face
        .keyless("POST", path)
        .header("authorization", &format!("Bearer {SERVER_KEY}"))
        .header("content-type", "application/json");
    ask.body(body).send().await
}

#[tokio::test]
async fn an_explanation_tells_the_value_that_ofrep_tells_and_how_it_came_about() {
    let face = Face::start().await;
    let context = json!({ "targetingKey": "ada", "plan": "pro" });

    let told = post(&face, "/api/v1/explain/flags/colour/", context.clone()).await;
    let ofrep = face
        .keyless("POST", "/ofrep/v1/evaluate/flags/colour")
        .header("x-environment-key", SERVER_KEY)
        .header("content-type", "application/json")
        .body(json!({ "context": context }).to_string())
        .send()
        .await;

    assert_eq!(told.status, 200, "{}", told.text());
    let caching = told.header("cache-control").unwrap_or_default();
    assert!(caching.contains("no-store"), "{caching}");
    let (told, ofrep) = (told.json(), ofrep.json());
    assert_eq!(told["targetingKey"], "ada");
    assert_eq!(told["attributes"], json!({ "plan": "pro" }));
    let flag = &told["flags"]["colour"];
    assert_eq!(flag["value"], ofrep["value"], "{told} {ofrep}");
    let split = &flag["split"];
    let bucket = split["bucket"].as_f64().unwrap();
    let mut ranges = split["variants"].as_array().unwrap().iter();
    let hit = ranges.position(|range| {
        (range["from"].as_f64().unwrap()..range["to"].as_f64().unwrap()).contains(&bucket)
    });
    // None of these variants has a key, so they are called by their places.
    let variant = format!("variant_{}", hit.unwrap() + 1);
    assert_eq!(ofrep["variant"], variant, "{told}");
    assert_eq!(told["flags"].as_object().unwrap().len(), 1);
}

#[tokio::test]
async fn whoever_asks_by_get_and_by_post_is_told_the_same() {
    let face = Face::start().await;

    let by_get = get(&face, SERVER_KEY, &format!("{ALL}?targetingKey=ada")).await;
    let by_post = post(&face, ALL, json!({ "targetingKey": "ada" })).await;
    let nobody = get(&face, SERVER_KEY, ALL).await.json();

    assert_eq!(by_get.status, 200);
    assert_eq!(by_get.json(), by_post.json());
    assert_eq!(nobody["targetingKey"], Json::Null);
    assert_eq!(nobody["flags"]["colour"]["split"], Json::Null);
}

#[tokio::test]
async fn nobody_learns_anything_with_a_client_key_or_without_a_key() {
    let face = Face::start().await;

    for path in [ALL, "/api/v1/explain/flags/banner/"] {
        let client = get(&face, CLIENT_KEY, path).await;
        let wrong = get(&face, "ser.unknown", path).await;
        let none = face.keyless("GET", path).send().await;
        let token = face.keyless("GET", path).header("authorization", "Token x");
        let token = token.send().await;

        assert_eq!((client.status, wrong.status), (403, 403), "{path}");
        assert_eq!((none.status, token.status), (403, 401), "{path}");
        assert!(!client.text().contains("segments"), "{}", client.text());
    }
}

#[tokio::test]
async fn what_is_no_context_or_no_flag_is_refused() {
    let face = Face::start().await;

    let missing = get(&face, SERVER_KEY, "/api/v1/explain/flags/nothing/").await;
    let method = face
        .keyless("PUT", ALL)
        .header("x-environment-key", SERVER_KEY);
    let body = face
        .keyless("POST", ALL)
        .header("x-environment-key", SERVER_KEY)
        .body("{".to_owned());
    let long = "x".repeat(3000);

    assert_eq!(missing.status, 404);
    assert_eq!(method.send().await.status, 405);
    assert_eq!(body.send().await.status, 400);
    let answer = post(&face, ALL, json!({ "targetingKey": long })).await;
    assert_eq!(answer.status, 400, "{}", answer.text());
}
