//! Rollouts by API, and what SDKs see of them.

use crate::face::Reply;
use crate::flagsmith::admin::desk::Desk;
use serde_json::{Value as Json, json};

const ROLLOUTS: &str = "/api/v1/rollouts/";
/// Long enough that no step comes by itself in a test.
const DAY: i64 = 86_400;

fn plan(desk: &Desk, feature: Json, percents: &[f64]) -> Json {
    let step = |percent: &f64| json!({ "percentage": percent, "hold_seconds": DAY });
    json!({
        "environment": desk.key,
        "feature": feature,
        "steps": percents.iter().map(step).collect::<Vec<_>>(),
    })
}

async fn create(desk: &Desk, body: Json) -> Json {
    let reply = desk.post(ROLLOUTS, body).await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    reply.json()
}

fn path(rollout: &Json, rest: &str) -> String {
    format!("{ROLLOUTS}{}/{rest}", rollout["id"])
}

#[track_caller]
fn check(reply: &Reply, status: u16, expected: &Json) {
    assert_eq!((reply.status, &reply.json()), (status, expected));
}

/// Everything that SDKs get: flags of everybody and of many identities, and the document for local evaluation but for
/// the time of its making.
async fn seen_by_sdks(desk: &Desk, server_key: &str) -> Vec<String> {
    let mut seen = Vec::new();
    let mut paths = vec!["/api/v1/flags/".to_owned()];
    paths.extend(
        (0..200).map(|user| format!("/api/v1/identities/?identifier=user-{user}&transient=true")),
    );
    for path in paths {
        seen.push(desk.face.get_with(&desk.key, &path).send().await.text());
    }
    let document = desk
        .face
        .get_with(server_key, "/api/v1/environment-document/");
    let mut document = document.send().await.json();
    assert!(document["feature_states"].is_array(), "{document}");
    document.as_object_mut().unwrap().remove("updated_at");
    seen.push(document.to_string());
    seen
}

