use super::desk::{Desk, check_refusal, is_pro};
use serde_json::{Value as Json, json};

fn rule(conditions: Json) -> Json {
    json!({ "type": "ALL", "rules": [], "conditions": conditions })
}

/// Rules without the ids of their rows.
fn without_ids(json: &Json) -> Json {
    match json {
        Json::Array(items) => items.iter().map(without_ids).collect(),
        Json::Object(members) => {
            let kept = members.iter().filter(|(name, _)| *name != "id");
            let kept = kept.map(|(name, member)| (name.clone(), without_ids(member)));
            Json::Object(kept.collect())
        }
        other => other.clone(),
    }
}

fn equal(value: &str) -> Json {
    json!({ "operator": "EQUAL", "property": "plan", "value": value })
}

#[tokio::test]
async fn what_is_wrong_with_a_rule_stands_at_its_place() {
    let desk = Desk::open().await;
    let list = desk.in_project("segments/");
    let check = async |rules: Json, expected: Json| {
        let body = json!({ "name": "a", "rules": rules });
        let reply = desk.post(&list, body).await;
        check_refusal(&reply, 400, &json!({ "rules": expected }));
    };

    let broken = rule(json!([equal("x"), { "operator": "NOPE", "property": "x" }]));
    let error = json!({ "operator": ["\"NOPE\" is not a valid choice."] });
    let expected = json!([{}, { "conditions": [{}, error] }]);
    check(json!([is_pro(), broken]), expected).await;
    let no_object = "Invalid data. Expected a dictionary, but got int.";
    check(json!([5]), json!([{ "non_field_errors": [no_object] }])).await;
    let no_list = "Expected a list of items but got type \"dict\".";
    check(json!({}), json!({ "non_field_errors": [no_list] })).await;
    let long = rule(json!([equal(&"x".repeat(1001))]));
    let limit = "Ensure this field has no more than 1000 characters.";
    check(
        json!([long]),
        json!([{ "conditions": [{ "value": [limit] }] }]),
    )
    .await;
    check(
        json!([{}]),
        json!([{ "type": ["This field is required."] }]),
    )
    .await;
    check(json!(null), json!(["This field may not be null."])).await;
}

#[tokio::test]
async fn rules_with_ids_stay_and_those_left_out_go() {
    let desk = Desk::open().await;
    let list = desk.in_project("segments/");
    let body = json!({ "name": "a", "rules": [rule(json!([equal("x"), equal("y")])), is_pro()] });
    let made = desk.post(&list, body).await.json();
    let path = format!("{list}{}/", made["id"]);
    let (first, kept) = (&made["rules"][0]["id"], &made["rules"][0]["conditions"][1]);

    let conditions = json!([
        { "id": kept["id"], "operator": "EQUAL", "property": "plan", "value": "z" },
        { "id": 99999, "operator": "IS_SET", "property": "new" },
    ]);
    let rules = json!([{ "id": first, "type": "ANY", "rules": [], "conditions": conditions }]);
    let put = desk
        .put(&path, json!({ "name": "a", "rules": rules }))
        .await
        .json();
    let read = desk.get(&path).await.json();
    let patched = desk
        .patch(&path, json!({ "description": "d" }))
        .await
        .json();

    let rule = &put["rules"][0];
    assert_eq!(put["rules"].as_array().unwrap().len(), 1);
    assert_eq!((&rule["id"], &rule["type"]), (first, &json!("ANY")));
    assert_eq!(rule["conditions"][0]["id"], kept["id"]);
    assert_eq!(rule["conditions"][0]["value"], "z");
    assert_ne!(rule["conditions"][1]["id"], 99999);
    assert_eq!(read["rules"], put["rules"]);
    assert_eq!(patched["rules"], put["rules"]);
}

#[tokio::test]
async fn a_segment_is_not_left_without_rules() {
    let desk = Desk::open().await;
    let id = desk.make_segment("pro").await;
    let path = desk.in_project(&format!("segments/{id}/"));
    let empty = json!({ "rules": { "non_field_errors": ["This list may not be empty."] } });

    let mut goes = is_pro();
    goes["delete"] = json!(true);
    let deleted = desk.patch(&path, json!({ "rules": [goes] })).await;
    let emptied = desk.patch(&path, json!({ "rules": [] })).await;
    let put = desk.put(&path, json!({ "name": "pro" })).await;

    check_refusal(&deleted, 400, &empty);
    check_refusal(&emptied, 400, &empty);
    check_refusal(&put, 400, &json!({ "rules": ["This field is required."] }));
}

