//! Guards of rollouts, what they are told, and hooks.

use super::desk::Desk;
use crate::face::Reply;
use serde_json::{Value as Json, json};

/// A rollout at 25 % that waits for approval before everybody gets it.
async fn rollout(desk: &Desk) -> String {
    desk.make_feature(json!({ "name": "checkout" })).await;
    let body = json!({
        "environment": desk.key, "feature": "checkout",
        "steps": [{ "percentage": 25, "needs_approval": true, "hold_seconds": 86400 }, { "percentage": 100 }],
    });
    let id = desk.make("/api/v1/rollouts/", body).await;
    format!("/api/v1/rollouts/{id}/")
}

fn health(name: &str) -> Json {
    json!({ "name": name, "kind": "health" })
}

/// A hook's address, as its path.
async fn hook(desk: &Desk, rollout: &str) -> String {
    let made = desk.post(&format!("{rollout}hook/"), json!({})).await;
    assert_eq!(made.status, 201, "{}", made.text());
    made.json()["path"].as_str().unwrap().to_owned()
}

/// What a program without headers of its own sends.
async fn call(desk: &Desk, path: &str, body: Json) -> Reply {
    let ask = desk.face.keyless("POST", path);
    let ask = ask.header("content-type", "application/json");
    ask.body(body.to_string()).send().await
}

