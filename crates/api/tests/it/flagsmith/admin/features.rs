use super::desk::{Desk, check_refusal};
use serde_json::{Value as Json, json};

fn names(list: &Json) -> Vec<&str> {
    let results = list["results"].as_array().unwrap();
    results
        .iter()
        .map(|each| each["name"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn a_new_feature_reaches_sdks_with_its_type() {
    let desk = Desk::open().await;
    for (name, value, expected) in [
        ("number", json!("42"), json!(42)),
        ("switch", json!(true), json!(true)),
        ("text", json!(" spaces "), json!(" spaces ")),
        ("object", json!({"a": [1, null]}), json!("{'a': [1, None]}")),
        ("zero", json!(0), json!(0)),
        ("none", json!(null), json!(null)),
    ] {
        let body = json!({ "name": name, "initial_value": value, "default_enabled": true });
        desk.make_feature(body).await;

        let flag = desk.flag(name, None).await;

        assert_eq!(flag["feature_state_value"], expected, "{name}");
        assert_eq!(flag["enabled"], true);
    }
}

#[tokio::test]
async fn a_project_may_keep_new_features_off_and_empty() {
    let desk = Desk::open().await;
    desk.patch(
        &desk.in_project(""),
        json!({ "prevent_flag_defaults": true }),
    )
    .await;
    let body = json!({ "name": "a", "initial_value": "x", "default_enabled": true });

    desk.make_feature(body).await;

    let flag = desk.flag("a", None).await;
    assert_eq!(flag["enabled"], false);
    assert_eq!(flag["feature_state_value"], json!(null));
}

#[tokio::test]
async fn names_are_unique_in_every_script() {
    let desk = Desk::open().await;
    desk.make_feature(json!({ "name": "Straße" })).await;
    let text = "Feature with that name already exists for this project. \
                Note that feature names are case insensitive.";

    let reply = desk
        .post(&desk.in_project("features/"), json!({ "name": "STRASSE" }))
        .await;

    check_refusal(&reply, 400, &json!({ "name": [text] }));
}

#[tokio::test]
async fn names_follow_the_pattern_of_the_project() {
    let desk = Desk::open().await;
    desk.patch(
        &desk.in_project(""),
        json!({ "feature_name_regex": "[a-z]+" }),
    )
    .await;
    let list = desk.in_project("features/");

    let refused = desk.post(&list, json!({ "name": "two words" })).await;
    let taken = desk.post(&list, json!({ "name": "word" })).await;

    assert_eq!((refused.status, taken.status), (400, 201));
    assert!(
        refused.json()["name"][0]
            .as_str()
            .unwrap()
            .contains("[a-z]+")
    );
}

#[tokio::test]
async fn what_is_wrong_with_an_option_stands_at_its_place() {
    let desk = Desk::open().await;
    let list = desk.in_project("features/");
    let check = async |options: Json, expected: Json| {
        let body = json!({ "name": "colour", "multivariate_options": options });
        let reply = desk.post(&list, body).await;
        check_refusal(&reply, 400, &json!({ "multivariate_options": expected }));
    };

    let reserved = json!({ "key": ["\"control\" is a reserved variant key."] });
    check(json!([{}, { "key": "control" }]), json!([{}, reserved])).await;
    let low = "Ensure this value is greater than or equal to 0.";
    let below = json!([{ "default_percentage_allocation": -1 }]);
    check(below, json!([{ "default_percentage_allocation": [low] }])).await;
    let high = "Ensure this value is less than or equal to 100.";
    let above = json!([{ "default_percentage_allocation": "100.5" }]);
    check(above, json!([{ "default_percentage_allocation": [high] }])).await;
    let large = "Ensure this value is less than or equal to 2147483647.";
    let integer = json!([{ "type": "int", "integer_value": 3_000_000_000_i64 }]);
    check(integer, json!([{ "integer_value": [large] }])).await;
    let no_list = "Expected a list of items but got type \"str\".";
    check(json!("red"), json!({ "non_field_errors": [no_list] })).await;
    let half = |key| json!({ "key": key, "default_percentage_allocation": 60 });
    let sum = json!(["Invalid percentage allocation"]);
    check(json!([half("a"), half("b")]), sum).await;
}

#[tokio::test]
async fn two_options_cannot_have_one_key() {
    let desk = Desk::open().await;
    let option = json!({ "key": "a", "default_percentage_allocation": 10 });
    let body = json!({ "name": "colour", "multivariate_options": [option, option] });

    let reply = desk.post(&desk.in_project("features/"), body).await;

    let text = "Multivariate option with this key already exists for the feature.";
    check_refusal(&reply, 400, &json!({ "key": [text] }));
}

#[tokio::test]
async fn lists_are_searched_sorted_and_cut() {
    let desk = Desk::open().await;
    for name in ["beta", "Alpha", "gamma"] {
        desk.make_feature(json!({ "name": name })).await;
    }
    let list = async |query: &str| {
        desk.get(&desk.in_project(&format!("features/?{query}")))
            .await
    };

    let by_name = list("sort_field=name").await.json();
    let newest = list("sort_direction=DESC&page_size=1").await.json();
    let found = list("search=ALPH").await.json();
    let nothing = list("search=%25").await.json();
    let archived = list("is_archived=true").await.json();
    let wrong = list("sort_direction=UP&is_archived=perhaps").await;

    assert_eq!(names(&by_name), ["Alpha", "beta", "gamma"]);
    assert_eq!(names(&newest), ["gamma"]);
    assert_eq!(newest["count"], 3);
    assert_eq!(names(&found), ["Alpha"]);
    assert_eq!(nothing["count"], 0);
    assert_eq!(archived["count"], 0);
    let expected = json!({
        "sort_direction": ["\"UP\" is not a valid choice."],
        "is_archived": ["Must be a valid boolean."],
    });
    check_refusal(&wrong, 400, &expected);
}

#[tokio::test]
async fn features_are_found_by_their_state_in_an_environment() {
    let desk = Desk::open().await;
    desk.make_feature(json!({ "name": "on", "default_enabled": true, "initial_value": "Hello" }))
        .await;
    desk.make_feature(json!({ "name": "off", "initial_value": "12" }))
        .await;
    let environment = desk.get(&desk.in_environment("")).await.json()["id"].clone();
    let list = async |query: &str| {
        let path = format!("features/?environment={environment}&{query}");
        desk.get(&desk.in_project(&path)).await.json()
    };

    assert_eq!(names(&list("is_enabled=true").await), ["on"]);
    assert_eq!(names(&list("is_enabled=false").await), ["off"]);
    assert_eq!(names(&list("value_search=hell").await), ["on"]);
    assert_eq!(names(&list("value_search=2").await), ["off"]);
    let none = list("is_enabled=true&value_search=12").await;
    assert_eq!(none["count"], 0);
}

#[tokio::test]
async fn what_a_segment_and_an_identity_override_is_shown_in_lists() {
    let desk = Desk::open().await;
    let plain = desk.make_feature(json!({ "name": "plain" })).await;
    let own = desk.make_feature(json!({ "name": "own" })).await;
    let segment = desk.make_segment("pro").await;
    let value = json!({ "type": "unicode", "string_value": "gold" });
    let body = json!({ "feature_segment": { "segment": segment, "priority": 0 },
        "enabled": true, "feature_state_value": value });
    let path = format!("features/{plain}/create-segment-override/");
    desk.make(&desk.in_environment(&path), body).await;
    let identities = desk.in_environment("identities/");
    let bob = desk.make(&identities, json!({ "identifier": "bob" })).await;
    let body = json!({ "feature": own, "enabled": true });
    desk.make(&format!("{identities}{bob}/featurestates/"), body)
        .await;
    let environment = desk.get(&desk.in_environment("")).await.json()["id"].clone();
    let list = async |query: &str| {
        let path = format!("features/?environment={environment}&{query}");
        desk.get(&desk.in_project(&path)).await.json()
    };

    let for_segment = list(&format!("segment={segment}")).await;
    let for_nobody = list("segment=999&identity=999").await;
    let for_bob = list(&format!("identity={bob}")).await;
    let second = list(&format!("identity={bob}&page_size=1&page=2")).await;

    let shown = &for_segment["results"][0];
    assert_eq!(
        shown["segment_feature_state"]["feature_state_value"],
        "gold"
    );
    assert_eq!(shown["segment_feature_state"]["enabled"], true);
    assert_eq!(shown["environment_feature_state"]["enabled"], false);
    assert_eq!(
        (
            &shown["num_segment_overrides"],
            &shown["num_identity_overrides"]
        ),
        (&json!(1), &json!(null))
    );
    assert_eq!(
        for_segment["results"][1]["segment_feature_state"],
        json!(null)
    );
    assert_eq!(for_segment["results"][1]["num_identity_overrides"], 1);
    assert_eq!(
        for_nobody["results"][0]["segment_feature_state"],
        json!(null)
    );
    assert_eq!(names(&for_nobody), ["plain", "own"]);
    assert_eq!(names(&for_bob), ["own", "plain"]);
    assert_eq!(
        (names(&second), &second["count"]),
        (vec!["plain"], &json!(2))
    );
}

#[tokio::test]
async fn an_environment_of_another_project_is_not_looked_into() {
    let desk = Desk::open().await;
    let blog = json!({ "name": "Blog", "organisation": desk.organisation });
    let blog = desk.make("/api/v1/projects/", blog).await;
    let environment = desk.get(&desk.in_environment("")).await.json()["id"].clone();

    let path = format!("/api/v1/projects/{blog}/features/?environment={environment}");
    let reply = desk.get(&path).await;

    let missing = json!({ "detail": "No Environment matches the given query." });
    check_refusal(&reply, 404, &missing);
}

#[tokio::test]
async fn only_what_may_change_changes() {
    let desk = Desk::open().await;
    let id = desk
        .make_feature(json!({ "name": "a", "initial_value": "x" }))
        .await;
    let path = desk.in_project(&format!("features/{id}/"));

    let body = json!({
        "name": "b",
        "type": "MULTIVARIATE",
        "initial_value": "y",
        "is_server_key_only": true,
        "is_archived": true,
        "tags": [],
    });
    let patched = desk.patch(&path, body).await.json();

    assert_eq!(patched["name"], "a");
    assert_eq!(patched["type"], "STANDARD");
    assert_eq!(patched["initial_value"], "x");
    assert_eq!(patched["is_server_key_only"], true);
    let archived = desk
        .get(&desk.in_project("features/?is_archived=true"))
        .await;
    assert_eq!(names(&archived.json()), ["a"]);
}

#[tokio::test]
async fn tags_that_are_not_there_are_refused() {
    let desk = Desk::open().await;
    let check = async |tags: Json, expected: &str| {
        let body = json!({ "name": "a", "tags": tags });
        let reply = desk.post(&desk.in_project("features/"), body).await;
        check_refusal(&reply, 400, &json!({ "tags": [expected] }));
    };

    check(json!([7]), "Invalid pk \"7\" - object does not exist.").await;
    let wrong = "Incorrect type. Expected pk value, received str.";
    check(json!(["x"]), wrong).await;
    let no_list = "Expected a list of items but got type \"int\".";
    check(json!(5), no_list).await;
    check(json!(null), "This field may not be null.").await;
}
