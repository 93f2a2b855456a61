use super::desk::{Desk, check_refusal};
use flagstaff_core::OrganisationId;
use flagstaff_service::TRAIT_KEY_LIMIT;
use flagstaff_testkit::sql;
use serde_json::{Value as Json, json};

const SPLIT_BY_PLAN: &str = "pro people";

/// A feature that is on for whose `plan` is `pro`, and an identity; gives the path of its traits.
async fn open() -> (Desk, String) {
    let desk = Desk::open().await;
    let feature = desk.make_feature(json!({ "name": "beta" })).await;
    let segment = desk.make_segment(SPLIT_BY_PLAN).await;
    let path = desk.in_environment(&format!("features/{feature}/create-segment-override/"));
    let body = json!({
        "feature_segment": { "segment": segment }, "enabled": true,
        "feature_state_value": { "type": "unicode", "string_value": "x" },
    });
    let made = desk.post(&path, body).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let list = desk.in_environment("identities/");
    let id = desk.make(&list, json!({ "identifier": "bob" })).await;
    (desk, format!("{list}{id}/traits/"))
}

fn text(key: &str, value: &str) -> Json {
    json!({ "trait_key": key, "value_type": "unicode", "string_value": value })
}

/// Whether the feature is on for an identity that sends no traits.
async fn is_on(desk: &Desk, identifier: &str) -> bool {
    let flag = desk.flag("beta", Some((identifier, json!([])))).await;
    flag["enabled"].as_bool().unwrap()
}

#[tokio::test]
async fn what_is_done_to_a_trait_is_seen_by_the_next_answer_to_an_sdk() {
    let (desk, traits) = open().await;
    assert!(!is_on(&desk, "bob").await);

    let id = desk.make(&traits, text("plan", "pro")).await;
    let after_creation = is_on(&desk, "bob").await;
    let path = format!("{traits}{id}/");
    desk.patch(&path, json!({ "string_value": "free" })).await;
    let after_change = is_on(&desk, "bob").await;
    desk.put(&path, text("plan", "pro")).await;
    let after_replacement = is_on(&desk, "bob").await;
    let deleted = desk.delete(&path).await;
    let after_deletion = is_on(&desk, "bob").await;

    let seen = [
        after_creation,
        after_change,
        after_replacement,
        after_deletion,
    ];
    assert_eq!(seen, [true, false, true, false]);
    assert_eq!(deleted.status, 204);
    let missing = json!({ "detail": "No Trait matches the given query." });
    check_refusal(&desk.get(&path).await, 404, &missing);
    check_refusal(&desk.delete(&path).await, 404, &missing);
}

#[tokio::test]
async fn a_trait_changes_its_type_and_its_name() {
    let (desk, traits) = open().await;
    let id = desk.make(&traits, text("plan", "pro")).await;
    let path = format!("{traits}{id}/");

    let body =
        json!({ "trait_key": "level", "value_type": "int", "integer_value": 9_000_000_000_i64 });
    let changed = desk.patch(&path, body).await.json();
    let without_value = desk.patch(&path, json!({ "value_type": "float" })).await;
    let other_column = desk
        .patch(&path, json!({ "string_value": "kept nowhere" }))
        .await
        .json();

    assert_eq!(changed["trait_key"], "level");
    assert_eq!(changed["integer_value"], 9_000_000_000_i64);
    assert_eq!(changed["string_value"], Json::Null);
    let required = json!({ "float_value": ["This field is required."] });
    check_refusal(&without_value, 400, &required);
    assert_eq!(other_column, changed);
}

#[tokio::test]
async fn bad_traits_are_refused_by_name() {
    let (desk, traits) = open().await;
    let id = desk.make(&traits, text("plan", "pro")).await;
    desk.make(&traits, text("tier", "x")).await;
    let check = async |body: Json, expected: Json| {
        check_refusal(&desk.post(&traits, body).await, 400, &expected);
    };

    let required = "This field is required.";
    check(json!({}), json!({ "trait_key": [required] })).await;
    check(
        json!({ "trait_key": "a" }),
        json!({ "string_value": [required] }),
    )
    .await;
    let long = "x".repeat(TRAIT_KEY_LIMIT + 1);
    let text_of_limit = "Ensure this field has no more than 200 characters.";
    check(text(&long, "x"), json!({ "trait_key": [text_of_limit] })).await;
    let text_of_limit = "Ensure this field has no more than 2000 characters.";
    check(
        text("a", &"x".repeat(2001)),
        json!({ "string_value": [text_of_limit] }),
    )
    .await;
    check(
        text("a", "\0"),
        json!({ "string_value": ["Null characters are not allowed."] }),
    )
    .await;
    let body = json!({ "trait_key": "a", "value_type": "date" });
    check(
        body,
        json!({ "value_type": ["\"date\" is not a valid choice."] }),
    )
    .await;
    let body = json!({ "trait_key": "a", "value_type": "float", "float_value": "1e400" });
    check(
        body,
        json!({ "float_value": ["A valid number is required."] }),
    )
    .await;
    let exists = json!({ "trait_key": ["The identity has a trait with this key already."] });
    check(text("plan", "x"), exists.clone()).await;
    let renamed = desk
        .patch(&format!("{traits}{id}/"), json!({ "trait_key": "tier" }))
        .await;
    check_refusal(&renamed, 400, &exists);
    let bare = desk.get(&format!("{traits}x/")).await;
    check_refusal(&bare, 404, &json!({ "detail": "Not found." }));
}

