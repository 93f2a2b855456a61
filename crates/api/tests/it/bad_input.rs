//! What nobody should send gets a clear answer in the recorded shapes, never a 500.

use crate::face::{CLIENT_KEY, Face, SERVER_KEY};
use axum::body::{Body, Bytes};
use flagstaff_api::ApiConfig;
use futures::stream;
use serde_json::{Value as Json, json};
use std::convert::Infallible;

const IDENTITIES: &str = "/api/v1/identities/";

/// Posts a body as JSON and compares status and answer.
async fn check(face: &Face, path: &str, body: impl Into<String>, status: u16, expected: Json) {
    let body = body.into();
    let reply = face.post(path).body(body.clone()).send().await;
    let shown: String = body.chars().take(80).collect();
    assert_eq!(
        (reply.status, reply.json()),
        (status, expected),
        "{path} {shown}"
    );
}

#[tokio::test]
async fn fields_of_the_wrong_type_are_named() {
    let face = Face::start().await;
    let required = "This field is required.";
    let trait_with = |value: Json| json!({"traits": [value]}).to_string();

    let no_text = json!({"identifier": ["Not a valid string."]});
    check(
        &face,
        IDENTITIES,
        r#"{"identifier": ["a"]}"#,
        400,
        no_text.clone(),
    )
    .await;
    check(
        &face,
        IDENTITIES,
        r#"{"identifier": {"a": 1}}"#,
        400,
        no_text,
    )
    .await;
    let no_boolean = json!({"transient": ["Must be a valid boolean."]});
    check(
        &face,
        IDENTITIES,
        r#"{"transient": "perhaps"}"#,
        400,
        no_boolean.clone(),
    )
    .await;
    check(&face, IDENTITIES, r#"{"transient": []}"#, 400, no_boolean).await;
    let no_list =
        json!({"traits": {"non_field_errors": ["Expected a list of items but got type \"int\"."]}});
    check(&face, IDENTITIES, r#"{"traits": 5}"#, 400, no_list).await;
    let no_object = "Invalid data. Expected a dictionary, but got str.";
    let no_trait = json!({"traits": [{"non_field_errors": [no_object]}]});
    check(&face, IDENTITIES, trait_with(json!("x")), 400, no_trait).await;
    let no_key = json!({"traits": [{"trait_key": ["Not a valid string."]}]});
    check(
        &face,
        IDENTITIES,
        trait_with(json!({"trait_key": null, "trait_value": 1})),
        400,
        json!({"traits": [{"trait_key": ["This field may not be null."]}]}),
    )
    .await;
    check(
        &face,
        IDENTITIES,
        trait_with(json!({"trait_key": true, "trait_value": 1})),
        400,
        no_key,
    )
    .await;
    check(
        &face,
        IDENTITIES,
        trait_with(json!({"trait_key": " ", "trait_value": 1})),
        400,
        json!({"traits": [{"trait_key": ["This field may not be blank."]}]}),
    )
    .await;
    check(
        &face,
        IDENTITIES,
        "null",
        400,
        json!({"non_field_errors": ["No data provided"]}),
    )
    .await;
    let no_body = "Invalid data. Expected a dictionary, but got int.";
    check(
        &face,
        IDENTITIES,
        "7",
        400,
        json!({"non_field_errors": [no_body]}),
    )
    .await;
    check(
        &face,
        "/api/v1/traits/",
        r#"{"identity": 4, "trait_key": "a", "trait_value": 1}"#,
        400,
        json!({"identity": {"non_field_errors": [no_body]}}),
    )
    .await;
    check(
        &face,
        "/api/v1/traits/increment-value/",
        r#"{"identifier": "a", "trait_key": "n", "increment_by": 1.5}"#,
        400,
        json!({"increment_by": ["A valid integer is required."]}),
    )
    .await;
    check(
        &face,
        "/api/v2/analytics/flags/",
        r#"{"evaluations": [{"count": -1}]}"#,
        400,
        json!({"evaluations": [{
            "feature_name": [required],
            "enabled_when_evaluated": [required],
            "count": ["Ensure this value is greater than or equal to 0."],
        }]}),
    )
    .await;
}

#[tokio::test]
async fn the_good_items_of_a_list_with_a_bad_one_are_shown_as_good() {
    let face = Face::start().await;
    let body = json!({"traits": [{"trait_key": "a", "trait_value": 1}, {"trait_key": "b"}]});

    check(
        &face,
        IDENTITIES,
        body.to_string(),
        400,
        json!({"traits": [{}, {"trait_value": ["This field is required."]}]}),
    )
    .await;
}

#[tokio::test]
async fn broken_json_is_refused_in_our_own_words() {
    let face = Face::start().await;
    let check_detail = async |body: &[u8], expected: &str| {
        let reply = face.post(IDENTITIES).body(body.to_vec()).send().await;
        let detail = format!("JSON parse error - {expected}");
        assert_eq!(
            (reply.status, reply.json()),
            (400, json!({ "detail": detail })),
            "{body:?}"
        );
    };

    check_detail(b"{bad", "the text is not valid JSON: line 1 column 2").await;
    check_detail(b"{", "the text ends too early: line 1 column 1").await;
    check_detail(b"{}\n{}", "the text is not valid JSON: line 2 column 1").await;
    check_detail(b"NaN", "the text is not valid JSON: line 1 column 1").await;
    check_detail(b"\"\xff\"", "the text is not valid JSON: line 1 column 2").await;
    check_detail(
        br#"{"a": "\ud800"}"#,
        "the text is not valid JSON: line 1 column 14",
    )
    .await;
}

#[tokio::test]
async fn json_that_is_too_deep_is_refused_before_it_is_built() {
    let face = Face::start().await;
    let deep = format!("{}{}", "[".repeat(300), "]".repeat(300));
    let body = format!(r#"{{"traits": [{{"trait_key": "a", "trait_value": {deep}}}]}}"#);

    check(
        &face,
        IDENTITIES,
        body,
        400,
        json!({"detail": "JSON parse error - it is nested more than 64 levels deep"}),
    )
    .await;
}

#[tokio::test]
async fn ten_thousand_traits_are_too_many() {
    let face = Face::start().await;
    let traits: Vec<Json> = (0..10_000)
        .map(|n| json!({"trait_key": format!("k{n}"), "trait_value": n}))
        .collect();

    check(&face, IDENTITIES, json!({"identifier": "many", "traits": traits}).to_string(), 400,
        json!({"traits": {"non_field_errors": ["Ensure this field has no more than 1000 elements."]}})).await;
}

#[tokio::test]
async fn more_values_than_the_limit_are_refused() {
    let face = Face::start().await;

    check(
        &face,
        IDENTITIES,
        format!("[{}0]", "0,".repeat(200_000)),
        400,
        json!({"detail": "JSON parse error - it holds more than 100000 values"}),
    )
    .await;
}

#[tokio::test]
async fn a_body_of_more_than_a_megabyte_is_too_large() {
    let face = Face::start().await;
    let expected = json!({"detail": "The request body has more than 1048576 bytes."});
    let large = format!(r#"{{"identifier": "{}"}}"#, "x".repeat(1024 * 1024));

    check(&face, IDENTITIES, large.clone(), 413, expected.clone()).await;
    // The same without an announced length.
    let chunks = stream::iter([Ok::<_, Infallible>(Bytes::from(large))]);
    let reply = face
        .post(IDENTITIES)
        .stream(Body::from_stream(chunks))
        .send()
        .await;

    assert_eq!((reply.status, reply.json()), (413, expected));
}

#[tokio::test]
async fn a_body_that_stops_halfway_is_given_up() {
    let config = ApiConfig {
        body_seconds: 0,
        ..ApiConfig::default()
    };
    let face = Face::start_with(config).await;
    let never = Body::from_stream(stream::pending::<Result<Bytes, Infallible>>());
    let broken = Body::from_stream(stream::iter([
        Ok(Bytes::from_static(b"{")),
        Err(std::io::Error::other("connection lost")),
    ]));

    let waited = face.post(IDENTITIES).stream(never).send().await;
    let lost = face.post(IDENTITIES).stream(broken).send().await;

    assert_eq!(waited.status, 408);
    assert_eq!(
        waited.json(),
        json!({"detail": "The request body did not arrive within 0 seconds."})
    );
    assert_eq!(lost.status, 400);
    assert_eq!(
        lost.json(),
        json!({"detail": "The request body ended too early."})
    );
}

#[tokio::test]
async fn content_types_other_than_json_and_forms_are_unsupported() {
    let face = Face::start().await;
    let check = async |content_type: &str, status: u16| {
        let post = face.post(IDENTITIES).header("content-type", content_type);
        let reply = post.body("{}").send().await;
        assert_eq!(reply.status, status, "{content_type}");
        if status == 415 {
            let detail = format!("Unsupported media type \"{content_type}\" in request.");
            assert_eq!(reply.json(), json!({ "detail": detail }));
        }
    };

    check("text/plain", 415).await;
    check("application/xml; charset=utf-8", 415).await;
    check("", 415).await;
    check("APPLICATION/JSON; charset=utf-8", 200).await;
}

#[tokio::test]
async fn an_absent_body_is_an_empty_object_whatever_its_type() {
    let face = Face::start().await;
    let missing = json!({
        "identity": ["This field is required."],
        "trait_value": ["This field is required."],
        "trait_key": ["This field is required."],
    });

    let plain = face
        .post("/api/v1/traits/")
        .header("content-type", "text/plain");
    let reply = plain.send().await;

    assert_eq!((reply.status, reply.json()), (400, missing));
}

#[tokio::test]
async fn forms_are_read_like_json() {
    let face = Face::start().await;
    let expected =
        json!({"identity": {"identifier": "formy"}, "trait_value": "5", "trait_key": "n"});

    let form = face
        .post("/api/v1/traits/")
        .header("content-type", "application/x-www-form-urlencoded")
        .body("identity.identifier=formy&trait_key=n&trait_value=5")
        .send()
        .await;
    let multipart = face
        .post("/api/v1/traits/")
        .header("content-type", "multipart/form-data; boundary=b")
        .body(
            "--b\r\nContent-Disposition: form-data; name=\"identity.identifier\"\r\n\r\nformy\r\n\
             --b\r\nContent-Disposition: form-data; name=\"trait_key\"\r\n\r\nn\r\n\
             --b\r\nContent-Disposition: form-data; name=\"trait_value\"\r\n\r\n5\r\n--b--\r\n",
        )
        .send()
        .await;

    assert_eq!((form.status, form.json()), (200, expected.clone()));
    assert_eq!((multipart.status, multipart.json()), (200, expected));
}

#[tokio::test]
async fn nul_characters_are_refused_everywhere() {
    let face = Face::start().await;
    let nul = "Null characters are not allowed.";
    let get = async |path: &str| face.get(path).send().await;

    check(
        &face,
        IDENTITIES,
        r#"{"identifier": "a\u0000"}"#,
        400,
        json!({"identifier": [nul]}),
    )
    .await;
    check(
        &face,
        IDENTITIES,
        r#"{"traits": [{"trait_key": "a\u0000", "trait_value": 1}]}"#,
        400,
        json!({"traits": [{"trait_key": [nul]}]}),
    )
    .await;
    check(
        &face,
        IDENTITIES,
        r#"{"traits": [{"trait_key": "a", "trait_value": "\u0000"}]}"#,
        400,
        json!({"traits": [{"trait_value": [nul]}]}),
    )
    .await;
    let query = get("/api/v1/identities/?identifier=a%00").await;
    assert_eq!(
        (query.status, query.json()),
        (400, json!({"identifier": [nul]}))
    );
    let path = get("/api/v1/identities/a%00/").await;
    assert_eq!(
        (path.status, path.json()),
        (400, json!({"identifier": [nul]}))
    );
    assert_eq!(get("/api/v1/flags/?feature=%00").await.status, 404);
}

#[tokio::test]
async fn trait_keys_of_any_script_are_kept() {
    let face = Face::start().await;
    let keys = [
        "größe",
        "名前",
        "🚩",
        "a.b[0]",
        "\u{202e}x",
        "ключ with blanks",
        "'\"\\",
    ];
    let traits: Vec<Json> = keys
        .iter()
        .map(|key| json!({"trait_key": key, "trait_value": key}))
        .collect();
    let body = json!({"identifier": "unicode", "traits": traits}).to_string();
    face.post(IDENTITIES).body(body).send().await;

    let reply = face
        .get("/api/v1/identities/?identifier=unicode")
        .send()
        .await;

    let traits = reply.json()["traits"].clone();
    let kept: Vec<&str> = traits
        .as_array()
        .unwrap()
        .iter()
        .map(|each| each["trait_key"].as_str().unwrap())
        .collect();
    assert_eq!(kept, keys);
}

#[tokio::test]
async fn ids_that_cannot_be_are_not_found() {
    let face = Face::start().await;
    for id in [
        "-1",
        "0",
        "99999999999999999999",
        "9223372036854775807",
        "1e3",
        "x",
        "%31%00",
    ] {
        let path = format!("/api/v1/flags/{id}/multivariate-options/");
        let reply = face.get(&path).send().await;
        assert_eq!(reply.status, 404, "{id}");
        assert!(reply.json()["detail"].is_string(), "{id}");
    }
}

#[tokio::test]
async fn paths_that_are_no_text_are_not_found() {
    let face = Face::start().await;

    for path in [
        "/api/v1/identities/%ff/",
        "/api/v1/nothing/",
        "/nothing",
        "/api/v1/flags/a/b",
    ] {
        let reply = face.get(path).send().await;
        assert_eq!(
            (reply.status, reply.json()),
            (404, json!({"detail": "Not found."})),
            "{path}"
        );
    }
}

#[tokio::test]
async fn keys_that_open_nothing_are_refused_in_the_two_recorded_ways() {
    let face = Face::start().await;
    let check = async |key: Option<&[u8]>, expected: &str| {
        let mut get = face.keyless("GET", "/api/v1/flags/");
        if let Some(key) = key {
            get = get.header_bytes("x-environment-key", key);
        }
        let reply = get.send().await;
        let detail = format!("Invalid or missing Environment {expected}");
        assert_eq!(
            (reply.status, reply.json()),
            (403, json!({ "detail": detail })),
            "{key:?}"
        );
    };

    check(None, "key").await;
    check(Some(b""), "key").await;
    check(Some(b"   "), "key").await;
    check(Some(b"unknown"), "Key").await;
    check(Some(b"ser.unknown"), "Key").await;
    check(Some(b"with blanks inside"), "Key").await;
    check(Some("ключ".as_bytes()), "Key").await;
    check(Some("x".repeat(5000).as_bytes()), "Key").await;
}

#[tokio::test]
async fn the_document_needs_a_server_side_key() {
    let face = Face::start().await;
    let path = "/api/v1/environment-document/";

    let with_client_key = face.get(path).send().await;
    let with_server_key = face.get_with(SERVER_KEY, path).send().await;

    assert_eq!(with_client_key.status, 403);
    assert_eq!(with_server_key.status, 200);
    assert_ne!(CLIENT_KEY, SERVER_KEY);
}

#[tokio::test]
async fn methods_that_are_not_declared_are_not_allowed_and_the_others_named() {
    let face = Face::start().await;
    let check = async |method: &str, path: &str, allow: &str| {
        let reply = face.request(method, path).send().await;
        assert_eq!(reply.status, 405, "{method} {path}");
        assert_eq!(reply.header("allow"), Some(allow), "{method} {path}");
        let detail = format!("Method \"{method}\" not allowed.");
        assert_eq!(reply.json(), json!({ "detail": detail }));
    };

    check("DELETE", "/api/v1/flags/", "GET, HEAD, OPTIONS").await;
    check("PUT", IDENTITIES, "GET, POST, HEAD, OPTIONS").await;
    check("GET", "/api/v1/traits/", "POST, OPTIONS").await;
    check("POST", "/api/v1/traits/bulk/", "PUT, OPTIONS").await;
    check("TRACE", "/api/v1/flags/", "GET, HEAD, OPTIONS").await;
    check(
        "POST",
        "/api/v1/flags/1/multivariate-options/",
        "OPTIONS, GET",
    )
    .await;
}

#[tokio::test]
async fn numbers_that_no_answer_could_carry_are_refused() {
    let face = Face::start().await;

    check(
        &face,
        IDENTITIES,
        r#"{"traits": [{"trait_key": "a", "trait_value": 1e400}]}"#,
        400,
        json!({"traits": [{"trait_value": ["A valid number is required."]}]}),
    )
    .await;
}
