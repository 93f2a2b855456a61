//! `rollouts/apply/` and the document of flagd: percentages that Rollops applies by itself.

use super::desk::Desk;
use crate::face::Reply;
use flagstaff_core::OrganisationId;
use serde_json::{Value as Json, json};

const APPLY: &str = "/api/v1/rollouts/apply/";

async fn open() -> Desk {
    let desk = Desk::open().await;
    let body = json!({ "name": "checkout", "initial_value": "hello" });
    desk.make_feature(body).await;
    desk
}

fn body(desk: &Desk, percentage: i64, disabled: bool, more: Json) -> Json {
    let mut body = json!({
        "flag": "checkout", "environment": desk.key, "percentage": percentage, "disabled": disabled,
    });
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

async fn apply(desk: &Desk, percentage: i64, disabled: bool, more: Json) -> Reply {
    desk.post(APPLY, body(desk, percentage, disabled, more))
        .await
}

async fn served(desk: &Desk) -> (Json, Json) {
    let flag = desk.flag("checkout", None).await;
    (flag["enabled"].clone(), flag["feature_state_value"].clone())
}

/// How many of so many people have the flag.
async fn having(desk: &Desk, people: u32) -> u32 {
    let mut having = 0;
    for number in 0..people {
        let person = format!("person-{number}");
        let flag = desk.flag("checkout", Some((&person, json!([])))).await;
        having += u32::from(flag["enabled"] == true);
    }
    having
}

/// Who did what, newest first.
async fn audited(desk: &Desk, count: usize) -> Vec<(String, String)> {
    let organisation = Some(OrganisationId::new(desk.organisation));
    let entries = desk.face.store.audit_entries(organisation, 0, 1_000);
    let entries = entries.await.unwrap().into_iter().rev().take(count);
    let told = entries.map(|entry| (entry.actor_name, entry.summary));
    told.collect()
}

#[tokio::test]
async fn rol_13_a_canary_and_its_rollback_mean_what_they_mean_to_the_plugin() {
    for versioned in [false, true] {
        let desk = open().await;
        if versioned {
            desk.use_versions().await;
        }

        for percentage in [0, 1, 25, 50, 100] {
            let reply = apply(&desk, percentage, false, json!({})).await;
            assert_eq!(reply.status, 200, "{}", reply.text());
            assert_eq!(reply.json()["changed"], true);
            assert_eq!(
                served(&desk).await,
                (json!(true), json!(percentage.to_string()))
            );
        }
        let again = apply(&desk, 100, false, json!({})).await;
        assert_eq!(again.json()["changed"], false);
        apply(&desk, 0, true, json!({})).await;

        assert_eq!(served(&desk).await, (json!(false), json!("0")));
    }
}

#[tokio::test]
async fn rol_14_every_change_is_told_of_with_rollops_as_actor_and_its_percentage() {
    let desk = open().await;

    apply(&desk, 25, false, json!({})).await;
    apply(&desk, 0, true, json!({})).await;
    apply(&desk, 30, false, json!({ "mode": "segment-split" })).await;

    let told = audited(&desk, 20).await;
    let actor = "rollops for ada@example.com";
    for words in [
        "Feature 'checkout' rolled out by rollops to 25 %",
        "Feature 'checkout' taken back by rollops: off, 0 %",
        "reached 30 %",
    ] {
        let found = told.iter().find(|(_, summary)| summary.contains(words));
        assert_eq!(found.unwrap().0, actor, "{told:?}");
    }
}

#[tokio::test]
async fn rol_13_modes_are_those_of_the_plugin() {
    let desk = open().await;
    let colour = json!({
        "name": "colour", "initial_value": "red", "multivariate_options": [
            { "type": "unicode", "string_value": "blue", "key": "blue", "default_percentage_allocation": 0 },
            { "type": "unicode", "string_value": "green", "default_percentage_allocation": 20 },
        ],
    });
    let colour = desk.make_feature(colour).await;

    apply(&desk, 25, false, json!({ "mode": "value-int" })).await;
    assert_eq!(served(&desk).await, (json!(true), json!(25)));
    apply(&desk, 0, false, json!({ "mode": "enabled-only" })).await;
    assert_eq!(served(&desk).await, (json!(false), json!(25)));

    let weights = json!({ "flag": "colour", "mode": "multivariate", "variant": "blue" });
    let reply = apply(&desk, 50, false, weights).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let path = desk.in_environment(&format!("featurestates/?feature={colour}"));
    let row = desk.get(&path).await.json()["results"][0].clone();
    let weights = row["multivariate_feature_state_values"].as_array().unwrap();
    let weights: Vec<&Json> = weights
        .iter()
        .map(|each| &each["percentage_allocation"])
        .collect();
    assert_eq!(weights, [&json!(50.0), &json!(10.0)]);
    assert_eq!(row["feature_state_value"], "red");
}

#[tokio::test]
async fn rol_13_a_split_is_a_rollout_with_a_timeline() {
    let desk = open().await;
    let split = || json!({ "mode": "segment-split" });

    let first = apply(&desk, 10, false, split()).await.json();
    let again = apply(&desk, 10, false, split()).await.json();
    let few = having(&desk, 100).await;
    apply(&desk, 60, false, split()).await;
    let more = having(&desk, 100).await;
    let whole = apply(&desk, 100, false, split()).await.json();

    assert!(
        few < more && few < 30 && (40..80).contains(&more),
        "{few} {more}"
    );
    assert_eq!(having(&desk, 20).await, 20);
    assert_eq!(
        (&first["changed"], &again["changed"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(first["rollout"]["driver"], "rollops");
    assert_eq!(whole["rollout"]["state"], "promoted");
    let path = format!("/api/v1/rollouts/{}/", first["rollout"]["id"]);
    let timeline = desk.get(&path).await.json()["timeline"].clone();
    let reached: Vec<&Json> = timeline
        .as_array()
        .unwrap()
        .iter()
        .map(|each| &each["percentage"])
        .collect();
    for percentage in [10.0, 60.0, 100.0] {
        assert!(reached.contains(&&json!(percentage)), "{timeline}");
    }

    apply(&desk, 0, true, split()).await;
    assert_eq!(having(&desk, 20).await, 0);
    assert_eq!(served(&desk).await, (json!(false), json!("hello")));
}

#[tokio::test]
async fn rol_13_the_next_canary_begins_from_what_was_before_the_last_one() {
    let desk = open().await;
    let split = || json!({ "mode": "segment-split" });
    apply(&desk, 50, false, split()).await;
    apply(&desk, 100, false, split()).await;

    let reply = apply(&desk, 10, false, split()).await;

    assert_eq!(reply.status, 200, "{}", reply.text());
    assert!(having(&desk, 100).await < 30);
}

#[tokio::test]
async fn rol_13_where_a_rollout_is_under_way_nothing_is_applied_beside_it() {
    let desk = open().await;
    let plan = json!({
        "environment": desk.key, "feature": "checkout", "steps": [{ "percentage": 20, "needs_approval": true }, { "percentage": 100 }],
    });
    let made = desk.post("/api/v1/rollouts/", plan).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let id = made.json()["id"].clone();

    for more in [json!({}), json!({ "mode": "segment-split" })] {
        let reply = apply(&desk, 50, false, more).await;
        assert_eq!(reply.status, 409, "{}", reply.text());
        assert!(
            reply.text().contains(&format!("Rollout {id} ")),
            "{}",
            reply.text()
        );
    }
}

#[tokio::test]
async fn rol_13_what_is_wrong_is_refused_and_nothing_written() {
    let desk = open().await;
    for (more, status, words) in [
        (json!({ "percentage": 101 }), 400, "percentage"),
        (json!({ "percentage": -1 }), 400, "percentage"),
        (json!({ "percentage": 12.5 }), 400, "percentage"),
        (json!({ "percentage": null }), 400, "percentage"),
        (json!({ "flag": "" }), 400, "flag"),
        (json!({ "flag": "nothing" }), 404, ""),
        (json!({ "environment": "" }), 400, "environment"),
        (json!({ "environment": "nowhere" }), 404, ""),
        (json!({ "mode": "half" }), 400, "mode"),
        (json!({ "mode": "multivariate" }), 400, "variant"),
        (
            json!({ "mode": "multivariate", "variant": "blue" }),
            400,
            "variant",
        ),
        (json!({ "disabled": "perhaps" }), 400, "disabled"),
    ] {
        let reply = apply(&desk, 25, false, more.clone()).await;
        assert_eq!(reply.status, status, "{more}: {}", reply.text());
        assert!(reply.text().contains(words), "{more}: {}", reply.text());
    }
    let anonymous = desk.face.keyless("POST", APPLY).send().await;
    assert_eq!(anonymous.status, 401);
    let colleague = desk.colleague().await;
    let reply = colleague
        .ask("POST", APPLY, Some(body(&desk, 25, false, json!({}))))
        .await;
    assert!(matches!(reply.status, 403 | 404), "{}", reply.text());

    assert_eq!(served(&desk).await, (json!(false), json!("hello")));
}

#[tokio::test]
async fn rol_13_environments_that_require_approval_are_not_gone_around() {
    let desk = open().await;
    let path = desk.in_environment("");
    let patched = desk
        .patch(&path, json!({ "minimum_change_request_approvals": 1 }))
        .await;
    assert_eq!(patched.status, 200, "{}", patched.text());

    for more in [json!({}), json!({ "mode": "segment-split" })] {
        let reply = apply(&desk, 25, false, more).await;
        assert!((400..500).contains(&reply.status), "{}", reply.text());
    }
    assert_eq!(served(&desk).await, (json!(false), json!("hello")));
}

/// As the plugin for OpenFeature writes it.
async fn sync(desk: &Desk, secret: &str, flag: &str, on: i64, state: &str) -> Reply {
    let split = json!({ "fractional": [["on", on], ["off", 100 - on]] });
    let document = json!({ "flags": { flag: {
        "state": state, "defaultVariant": "off", "variants": { "on": true, "off": false }, "targeting": split,
    } } });
    let path = format!("/api/v1/rollouts/flagd/{}/{flag}", desk.key);
    let ask = desk.face.keyless("PUT", &path);
    let ask = ask.header("authorization", &format!("Bearer {secret}"));
    let ask = ask.header("content-type", "application/json");
    ask.body(document.to_string()).send().await
}

#[tokio::test]
async fn rol_13_the_plugin_for_openfeature_works_with_a_key_of_an_organisation() {
    let desk = open().await;
    let keys = format!(
        "/api/v1/organisations/{}/master-api-keys/",
        desk.organisation
    );
    let made = desk.post(&keys, json!({ "name": "ci" })).await.json();
    let key = made["key"].as_str().unwrap();

    for on in [10, 50, 50, 100] {
        let reply = sync(&desk, key, "checkout", on, "ENABLED").await;
        assert_eq!(reply.status, 200, "{on}: {}", reply.text());
    }
    assert_eq!(having(&desk, 20).await, 20);
    let told = audited(&desk, 1).await;
    assert_eq!(told[0].0, "rollops for ci", "{told:?}");

    assert_eq!(
        sync(&desk, key, "checkout", 0, "DISABLED").await.status,
        200
    );
    assert_eq!(having(&desk, 20).await, 0);
}

#[tokio::test]
async fn rol_13_documents_that_say_more_and_callers_without_a_key_are_refused() {
    let desk = open().await;
    let token = super::desk::token(&desk.face, super::desk::EMAIL).await;

    assert_eq!(
        sync(&desk, "wrong", "checkout", 10, "ENABLED").await.status,
        401
    );
    assert_eq!(
        sync(&desk, "wrong.key", "checkout", 10, "ENABLED")
            .await
            .status,
        401
    );
    assert_eq!(
        sync(&desk, &token, "nothing", 10, "ENABLED").await.status,
        404
    );
    let odd = sync(&desk, &token, "checkout", 10, "HALF").await;
    assert_eq!(odd.status, 400);
    assert!(odd.text().contains("the state has to be"), "{}", odd.text());
    assert_eq!(
        sync(&desk, &token, "checkout", 110, "ENABLED").await.status,
        400
    );
    assert_eq!(served(&desk).await, (json!(false), json!("hello")));
}
