//! Plans of rollouts are carried out on time, across a crash, and by one of two processes.

use crate::database::Database;
use crate::desk::Desk;
use crate::http::block_on;
use crate::server::Server;
use reqwest::Method;
use serde_json::{Value as Json, json};
use std::time::{Duration, Instant};

/// Steps of the plan, a second each.
const STEPS: usize = 6;

/// Begins a rollout that takes a step every second.
async fn begin(desk: &Desk, server: &Server) -> Json {
    let step = |number: usize| json!({ "percentage": number * 10, "hold_seconds": 1 });
    let steps: Vec<Json> = (1..=STEPS).map(step).collect();
    let body = json!({ "environment": desk.client_key, "feature": "banner", "steps": steps });
    let made = desk.manage(server, Method::POST, "rollouts/", body).await;
    assert_eq!(made.status, 201, "{made:?}");
    made.json["id"].clone()
}

async fn show(desk: &Desk, server: &Server, id: &Json) -> Json {
    let path = format!("rollouts/{id}/");
    desk.manage(server, Method::GET, &path, Json::Null)
        .await
        .json
}

/// Waits until the plan has ended, and insists that each step was taken once and in order.
async fn check_each_step_once(desk: &Desk, server: &Server, id: &Json) {
    let begun = Instant::now();
    let ended = loop {
        let now = show(desk, server, id).await;
        if now["state"] == "held" {
            break now;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{now}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert_eq!(ended["reason"], "the plan ends at 60 %");
    let timeline = ended["timeline"].as_array().unwrap();
    let stepped = timeline.iter().filter(|event| event["kind"] == "stepped");
    let percents: Vec<f64> = stepped
        .map(|event| event["percentage"].as_f64().unwrap())
        .collect();
    assert_eq!(percents, [10.0, 20.0, 30.0, 40.0, 50.0, 60.0]);
    let held = timeline.iter().filter(|event| event["kind"] == "held");
    assert_eq!(held.count(), 1);
}

/// Ends the process in the middle of a plan, and starts another one when steps are overdue.
fn a_crash_in_the_middle(database: &Database) {
    block_on(async {
        let prepared = Desk::prepare(database);
        let server = Server::start(database);
        let desk = prepared.sign_in(&server).await;
        desk.feature(&server, "banner").await;
        let id = begin(&desk, &server).await;
        let begun = Instant::now();
        while show(&desk, &server, &id).await["percentage"].as_f64() < Some(20.0) {
            assert!(begun.elapsed() < Duration::from_secs(20), "no second step");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }

        server.kill();
        let server = Server::start(database);

        check_each_step_once(&desk, &server, &id).await;
        server.stop();
    });
}

#[test]
fn a_plan_goes_on_after_a_crash_and_takes_each_step_once_on_sqlite() {
    a_crash_in_the_middle(&Database::sqlite());
}

#[test]
fn a_plan_goes_on_after_a_crash_and_takes_each_step_once_on_postgres() {
    if let Some(database) = Database::postgres() {
        a_crash_in_the_middle(&database);
    }
}

#[test]
fn of_two_processes_one_takes_each_step_and_the_other_serves_it() {
    let Some(database) = Database::postgres() else {
        return;
    };
    block_on(async {
        let prepared = Desk::prepare(&database);
        let (one, two) = (Server::start(&database), Server::start(&database));
        let desk = prepared.sign_in(&one).await;
        desk.feature(&one, "banner").await;

        let id = begin(&desk, &one).await;
        check_each_step_once(&desk, &two, &id).await;

        for server in [&one, &two] {
            let mut enabled = 0;
            for user in 0..200 {
                let path = format!("/api/v1/identities/?identifier=user-{user}&transient=true");
                let answer = desk.ask(server, &desk.client_key, &path).await;
                enabled += usize::from(answer.json["flags"][0]["enabled"] == true);
            }
            assert!((90..150).contains(&enabled), "{enabled} of 200 at 60 %");
        }
        one.stop();
        two.stop();
    });
}
