use super::polls::{BOTH, DIAGNOSTICS, FLAGS, Served};
use crate::face::{CLIENT_KEY, Face, Reply, SERVER_KEY};
use flagstaff_api::{ApiConfig, FlagdConfig};
use serde_json::json;

#[track_caller]
fn assert_refused(reply: &Reply) {
    assert_eq!(reply.status, 403, "{}", reply.text());
    let body = reply.json();
    assert!(body["detail"].is_string(), "{body}");
    assert_eq!(body.as_object().unwrap().len(), 1);
}

#[track_caller]
fn assert_off(reply: &Reply) {
    let expected = json!({ "detail": "flagd integration is not enabled for this project." });
    assert_eq!((reply.status, reply.json()), (404, expected));
}

#[tokio::test]
async fn requirement_01_the_document_of_one_environment_is_answered() {
    let face = Face::start_with_flagd().await;

    let reply = face.polled(FLAGS).await;

    assert_eq!(reply.header("content-type"), Some("application/json"));
    let document = reply.json();
    assert_eq!(
        document["$schema"],
        "https://flagd.dev/schema/v0/flags.json"
    );
    let flags = document["flags"].as_object().unwrap();
    let expected = face.get("/api/v1/flags/").send().await.json();
    assert!(!flags.is_empty());
    for flag in expected.as_array().unwrap() {
        let name = flag["feature"]["name"].as_str().unwrap();
        assert!(flags.contains_key(name), "{name} is missing");
    }
}

#[tokio::test]
async fn requirement_01_the_documents_are_only_read() {
    let face = Face::start_with_flagd().await;

    for path in BOTH {
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            let ask = face.keyless(method, path);
            let reply = ask.header("x-environment-key", SERVER_KEY).send().await;
            assert_eq!(reply.status, 405, "{method} {path}");
            assert_eq!(reply.header("allow"), Some("GET, HEAD, OPTIONS"));
        }
    }
}

#[tokio::test]
async fn requirement_01_polls_are_not_throttled() {
    let face = Face::start_with_flagd().await;

    for _ in 0..300 {
        assert_eq!(face.poll(FLAGS, &[]).await.status, 200);
    }
}

#[tokio::test]
async fn requirement_01_what_flagd_sends_is_taken() {
    let face = Face::start_with_flagd().await;

    // As Go's client: two lines of `Accept`, of which the second alone would be refused.
    let reply = face
        .poll(
            FLAGS,
            &[
                ("accept", "application/json, application/yaml"),
                ("user-agent", "Go-http-client/1.1"),
            ],
        )
        .await;

    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), Some("application/json"));
}

#[tokio::test]
async fn requirement_02_the_key_is_taken_from_either_header() {
    let face = Face::start_with_flagd().await;
    let bearer = format!("Bearer {SERVER_KEY}");
    let check = async |headers: &[(&str, &str)], expected: u16| {
        for path in BOTH {
            let mut ask = face.keyless("GET", path);
            for (name, value) in headers {
                ask = ask.header(name, value);
            }
            assert_eq!(ask.send().await.status, expected, "{path} {headers:?}");
        }
    };

    check(&[("x-environment-key", SERVER_KEY)], 200).await;
    check(&[("authorization", &bearer)], 200).await;
    check(&[("authorization", SERVER_KEY)], 200).await;
    check(&[("authorization", &format!("bearer  {SERVER_KEY}"))], 200).await;
    // The header made for keys decides where it is there.
    check(
        &[
            ("x-environment-key", SERVER_KEY),
            ("authorization", "Bearer ser.no"),
        ],
        200,
    )
    .await;
    check(
        &[("x-environment-key", "ser.no"), ("authorization", &bearer)],
        403,
    )
    .await;
    check(&[("authorization", &format!("Token {SERVER_KEY}"))], 403).await;
}