#[tokio::test]
async fn rules_nested_deep_are_refused_however_deep() {
    let desk = Desk::open().await;
    let nested = |levels: usize| {
        let inner = rule(json!([equal("x")]));
        (1..levels).fold(inner, |rules, _| json!({ "type": "ALL", "rules": [rules] }))
    };
    let post = async |levels| {
        let body = json!({ "name": "deep", "rules": [nested(levels)] });
        desk.post(&desk.in_project("segments/"), body).await
    };

    let expected = json!({ "segment": ["Rules must not be nested more than 2 levels deep."] });
    assert_eq!(post(2).await.status, 201);
    check_refusal(&post(3).await, 400, &expected);
    check_refusal(&post(25).await, 400, &expected);
    assert_eq!(post(200).await.status, 400);
}

#[tokio::test]
async fn a_pattern_that_is_none_matches_nobody() {
    let desk = Desk::open().await;
    let feature = desk.make_feature(json!({ "name": "banner" })).await;
    let broken = json!({ "operator": "REGEX", "property": "plan", "value": "(" });
    let divided = json!({ "operator": "MODULO", "property": "n", "value": "0|0" });
    let body = json!({ "name": "odd", "rules": [rule(json!([broken])), rule(json!([divided]))] });
    let segment = desk.make(&desk.in_project("segments/"), body).await;
    let path = desk.in_environment(&format!("features/{feature}/create-segment-override/"));
    let body = json!({
        "feature_segment": { "segment": segment },
        "enabled": true,
        "feature_state_value": {},
    });
    desk.make(&path, body).await;

    let traits = json!([
        { "trait_key": "plan", "trait_value": "(" },
        { "trait_key": "n", "trait_value": 0 },
    ]);
    let flag = desk.flag("banner", Some(("bob", traits))).await;

    assert_eq!(flag["enabled"], false);
}

#[tokio::test]
async fn a_segment_of_a_feature_needs_that_feature() {
    let desk = Desk::open().await;
    let post = async |feature: Json| {
        let body = json!({ "name": "a", "feature": feature, "rules": [is_pro()] });
        desk.post(&desk.in_project("segments/"), body).await
    };

    let unknown = post(json!(99999)).await;
    let wrong = post(json!("x")).await;
    let none = post(json!(null)).await;

    let text = "Invalid pk \"99999\" - object does not exist.";
    check_refusal(&unknown, 400, &json!({ "feature": [text] }));
    let text = "Incorrect type. Expected pk value, received str.";
    check_refusal(&wrong, 400, &json!({ "feature": [text] }));
    assert_eq!(none.status, 201);
}

#[tokio::test]
async fn segments_of_one_feature_can_be_left_out() {
    let desk = Desk::open().await;
    let feature = desk.make_feature(json!({ "name": "banner" })).await;
    desk.make_segment("pro").await;
    let own = json!({ "name": "own", "feature": feature, "rules": [is_pro()] });
    desk.make(&desk.in_project("segments/"), own).await;
    let count = async |query: &str| {
        let path = desk.in_project(&format!("segments/?{query}"));
        desk.get(&path).await.json()["count"].clone()
    };

    assert_eq!(count("").await, 2);
    assert_eq!(count("include_feature_specific=false").await, 1);
    assert_eq!(count("q=PR").await, 1);
    assert_eq!(count("q=_").await, 0);
}

