use super::desk::{Desk, check_refusal};
use serde_json::{Value as Json, json};

const MISSING: &str = "No MultivariateFeatureOption matches the given query.";

/// A feature with one option of 30 percent; gives both ids.
async fn colour(desk: &Desk) -> (i64, i64) {
    let option = json!({ "string_value": "blue", "default_percentage_allocation": 30 });
    let body = json!({ "name": "colour", "initial_value": "red", "default_enabled": true,
        "multivariate_options": [option] });
    let reply = desk.post(&desk.in_project("features/"), body).await.json();
    let option = &reply["multivariate_options"][0]["id"];
    (reply["id"].as_i64().unwrap(), option.as_i64().unwrap())
}

fn options(desk: &Desk, feature: i64) -> String {
    desk.in_project(&format!("features/{feature}/mv-options/"))
}

fn black(feature: i64, percentage: f64) -> Json {
    json!({ "feature": feature, "string_value": "black", "key": "noir",
        "default_percentage_allocation": percentage })
}

/// What the weights of a state are, in the order of the buckets.
async fn weights(desk: &Desk, feature: i64) -> Vec<f64> {
    let path = desk.in_environment(&format!("featurestates/?feature={feature}"));
    let list = desk.get(&path).await.json();
    let weights = &list["results"][0]["multivariate_feature_state_values"];
    let weights = weights.as_array().unwrap().iter();
    weights
        .map(|weight| weight["percentage_allocation"].as_f64().unwrap())
        .collect()
}

#[tokio::test]
async fn a_new_option_has_a_weight_in_every_environment() {
    let mut desk = Desk::open().await;
    let first = desk.key.clone();
    let second = desk.make_environment("Production").await;
    let (feature, _) = colour(&desk).await;

    let made = desk
        .make(&options(&desk, feature), black(feature, 20.0))
        .await;

    for key in [first, second] {
        desk.key = key;
        assert_eq!(weights(&desk, feature).await, [30.0, 20.0]);
    }
    let list = desk.get(&options(&desk, feature)).await.json();
    assert_eq!(list["count"], 2);
    assert_eq!(list["results"][1]["id"], made);
    assert_eq!(list["results"][1]["feature"], feature);
}

#[tokio::test]
async fn a_new_option_takes_no_more_than_an_environment_has_left() {
    let desk = Desk::open().await;
    let (feature, option) = colour(&desk).await;
    let state = desk.state_of(feature).await;
    let weight = json!({ "multivariate_feature_option": option, "percentage_allocation": 95 });
    let body = json!({ "multivariate_feature_state_values": [weight] });
    let path = desk.in_environment(&format!("featurestates/{state}/"));
    assert_eq!(desk.put(&path, body).await.status, 200);

    desk.make(&options(&desk, feature), black(feature, 20.0))
        .await;

    assert_eq!(weights(&desk, feature).await, [95.0, 5.0]);
    let toggled = desk.put(&path, json!({ "enabled": false })).await;
    assert_eq!(toggled.status, 200, "{}", toggled.text());
}

#[tokio::test]
async fn sdks_are_given_a_new_option_at_once() {
    let desk = Desk::open().await;
    let feature = desk
        .make_feature(json!({ "name": "colour", "initial_value": "red" }))
        .await;
    let before = desk.flag("colour", Some(("bob", json!([])))).await;

    let made = desk
        .make(&options(&desk, feature), black(feature, 100.0))
        .await;

    let after = desk.flag("colour", Some(("bob", json!([])))).await;
    assert_eq!(before["feature_state_value"], "red");
    assert_eq!(after["feature_state_value"], "black");
    assert_eq!(after["feature"]["type"], "MULTIVARIATE");
    let body = json!({ "feature": feature, "string_value": "white" });
    let path = format!("{}{made}/", options(&desk, feature));
    desk.put(&path, body).await;
    let changed = desk.flag("colour", Some(("bob", json!([])))).await;
    assert_eq!(changed["feature_state_value"], "white");
    assert_eq!(desk.delete(&path).await.status, 204);
    let control = desk.flag("colour", Some(("bob", json!([])))).await;
    assert_eq!(control["feature_state_value"], "red");
    assert_eq!(control["feature"]["type"], "STANDARD");
}

#[tokio::test]
async fn a_deleted_option_leaves_the_overrides_of_identities() {
    let desk = Desk::open().await;
    let (feature, option) = colour(&desk).await;
    let identities = desk.in_environment("identities/");
    let bob = desk.make(&identities, json!({ "identifier": "bob" })).await;
    let weight = json!({ "multivariate_feature_option": option, "percentage_allocation": 100 });
    let body = json!({ "feature": feature, "enabled": true, "feature_state_value": "own",
        "multivariate_feature_state_values": [weight] });
    desk.make(&format!("{identities}{bob}/featurestates/"), body)
        .await;
    let before = desk.flag("colour", Some(("bob", json!([])))).await;

    desk.delete(&format!("{}{option}/", options(&desk, feature)))
        .await;

    let after = desk.flag("colour", Some(("bob", json!([])))).await;
    assert_eq!(before["feature_state_value"], "blue");
    assert_eq!(after["feature_state_value"], "own");
}