#[tokio::test]
async fn requirement_03_only_a_server_side_key_that_holds_opens() {
    let face = Face::start_with_flagd().await;

    for path in BOTH {
        assert_refused(&face.keyless("GET", path).send().await);
        assert_refused(&face.get_with("", path).send().await);
        assert_refused(&face.get_with("ser.unknown", path).send().await);
        assert_refused(&face.get_with(CLIENT_KEY, path).send().await);
        let client = format!("Bearer {CLIENT_KEY}");
        let ask = face.keyless("GET", path).header("authorization", &client);
        assert_refused(&ask.send().await);
        let ask = face.keyless("GET", path);
        assert_refused(
            &ask.header_bytes("x-environment-key", b"ser.\xff")
                .send()
                .await,
        );
    }
    face.let_server_key_expire_in(10).await;
    assert_eq!(face.poll(FLAGS, &[]).await.status, 200);
    face.pass_seconds(10);
    for path in BOTH {
        assert_refused(&face.poll(path, &[]).await);
    }
}

#[tokio::test]
async fn requirement_03_a_withdrawn_key_opens_nothing_any_more() {
    let face = Face::start_with_flagd().await;
    let tag = face.polled(FLAGS).await.tag().to_owned();

    face.withdraw_server_key().await;

    for path in BOTH {
        assert_refused(&face.poll(path, &[("if-none-match", &tag)]).await);
    }
}

#[tokio::test]
async fn requirement_04_diagnostics_are_answered_beside_the_document() {
    let face = Face::start_with_flagd().await;

    let reply = face.polled(DIAGNOSTICS).await;

    assert_eq!(reply.header("content-type"), Some("application/json"));
    let body = reply.json();
    let flags = face.polled(FLAGS).await.json();
    assert_eq!(body["flagSetId"], flags["metadata"]["flagSetId"]);
    let total = body["summary"]["totalWarnings"].as_u64().unwrap();
    let of_features = body["features"].as_array().unwrap().iter();
    let of_features: usize = of_features
        .map(|part| part["warnings"].as_array().unwrap().len())
        .sum();
    let of_environment = body["environmentWarnings"].as_array().unwrap().len();
    assert_eq!(total, (of_features + of_environment) as u64);
}

#[tokio::test]
async fn requirement_05_a_project_that_is_not_switched_on_is_not_served() {
    let face = Face::start().await;

    for path in BOTH {
        assert_off(&face.poll(path, &[]).await);
        // Who asks is asked first.
        assert_refused(&face.get_with(CLIENT_KEY, path).send().await);
        assert_refused(&face.keyless("GET", path).send().await);
    }
    face.set_flagd(false).await;
    for path in BOTH {
        assert_off(&face.poll(path, &[]).await);
    }
}

#[tokio::test]
async fn requirement_05_another_project_of_the_same_server_stays_off() {
    let served = Served::open().await;
    let desk = &served.desk;
    let other = json!({ "name": "Other", "organisation": desk.organisation });
    let other = desk.make("/api/v1/projects/", other).await;
    let body = json!({ "name": "Elsewhere", "project": other });
    let environment = desk.post("/api/v1/environments/", body).await.json();
    let keys = format!(
        "/api/v1/environments/{}/api-keys/",
        environment["api_key"].as_str().unwrap()
    );
    let key = desk.post(&keys, json!({ "name": "poller" })).await.json();

    let elsewhere = desk
        .face
        .get_with(key["key"].as_str().unwrap(), FLAGS)
        .send()
        .await;

    assert_off(&elsewhere);
    assert_eq!(served.poll(&[]).await.status, 200);
}

#[tokio::test]
async fn requirement_07_the_switch_holds_for_the_next_request() {
    let face = Face::start().await;
    assert_off(&face.poll(FLAGS, &[]).await);

    for _ in 0..3 {
        face.set_flagd(true).await;
        for path in BOTH {
            assert_eq!(face.poll(path, &[]).await.status, 200);
        }
        face.set_flagd(false).await;
        for path in BOTH {
            assert_off(&face.poll(path, &[]).await);
        }
    }
}