#[tokio::test]
async fn a_deleted_segment_takes_its_overrides_along() {
    let desk = Desk::open().await;
    let feature = desk.make_feature(json!({ "name": "banner" })).await;
    let segment = desk.make_segment("pro").await;
    let path = desk.in_environment(&format!("features/{feature}/create-segment-override/"));
    let body = json!({
        "feature_segment": { "segment": segment },
        "enabled": true,
        "feature_state_value": {},
    });
    desk.make(&path, body).await;
    let is_on = async || {
        let traits = json!([{ "trait_key": "plan", "trait_value": "pro" }]);
        desk.flag("banner", Some(("bob", traits))).await["enabled"].clone()
    };

    let before = is_on().await;
    let path = desk.in_project(&format!("segments/{segment}/"));
    let deleted = desk.delete(&path).await;

    assert_eq!((before, deleted.status), (json!(true), 204));
    assert_eq!(is_on().await, false);
    let missing = json!({ "detail": "No Segment matches the given query." });
    check_refusal(&desk.get(&path).await, 404, &missing);
}

#[tokio::test]
async fn a_copied_segment_stands_for_itself() {
    let desk = Desk::open().await;
    let id = desk.make_segment("pro").await;
    let path = desk.in_project(&format!("segments/{id}/"));

    let copy = desk
        .post(&format!("{path}clone/"), json!({ "name": "pro copy" }))
        .await;

    assert_eq!(copy.status, 201, "{}", copy.text());
    let (copy, original) = (copy.json(), desk.get(&path).await.json());
    assert_eq!(copy["name"], "pro copy");
    assert_eq!(copy["version_of"], copy["id"]);
    assert_eq!(without_ids(&copy["rules"]), without_ids(&original["rules"]));
    let ids = |segment: &Json| {
        let rule = &segment["rules"][0];
        (
            segment["id"].clone(),
            segment["uuid"].clone(),
            rule["id"].clone(),
        )
    };
    assert_ne!(ids(&copy).0, ids(&original).0);
    assert_ne!(ids(&copy).1, ids(&original).1);
    assert_ne!(ids(&copy).2, ids(&original).2);
    let found = desk
        .get(&format!(
            "/api/v1/segments/get-by-uuid/{}/",
            copy["uuid"].as_str().unwrap()
        ))
        .await;
    assert_eq!(found.json(), copy);

    desk.patch(
        &path,
        json!({ "rules": [{ "type": "NONE", "conditions": [], "rules": [] }] }),
    )
    .await;
    let unchanged = desk
        .get(&desk.in_project(&format!("segments/{}/", copy["id"])))
        .await
        .json();
    assert_eq!(unchanged["rules"], copy["rules"]);
}

#[tokio::test]
async fn copies_and_lookups_of_segments_are_refused_to_others() {
    let desk = Desk::open().await;
    let id = desk.make_segment("pro").await;
    let path = desk.in_project(&format!("segments/{id}/"));
    let uuid = desk.get(&path).await.json()["uuid"]
        .as_str()
        .unwrap()
        .to_owned();
    let by_uuid = format!("/api/v1/segments/get-by-uuid/{uuid}/");
    let stranger = desk.stranger().await;
    let body = Some(json!({ "name": "mine" }));

    let no_name = desk.post(&format!("{path}clone/"), json!({})).await;
    let unknown = desk
        .post(
            &desk.in_project("segments/999/clone/"),
            json!({ "name": "x" }),
        )
        .await;
    let copied = stranger.ask("POST", &format!("{path}clone/"), body).await;
    let found = stranger.ask("GET", &by_uuid, None).await;
    let features = stranger
        .ask("GET", &format!("{path}associated-features/"), None)
        .await;
    let no_uuid = desk.get("/api/v1/segments/get-by-uuid/x/").await;

    check_refusal(
        &no_name,
        400,
        &json!({ "name": ["This field is required."] }),
    );
    let missing = json!({ "detail": "No Segment matches the given query." });
    check_refusal(&unknown, 404, &missing);
    check_refusal(&found, 404, &missing);
    let hidden = json!({ "detail": "No Project matches the given query." });
    check_refusal(&copied, 404, &hidden);
    check_refusal(&features, 404, &hidden);
    check_refusal(&no_uuid, 404, &json!({ "detail": "Not found." }));
}

