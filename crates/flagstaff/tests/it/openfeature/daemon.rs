//! What flagd serves that reads this server: over HTTP, where it polls, and over gRPC, where it is told.

use super::conversation;
use super::flagd::{Flagd, LIMIT, binary};
use super::provider::{Language, Provider};
use super::stage::Stage;
use crate::clients::SERVER_KEY;
use crate::database::Database;
use crate::http::{block_on, get};
use crate::schedule::{Plan, now};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Instant;

/// How flagd is told about the document.
fn polling(url: &str, key: &str) -> Value {
    json!({
        "provider": "http",
        "uri": format!("{url}/api/v1/flagd/flags.json"),
        "authHeader": format!("Bearer {key}"),
        "interval": 1,
    })
}

/// How flagd is told about the stream.
fn following(url: &str, key: &str) -> Value {
    let address = url.strip_prefix("http://").unwrap();
    json!({ "provider": "grpc", "uri": address, "selector": key, "providerID": "flagd" })
}

type Source = fn(&str, &str) -> Value;

/// Every flag says through flagd what it says here, and a change gets through to a client of flagd.
fn journey(source: Source, database: Option<Database>) {
    let (Some(binary), Some(database)) = (binary(), database) else {
        return;
    };
    let mut stage = Stage::prepare(&database, "flagd-v2");
    let flagd = Flagd::serving(
        "banner",
        &binary,
        database.folder(),
        &source(stage.url(), SERVER_KEY),
    );

    check_cases(&flagd);
    for number in 0..200 {
        let person = format!("person-{number}");
        let context = json!({ "targetingKey": person });
        for flag in ["colour", "layout", "op-third"] {
            let (through, here) = (flagd.ask(flag, &context), stage.ask(flag, &context));
            assert_eq!(through["value"], here["value"], "{flag} of {person}");
        }
    }
    let through = Provider::new(Language::Python, "through_flagd", "flagd-v2");
    if let Some(mut command) = through.command() {
        command.env("FLAGD_PORT", flagd.rpc_port.to_string());
        let said = conversation::hold(&mut command, &mut stage);
        assert!(
            said.is_ok(),
            "{}\nflagd:\n{}",
            said.unwrap_err(),
            flagd.log()
        );
    }

    // While the server is away flagd serves what it has, and follows again afterwards.
    let anna = json!({ "targetingKey": "anna" });
    stage.stop_server();
    assert_eq!(flagd.ask("banner", &anna)["value"], "Changed");
    stage.start_server();
    stage.change("banner", &json!("Back again"));
    flagd.wait_for("banner", &anna, &json!("Back again"));
    stage.stop();
}

/// The cases of all providers, but those about types that are asked for: flagd's OFREP names none.
fn check_cases(flagd: &Flagd) {
    let text = std::fs::read_to_string(super::provider::cases()).unwrap();
    let cases: Vec<Value> = serde_json::from_str(&text).unwrap();
    for case in cases.iter().filter(|case| case["error"] != "TYPE_MISMATCH") {
        let mut context = case["attributes"].clone();
        if context.is_null() {
            context = json!({});
        }
        if !case["key"].is_null() {
            context["targetingKey"] = case["key"].clone();
        }
        let answer = flagd.ask(case["flag"].as_str().unwrap(), &context);
        let others = [&case["differs"]["flagd"], &case["differs"]["in-process"]];
        let other = others.into_iter().find(|other| !other.is_null());
        let expected = other.unwrap_or(case);
        let name = &case["name"];
        if !expected["error"].is_null() {
            assert_eq!(answer["errorCode"], expected["error"], "{name}: {answer}");
        } else if expected["variant"].is_null() {
            assert_eq!(answer["value"], Value::Null, "{name}: {answer}");
            assert_eq!(answer["reason"], expected["reason"], "{name}: {answer}");
        } else {
            let is_same = |field: &str| match (answer[field].as_f64(), expected[field].as_f64()) {
                (Some(said), Some(expected)) => said == expected,
                _ => answer[field] == expected[field],
            };
            for field in ["value", "variant", "reason"] {
                assert!(is_same(field), "{name}: {answer}");
            }
        }
    }
}

#[test]
fn flagd_polls_the_document_on_sqlite() {
    journey(polling, Some(Database::sqlite()));
}

#[test]
fn flagd_polls_the_document_on_postgres() {
    journey(polling, Database::postgres());
}

#[test]
fn flagd_follows_the_stream_on_sqlite() {
    journey(following, Some(Database::sqlite()));
}

#[test]
fn flagd_follows_the_stream_on_postgres() {
    journey(following, Database::postgres());
}

#[test]
fn a_scheduled_change_reaches_flagd_at_the_first_poll_after_its_time() {
    let Some(binary) = binary() else { return };
    let database = Database::sqlite();
    block_on(async {
        let (server, plan) = Plan::make(&database, 8).await;
        let desk = &plan.desk;
        let projects = desk
            .manage(&server, Method::GET, "projects/", Value::Null)
            .await;
        let path = format!("projects/{}/integrations/flagd/", projects.json[0]["id"]);
        let on = desk
            .manage(&server, Method::PATCH, &path, json!({ "enabled": true }))
            .await;
        assert!(on.status < 300, "{on:?}");
        let source = polling(&server.url, &desk.server_key);

        let late = tokio::task::spawn_blocking(move || {
            let flagd = Flagd::serving("planned", &binary, database.folder(), &source);
            let begun = Instant::now();
            while flagd.ask("planned", &json!({}))["value"] != "after" {
                let answer = flagd.ask("planned", &json!({}));
                assert!(begun.elapsed() < LIMIT, "{answer}\n{}", flagd.log());
            }
            (now() - plan.due, database)
        })
        .await
        .unwrap()
        .0;

        // It polls each second; a busy machine takes its time.
        assert!((0..3_000_000).contains(&late), "{late} µs after its time");
        server.stop();
    });
}

#[test]
fn flagd_that_is_refused_or_finds_the_integration_off_does_not_start() {
    let Some(binary) = binary() else { return };
    let database = Database::sqlite();
    let stage = Stage::prepare(&database, "flagd-v2");
    let status = |key: &str| get(&format!("{}/api/v1/flagd/flags.json", stage.url()), key).0;
    let refused = |source: &Value| {
        let (status, log) = Flagd::start(&binary, database.folder(), source).end();
        assert!(!status.success(), "{log}");
        log
    };
    let running = Flagd::serving(
        "banner",
        &binary,
        database.folder(),
        &polling(stage.url(), SERVER_KEY),
    );

    assert_eq!(status("ser.wrong"), 403);
    let log = refused(&polling(stage.url(), "ser.wrong"));
    assert!(log.contains("403"), "{log}");

    stage.switch_flagd(false);
    assert_eq!(status(SERVER_KEY), 404);
    let log = refused(&polling(stage.url(), SERVER_KEY));
    assert!(log.contains("404"), "{log}");

    // One that runs keeps what it has, and follows again when the integration is back.
    let anna = json!({ "targetingKey": "anna" });
    stage.change("banner", &json!("Unseen"));
    std::thread::sleep(std::time::Duration::from_millis(2500));
    assert_eq!(running.ask("banner", &anna)["value"], "Welcome");
    stage.switch_flagd(true);
    running.wait_for("banner", &anna, &json!("Unseen"));
    stage.stop();
}
