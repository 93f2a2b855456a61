use crate::face::{Face, SERVER_KEY};
use serde_json::json;

#[tokio::test]
async fn sent_traits_decide_segments_and_are_stored() {
    let face = Face::start().await;
    let body =
        json!({"identifier": "eve", "traits": [{"trait_key": "plan", "trait_value": "pro"}]});
    face.post("/api/v1/identities/")
        .body(body.to_string())
        .send()
        .await;

    let reply = face
        .get("/api/v1/identities/?identifier=eve&feature=banner")
        .send()
        .await;

    assert_eq!(reply.json()["feature_state_value"], "pro-banner");
}

#[tokio::test]
async fn a_feature_is_asked_for_by_its_exact_name() {
    let face = Face::start().await;
    let ask = async |name: &str| {
        let path = format!("/api/v1/identities/?identifier=eve&feature={name}");
        face.get(&path).send().await.status
    };

    assert_eq!(ask("banner").await, 200);
    assert_eq!(ask("BANNER").await, 404);
    assert_eq!(ask("secret-flag").await, 404);
}

#[tokio::test]
async fn identifiers_with_slashes_are_identifiers() {
    let face = Face::start().await;

    let reply = face.get("/api/v1/identities/a%2Fb/").send().await;
    let known = face
        .get("/api/v1/identities/?identifier=a%2Fb")
        .send()
        .await;

    assert_eq!(reply.status, 200);
    assert_eq!(known.json()["identifier"], "a/b");
}

#[tokio::test]
async fn only_a_server_side_key_hears_of_segments() {
    let face = Face::start().await;
    let path = "/api/v1/identities/eve/";

    let for_clients = face.get(path).send().await.json();
    let for_servers = face.get_with(SERVER_KEY, path).send().await.json();

    assert_eq!(for_clients["segments"], json!([]));
    assert_ne!(for_servers["segments"], json!([]));
}

#[tokio::test]
async fn somebody_anonymous_with_the_same_traits_is_the_same_somebody() {
    let face = Face::start().await;
    let ask = async || {
        let body = json!({"traits": [{"trait_key": "age", "trait_value": 30}]}).to_string();
        let reply = face.post("/api/v1/identities/").body(body).send().await;
        reply.json()["identifier"].as_str().unwrap().to_owned()
    };

    let (first, second) = (ask().await, ask().await);

    assert_eq!(first, second);
    assert_eq!(
        first,
        "17396d1a7bafff1fcebe3b06a25dd1e01f57e990645d416f5db63cffa42f33e8"
    );
}