#[tokio::test]
async fn traits_of_one_name_go_from_everybody_in_the_environment() {
    let (desk, traits) = open().await;
    desk.make(&traits, text("plan", "pro")).await;
    let eve = desk
        .flag(
            "beta",
            Some((
                "eve",
                json!([{ "trait_key": "plan", "trait_value": "pro" }]),
            )),
        )
        .await;
    assert_eq!(eve["enabled"], true);
    let keys = desk.in_environment("trait-keys/");
    assert_eq!(desk.get(&keys).await.json(), json!({ "keys": ["plan"] }));

    let path = desk.in_environment("delete-traits/");
    let missing = desk.post(&path, json!({})).await;
    let gone = desk.post(&path, json!({ "key": "plan" })).await;

    check_refusal(
        &missing,
        400,
        &json!({ "key": ["This field is required."] }),
    );
    assert_eq!((gone.status, gone.body.len()), (200, 0));
    assert!(!is_on(&desk, "eve").await);
    assert!(!is_on(&desk, "bob").await);
    assert_eq!(desk.get(&keys).await.json(), json!({ "keys": [] }));

    let id = desk.make(&traits, text("plan", "pro")).await;
    desk.flag(
        "beta",
        Some((
            "eve",
            json!([{ "trait_key": "plan", "trait_value": "pro" }]),
        )),
    )
    .await;
    let everywhere = format!("{traits}{id}/?deleteAllMatchingTraits=true");
    assert_eq!(desk.delete(&everywhere).await.status, 204);
    assert!(!is_on(&desk, "eve").await);
    assert!(!is_on(&desk, "bob").await);
}

#[tokio::test]
async fn an_identity_gathers_a_limited_number_of_traits() {
    let (desk, traits) = open().await;
    let statements = "
        WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 5000)
        INSERT INTO identity_traits (identity_id, key, value_type, integer_value, created_at, updated_at)
        SELECT (SELECT id FROM identities), 't' || n, 'int', n, 0, 0 FROM numbers";
    sql::execute(&desk.face.store, statements).await;

    let by_member = desk.post(&traits, text("plan", "pro")).await;
    let body =
        json!({ "identifier": "bob", "traits": [{ "trait_key": "plan", "trait_value": "pro" }] });
    let ask = desk.face.keyless("POST", "/api/v1/identities/");
    let ask = ask.header("x-environment-key", &desk.key);
    let by_sdk = ask
        .header("content-type", "application/json")
        .body(body.to_string())
        .send()
        .await;

    let expected = json!({ "traits": ["An identity may have no more than 5000 traits."] });
    check_refusal(&by_member, 400, &expected);
    check_refusal(&by_sdk, 400, &expected);
    assert!(!is_on(&desk, "bob").await);
}

#[tokio::test]
async fn traits_are_those_of_the_environments_own_people() {
    let (desk, traits) = open().await;
    let id = desk.make(&traits, text("plan", "pro")).await;
    let list = desk.in_environment("identities/");
    let eve = desk.make(&list, json!({ "identifier": "eve" })).await;
    let other = desk.make_environment("Production").await;
    let stranger = desk.stranger().await;

    let of_eve = desk.get(&format!("{list}{eve}/traits/{id}/")).await;
    let elsewhere = format!("/api/v1/environments/{other}/identities/{eve}/traits/");
    let missing = json!({ "detail": "No Identity matches the given query." });

    check_refusal(
        &of_eve,
        404,
        &json!({ "detail": "No Trait matches the given query." }),
    );
    check_refusal(&desk.get(&elsewhere).await, 404, &missing);
    check_refusal(
        &desk.post(&elsewhere, text("plan", "pro")).await,
        404,
        &missing,
    );
    let hidden = json!({ "detail": "No Environment matches the given query." });
    for (method, path) in [
        ("GET", traits.clone()),
        ("POST", traits.clone()),
        ("PUT", format!("{traits}{id}/")),
        ("DELETE", format!("{traits}{id}/")),
        ("GET", desk.in_environment("trait-keys/")),
        ("POST", desk.in_environment("delete-traits/")),
        ("GET", desk.in_environment("edge-identities/")),
    ] {
        let body = Some(json!({ "trait_key": "plan", "string_value": "x", "key": "plan" }));
        let reply = stranger.ask(method, &path, body).await;
        check_refusal(&reply, 404, &hidden);
    }
}

#[tokio::test]
async fn who_changed_traits_is_in_the_log_without_their_values() {
    let (desk, traits) = open().await;
    let id = desk.make(&traits, text("plan", "pro")).await;
    desk.patch(
        &format!("{traits}{id}/"),
        json!({ "string_value": "secret" }),
    )
    .await;
    desk.delete(&format!("{traits}{id}/")).await;

    let id = OrganisationId::new(desk.organisation);
    let entries = desk.face.store.audit_entries(Some(id), 0, 100).await;
    let entries = entries.unwrap().into_iter();
    let of_traits = entries.filter(|stored| stored.noun == "trait");
    let told: Vec<String> = of_traits.map(|stored| stored.summary).collect();

    let expected = [
        "New trait 'plan' created for identity 1",
        "Trait 'plan' updated for identity 1",
        "Trait 'plan' deleted for identity 1",
    ];
    assert_eq!(told, expected);
}