#[tokio::test]
async fn what_a_change_leaves_out_stays() {
    let desk = Desk::open().await;
    let (feature, _) = colour(&desk).await;
    let made = desk
        .make(&options(&desk, feature), black(feature, 5.0))
        .await;
    let path = format!("{}{made}/", options(&desk, feature));

    let patched = desk.patch(&path, json!({ "type": "int", "integer_value": 7 }));
    let patched = patched.await.json();
    let unnamed = desk.patch(&path, json!({ "key": null })).await.json();
    let incomplete = desk.put(&path, json!({ "string_value": "x" })).await;

    assert_eq!(
        (&patched["type"], &patched["integer_value"]),
        (&json!("int"), &json!(7))
    );
    assert_eq!(
        (&patched["string_value"], &patched["key"]),
        (&json!("black"), &json!("noir"))
    );
    assert_eq!(patched["default_percentage_allocation"], 5.0);
    assert_eq!(unnamed["key"], json!(null));
    check_refusal(
        &incomplete,
        400,
        &json!({ "feature": ["This field is required."] }),
    );
}

#[tokio::test]
async fn options_that_cannot_be_are_refused() {
    let desk = Desk::open().await;
    let (feature, option) = colour(&desk).await;
    let list = options(&desk, feature);
    desk.make(&list, black(feature, 10.0)).await;
    let check = async |reply: crate::face::Reply, expected: Json| {
        check_refusal(&reply, 400, &expected);
    };

    let key =
        json!({ "key": ["Multivariate option with this key already exists for the feature."] });
    check(desk.post(&list, black(feature, 1.0)).await, key.clone()).await;
    let path = format!("{list}{option}/");
    check(desk.patch(&path, json!({ "key": "noir" })).await, key).await;
    let reserved = json!({ "key": ["\"control\" is a reserved variant key."] });
    check(
        desk.patch(&path, json!({ "key": "control" })).await,
        reserved,
    )
    .await;
    let sum = json!({ "default_percentage_allocation": ["Invalid percentage allocation"] });
    let over = json!({ "default_percentage_allocation": 95 });
    check(desk.patch(&path, over).await, sum.clone()).await;
    let over = json!({ "feature": feature, "string_value": "x" });
    check(desk.post(&list, over).await, sum).await;
    let other = json!({ "feature": ["Invalid pk \"999\" - object does not exist."] });
    check(desk.patch(&path, json!({ "feature": 999 })).await, other).await;
    let long = json!({ "key": ["Ensure this field has no more than 255 characters."] });
    check(
        desk.patch(&path, json!({ "key": "x".repeat(256) })).await,
        long,
    )
    .await;
}

#[tokio::test]
async fn an_option_is_found_under_its_own_feature_only() {
    let desk = Desk::open().await;
    let (_, option) = colour(&desk).await;
    let other = desk.make_feature(json!({ "name": "other" })).await;

    let path = format!("{}{option}/", options(&desk, other));
    let missing = json!({ "detail": MISSING });
    check_refusal(&desk.get(&path).await, 404, &missing);
    check_refusal(&desk.patch(&path, json!({})).await, 404, &missing);
    check_refusal(&desk.delete(&path).await, 404, &missing);
    let feature = json!({ "detail": "No Feature matches the given query." });
    check_refusal(&desk.get(&options(&desk, 999)).await, 404, &feature);
}

#[tokio::test]
async fn features_and_options_are_found_by_their_stable_ids() {
    let desk = Desk::open().await;
    let (feature, option) = colour(&desk).await;
    let path = desk.in_project(&format!("features/{feature}/"));
    let whole = desk.get(&path).await.json();
    let uuid = whole["uuid"].as_str().unwrap();
    let option_uuid = whole["multivariate_options"][0]["uuid"].as_str().unwrap();
    let feature_path = format!("/api/v1/features/get-by-uuid/{uuid}/");
    let option_path = format!("/api/v1/multivariate/options/get-by-uuid/{option_uuid}/");

    let found = desk.get(&feature_path).await.json();
    let found_option = desk.get(&option_path).await.json();
    let swapped = desk
        .get(&format!("/api/v1/features/get-by-uuid/{option_uuid}/"))
        .await;
    let no_uuid = desk.get("/api/v1/features/get-by-uuid/x/").await;
    let stranger = desk.stranger().await;
    let hidden = stranger.ask("GET", &feature_path, None).await;
    let hidden_option = stranger.ask("GET", &option_path, None).await;

    assert_eq!(
        (&found["id"], &found["uuid"]),
        (&json!(feature), &whole["uuid"])
    );
    assert_eq!(found_option["id"], option);
    assert_eq!(found_option["feature"], feature);
    let missing = json!({ "detail": "No Feature matches the given query." });
    check_refusal(&swapped, 404, &missing);
    check_refusal(&hidden, 404, &missing);
    check_refusal(&no_uuid, 404, &json!({ "detail": "Not found." }));
    check_refusal(&hidden_option, 404, &json!({ "detail": MISSING }));
}

#[tokio::test]
async fn strangers_find_no_options() {
    let desk = Desk::open().await;
    let (feature, option) = colour(&desk).await;
    let list = options(&desk, feature);
    let path = format!("{list}{option}/");
    let body = || Some(black(feature, 1.0));
    let stranger = desk.stranger().await;

    for (method, path, body) in [
        ("GET", &list, None),
        ("POST", &list, body()),
        ("GET", &path, None),
        ("PUT", &path, body()),
        ("PATCH", &path, body()),
        ("DELETE", &path, None),
    ] {
        let reply = stranger.ask(method, path, body).await;

        let missing = json!({ "detail": "No Project matches the given query." });
        check_refusal(&reply, 404, &missing);
    }
}
