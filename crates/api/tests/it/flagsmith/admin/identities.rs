use super::desk::{Desk, check_refusal};
use serde_json::json;

#[tokio::test]
async fn identities_are_found_by_a_part_or_the_whole_of_the_identifier() {
    let desk = Desk::open().await;
    let list = desk.in_environment("identities/");
    for identifier in ["bob", "bobby", "100%"] {
        desk.make(&list, json!({ "identifier": identifier })).await;
    }
    let found = async |query: &str| {
        let list = desk.get(&format!("{list}?q={query}")).await.json();
        let results = list["results"].as_array().unwrap().clone();
        let names = results
            .iter()
            .map(|each| each["identifier"].as_str().unwrap().to_owned());
        names.collect::<Vec<_>>()
    };

    assert_eq!(found("bob").await, ["bob", "bobby"]);
    assert_eq!(found("%22bob%22").await, ["bob"]);
    assert_eq!(found("%25").await, ["100%"]);
    assert_eq!(found("%00").await, Vec::<String>::new());
    assert_eq!(found("").await.len(), 3);
}

#[tokio::test]
async fn identifiers_are_compared_exactly() {
    let desk = Desk::open().await;
    let list = desk.in_environment("identities/");
    desk.make(&list, json!({ "identifier": "Bob" })).await;

    let other_case = desk.post(&list, json!({ "identifier": "bob" })).await;
    let again = desk.post(&list, json!({ "identifier": "Bob" })).await;
    let long = desk
        .post(&list, json!({ "identifier": "x".repeat(2001) }))
        .await;

    assert_eq!(other_case.status, 201);
    let text = "Identity with identifier 'Bob' already exists in this environment";
    check_refusal(&again, 400, &json!({ "identifier": text }));
    let text = "Ensure this field has no more than 2000 characters.";
    check_refusal(&long, 400, &json!({ "identifier": [text] }));
}

#[tokio::test]
async fn a_deleted_identity_is_a_new_one_when_it_comes_back() {
    let desk = Desk::open().await;
    let feature = desk.make_feature(json!({ "name": "banner" })).await;
    let list = desk.in_environment("identities/");
    let id = desk.make(&list, json!({ "identifier": "bob" })).await;
    let path = format!("{list}{id}/");
    let body = json!({ "feature": feature, "enabled": true });
    desk.make(&format!("{path}featurestates/"), body).await;

    let before = desk.flag("banner", Some(("bob", json!([])))).await;
    let deleted = desk.delete(&path).await;
    let after = desk.flag("banner", Some(("bob", json!([])))).await;

    assert_eq!((&before["enabled"], deleted.status), (&json!(true), 204));
    assert_eq!(after["enabled"], false);
    let missing = json!({ "detail": "No Identity matches the given query." });
    check_refusal(&desk.get(&path).await, 404, &missing);
}

#[tokio::test]
async fn an_identity_is_found_in_its_own_environment_alone() {
    let desk = Desk::open().await;
    let other = desk.make_environment("Production").await;
    let id = desk
        .make(
            &desk.in_environment("identities/"),
            json!({ "identifier": "bob" }),
        )
        .await;

    let path = format!("/api/v1/environments/{other}/identities/{id}/");

    let missing = json!({ "detail": "No Identity matches the given query." });
    for below in ["", "featurestates/", "featurestates/all/"] {
        let reply = desk.get(&format!("{path}{below}")).await;
        check_refusal(&reply, 404, &missing);
    }
}
