use super::desk::{Desk, check_refusal};
use serde_json::{Value as Json, json};

fn ids(owners: &Json) -> Vec<i64> {
    let owners = owners.as_array().unwrap().iter();
    owners.map(|owner| owner["id"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn a_feature_changes_hands() {
    let desk = Desk::open().await;
    desk.colleague().await;
    let feature = desk.make_feature(json!({ "name": "a" })).await;
    let path = |step: &str| desk.in_project(&format!("features/{feature}/{step}"));

    let change = async |step: &str, ids: Json| {
        let reply = desk.post(&path(step), json!({ "user_ids": ids })).await;
        reply.json()
    };

    let both = change("add-owners/", json!([2, 1])).await;
    let one = change("remove-owners/", json!([1])).await;
    let whole = desk.get(&path("")).await.json();

    assert_eq!(ids(&both["owners"]), [1, 2]);
    assert_eq!(ids(&one["owners"]), [2]);
    assert_eq!(ids(&whole["owners"]), [2]);
    assert_eq!(whole["group_owners"], json!([]));
}

#[tokio::test]
async fn features_are_found_by_who_looks_after_them() {
    let desk = Desk::open().await;
    desk.colleague().await;
    desk.make_feature(json!({ "name": "mine" })).await;
    desk.make_feature(json!({ "name": "yours", "owners": [2] }))
        .await;
    let count = async |query: &str| {
        let list = desk.in_project(&format!("features/?{query}"));
        desk.get(&list).await.json()["count"].as_i64().unwrap()
    };

    assert_eq!(count("owners=1").await, 1);
    assert_eq!(count("owners=1,2").await, 2);
    assert_eq!(count("owners=2&group_owners=1").await, 1);
    assert_eq!(count("owners=3").await, 0);
    assert_eq!(count("group_owners=1").await, 0);
    assert_eq!(count("owners=").await, 2);
    let list = desk.in_project("features/?owners=me&group_owners=us");
    let reply = desk.get(&list).await;
    let expected = json!({
        "group_owners": ["Group owner IDs must be integers."],
        "owners": ["Owner IDs must be integers."],
    });
    check_refusal(&reply, 400, &expected);
}

#[tokio::test]
async fn a_project_may_want_an_owner_for_each_feature() {
    let desk = Desk::open().await;
    let enforced = json!({ "enforce_feature_owners": true });
    desk.patch(&desk.in_project(""), enforced).await;
    let list = desk.in_project("features/");

    let nobody = desk.post(&list, json!({ "name": "a" })).await;
    let empty = desk.post(&list, json!({ "name": "a", "owners": [] })).await;
    let named = desk
        .post(&list, json!({ "name": "a", "owners": [1] }))
        .await;

    let text = "This project requires at least one owner for each feature.";
    check_refusal(&nobody, 400, &json!({ "owners": [text] }));
    check_refusal(&empty, 400, &json!({ "owners": [text] }));
    assert_eq!(named.status, 201);
    assert_eq!(ids(&named.json()["owners"]), [1]);
}

#[tokio::test]
async fn only_members_of_the_organisation_look_after_features() {
    let desk = Desk::open().await;
    desk.stranger().await;
    let feature = desk.make_feature(json!({ "name": "a" })).await;
    let path = desk.in_project(&format!("features/{feature}/add-owners/"));
    let check = async |body: Json, expected: Json| {
        check_refusal(&desk.post(&path, body).await, 400, &expected);
    };

    let unknown = json!({ "non_field_errors": ["Some users not found"] });
    check(json!({ "user_ids": [2] }), unknown.clone()).await;
    check(json!({ "user_ids": [1, 999] }), unknown).await;
    let required = json!({ "user_ids": ["This field is required."] });
    check(json!({}), required).await;
    let wrong = json!({ "user_ids": { "1": ["A valid integer is required."] } });
    check(json!({ "user_ids": [1, "x"] }), wrong).await;
    let no_list = json!({ "user_ids": ["Expected a list of items but got type \"int\"."] });
    check(json!({ "user_ids": 1 }), no_list).await;
    let body = json!({ "name": "b", "owners": [2] });
    let made = desk.post(&desk.in_project("features/"), body).await;
    let text = "Invalid pk \"2\" - object does not exist.";
    check_refusal(&made, 400, &json!({ "owners": [text] }));
}

#[tokio::test]
async fn no_group_looks_after_features() {
    let desk = Desk::open().await;
    let feature = desk.make_feature(json!({ "name": "a" })).await;

    for step in ["add-group-owners/", "remove-group-owners/"] {
        let path = desk.in_project(&format!("features/{feature}/{step}"));
        let none = desk.post(&path, json!({ "group_ids": [] })).await;
        let some = desk.post(&path, json!({ "group_ids": [1] })).await;

        assert_eq!(none.status, 200);
        let unknown = json!({ "non_field_errors": ["Some groups not found"] });
        check_refusal(&some, 400, &unknown);
    }
    let body = json!({ "name": "b", "group_owners": [1] });
    let made = desk.post(&desk.in_project("features/"), body).await;
    let text = "Invalid pk \"1\" - object does not exist.";
    check_refusal(&made, 400, &json!({ "group_owners": [text] }));
}

#[tokio::test]
async fn strangers_give_no_feature_away() {
    let desk = Desk::open().await;
    let feature = desk.make_feature(json!({ "name": "a" })).await;
    let stranger = desk.stranger().await;

    for step in ["add-owners/", "remove-owners/"] {
        let path = desk.in_project(&format!("features/{feature}/{step}"));
        let reply = stranger
            .ask("POST", &path, Some(json!({ "user_ids": [1] })))
            .await;

        let missing = json!({ "detail": "No Project matches the given query." });
        check_refusal(&reply, 404, &missing);
    }
    let missing = desk.in_project("features/999/add-owners/");
    let reply = desk.post(&missing, json!({ "user_ids": [1] })).await;
    check_refusal(
        &reply,
        404,
        &json!({ "detail": "No Feature matches the given query." }),
    );
}