async fn server_key(desk: &Desk) -> String {
    let path = desk.in_environment("api-keys/");
    let made = desk.post(&path, json!({ "name": "local" })).await;
    made.json()["key"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_rollout_is_made_shown_held_resumed_approved_and_promoted() {
    let desk = Desk::open().await;
    let feature = desk.make_feature(json!({ "name": "banner" })).await;
    let mut body = plan(&desk, json!("banner"), &[12.5, 50.0]);
    body["description"] = json!("carefully");
    body["steps"][0]["needs_approval"] = json!(true);

    let made = create(&desk, body).await;

    assert_eq!(made["feature"], feature);
    assert_eq!(made["environment"], desk.key);
    assert_eq!(
        (&made["state"], &made["percentage"]),
        (&json!("running"), &json!(12.5))
    );
    assert_eq!(
        (&made["step"], &made["waits_for_approval"]),
        (&json!(1), &json!(true))
    );
    assert_eq!(made["created_by"], "ada@example.com");
    assert_eq!(
        made["steps"][0],
        json!({ "percentage": 12.5, "starts_at": null, "hold_seconds": DAY, "needs_approval": true })
    );
    let held = desk
        .post(&path(&made, "hold/"), json!({ "reason": "errors" }))
        .await
        .json();
    assert_eq!(
        (&held["state"], &held["reason"]),
        (&json!("held"), &json!("errors"))
    );
    let again = desk.post(&path(&made, "hold/"), json!({})).await;
    let said = format!("Rollout {} is held and cannot be held.", made["id"]);
    check(&again, 409, &json!({ "detail": said }));
    let resumed = desk.post(&path(&made, "resume/"), json!({})).await.json();
    assert_eq!(
        (&resumed["state"], &resumed["due_at"]),
        (&json!("running"), &Json::Null)
    );
    let approved = desk.post(&path(&made, "approve/"), json!({})).await.json();
    assert_eq!(approved["waits_for_approval"], json!(false));
    assert!(approved["due_at"].is_string(), "{approved}");
    let promoted = desk.post(&path(&made, "promote/"), json!({})).await.json();
    assert_eq!(
        (&promoted["state"], &promoted["percentage"]),
        (&json!("promoted"), &json!(100.0))
    );
    assert_eq!(desk.flag("banner", None).await["enabled"], true);
    let timeline = promoted["timeline"].as_array().unwrap();
    let told: Vec<(&str, &str)> = timeline
        .iter()
        .map(|event| {
            (
                event["kind"].as_str().unwrap(),
                event["actor"].as_str().unwrap(),
            )
        })
        .collect();
    let ada = "ada@example.com";
    assert_eq!(
        told,
        [
            ("created", ada),
            ("stepped", "rollout"),
            ("held", ada),
            ("resumed", ada),
            ("approved", ada),
            ("promoted", ada)
        ]
    );
    let audited = desk.last_audited(20).await;
    let name = format!("Rollout {} of feature 'banner'", made["id"]);
    for said in [
        format!("{name} created"),
        format!("{name} reached 12.5 %, step 1 of 2"),
        format!("{name} held at 12.5 %: errors"),
        format!("{name} promoted: 100 %"),
    ] {
        assert!(audited.contains(&said), "{said}: {audited:?}");
    }
}

#[tokio::test]
async fn sdks_see_after_a_rollout_exactly_what_they_saw_before() {
    for has_versions in [false, true] {
        for (end, state) in [("abort/", "aborted"), ("roll-back/", "rolled_back")] {
            let desk = Desk::open().await;
            desk.make_feature(json!({ "name": "banner", "initial_value": "hello" }))
                .await;
            let options = json!([
                { "type": "unicode", "string_value": "red", "default_percentage_allocation": 30 },
                { "type": "unicode", "string_value": "green", "default_percentage_allocation": 20 },
            ]);
            let colour = json!({ "name": "colour", "default_enabled": true,
                "initial_value": "grey", "multivariate_options": options });
            desk.make_feature(colour).await;
            if has_versions {
                desk.use_versions().await;
            }
            let key = server_key(&desk).await;
            let before = seen_by_sdks(&desk, &key).await;
            let banner = create(&desk, plan(&desk, json!("banner"), &[30.0])).await;
            let mut body = plan(&desk, json!("colour"), &[50.0, 100.0]);
            body["variant"] = json!("variant_2");
            let colour = create(&desk, body).await;
            assert_eq!(colour["variant"], "variant_2");
            let during = seen_by_sdks(&desk, &key).await;
            let differing = before
                .iter()
                .zip(&during)
                .filter(|(one, other)| one != other);
            assert!(differing.count() > 50);

            for rollout in [banner, colour] {
                let ended = desk.post(&path(&rollout, end), json!({})).await;
                assert_eq!(ended.json()["state"], state);
            }

            let after = seen_by_sdks(&desk, &key).await;
            assert_eq!(after, before, "{state}, with versions: {has_versions}");
        }
    }
}

#[tokio::test]
async fn rollouts_are_listed_by_environment_project_feature_and_state() {
    let desk = Desk::open().await;
    let banner = desk.make_feature(json!({ "name": "banner" })).await;
    desk.make_feature(json!({ "name": "colour" })).await;
    let first = create(&desk, plan(&desk, json!(banner), &[10.0])).await;
    desk.post(&path(&first, "abort/"), json!({})).await;
    let second = create(&desk, plan(&desk, json!(banner), &[10.0])).await;
    let third = create(&desk, plan(&desk, json!("colour"), &[10.0])).await;
    let list = async |query: String| {
        let reply = desk.get(&format!("{ROLLOUTS}?{query}")).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        let found = reply.json();
        let found = found["results"].as_array().unwrap();
        found
            .iter()
            .map(|each| each["id"].clone())
            .collect::<Vec<_>>()
    };
    let id = |rollout: &Json| rollout["id"].clone();
    let here = format!("environment={}", desk.key);

    assert_eq!(
        list(here.clone()).await,
        [id(&third), id(&second), id(&first)]
    );
    assert_eq!(
        list(format!("{here}&feature={banner}")).await,
        [id(&second), id(&first)]
    );
    assert_eq!(list(format!("{here}&state=aborted")).await, [id(&first)]);
    let of_project = format!("project={}&live=true&feature={banner}", desk.project);
    assert_eq!(list(of_project).await, [id(&second)]);
    let page = desk
        .get(&format!("{ROLLOUTS}?{here}&page_size=2&page=2"))
        .await
        .json();
    assert_eq!(
        (&page["count"], page["results"].as_array().unwrap().len()),
        (&json!(3), 1)
    );
    let nowhere = desk.get(ROLLOUTS).await;
    check(
        &nowhere,
        400,
        &json!({ "environment": ["Name an environment or a project."] }),
    );
    let unknown = desk.get(&format!("{ROLLOUTS}?{here}&state=done")).await;
    check(
        &unknown,
        400,
        &json!({ "state": ["\"done\" is not a valid choice."] }),
    );
    let elsewhere = desk.get(&format!("{ROLLOUTS}?environment=nothing")).await;
    assert_eq!(elsewhere.status, 404);
}

#[tokio::test]
async fn what_is_wrong_with_a_plan_is_said_where_it_is() {
    let desk = Desk::open().await;
    desk.make_feature(json!({ "name": "banner" })).await;
    let steps = |steps: Json| {
        let mut body = plan(&desk, json!("banner"), &[]);
        body["steps"] = steps;
        body
    };
    for (body, expected) in [
        (
            json!({}),
            json!({
                "environment": ["This field is required."],
                "feature": ["This field is required."],
                "steps": ["This field is required."],
            }),
        ),
        (
            steps(json!([])),
            json!({ "steps": ["The plan has no step: 1 to 100 are needed."] }),
        ),
        (
            steps(json!([{ "percentage": 101 }])),
            json!({ "steps": [{ "percentage": ["The percentage 101 is not between 0 and 100."] }] }),
        ),
        (
            steps(json!([{ "percentage": 10 }, { "percentage": -1 }])),
            json!({ "steps": [{}, { "percentage": ["The percentage -1 is not between 0 and 100."] }] }),
        ),
        (
            steps(json!([{ "percentage": 12.345 }])),
            json!({ "steps": [{ "percentage": ["The percentage 12.345 is finer than 0.01."] }] }),
        ),
        (
            steps(json!([{ "percentage": "x" }, {}])),
            json!({ "steps": [
                { "percentage": ["A valid number is required."] },
                { "percentage": ["This field is required."] },
            ] }),
        ),
        (
            steps(json!([{ "percentage": 50 }, { "percentage": 20 }])),
            json!({ "steps": ["The steps do not rise: step 2 has 20 % after 50 %."] }),
        ),
        (
            steps(json!([{ "percentage": 50, "hold_seconds": -1 }])),
            json!({ "steps": [{ "hold_seconds": ["Ensure this value is greater than or equal to 0."] }] }),
        ),
    ] {
        let reply = desk.post(ROLLOUTS, body).await;
        check(&reply, 400, &expected);
    }
    let mut inside = plan(&desk, json!("banner"), &[10.0]);
    inside["segment"] = json!(999);
    let reply = desk.post(ROLLOUTS, inside).await;
    check(
        &reply,
        400,
        &json!({ "segment": ["Invalid pk \"999\" - object does not exist."] }),
    );
    let unknown = desk
        .post(ROLLOUTS, plan(&desk, json!("nothing"), &[10.0]))
        .await;
    check(
        &unknown,
        404,
        &json!({ "detail": "No Feature matches the given query." }),
    );
    let missing = desk.get(&format!("{ROLLOUTS}999/")).await;
    check(
        &missing,
        404,
        &json!({ "detail": "No Rollout matches the given query." }),
    );
    let made = create(&desk, plan(&desk, json!("banner"), &[10.0])).await;
    let twice = desk
        .post(ROLLOUTS, plan(&desk, json!("banner"), &[10.0]))
        .await;
    let said = format!(
        "Rollout {} of the feature is live in the environment: it has to end first.",
        made["id"]
    );
    check(&twice, 409, &json!({ "detail": said }));
    let begun = desk
        .patch(&path(&made, ""), json!({ "steps": [{ "percentage": 20 }] }))
        .await;
    let said = format!("Rollout {} is running and cannot be edited.", made["id"]);
    check(&begun, 409, &json!({ "detail": said }));
    let direct = desk
        .patch(
            &desk.in_environment(&format!("featurestates/{}/", desk.state_of(1).await)),
            json!({ "enabled": true }),
        )
        .await;
    let said = format!(
        "Rollout {} manages this: promote or abort it first.",
        made["id"]
    );
    check(&direct, 409, &json!({ "detail": said }));
}

#[tokio::test]
async fn who_may_change_states_may_roll_out_and_who_may_look_may_see_it() {
    let desk = Desk::open().await;
    desk.make_feature(json!({ "name": "banner" })).await;
    let made = create(&desk, plan(&desk, json!("banner"), &[10.0])).await;
    let colleague = desk.colleague().await;
    let me = colleague.ask("GET", "/api/v1/auth/users/me/", None).await;
    let grants = desk.in_environment("user-permissions/");
    let doors = [
        ("POST", ROLLOUTS.to_owned()),
        ("PATCH", path(&made, "")),
        ("POST", path(&made, "hold/")),
        ("POST", path(&made, "resume/")),
        ("POST", path(&made, "approve/")),
        ("POST", path(&made, "promote/")),
        ("POST", path(&made, "abort/")),
        ("POST", path(&made, "roll-back/")),
    ];
    let body = || Some(plan(&desk, json!("banner"), &[10.0]));
    for (method, door) in &doors {
        let reply = colleague.ask(method, door, body()).await;
        assert_eq!(reply.status, 404, "{method} {door}: {}", reply.text());
    }
    let body_of_grant = json!({ "user": me.json()["id"], "permissions": ["VIEW_ENVIRONMENT"] });
    let grant = desk.make(&grants, body_of_grant).await;
    for (method, door) in &doors {
        let reply = colleague.ask(method, door, body()).await;
        assert_eq!(reply.status, 403, "{method} {door}: {}", reply.text());
    }
    let seen = colleague.ask("GET", &path(&made, ""), None).await;
    assert_eq!(seen.json()["percentage"], 10.0);
    let permissions = json!({ "permissions": ["VIEW_ENVIRONMENT", "UPDATE_FEATURE_STATE"] });
    desk.patch(&format!("{grants}{grant}/"), permissions).await;
    let aborted = colleague
        .ask("POST", &path(&made, "abort/"), Some(json!({})))
        .await;
    assert_eq!(aborted.json()["state"], "aborted");
    let nobody = desk.face.keyless("GET", ROLLOUTS).send().await;
    assert_eq!(nobody.status, 401);
}

#[tokio::test]
async fn a_program_rolls_out_with_an_api_key() {
    let desk = Desk::open().await;
    desk.make_feature(json!({ "name": "banner" })).await;
    let keys = format!(
        "/api/v1/organisations/{}/master-api-keys/",
        desk.organisation
    );
    let key = desk.post(&keys, json!({ "name": "ci" })).await.json();
    let ask = desk.face.keyless("POST", ROLLOUTS);
    let ask = ask.header(
        "authorization",
        &format!("Api-Key {}", key["key"].as_str().unwrap()),
    );
    let ask = ask.header("content-type", "application/json");

    let made = ask
        .body(plan(&desk, json!("banner"), &[10.0]).to_string())
        .send()
        .await;

    assert_eq!(made.status, 201, "{}", made.text());
    assert_eq!(made.json()["created_by"], "ci");
}
