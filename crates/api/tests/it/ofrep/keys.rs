//! Who may ask, how often, and from where.

use super::*;
use flagstaff_api::ApiConfig;

#[tokio::test]
async fn a_key_may_stand_in_any_of_three_headers() {
    let face = Face::start().await;

    for key in KEYS {
        for (name, value) in [
            ("authorization", format!("Bearer {key}")),
            ("authorization", format!("bearer  {key}")),
            ("x-api-key", key.to_owned()),
            ("x-environment-key", key.to_owned()),
        ] {
            for path in [LIST.to_owned(), format!("{LIST}/"), path("banner")] {
                let reply = face
                    .keyless("POST", &path)
                    .header(name, &value)
                    .send()
                    .await;
                assert_eq!(reply.status, 200, "{name} {path}");
            }
        }
    }
}

#[tokio::test]
async fn who_brings_no_key_or_a_wrong_one_is_told_so() {
    let face = Face::start().await;
    let ask = async |name: &str, value: &str| {
        let reply = face.keyless("POST", LIST).header(name, value).send().await;
        shapes::check_list(&reply);
        reply
    };

    let none = face.keyless("POST", LIST).send().await;
    shapes::check_list(&none);
    assert_eq!(
        (none.status, none.header("www-authenticate")),
        (401, Some("Bearer"))
    );
    assert_eq!(
        none.json(),
        json!({"errorDetails": "environment key missing"})
    );
    assert_eq!(ask("authorization", "Basic dTpw").await.status, 401);
    assert_eq!(ask("authorization", "Bearer ").await.status, 401);
    for (name, value) in [
        ("authorization", "Bearer nothing"),
        ("x-api-key", "nothing"),
        ("x-environment-key", "ser.nothing"),
    ] {
        let reply = ask(name, value).await;
        assert_eq!(
            (reply.status, reply.json()),
            (403, json!({"errorDetails": "environment key unknown"}))
        );
    }
    let no_text = face
        .keyless("POST", LIST)
        .header_bytes("x-api-key", b"\xff")
        .send()
        .await;
    assert_eq!(no_text.status, 403);
}

#[tokio::test]
async fn a_key_that_was_withdrawn_opens_nothing() {
    let face = Face::start().await;
    face.withdraw_server_key().await;

    let reply = ask_with(&face, SERVER_KEY, &path("banner")).send().await;

    shapes::check_single(&reply);
    assert_eq!(reply.status, 403);
}

#[tokio::test]
async fn who_asks_too_often_is_told_when_to_come_back() {
    let config = ApiConfig {
        ofrep_requests: 2,
        ..ApiConfig::default()
    };
    let face = Face::start_with(config).await;
    let status = async |key, path: &str| ask_with(&face, key, path).send().await;

    let statuses = [
        status(CLIENT_KEY, LIST).await.status,
        status(CLIENT_KEY, &path("banner")).await.status,
    ];
    let refused = status(CLIENT_KEY, LIST).await;
    let other_key = status(SERVER_KEY, LIST).await;
    let other_face = face.get("/api/v1/flags/").send().await;

    shapes::check_list(&refused);
    assert_eq!(statuses, [200, 200]);
    assert_eq!(
        (refused.status, refused.header("retry-after")),
        (429, Some("1"))
    );
    assert_eq!((other_key.status, other_face.status), (200, 200));
}

#[tokio::test]
async fn browsers_on_any_site_may_ask() {
    let face = Face::start().await;
    for path in [LIST.to_owned(), path("banner")] {
        let preflight = face
            .keyless("OPTIONS", &path)
            .header("origin", "https://shop.example.com")
            .header("access-control-request-method", "POST")
            .send()
            .await;
        let allowed = preflight.header("access-control-allow-headers").unwrap();

        assert_eq!(preflight.status, 200);
        assert_eq!(preflight.header("access-control-allow-origin"), Some("*"));
        for header in [
            "content-type",
            "authorization",
            "x-api-key",
            "x-environment-key",
            "if-none-match",
        ] {
            assert!(allowed.split(", ").any(|each| each == header), "{header}");
        }
        let methods = preflight.header("access-control-allow-methods").unwrap();
        assert!(methods.contains("POST") && methods.contains("OPTIONS"));
    }
    let answer = ask(&face, LIST)
        .header("origin", "https://shop.example.com")
        .send()
        .await;
    let exposed = answer.header("access-control-expose-headers").unwrap();
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert!(exposed.contains("ETag") && exposed.contains("Retry-After"));
}
