use crate::face::{Face, SERVER_KEY};
use serde_json::{Value as Json, json};

#[tokio::test]
async fn the_widest_integers_are_kept() {
    let face = Face::start().await;
    for number in [i64::MAX, i64::MIN, 3_000_000_000] {
        let body =
            json!({"identity": {"identifier": "w"}, "trait_key": "n", "trait_value": number});
        face.post("/api/v1/traits/")
            .body(body.to_string())
            .send()
            .await;

        let reply = face.get("/api/v1/identities/?identifier=w").send().await;

        assert_eq!(reply.json()["traits"][0]["trait_value"], number);
    }
}

#[tokio::test]
async fn a_sum_beyond_64_bits_is_refused_and_changes_nothing() {
    let face = Face::start().await;
    let add = async |by: i64| {
        let body = json!({"identifier": "s", "trait_key": "n", "increment_by": by});
        let post = face.post("/api/v1/traits/increment-value/");
        post.body(body.to_string()).send().await
    };
    add(i64::MAX).await;

    let refused = add(1).await;
    let unchanged = add(0).await;

    assert_eq!(
        (refused.status, refused.json()),
        (400, json!(["Trait is not an integer."]))
    );
    assert_eq!(unchanged.json()["trait_value"], i64::MAX);
}

#[tokio::test]
async fn traits_are_refused_from_clients_that_may_set_none() {
    let face = Face::start().await;
    face.set_allow_client_traits(false).await;
    let refusal = json!({"non_field_errors": ["Setting traits not allowed with client key."]});
    let one = json!({"identity": {"identifier": "c"}, "trait_key": "a", "trait_value": 1});
    let put = |key: &str| {
        let put = face
            .keyless("PUT", "/api/v1/traits/bulk/")
            .header("x-environment-key", key);
        put.header("content-type", "application/json")
            .body(json!([one]).to_string())
    };

    let bulk = put(crate::face::CLIENT_KEY).send().await;
    let deprecated = face
        .post("/api/v1/identities/c/traits/a")
        .body(r#"{"trait_value": 1}"#);
    let deprecated = deprecated.send().await;
    let from_server = put(SERVER_KEY).send().await;

    assert_eq!((bulk.status, bulk.json()), (400, refusal.clone()));
    assert_eq!((deprecated.status, deprecated.json()), (400, refusal));
    assert_eq!(
        (from_server.status, from_server.json()),
        (200, json!([one]))
    );
}

#[tokio::test]
async fn an_organisation_that_stores_no_traits_says_so() {
    let face = Face::start().await;
    face.stop_storing_traits().await;
    let one = json!({"identity": {"identifier": "c"}, "trait_key": "a", "trait_value": 1});
    let sent = json!({"identifier": "c", "traits": [{"trait_key": "plan", "trait_value": "pro"}]});

    let set = face
        .post("/api/v1/traits/")
        .body(one.to_string())
        .send()
        .await;
    let used = face
        .post("/api/v1/identities/")
        .body(sent.to_string())
        .send()
        .await;
    let again = face.get("/api/v1/identities/?identifier=c").send().await;

    let refusal = json!({"detail": "Organisation is not authorised to store traits."});
    assert_eq!((set.status, set.json()), (403, refusal));
    let banner = |reply: Json| reply["flags"][1]["feature_state_value"].clone();
    assert_eq!(banner(used.json()), "pro-banner");
    assert_eq!(banner(again.json()), "hello");
}

#[tokio::test]
async fn a_bulk_request_with_something_else_than_objects_is_broken() {
    let face = Face::start().await;

    for body in ["[1]", "[[]]", "null", "\"x\""] {
        let put = face.request("PUT", "/api/v1/traits/bulk/");
        let put = put.header("content-type", "application/json").body(body);
        let reply = put.send().await;
        assert_eq!(
            (reply.status, reply.json()),
            (400, json!({"detail": "Invalid request data"})),
            "{body}"
        );
    }
}