#[tokio::test]
async fn the_features_that_a_segment_overrides_are_listed() {
    let desk = Desk::open().await;
    let feature = desk.make_feature(json!({ "name": "banner" })).await;
    let segment = desk.make_segment("pro").await;
    let body = json!({
        "feature_segment": { "segment": segment }, "enabled": true,
        "feature_state_value": { "type": "unicode", "string_value": "x" },
    });
    let path = desk.in_environment(&format!("features/{feature}/create-segment-override/"));
    let state = desk.make(&path, body.clone()).await;
    let other = desk.make_environment("Production").await;
    let path = format!("/api/v1/environments/{other}/features/{feature}/create-segment-override/");
    let elsewhere = desk.make(&path, body).await;
    let list = desk.in_project(&format!("segments/{segment}/associated-features/"));

    let all = desk.get(&list).await.json();
    let of_first = desk.get(&format!("{list}?environment=1")).await.json();
    let broken = desk.get(&format!("{list}?environment=x")).await;

    let row = |id: i64, environment: i64| json!({ "id": id, "feature": feature, "environment": environment });
    assert_eq!(all["results"], json!([row(state, 1), row(elsewhere, 2)]));
    assert_eq!(of_first["results"], json!([row(state, 1)]));
    let text = "A valid integer is required.";
    check_refusal(&broken, 400, &json!({ "environment": [text] }));
}

#[tokio::test]
async fn the_segments_of_an_identity_are_those_its_traits_put_it_in() {
    let desk = Desk::open().await;
    let pro = desk.make_segment("pro").await;
    let body = json!({ "name": "adults", "rules": [{
        "type": "ALL", "rules": [],
        "conditions": [{ "operator": "GREATER_THAN_INCLUSIVE", "property": "age", "value": "18" }],
    }] });
    let adults = desk.make(&desk.in_project("segments/"), body).await;
    let traits = json!([
        { "trait_key": "plan", "trait_value": "pro" }, { "trait_key": "age", "trait_value": 30 },
    ]);
    desk.make_feature(json!({ "name": "banner" })).await;
    desk.flag("banner", Some(("bob", traits))).await;
    desk.flag("banner", Some(("eve", json!([])))).await;
    let list = desk.in_project("segments/");
    let found = async |query: &str| {
        let list = desk.get(&format!("{list}?{query}")).await.json();
        let results = list["results"].as_array().unwrap().iter();
        results
            .map(|each| each["id"].as_i64().unwrap())
            .collect::<Vec<_>>()
    };

    assert_eq!(found("identity=1").await, [pro, adults]);
    assert_eq!(found("identity=1&q=ADU").await, [adults]);
    assert_eq!(found("identity=1&page_size=1&page=2").await, [adults]);
    assert_eq!(found("identity=2").await, Vec::<i64>::new());
    assert_eq!(found("identity=").await, [pro, adults]);
    let unknown = desk.get(&format!("{list}?identity=99")).await;
    let missing = json!({ "detail": "No Identity matches the given query." });
    check_refusal(&unknown, 404, &missing);
}

#[tokio::test]
async fn a_segment_with_too_many_or_too_deep_rules_is_refused() {
    let desk = Desk::open().await;
    let list = desk.in_project("segments/");
    let rule = |rules: Json| json!({ "type": "ALL", "conditions": [], "rules": rules });
    let empty = || rule(json!([]));
    let many: Vec<Json> = (0..201).map(|_| empty()).collect();
    let deep = rule(json!([rule(json!([empty()]))]));
    let long = json!({ "type": "ALL", "conditions": [
        { "operator": "EQUAL", "property": "x", "value": "y".repeat(1001) },
    ] });

    let many = desk
        .post(&list, json!({ "name": "many", "rules": many }))
        .await;
    let deep = desk
        .post(&list, json!({ "name": "deep", "rules": [deep] }))
        .await;
    let long = desk
        .post(&list, json!({ "name": "long", "rules": [long] }))
        .await;

    let text = "The segment has 201 rules, which exceeds the maximum rule count of 200.";
    check_refusal(&many, 400, &json!({ "segment": [text] }));
    let text = "Rules must not be nested more than 2 levels deep.";
    check_refusal(&deep, 400, &json!({ "segment": [text] }));
    let text = "Ensure this field has no more than 1000 characters.";
    let expected = json!({ "rules": [{ "conditions": [{ "value": [text] }] }] });
    check_refusal(&long, 400, &expected);
}
