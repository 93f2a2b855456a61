use super::desk::{Desk, check_refusal};
use serde_json::json;

const LIST: &str = "/api/v1/projects/";

#[tokio::test]
async fn a_second_project_of_the_same_name_is_made() {
    let desk = Desk::open().await;
    let body = json!({ "name": "Shop", "organisation": desk.organisation });

    let second = desk.make(LIST, body).await;

    let path = format!("{LIST}?organisation={}", desk.organisation);
    let list = desk.get(&path).await.json();
    let ids: Vec<_> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|each| &each["id"])
        .collect();
    assert_eq!(ids, [&json!(desk.project), &json!(second)]);
}

#[tokio::test]
async fn settings_may_be_given_at_once() {
    let desk = Desk::open().await;
    let body = json!({
        "name": "Blog",
        "organisation": desk.organisation,
        "hide_disabled_flags": true,
        "feature_name_regex": "[a-z]+",
        "stale_flags_limit_days": 5,
        "minimum_change_request_approvals": 2,
    });

    let made = desk.post(LIST, body.clone()).await.json();

    for (name, value) in body.as_object().unwrap() {
        assert_eq!(&made[name], value, "{name}");
    }
    let path = format!("{LIST}{}/", made["id"]);
    let taken_away = json!({ "feature_name_regex": "", "minimum_change_request_approvals": null });
    let patched = desk.patch(&path, taken_away).await.json();
    assert_eq!(patched["feature_name_regex"], json!(null));
    assert_eq!(patched["minimum_change_request_approvals"], json!(null));
    assert_eq!(patched["stale_flags_limit_days"], 5);
}

#[tokio::test]
async fn an_organisation_has_to_be_one_of_the_callers() {
    let desk = Desk::open().await;
    let with = |organisation| json!({ "name": "Blog", "organisation": organisation });
    let forbidden = json!({ "detail": "You do not have permission to perform this action." });

    let unknown = desk.post(LIST, with(json!(99999))).await;
    let text = desk.post(LIST, with(json!("x"))).await;
    let null = desk.post(LIST, with(json!(null))).await;

    check_refusal(&unknown, 403, &forbidden);
    let expected = "Incorrect type. Expected pk value, received str.";
    check_refusal(&text, 400, &json!({ "organisation": [expected] }));
    let expected = "This field may not be null.";
    check_refusal(&null, 400, &json!({ "organisation": [expected] }));
}

#[tokio::test]
async fn somebody_elses_project_is_not_found() {
    let desk = Desk::open().await;
    let stranger = desk.stranger().await;
    let path = desk.in_project("");
    let missing = json!({ "detail": "No Project matches the given query." });

    for (method, body) in [("GET", None), ("PATCH", Some(json!({}))), ("DELETE", None)] {
        check_refusal(&stranger.ask(method, &path, body).await, 404, &missing);
    }
    for below in ["my-permissions/", "features/", "segments/"] {
        let path = desk.in_project(below);
        check_refusal(&stranger.ask("GET", &path, None).await, 404, &missing);
    }
    let list = stranger.ask("GET", LIST, None).await.json();
    assert_eq!(list, json!([]));
    let path = format!("{LIST}?organisation={}", desk.organisation);
    assert_eq!(stranger.ask("GET", &path, None).await.json(), json!([]));
}

#[tokio::test]
async fn a_pattern_that_is_none_is_refused() {
    let desk = Desk::open().await;

    let reply = desk
        .patch(&desk.in_project(""), json!({ "feature_name_regex": "(" }))
        .await;

    let expected = json!({ "feature_name_regex": ["Enter a valid regular expression."] });
    check_refusal(&reply, 400, &expected);
}

#[tokio::test]
async fn totals_count_what_is_there() {
    let desk = Desk::open().await;
    desk.make_feature(json!({ "name": "a" })).await;
    let gone = desk.make_feature(json!({ "name": "b" })).await;
    desk.make_segment("pro").await;
    desk.delete(&desk.in_project(&format!("features/{gone}/")))
        .await;

    let project = desk.get(&desk.in_project("")).await.json();

    let totals = (&project["total_features"], &project["total_segments"]);
    assert_eq!(totals, (&json!(1), &json!(1)));
}