/// Lets guards look until one of them thinks this.
async fn until(desk: &Desk, rollout: &str, verdict: &str) {
    for _ in 0..500 {
        desk.face.service.look_after_rollouts().await.unwrap();
        let guards = desk.get(&format!("{rollout}guards/")).await.json();
        let mut guards = guards.as_array().unwrap().iter();
        if guards.any(|guard| guard["verdict"] == verdict) {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("no guard says {verdict}");
}

/// As Flagger sends it.
fn flagger(phase: &str) -> Json {
    json!({
        "name": "shop", "namespace": "web", "phase": phase, "checksum": "85d557f47b",
        "metadata": { "test": "all" },
    })
}

fn flagger_event(phase: &str) -> Json {
    json!({
        "name": "shop", "namespace": "web", "phase": phase, "checksum": "85d557f47b",
        "metadata": {
            "eventMessage": "Canary analysis completed", "eventType": "Normal", "timestamp": "1790000000000",
        },
    })
}

#[tokio::test]
async fn guards_of_every_kind_are_made_listed_shown_and_deleted() {
    let desk = Desk::open().await;
    let rollout = rollout(&desk).await;
    let path = format!("{rollout}guards/");
    let bodies = [
        json!({
            "name": "rate", "kind": "metric", "source": "https://metrics.example.com/prom",
            "query": "sum(a) / sum(b)", "harm": "above", "limit": 0.02,
            "on_harm": "hold", "on_silence": "nothing", "grace_seconds": 0, "every_seconds": 3600, "looks": 100,
        }),
        json!({ "name": "failures", "kind": "failure_rate", "limit": 0.05 }),
        json!({ "name": "against the others", "kind": "comparison" }),
        health("others say"),
    ];

    let mut made = Vec::new();
    for body in &bodies {
        let reply = desk.post(&path, body.clone()).await;
        assert_eq!(reply.status, 201, "{}", reply.text());
        let json = reply.json();
        for (field, value) in body.as_object().unwrap() {
            assert_eq!(&json[field], value, "{field}");
        }
        made.push(json["id"].clone());
    }
    let list = desk.get(&path).await.json();
    let audited = desk.last_audited(1).await;
    let one = format!("{path}{}/", made[2]);
    let shown = desk.get(&one).await.json();
    let deleted = desk.delete(&one).await;
    let gone = desk.get(&one).await;

    assert_eq!(list.as_array().unwrap().len(), 4);
    assert_eq!(
        (
            &list[1]["minimum"],
            &list[1]["on_harm"],
            &list[1]["on_silence"]
        ),
        (&json!(100), &json!("roll_back"), &json!("hold"))
    );
    assert_eq!(
        (
            &list[1]["grace_seconds"],
            &list[1]["every_seconds"],
            &list[1]["looks"]
        ),
        (&json!(300), &json!(15), &json!(1))
    );
    assert_eq!(
        (
            &shown["alpha"],
            &shown["tolerated_ratio"],
            &shown["harmful_ratio"]
        ),
        (&json!(0.05), &json!(1.0), &json!(2.0))
    );
    assert_eq!(shown["p_value"], json!(1.0));
    assert!(
        audited[0].contains("Guard 'others say' of rollout"),
        "{audited:?}"
    );
    assert_eq!((deleted.status, gone.status), (204, 404));
}

#[tokio::test]
async fn what_no_guard_can_be_is_refused_by_field() {
    let desk = Desk::open().await;
    let rollout = rollout(&desk).await;
    let path = format!("{rollout}guards/");
    let metric = |field: &str, value: Json| {
        let mut body = json!({
            "name": "rate", "kind": "metric", "source": "https://metrics.example.com", "query": "up",
            "harm": "above", "limit": 1,
        });
        body[field] = value;
        body
    };
    let comparison = |field: &str, value: Json| {
        let mut body = json!({ "name": "x", "kind": "comparison" });
        body[field] = value;
        body
    };
    let rate = |limit: Json, minimum: Json| json!({ "name": "x", "kind": "failure_rate", "limit": limit, "minimum": minimum });

    for (body, field) in [
        (json!({ "kind": "health" }), "name"),
        (health(""), "name"),
        (health(&"x".repeat(101)), "name"),
        (json!({ "name": "x" }), "kind"),
        (json!({ "name": "x", "kind": "luck" }), "kind"),
        (metric("harm", json!("beyond")), "harm"),
        (metric("limit", json!("much")), "limit"),
        (metric("query", json!("")), "query"),
        (metric("query", json!("x".repeat(4001))), "query"),
        (metric("source", json!("nowhere")), "source"),
        (metric("source", json!("http://127.0.0.1:9090")), "source"),
        (
            metric("source", json!("http://me:secret@metrics.example.com")),
            "source",
        ),
        (
            metric("source", json!("ftp://metrics.example.com")),
            "source",
        ),
        (metric("every_seconds", json!(0)), "every_seconds"),
        (metric("every_seconds", json!(3601)), "every_seconds"),
        (metric("grace_seconds", json!(86401)), "grace_seconds"),
        (metric("grace_seconds", json!(-1)), "grace_seconds"),
        (metric("looks", json!(0)), "looks"),
        (metric("on_harm", json!("panic")), "on_harm"),
        (metric("on_silence", json!("panic")), "on_silence"),
        (rate(json!(1.1), json!(1)), "limit"),
        (rate(json!(-0.1), json!(1)), "limit"),
        (rate(json!(0.1), json!(0)), "minimum"),
        (comparison("alpha", json!(0)), "alpha"),
        (comparison("alpha", json!(0.6)), "alpha"),
        (comparison("tolerated_ratio", json!(0)), "tolerated_ratio"),
        (comparison("harmful_ratio", json!(1)), "harmful_ratio"),
    ] {
        let reply = desk.post(&path, body.clone()).await;
        assert_eq!(reply.status, 400, "{body}: {}", reply.text());
        assert!(
            reply.json().get(field).is_some(),
            "{body}: {}",
            reply.text()
        );
        assert!(!reply.text().contains("secret"), "{}", reply.text());
    }
    assert_eq!(desk.get(&path).await.json(), json!([]));
}

#[tokio::test]
async fn names_are_unique_and_guards_are_ten_at_most() {
    let desk = Desk::open().await;
    let rollout = rollout(&desk).await;
    let path = format!("{rollout}guards/");
    for number in 0..10 {
        let made = desk.post(&path, health(&format!("guard {number}"))).await;
        assert_eq!(made.status, 201, "{}", made.text());
        if number == 0 {
            let again = desk.post(&path, health("GUARD 0")).await;
            assert_eq!(
                (again.status, again.text()),
                (
                    400,
                    r#"{"non_field_errors":["Guard already exists."]}"#.to_owned()
                )
            );
        }
    }

    let eleventh = desk.post(&path, health("eleventh")).await;

    assert_eq!(eleventh.status, 400, "{}", eleventh.text());
    assert!(
        eleventh.text().contains("10 already"),
        "{}",
        eleventh.text()
    );
}

#[tokio::test]
async fn strangers_see_neither_guards_nor_signals_nor_hooks() {
    let desk = Desk::open().await;
    let rollout = rollout(&desk).await;
    let stranger = desk.stranger().await;

    for (method, part) in [
        ("GET", "guards/"),
        ("POST", "guards/"),
        ("GET", "guards/1/"),
        ("DELETE", "guards/1/"),
        ("GET", "signals/"),
        ("POST", "signals/"),
        ("POST", "health/"),
        ("GET", "hook/"),
        ("POST", "hook/"),
        ("DELETE", "hook/"),
    ] {
        let path = format!("{rollout}{part}");
        let body = json!({
            "name": "x", "kind": "health", "variant": "treated", "successes": 1, "status": "healthy",
        });
        let nobody = desk.face.keyless(method, &path).body(body.to_string());
        let nobody = nobody
            .header("content-type", "application/json")
            .send()
            .await;
        let theirs = stranger.ask(method, &path, Some(body.clone())).await;

        assert!(
            matches!(nobody.status, 401 | 403),
            "{method} {part}: {}",
            nobody.status
        );
        assert_eq!(theirs.status, 404, "{method} {part}: {}", theirs.text());
    }
}

#[tokio::test]
async fn signals_are_counted_for_both_arms_and_once_under_a_key() {
    let desk = Desk::open().await;
    let rollout = rollout(&desk).await;
    let path = format!("{rollout}signals/");
    let report = json!({
        "signals": [
            { "variant": "treated", "successes": 480, "failures": 3 },
            { "variant": "control", "successes": 4310, "failures": 21 },
            { "variant": "treated", "failures": 1 },
        ],
        "idempotency_key": "pod-1",
    });

    let first = desk.post(&path, report.clone()).await;
    let again = desk.post(&path, report.clone()).await;
    let mut other = report.clone();
    other["signals"][0]["failures"] = json!(4);
    let other = desk.post(&path, other).await;
    let single = desk
        .post(&path, json!({ "variant": "control", "failures": 2 }))
        .await;

    assert_eq!(
        (first.status, &first.json()["counted"]),
        (200, &json!(true)),
        "{}",
        first.text()
    );
    assert_eq!(
        (again.status, &again.json()["counted"]),
        (200, &json!(false))
    );
    assert_eq!(other.status, 400, "{}", other.text());
    assert!(
        other.json().get("idempotency_key").is_some(),
        "{}",
        other.text()
    );
    let counted = json!([
        { "variant": "treated", "successes": 480, "failures": 4 },
        { "variant": "control", "successes": 4310, "failures": 23 },
    ]);
    assert_eq!(single.json()["signals"], counted);
    assert_eq!(desk.get(&path).await.json()["signals"], counted);
}

#[tokio::test]
async fn signals_that_count_nothing_or_nobody_are_refused() {
    let desk = Desk::open().await;
    let rollout = rollout(&desk).await;
    let path = format!("{rollout}signals/");
    let many: Vec<Json> = (0..51)
        .map(|_| json!({ "variant": "treated", "successes": 1 }))
        .collect();

    for (body, word) in [
        (json!({}), "variant"),
        (json!({ "signals": [] }), "signals"),
        (json!({ "signals": many }), "signals"),
        (json!({ "variant": "treated" }), "signals"),
        (json!({ "variant": "blue", "successes": 1 }), "`blue`"),
        (
            json!({ "variant": "treated", "successes": -1 }),
            "successes",
        ),
        (
            json!({ "variant": "treated", "failures": 1_000_000_001_i64 }),
            "failures",
        ),
        (
            json!({ "variant": "treated", "failures": 1, "idempotency_key": "x".repeat(201) }),
            "idempotency_key",
        ),
    ] {
        let reply = desk.post(&path, body.clone()).await;
        assert_eq!(reply.status, 400, "{body}: {}", reply.text());
        assert!(reply.text().contains(word), "{body}: {}", reply.text());
    }
    let none = desk.get(&path).await.json();
    assert_eq!(none["signals"][0]["successes"], 0);
}

#[tokio::test]
async fn programs_with_a_server_key_of_the_environment_may_report() {
    let desk = Desk::open().await;
    let rollout = rollout(&desk).await;
    let elsewhere = desk.make_environment("Elsewhere").await;
    let server_key = async |environment: &str| {
        let path = format!("/api/v1/environments/{environment}/api-keys/");
        let made = desk.post(&path, json!({ "name": "service" })).await;
        made.json()["key"].as_str().unwrap().to_owned()
    };
    let (here, there) = (server_key(&desk.key).await, server_key(&elsewhere).await);
    let report = async |key: &str, part: &str| {
        let ask = desk.face.keyless("POST", &format!("{rollout}{part}"));
        let ask = ask
            .header("x-environment-key", key)
            .header("idempotency-key", "pod-7");
        let body = json!({ "variant": "treated", "successes": 9, "status": "unhealthy" });
        let ask = ask
            .header("content-type", "application/json")
            .body(body.to_string());
        ask.send().await
    };

    let counted = report(&here, "signals/").await;
    let again = report(&here, "signals/").await;
    let health = report(&here, "health/").await;

    assert_eq!(
        (counted.status, &counted.json()["counted"]),
        (200, &json!(true)),
        "{}",
        counted.text()
    );
    assert_eq!(again.json()["counted"], false);
    assert_eq!(
        (health.status, &health.json()["source"]),
        (200, &json!("default"))
    );
    assert_eq!(report(&there, "signals/").await.status, 404);
    assert_eq!(report(&desk.key, "signals/").await.status, 403);
    assert_eq!(report("ser.unknown", "signals/").await.status, 403);
}

#[tokio::test]
async fn an_unhealthy_report_rolls_the_rollout_back() {
    let desk = Desk::open().await;
    let rollout = rollout(&desk).await;
    desk.post(&format!("{rollout}guards/"), health("others"))
        .await;
    let path = format!("{rollout}health/");

    let good = desk
        .post(&path, json!({ "source": "sentry", "status": "healthy" }))
        .await;
    until(&desk, &rollout, "healthy").await;
    let bad = json!({ "source": "sentry", "status": "UNHEALTHY", "reason": { "issues": 3 } });
    let bad = desk.post(&path, bad).await;
    until(&desk, &rollout, "harmful").await;

    assert_eq!((good.status, bad.status), (200, 200));
    let ended = desk.get(&rollout).await.json();
    assert_eq!(ended["state"], "rolled_back");
    assert_eq!(
        ended["reason"],
        "guard `others`: `sentry` reports it unhealthy: {\"issues\":3}"
    );
    let late = desk
        .post(&format!("{rollout}guards/"), health("late"))
        .await;
    assert_eq!(late.status, 409, "{}", late.text());
    let report = json!({ "variant": "treated", "failures": 5 });
    let ignored = desk.post(&format!("{rollout}signals/"), report).await;
    assert_eq!(
        (ignored.status, &ignored.json()["counted"]),
        (200, &json!(false))
    );
    assert_eq!(
        desk.post(&path, json!({ "status": "ill" })).await.status,
        400
    );
}

#[tokio::test]
async fn the_address_of_a_hook_is_told_once_and_ends_with_the_next_one() {
    let desk = Desk::open().await;
    let rollout = rollout(&desk).await;
    let path = format!("{rollout}hook/");
    assert_eq!(desk.get(&path).await.status, 404);

    let made = desk.post(&path, json!({})).await;
    let first = made.json()["path"].as_str().unwrap().to_owned();
    let shown = desk.get(&path).await;
    let second = hook(&desk, &rollout).await;

    let caching = made.header("cache-control").unwrap_or_default();
    assert!(caching.contains("no-store"), "{caching}");
    let token = first.trim_end_matches('/').rsplit('/').next().unwrap();
    assert!(token.len() > 40, "{token}");
    assert!(!shown.text().contains(token), "{}", shown.text());
    for entry in desk.last_audited(20).await {
        assert!(!entry.contains(token), "{entry}");
    }
    let old = call(&desk, &format!("{first}status/"), json!({})).await;
    assert_eq!(old.status, 404);
    assert!(!old.text().contains(token), "{}", old.text());
    assert_eq!(
        call(&desk, &format!("{second}status/"), json!({}))
            .await
            .status,
        200
    );
    assert_eq!(desk.delete(&path).await.status, 204);
    assert_eq!(
        call(&desk, &format!("{second}status/"), json!({}))
            .await
            .status,
        404
    );
    assert_eq!(desk.delete(&path).await.status, 404);
}

#[tokio::test]
async fn flaggers_gates_open_and_close_with_the_rollout() {
    let desk = Desk::open().await;
    let rollout = rollout(&desk).await;
    let hook = hook(&desk, &rollout).await;
    let status = async |word: &str| {
        let reply = call(&desk, &format!("{hook}{word}/"), flagger("Progressing")).await;
        reply.status
    };
    let gates = [
        "confirm-rollout",
        "rollout",
        "confirm-traffic-increase",
        "confirm-promotion",
        "rollback",
    ];
    let all = async || {
        let mut all = Vec::new();
        for gate in gates {
            all.push(status(gate).await);
        }
        all
    };

    // It waits for approval; no guard is there to say anything.
    assert_eq!(all().await, [200, 200, 409, 200, 409]);
    assert_eq!(status("advance").await, 200);
    assert_eq!(all().await, [200, 200, 200, 200, 409]);
    desk.post(&format!("{rollout}guards/"), health("others"))
        .await;
    assert_eq!(
        all().await,
        [200, 200, 409, 409, 409],
        "nothing was reported yet"
    );
    desk.post(&format!("{rollout}hold/"), json!({ "reason": "lunch" }))
        .await;
    assert_eq!(all().await, [409, 409, 409, 409, 409]);
    let held = call(&desk, &format!("{hook}rollout/"), flagger("Progressing")).await;
    assert!(held.text().contains("is held: lunch"), "{}", held.text());
    desk.post(&format!("{rollout}abort/"), json!({})).await;
    assert_eq!(all().await, [409, 409, 409, 409, 200]);
    assert_eq!(status("no-such-call").await, 404);
}

#[tokio::test]
async fn a_canary_that_failed_takes_the_flag_back_and_one_that_succeeded_gives_it_to_everybody() {
    for (word, body, state) in [
        ("event", flagger_event("Progressing"), "running"),
        ("event", flagger_event("Succeeded"), "running"),
        ("event", flagger_event("Failed"), "rolled_back"),
        ("post-rollout", flagger("Failed"), "rolled_back"),
        ("post-rollout", flagger("Succeeded"), "promoted"),
        ("roll-back", json!({ "reason": "pager" }), "rolled_back"),
        ("abort", json!({}), "aborted"),
        ("promote", json!({}), "promoted"),
        ("hold", json!({ "reason": "wait" }), "held"),
    ] {
        let desk = Desk::open().await;
        let rollout = rollout(&desk).await;
        let hook = hook(&desk, &rollout).await;
        let path = format!("{hook}{word}/");

        let first = call(&desk, &path, body.clone()).await;
        let second = call(&desk, &path, body.clone()).await;

        assert_eq!(
            (first.status, second.status),
            (200, 200),
            "{word}: {} {}",
            first.text(),
            second.text()
        );
        let after = desk.get(&rollout).await.json();
        assert_eq!(after["state"], state, "{word}");
        let last = after["timeline"]
            .as_array()
            .unwrap()
            .last()
            .unwrap()
            .clone();
        if state != "running" {
            assert_eq!(
                (&last["actor"], &last["is_system"]),
                (&json!("hook"), &json!(true)),
                "{word}"
            );
        }
        if body["phase"] == "Failed" {
            assert_eq!(after["reason"], "the canary `shop` in `web` failed");
        }
    }
}

#[tokio::test]
async fn a_failure_after_the_end_is_of_something_else() {
    let desk = Desk::open().await;
    let rollout = rollout(&desk).await;
    let hook = hook(&desk, &rollout).await;
    desk.post(&format!("{rollout}promote/"), json!({})).await;

    let failed = call(&desk, &format!("{hook}event/"), flagger_event("Failed")).await;

    assert_eq!(failed.status, 200);
    assert_eq!(desk.get(&rollout).await.json()["state"], "promoted");
}

#[tokio::test]
async fn a_held_rollout_is_not_promoted_because_a_canary_succeeded() {
    let desk = Desk::open().await;
    let rollout = rollout(&desk).await;
    let hook = hook(&desk, &rollout).await;
    desk.post(&format!("{rollout}hold/"), json!({})).await;

    let succeeded = call(&desk, &format!("{hook}post-rollout/"), flagger("Succeeded")).await;

    assert_eq!(succeeded.status, 409);
    assert_eq!(desk.get(&rollout).await.json()["state"], "held");
}

/// Argo's web metric asks by `GET` without a body, needs a 2xx, and judges the JSON.
#[tokio::test]
async fn argos_web_metric_reads_whether_it_goes_on() {
    let desk = Desk::open().await;
    let rollout = rollout(&desk).await;
    let hook = hook(&desk, &rollout).await;
    desk.post(&format!("{rollout}guards/"), health("others"))
        .await;
    let status = async || {
        let reply = desk
            .face
            .keyless("GET", &format!("{hook}status/"))
            .send()
            .await;
        assert_eq!(reply.status, 200);
        reply.json()
    };

    let before = status().await;
    desk.post(
        &format!("{rollout}health/"),
        json!({ "status": "unhealthy" }),
    )
    .await;
    until(&desk, &rollout, "harmful").await;
    let after = status().await;

    assert_eq!(
        (&before["go"], &before["verdict"], &before["percentage"]),
        (&json!(true), &json!("no_data"), &json!(25.0))
    );
    assert_eq!(
        (&after["go"], &after["verdict"], &after["state"]),
        (&json!(false), &json!("harmful"), &json!("rolled_back"))
    );
    assert_eq!(after["guards"][0]["name"], "others");
}

/// What `curl -X POST` sends: no body, and no type of one.
#[tokio::test]
async fn argos_jobs_drive_a_rollout_without_a_body() {
    let desk = Desk::open().await;
    let rollout = rollout(&desk).await;
    let hook = hook(&desk, &rollout).await;
    let post = async |word: &str| {
        let reply = desk
            .face
            .keyless("POST", &format!("{hook}{word}/"))
            .send()
            .await;
        reply.status
    };

    assert_eq!(post("hold").await, 200);
    assert_eq!(post("advance").await, 409, "approved, but held");
    assert_eq!(post("resume").await, 200);
    assert_eq!(post("advance").await, 200);
    assert_eq!(desk.get(&rollout).await.json()["waits_for_approval"], false);
    assert_eq!(post("promote").await, 200);
    assert_eq!(desk.get(&rollout).await.json()["state"], "promoted");
    assert_eq!(post("hold").await, 409, "it has ended");
}

#[tokio::test]
async fn signals_and_reports_come_by_hooks_too() {
    let desk = Desk::open().await;
    let rollout = rollout(&desk).await;
    let hook = hook(&desk, &rollout).await;

    let report = json!({ "variant": "control", "successes": 3, "failures": 1 });
    let counted = call(&desk, &format!("{hook}signals/"), report).await;
    let health = json!({ "source": "grafana", "status": "healthy" });
    let health = call(&desk, &format!("{hook}health/"), health).await;
    let wrong = call(&desk, &format!("{hook}health/"), json!({ "status": "ill" })).await;

    assert_eq!(
        (counted.status, health.status, wrong.status),
        (200, 200, 400),
        "{}",
        counted.text()
    );
    let all = desk.get(&format!("{rollout}signals/")).await.json();
    assert_eq!(
        all["signals"][1],
        json!({ "variant": "control", "successes": 3, "failures": 1 })
    );
    assert_eq!(all["health"][0]["source"], "grafana");
}
