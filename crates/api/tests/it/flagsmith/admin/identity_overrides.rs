use super::desk::{Desk, check_refusal};
use serde_json::{Value as Json, json};

/// An identity; gives the path of its overrides.
async fn bob(desk: &Desk) -> String {
    let list = desk.in_environment("identities/");
    let id = desk.make(&list, json!({ "identifier": "bob" })).await;
    format!("{list}{id}/featurestates/")
}

async fn value_for_bob(desk: &Desk, feature: &str) -> Json {
    let flag = desk.flag(feature, Some(("bob", json!([])))).await;
    flag["feature_state_value"].clone()
}

#[tokio::test]
async fn an_override_holds_until_it_is_deleted() {
    let desk = Desk::open().await;
    let list = bob(&desk).await;
    let feature = desk
        .make_feature(json!({ "name": "banner", "initial_value": "all" }))
        .await;
    let body = json!({ "feature": feature, "enabled": true, "feature_state_value": "bob's" });

    let id = desk.make(&list, body).await;
    let made = value_for_bob(&desk, "banner").await;
    let path = format!("{list}{id}/");
    desk.put(&path, json!({ "feature_state_value": 7 })).await;
    let put = value_for_bob(&desk, "banner").await;
    let patched = desk.patch(&path, json!({ "enabled": false })).await;
    let deleted = desk.delete(&path).await;

    assert_eq!((made, put), (json!("bob's"), json!(7)));
    assert_eq!(
        patched.json(),
        json!({ "feature": feature, "enabled": false })
    );
    assert_eq!(deleted.status, 204);
    assert_eq!(value_for_bob(&desk, "banner").await, "all");
    assert_eq!(desk.get(&list).await.json()["count"], 0);
}

#[tokio::test]
async fn all_flags_say_who_overrides_them() {
    let desk = Desk::open().await;
    let list = bob(&desk).await;
    let banner = desk.make_feature(json!({ "name": "banner" })).await;
    let limit = desk.make_feature(json!({ "name": "limit" })).await;
    desk.make_feature(json!({ "name": "plain" })).await;
    let segment = desk.make_segment("pro").await;
    let traits = json!([{ "trait_key": "plan", "trait_value": "pro" }]);
    desk.flag("plain", Some(("bob", traits))).await;
    let path = desk.in_environment(&format!("features/{banner}/create-segment-override/"));
    let value = json!({ "type": "unicode", "string_value": "for pro" });
    let body = json!({ "feature_segment": { "segment": segment }, "feature_state_value": value });
    desk.make(&path, body).await;
    desk.make(&list, json!({ "feature": limit, "feature_state_value": 5 }))
        .await;

    let all = desk.get(&format!("{list}all/")).await.json();

    let shown: Vec<_> = all
        .as_array()
        .unwrap()
        .iter()
        .map(|flag| {
            let members = ["overridden_by", "segment", "feature_state_value"];
            json!(members.map(|name| flag[name].clone()))
        })
        .collect();
    let segment = json!({ "id": segment, "name": "pro" });
    assert_eq!(shown[0], json!(["SEGMENT", segment, "for pro"]));
    assert_eq!(shown[1], json!(["IDENTITY", null, 5]));
    assert_eq!(shown[2], json!([null, null, null]));
}

#[tokio::test]
async fn an_override_of_somebody_else_is_not_found() {
    let desk = Desk::open().await;
    let list = bob(&desk).await;
    let feature = desk.make_feature(json!({ "name": "banner" })).await;
    let id = desk.make(&list, json!({ "feature": feature })).await;
    let identities = desk.in_environment("identities/");
    let eve = desk.make(&identities, json!({ "identifier": "eve" })).await;

    let path = format!("{identities}{eve}/featurestates/{id}/");
    let missing = json!({ "detail": "No FeatureState matches the given query." });

    check_refusal(&desk.get(&path).await, 404, &missing);
    check_refusal(&desk.delete(&path).await, 404, &missing);
    let default = desk.state_of(feature).await;
    let default = desk.delete(&format!("{list}{default}/")).await;
    check_refusal(&default, 404, &missing);
}

#[tokio::test]
async fn the_feature_is_asked_for_first() {
    let desk = Desk::open().await;
    let list = bob(&desk).await;
    let forbidden = json!({ "detail": "You do not have permission to perform this action." });

    for feature in [json!(null), json!(99999), json!(-1)] {
        let reply = desk.post(&list, json!({ "feature": feature })).await;
        check_refusal(&reply, 403, &forbidden);
    }
    let wrong = desk.post(&list, json!({ "feature": "x" })).await;
    let text = "Incorrect type. Expected pk value, received str.";
    check_refusal(&wrong, 400, &json!({ "feature": [text] }));
}
