use super::desk::{Desk, check_refusal, is_pro};
use crate::face::Reply;
use serde_json::{Value as Json, json};

async fn create(desk: &Desk, feature: i64, body: Json) -> Reply {
    let path = desk.in_environment(&format!("features/{feature}/create-segment-override/"));
    desk.post(&path, body).await
}

fn text_override(segment: i64, priority: Option<i64>, text: &str) -> Json {
    json!({
        "feature_segment": { "segment": segment, "priority": priority },
        "enabled": true,
        "feature_state_value": { "type": "unicode", "string_value": text },
    })
}

#[tokio::test]
async fn the_lowest_priority_wins_for_those_in_the_segment() {
    let desk = Desk::open().await;
    let feature = desk
        .make_feature(json!({ "name": "banner", "initial_value": "all" }))
        .await;
    let (weak, strong) = (desk.make_segment("a").await, desk.make_segment("b").await);
    create(&desk, feature, text_override(weak, Some(5), "weak")).await;
    create(&desk, feature, text_override(strong, Some(1), "strong")).await;
    let value = async |plan: &str| {
        let traits = json!([{ "trait_key": "plan", "trait_value": plan }]);
        let flag = desk.flag("banner", Some((plan, traits))).await;
        flag["feature_state_value"].clone()
    };

    assert_eq!(value("pro").await, "strong");
    assert_eq!(value("free").await, "all");
}

#[tokio::test]
async fn a_missing_segment_is_told_where_nothing_else_is_missing() {
    let desk = Desk::open().await;
    let feature = desk.make_feature(json!({ "name": "banner" })).await;
    let required = json!(["This field is required."]);

    let neither = create(&desk, feature, json!({})).await;
    let no_segment = create(&desk, feature, json!({ "feature_state_value": {} })).await;
    let empty = json!({ "feature_segment": {}, "feature_state_value": {} });
    let empty = create(&desk, feature, empty).await;

    check_refusal(&neither, 400, &json!({ "feature_state_value": required }));
    check_refusal(&no_segment, 400, &json!({ "feature_segment": required }));
    let expected = json!({ "feature_segment": { "segment": required } });
    check_refusal(&empty, 400, &expected);
}

#[tokio::test]
async fn a_segment_of_another_feature_cannot_be_used() {
    let desk = Desk::open().await;
    let owner = desk.make_feature(json!({ "name": "owner" })).await;
    let other = desk.make_feature(json!({ "name": "other" })).await;
    let own = json!({ "name": "own", "feature": owner, "rules": [is_pro()] });
    let segment = desk.make(&desk.in_project("segments/"), own).await;

    let reply = create(&desk, other, text_override(segment, None, "x")).await;

    let text = format!("Can only create segment override(using this segment) for feature {owner}");
    check_refusal(&reply, 400, &json!({ "feature": [text] }));
}

#[tokio::test]
async fn values_and_weights_are_checked() {
    let desk = Desk::open().await;
    let feature = desk.make_feature(json!({ "name": "banner" })).await;
    let segment = desk.make_segment("pro").await;
    let with = |value: Json, weights: Json| {
        json!({
            "feature_segment": { "segment": segment },
            "feature_state_value": value,
            "multivariate_feature_state_values": weights,
        })
    };

    let value = json!({ "type": "float", "integer_value": "x", "boolean_value": 7 });
    let values = create(&desk, feature, with(value, json!([]))).await;
    let weight = json!({ "multivariate_feature_option": 5, "percentage_allocation": 1 });
    let weights = create(&desk, feature, with(json!({}), json!([weight]))).await;

    let expected = json!({ "feature_state_value": {
        "integer_value": ["A valid integer is required."],
        "type": ["\"float\" is not a valid choice."],
        "boolean_value": ["Must be a valid boolean."],
    }});
    check_refusal(&values, 400, &expected);
    let unknown = "Invalid pk \"5\" - object does not exist.";
    let expected = json!([{ "multivariate_feature_option": [unknown] }]);
    let expected = json!({ "multivariate_feature_state_values": expected });
    check_refusal(&weights, 400, &expected);
}
