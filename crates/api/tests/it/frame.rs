//! What every request passes through.

use crate::face::{CLIENT_KEY, Face, SERVER_KEY};
use serde_json::json;

const FLAGS: &str = "/api/v1/flags/";

#[tokio::test]
async fn a_request_id_is_kept_and_one_that_is_unfit_for_logs_replaced() {
    let face = Face::start().await;
    let ask = async |id: Option<&str>| {
        let mut get = face.get(FLAGS);
        if let Some(id) = id {
            get = get.header("x-request-id", id);
        }
        get.send().await.header("x-request-id").unwrap().to_owned()
    };

    let (first, second) = (ask(None).await, ask(None).await);

    assert_ne!(first, second);
    assert_eq!(ask(Some("from-a.proxy_7")).await, "from-a.proxy_7");
    assert_ne!(ask(Some("two words")).await, "two words");
    assert_ne!(ask(Some(&"x".repeat(129))).await, "x".repeat(129));
}

#[tokio::test]
async fn no_answer_may_be_kept_by_a_cache() {
    let face = Face::start().await;

    for path in [FLAGS, "/nothing", "/version/"] {
        let reply = face.get(path).send().await;
        assert_eq!(
            reply.header("cache-control"),
            Some("max-age=0, no-cache, no-store, must-revalidate, private"),
            "{path}"
        );
        assert_eq!(reply.header("flagsmith-version"), Some("2.265.0"), "{path}");
    }
}

#[tokio::test]
async fn vary_names_the_headers_that_count() {
    let face = Face::start().await;
    let check = async |path: &str, expected: &str| {
        let reply = face.get_with(SERVER_KEY, path).send().await;
        assert_eq!(reply.header("vary"), Some(expected), "{path}");
    };

    check(FLAGS, "Accept, Accept-Encoding, Origin, X-Environment-Key").await;
    check(
        "/api/v1/flags/?feature=banner",
        "Accept, Origin, X-Environment-Key",
    )
    .await;
    check(
        "/api/v1/identities/?identifier=a",
        "Accept, Origin, X-Environment-Key",
    )
    .await;
    check("/version/", "Origin").await;
}

#[tokio::test]
async fn any_site_may_ask_and_read() {
    let face = Face::start().await;
    let preflight = face
        .keyless("OPTIONS", "/api/v1/identities/")
        .header("origin", "https://shop.example.com")
        .header("access-control-request-method", "POST");

    let preflight = preflight.send().await;
    let plain = face.get(FLAGS).send().await;
    let refused = face
        .keyless("GET", FLAGS)
        .header("origin", "https://x.example")
        .send()
        .await;

    assert_eq!(preflight.status, 200);
    assert_eq!(preflight.header("access-control-max-age"), Some("86400"));
    assert_eq!(plain.header("access-control-allow-origin"), None);
    // An error that a page cannot read would look to it like a lost connection.
    assert_eq!(
        (
            refused.status,
            refused.header("access-control-allow-origin")
        ),
        (403, Some("*"))
    );
}

#[tokio::test]
async fn head_has_the_headers_of_get_and_no_body() {
    let face = Face::start().await;
    let get = face.get(FLAGS).send().await;

    let head = face.request("HEAD", FLAGS).send().await;

    assert_eq!(head.status, 200);
    assert!(head.body.is_empty());
    assert_eq!(
        head.header("content-length"),
        Some(get.body.len().to_string().as_str())
    );
    assert_eq!(head.header("etag"), get.header("etag"));
}

#[tokio::test]
async fn a_missing_slash_is_pointed_to_with_its_query() {
    let face = Face::start().await;
    let check = async |path: &str, location: &str| {
        let reply = face.get(path).send().await;
        assert_eq!(
            (reply.status, reply.header("location")),
            (301, Some(location)),
            "{path}"
        );
    };

    check("/api/v1/flags", FLAGS).await;
    check(
        "/api/v1/flags?feature=a%20b",
        "/api/v1/flags/?feature=a%20b",
    )
    .await;
    check("/api/v1/identities/bob", "/api/v1/identities/bob/").await;
    check(
        "/api/v1/environment-document",
        "/api/v1/environment-document/",
    )
    .await;
}

#[tokio::test]
async fn the_deprecated_routes_without_a_slash_stay_without_it() {
    let face = Face::start().await;

    let flags = face.get("/api/v1/flags/bob").send().await;
    let with_slash = face.get("/api/v1/flags/bob/").send().await;

    assert_eq!((flags.status, with_slash.status), (200, 404));
}

#[tokio::test]
async fn only_json_is_given() {
    let face = Face::start().await;
    let check = async |accept: &str, status: u16| {
        let reply = face.get(FLAGS).header("accept", accept).send().await;
        assert_eq!(reply.status, status, "{accept}");
    };

    check("application/json", 200).await;
    check("text/html,application/xhtml+xml,*/*;q=0.8", 200).await;
    check("application/json; indent=4", 200).await;
    check("text/html", 406).await;
    check("application/xml, text/*", 406).await;
}

#[tokio::test]
async fn options_describes_a_path_to_who_may_use_it() {
    let face = Face::start().await;

    let described = face.request("OPTIONS", FLAGS).send().await;
    let refused = face.keyless("OPTIONS", FLAGS).send().await;

    assert_eq!(described.json()["name"], json!("Sdk Feature States"));
    assert_eq!(refused.status, 403);
}

#[tokio::test]
async fn metrics_name_templates_and_neither_keys_nor_identities() {
    let face = Face::start().await;
    face.get("/api/v1/identities/a-very-private-person/")
        .send()
        .await;
    face.keyless("GET", &format!("/sse/environments/{CLIENT_KEY}/stream"))
        .head_only()
        .await;

    let metrics = face.keyless("GET", "/metrics").send().await.text();

    let counter = r#"flagstaff_http_requests_total{method="GET",route="/api/v1/identities/{identifier}/",status="200"}"#;
    assert!(metrics.contains(counter), "{metrics}");
    assert!(
        metrics.contains("flagstaff_http_request_seconds_bucket"),
        "{metrics}"
    );
    assert!(!metrics.contains("a-very-private-person"), "{metrics}");
    assert!(!metrics.contains(CLIENT_KEY), "{metrics}");
}
