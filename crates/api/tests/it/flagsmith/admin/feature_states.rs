use super::desk::{Desk, check_refusal};
use serde_json::{Value as Json, json};

/// A feature with two options of 30 % and 20 %; gives its state and the ids of the options.
async fn colour(desk: &Desk) -> (i64, i64, i64) {
    let option = |value, percentage| json!({ "string_value": value, "default_percentage_allocation": percentage });
    let body = json!({
        "name": "colour",
        "initial_value": "red",
        "default_enabled": true,
        "multivariate_options": [option("blue", 30), option("green", 20)],
    });
    let made = desk.post(&desk.in_project("features/"), body).await.json();
    let id = |position: usize| {
        made["multivariate_options"][position]["id"]
            .as_i64()
            .unwrap()
    };
    let state = desk.state_of(made["id"].as_i64().unwrap()).await;
    (state, id(0), id(1))
}

fn weights(state: &Json) -> Vec<f64> {
    let weights = state["multivariate_feature_state_values"]
        .as_array()
        .unwrap();
    weights
        .iter()
        .map(|weight| weight["percentage_allocation"].as_f64().unwrap())
        .collect()
}

#[tokio::test]
async fn a_value_keeps_the_type_it_is_sent_with() {
    let desk = Desk::open().await;
    let feature = desk.make_feature(json!({ "name": "a" })).await;
    let path = desk.in_environment(&format!("featurestates/{}/", desk.state_of(feature).await));

    for (value, expected) in [
        (json!("25"), json!("25")),
        (json!(25), json!(25)),
        (json!(false), json!(false)),
        (json!(2.5), json!("2.5")),
        (json!(""), json!("")),
        (json!(null), json!(null)),
    ] {
        let patched = desk
            .patch(&path, json!({ "feature_state_value": value }))
            .await;
        let read = desk.get(&path).await.json();
        let flag = desk.flag("a", None).await;

        assert_eq!(patched.status, 200);
        assert_eq!(read["feature_state_value"], expected);
        assert_eq!(flag["feature_state_value"], expected);
    }
}

#[tokio::test]
async fn integers_have_32_bits() {
    let desk = Desk::open().await;
    let feature = desk.make_feature(json!({ "name": "a" })).await;
    let path = desk.in_environment(&format!("featurestates/{}/", desk.state_of(feature).await));

    let body = json!({ "feature_state_value": 3_000_000_000_i64 });
    let reply = desk.patch(&path, body).await;

    let text = "Ensure this value is less than or equal to 2147483647.";
    check_refusal(&reply, 400, &json!({ "integer_value": [text] }));
}

#[tokio::test]
async fn put_sets_the_weights_it_names() {
    let desk = Desk::open().await;
    let (state, blue, green) = colour(&desk).await;
    let path = desk.in_environment(&format!("featurestates/{state}/"));
    let weight = |option, percentage: f64| json!({ "multivariate_feature_option": option, "percentage_allocation": percentage });
    let put = async |list: Json| {
        let body = json!({ "multivariate_feature_state_values": list });
        desk.put(&path, body).await
    };

    let one = put(json!([weight(green, 70.0)])).await;
    let over = put(json!([weight(blue, 40.0)])).await;
    let both = put(json!([weight(blue, 0.0), weight(green, 100.0)])).await;
    let foreign = put(json!([weight(blue, 1.0), weight(99999, 1.0)])).await;
    let wrong = put(json!([weight(blue, 101.0), {}])).await;

    assert_eq!(weights(&one.json()), [30.0, 70.0]);
    let exceed = json!({ "non_field_errors": ["Multivariate percentage values exceed 100%."] });
    check_refusal(&over, 400, &exceed);
    assert_eq!(weights(&both.json()), [0.0, 100.0]);
    let unknown = "Invalid pk \"99999\" - object does not exist.";
    let expected = json!([{}, { "multivariate_feature_option": [unknown] }]);
    let expected = json!({ "multivariate_feature_state_values": expected });
    check_refusal(&foreign, 400, &expected);
    let required = "This field is required.";
    let high = "Ensure this value is less than or equal to 100.";
    let expected = json!([
        { "percentage_allocation": [high] },
        { "multivariate_feature_option": [required], "percentage_allocation": [required] },
    ]);
    let expected = json!({ "multivariate_feature_state_values": expected });
    check_refusal(&wrong, 400, &expected);
    let flag = desk.flag("colour", Some(("anybody", json!([])))).await;
    assert_eq!(flag["feature_state_value"], "green");
}

#[tokio::test]
async fn an_empty_put_changes_nothing() {
    let desk = Desk::open().await;
    let (state, ..) = colour(&desk).await;
    let path = desk.in_environment(&format!("featurestates/{state}/"));
    let before = desk.get(&path).await.json();

    let put = desk.put(&path, json!({})).await.json();

    for (name, value) in before.as_object().unwrap() {
        if name != "updated_at" {
            assert_eq!(&put[name], value, "{name}");
        }
    }
}

#[tokio::test]
async fn a_state_is_found_in_its_own_environment_alone() {
    let desk = Desk::open().await;
    let other = desk.make_environment("Production").await;
    let feature = desk.make_feature(json!({ "name": "a" })).await;
    let state = desk.state_of(feature).await;

    let path = format!("/api/v1/environments/{other}/featurestates/{state}/");
    let read = desk.get(&path).await;
    let patched = desk.patch(&path, json!({ "enabled": true })).await;

    let missing = json!({ "detail": "No FeatureState matches the given query." });
    check_refusal(&read, 404, &missing);
    check_refusal(&patched, 404, &missing);
}

#[tokio::test]
async fn lists_are_narrowed_to_a_feature() {
    let desk = Desk::open().await;
    desk.make_feature(json!({ "name": "a" })).await;
    desk.make_feature(json!({ "name": "b" })).await;
    let list = async |query: &str| {
        desk.get(&desk.in_environment(&format!("featurestates/?{query}")))
            .await
    };

    assert_eq!(list("").await.json()["count"], 2);
    assert_eq!(list("feature_name=b").await.json()["count"], 1);
    assert_eq!(list("feature_name=B").await.json()["count"], 1);
    assert_eq!(list("feature_name=c").await.json()["count"], 0);
    assert_eq!(list("feature=99999").await.json()["count"], 0);
    assert_eq!(list("anyIdentity=1").await.json()["count"], 0);
    assert_eq!(list("anyIdentity=").await.json()["count"], 0);
    let wrong = json!({ "feature": ["A valid integer is required."] });
    check_refusal(&list("feature=x").await, 400, &wrong);
}
