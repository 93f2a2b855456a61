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

#[tokio::test]
async fn a_renamed_identity_keeps_its_traits_and_overrides() {
    let desk = Desk::open().await;
    let feature = desk.make_feature(json!({ "name": "banner" })).await;
    let list = desk.in_environment("identities/");
    let id = desk.make(&list, json!({ "identifier": "bob" })).await;
    desk.make(&list, json!({ "identifier": "eve" })).await;
    let path = format!("{list}{id}/");
    let body = json!({ "feature": feature, "enabled": true });
    desk.make(&format!("{path}featurestates/"), body).await;
    let body = json!({ "trait_key": "plan", "string_value": "pro" });
    desk.make(&format!("{path}traits/"), body).await;
    desk.flag("banner", Some(("bob", json!([])))).await;

    let taken = desk.put(&path, json!({ "identifier": "eve" })).await;
    let missing = desk.put(&path, json!({})).await;
    let unchanged = desk.patch(&path, json!({})).await;
    let renamed = desk.put(&path, json!({ "identifier": "rob" })).await;

    let text = "Identity with identifier 'eve' already exists in this environment";
    check_refusal(&taken, 400, &json!({ "identifier": text }));
    let required = json!({ "identifier": ["This field is required."] });
    check_refusal(&missing, 400, &required);
    assert_eq!(unchanged.json()["identifier"], "bob");
    assert_eq!(
        (renamed.status, &renamed.json()["identifier"]),
        (200, &json!("rob"))
    );
    let rob = desk.flag("banner", Some(("rob", json!([])))).await;
    let bob = desk.flag("banner", Some(("bob", json!([])))).await;
    assert_eq!(
        (&rob["enabled"], &bob["enabled"]),
        (&json!(true), &json!(false))
    );
    let traits = desk.get(&format!("{path}traits/")).await.json();
    assert_eq!(traits["results"][0]["trait_key"], "plan");
}

#[tokio::test]
async fn overrides_are_copied_from_one_identity_to_another() {
    let desk = Desk::open().await;
    let list = desk.in_environment("identities/");
    let mut features = Vec::new();
    for name in ["banner", "limit", "other"] {
        features.push(desk.make_feature(json!({ "name": name })).await);
    }
    let (bob, eve) = (
        desk.make(&list, json!({ "identifier": "bob" })).await,
        desk.make(&list, json!({ "identifier": "eve" })).await,
    );
    let set = async |identity: i64, feature: i64, value: &str| {
        let body = json!({ "feature": feature, "enabled": true, "feature_state_value": value });
        desk.make(&format!("{list}{identity}/featurestates/"), body)
            .await
    };
    set(bob, features[0], "of bob").await;
    set(bob, features[1], "of bob").await;
    let kept_row = set(eve, features[1], "of eve").await;
    set(eve, features[2], "of eve").await;
    let path = format!("{list}{eve}/featurestates/clone-from-given-identity/");

    let answer = desk.post(&path, json!({ "source_identity_id": bob })).await;
    let again = desk.post(&path, json!({ "source_identity_id": bob })).await;

    assert_eq!(answer.status, 200, "{}", answer.text());
    let values = answer.json();
    let values = values.as_array().unwrap().iter();
    let values: Vec<_> = values
        .map(|flag| flag["feature_state_value"].clone())
        .collect();
    assert_eq!(values, ["of bob", "of bob", "of eve"]);
    assert_eq!(again.json(), answer.json());
    let row = desk
        .get(&format!("{list}{eve}/featurestates/{kept_row}/"))
        .await;
    assert_eq!(row.json()["feature_state_value"], "of bob");
    let seen = desk.flag("banner", Some(("eve", json!([])))).await;
    assert_eq!(seen["feature_state_value"], "of bob");

    let none = desk.post(&path, json!({})).await;
    let unknown = desk.post(&path, json!({ "source_identity_id": 999 })).await;
    let required = json!({ "source_identity_id": ["This field is required."] });
    check_refusal(&none, 400, &required);
    let missing = json!({ "detail": "No Identity matches the given query." });
    check_refusal(&unknown, 404, &missing);
    let stranger = desk.stranger().await;
    let body = Some(json!({ "source_identity_id": bob }));
    let reply = stranger.ask("POST", &path, body).await;
    let hidden = json!({ "detail": "No Environment matches the given query." });
    check_refusal(&reply, 404, &hidden);
}

#[tokio::test]
async fn identities_of_edge_are_refused_in_every_way() {
    let desk = Desk::open().await;
    let expected = json!({ "detail": "Dynamo DB is not enabled for this project" });

    for (method, path) in [
        ("GET", "edge-identities/"),
        ("POST", "edge-identities/"),
        ("DELETE", "edge-identities/x/"),
        ("GET", "edge-identities/x/list-traits/"),
        ("PUT", "edge-identities/x/update-traits/"),
        ("GET", "edge-identities/x/edge-featurestates/all/"),
        ("GET", "edge-identity-overrides"),
    ] {
        let reply = desk.ask(method, &desk.in_environment(path), None).await;
        check_refusal(&reply, 400, &expected);
    }
}