#[tokio::test]
async fn requirement_07_the_gate_runs_before_conditional_requests() {
    let face = Face::start_with_flagd().await;
    face.pass_seconds(60);
    for path in BOTH {
        let held = face.polled(path).await;
        let (tag, time) = (held.tag().to_owned(), held.last_modified().to_owned());
        face.poll(path, &[("if-none-match", &tag)])
            .await
            .assert_not_modified();

        face.set_flagd(false).await;

        assert_off(&face.poll(path, &[("if-none-match", &tag)]).await);
        assert_off(&face.poll(path, &[("if-none-match", "*")]).await);
        assert_off(&face.poll(path, &[("if-modified-since", &time)]).await);
        let future = "Fri, 01 Jan 2100 00:00:00 GMT";
        assert_off(&face.poll(path, &[("if-modified-since", future)]).await);
        face.set_flagd(true).await;
        face.pass_seconds(60);
    }
}

#[tokio::test]
async fn a_stopped_organisation_is_not_served() {
    let face = Face::start_with_flagd().await;
    let stop = "UPDATE organisations SET stop_serving_flags = TRUE";
    flagstaff_testkit::sql::execute(&face.store, stop).await;
    // A change, after which everything is read again.
    face.set_flagd(true).await;

    for path in BOTH {
        assert_refused(&face.poll(path, &[]).await);
    }
}

#[tokio::test]
async fn requirement_24_the_project_says_where_shared_segments_stand_and_in_which_form() {
    let served = Served::open().await;
    let desk = &served.desk;
    let other = desk
        .make_feature(json!({ "name": "other", "initial_value": "x" }))
        .await;
    let condition = json!({ "operator": "EQUAL", "property": "age", "value": "5" });
    let rules = json!([{ "type": "ALL", "rules": [{ "type": "ANY", "conditions": [condition] }] }]);
    let body = json!({ "name": "five", "rules": rules });
    let segment = desk.make(&desk.in_project("segments/"), body).await;
    for feature in [served.feature, other] {
        let path = desk.in_environment(&format!("features/{feature}/create-segment-override/"));
        let body = json!({
            "feature_segment": { "segment": segment },
            "enabled": true,
            "feature_state_value": { "type": "unicode", "string_value": "for five" },
        });
        let made = desk.post(&path, body).await;
        assert_eq!(made.status, 201, "{}", made.text());
    }
    let path = desk.in_project("integrations/flagd/");
    let ask = async |evaluators: &str, form: &str| {
        let body = json!({ "evaluators": evaluators, "form": form });
        assert_eq!(desk.patch(&path, body).await.status, 200);
        served.poll(&[]).await.json()
    };

    let shared = ask("shared", "typed").await;
    let inline = ask("inline", "typed").await;
    let lean = ask("inline", "lean").await;

    assert_eq!(shared["$evaluators"].as_object().unwrap().len(), 1);
    assert!(shared["flags"].to_string().contains("$ref"));
    assert_eq!(inline.get("$evaluators"), None);
    assert!(!inline["flags"].to_string().contains("$ref"));
    assert_ne!(inline["flags"], lean["flags"]);
}

#[tokio::test]
async fn requirement_23_the_setting_bounds_the_identities_a_flag_names() {
    let config = ApiConfig {
        flagd: FlagdConfig {
            identity_override_limit: 1,
            ..FlagdConfig::default()
        },
        ..ApiConfig::default()
    };
    let face = Face::start_with(config).await;
    face.set_flagd(true).await;

    // Two people have an override of `limit`.
    let flags = face.polled(FLAGS).await.json();
    let diagnostics = face.polled(DIAGNOSTICS).await.json();

    let targeting = flags["flags"]["limit"]["targeting"].to_string();
    assert!(targeting.contains("alice@example.com"), "{targeting}");
    assert!(!targeting.contains("bob"), "{targeting}");
    let features = diagnostics["features"].as_array().unwrap();
    let limit = features
        .iter()
        .find(|part| part["name"] == "limit")
        .unwrap();
    let warning = json!({
        "reason": "identity_override_limit_exceeded",
        "detail": "feature=limit, dropped=1",
    });
    assert!(
        limit["warnings"].as_array().unwrap().contains(&warning),
        "{limit}"
    );
}
