use super::desk::{Desk, check_refusal};
use crate::face::Reply;
use flagstaff_core::{ApiKeyId, OrganisationId};
use serde_json::{Value as Json, json};

const ORGANISATIONS: &str = "/api/v1/organisations/";

fn keys(desk: &Desk) -> String {
    format!("{ORGANISATIONS}{}/master-api-keys/", desk.organisation)
}

/// Makes a key; gives it as the answer shows it.
async fn make_key(desk: &Desk, body: Json) -> Json {
    let reply = desk.post(&keys(desk), body).await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    reply.json()
}

async fn ask_with(desk: &Desk, key: &str, method: &str, path: &str, body: Option<Json>) -> Reply {
    let ask = desk.face.keyless(method, path);
    let ask = ask.header("authorization", &format!("Api-Key {key}"));
    match body {
        Some(body) => {
            let ask = ask.header("content-type", "application/json");
            ask.body(body.to_string()).send().await
        }
        None => ask.send().await,
    }
}

fn unknown() -> Json {
    json!({ "detail": "Valid Master API Key not found." })
}

#[tokio::test]
async fn a_key_is_shown_once_and_its_hash_never() {
    let desk = Desk::open().await;

    let made = make_key(&desk, json!({ "name": "ci" })).await;
    let path = format!("{}{}/", keys(&desk), made["prefix"].as_str().unwrap());
    let list = desk.get(&keys(&desk)).await.json();
    let got = desk.get(&path).await.json();

    let key = made["key"].as_str().unwrap();
    let (prefix, secret) = key.split_once('.').unwrap();
    assert_eq!((prefix.len(), secret.len()), (8, 44));
    assert_eq!(made["prefix"], prefix);
    assert_eq!(list["results"], json!([got]));
    assert_eq!(got["id"], prefix);
    assert!(got.get("key").is_none());
    let stored = desk.face.store.api_key_digests_after(ApiKeyId::default());
    let (_, digest) = &stored.await.unwrap()[0];
    assert!(!list.to_string().contains(digest));
    assert!(!digest.contains(secret));
}

#[tokio::test]
async fn a_program_manages_what_an_admin_of_the_organisation_manages() {
    let desk = Desk::open().await;
    let made = make_key(&desk, json!({ "name": "terraform" })).await;
    let key = made["key"].as_str().unwrap();

    let organisations = ask_with(&desk, key, "GET", ORGANISATIONS, None)
        .await
        .json();
    let body = json!({ "name": "By key", "organisation": desk.organisation });
    let project = ask_with(&desk, key, "POST", "/api/v1/projects/", Some(body)).await;
    let path = format!("/api/v1/projects/{}/features/", project.json()["id"]);
    let feature = ask_with(
        &desk,
        key,
        "POST",
        &path,
        Some(json!({ "name": "checkout" })),
    )
    .await;
    let projects = ask_with(&desk, key, "GET", "/api/v1/projects/", None)
        .await
        .json();
    let permissions = ask_with(&desk, key, "GET", &desk.in_project("my-permissions/"), None).await;

    assert_eq!(organisations["count"], 1);
    assert_eq!(organisations["results"][0]["role"], "ADMIN");
    assert_eq!((project.status, feature.status), (201, 201));
    assert_eq!(feature.json()["owners"], json!([]));
    assert_eq!(projects.as_array().unwrap().len(), 2);
    assert_eq!(permissions.json()["admin"], true);
    let organisation = Some(OrganisationId::new(desk.organisation));
    let entries = desk
        .face
        .store
        .audit_entries(organisation, 0, 100)
        .await
        .unwrap();
    let last = entries.last().unwrap();
    assert_eq!(
        (last.actor_kind.as_str(), last.actor_name.as_str()),
        ("api key", "terraform")
    );
    let made = entries
        .iter()
        .find(|entry| entry.noun == "API key")
        .unwrap();
    assert_eq!(made.summary, "New API key created: terraform");
    assert_eq!(made.actor_kind, "member");
}

#[tokio::test]
async fn what_only_people_do_is_forbidden_to_programs() {
    let desk = Desk::open().await;
    let made = make_key(&desk, json!({ "name": "ci" })).await;
    let key = made["key"].as_str().unwrap();
    let forbidden = json!({ "detail": "You do not have permission to perform this action." });

    let me = ask_with(&desk, key, "GET", "/api/v1/auth/users/me/", None).await;
    let body = Some(json!({ "name": "Another" }));
    let organisation = ask_with(&desk, key, "POST", ORGANISATIONS, body).await;
    let other = ask_with(&desk, key, "GET", "/api/v1/organisations/999/", None).await;

    check_refusal(&me, 403, &forbidden);
    check_refusal(&organisation, 403, &forbidden);
    check_refusal(&other, 403, &forbidden);
}

#[tokio::test]
async fn a_key_stops_when_it_is_over_revoked_or_deleted() {
    let desk = Desk::open().await;
    let made = make_key(&desk, json!({ "name": "ci" })).await;
    let key = made["key"].as_str().unwrap();
    let path = format!("{}{}/", keys(&desk), made["prefix"].as_str().unwrap());
    let old = json!({ "name": "old", "expiry_date": "2020-01-01T00:00:00Z" });
    let old = make_key(&desk, old).await;

    let over = ask_with(
        &desk,
        old["key"].as_str().unwrap(),
        "GET",
        ORGANISATIONS,
        None,
    )
    .await;
    desk.patch(&path, json!({ "revoked": true })).await;
    let revoked = ask_with(&desk, key, "GET", ORGANISATIONS, None).await;
    desk.put(&path, json!({ "name": "ci2", "revoked": false }))
        .await;
    let again = ask_with(&desk, key, "GET", ORGANISATIONS, None).await;
    let deleted = desk.delete(&path).await;
    let gone = ask_with(&desk, key, "GET", ORGANISATIONS, None).await;

    assert_eq!(
        (&old["has_expired"], &made["has_expired"]),
        (&json!(true), &json!(false))
    );
    check_refusal(&over, 401, &unknown());
    check_refusal(&revoked, 401, &unknown());
    assert_eq!((again.status, deleted.status), (200, 204));
    check_refusal(&gone, 401, &unknown());
    let missing = json!({ "detail": "No MasterAPIKey matches the given query." });
    check_refusal(&desk.get(&path).await, 404, &missing);
    check_refusal(&desk.delete(&path).await, 404, &missing);
}

#[tokio::test]
async fn ten_thousand_wrong_keys_ask_the_database_nothing() {
    let desk = Desk::open().await;
    let wrong = "abcdefgh.0123456789";
    check_refusal(
        &ask_with(&desk, wrong, "GET", ORGANISATIONS, None).await,
        401,
        &unknown(),
    );

    // A question to a closed database would be answered with 503.
    desk.face.store.close().await;

    for number in 0..10_000 {
        let key = format!("{number:08}.0123456789");
        let reply = ask_with(&desk, &key, "GET", ORGANISATIONS, None).await;
        assert_eq!(reply.status, 401, "{}", reply.text());
    }
    let long = "a".repeat(5_000);
    check_refusal(
        &ask_with(&desk, &long, "GET", ORGANISATIONS, None).await,
        401,
        &unknown(),
    );
}

#[tokio::test]
async fn fields_of_a_key_are_checked() {
    let desk = Desk::open().await;
    let made = make_key(&desk, json!({ "name": "ci" })).await;
    let path = format!("{}{}/", keys(&desk), made["prefix"].as_str().unwrap());
    let no_roles = json!({ "is_admin": ["RBAC is not installed, cannot create non-admin key"] });

    let unnamed = desk.post(&keys(&desk), json!({})).await;
    let long = desk
        .post(&keys(&desk), json!({ "name": "x".repeat(51) }))
        .await;
    let lesser = desk
        .post(&keys(&desk), json!({ "name": "ci", "is_admin": false }))
        .await;
    let made_lesser = desk.patch(&path, json!({ "is_admin": false })).await;

    check_refusal(
        &unnamed,
        400,
        &json!({ "name": ["This field is required."] }),
    );
    let text = "Ensure this field has no more than 50 characters.";
    check_refusal(&long, 400, &json!({ "name": [text] }));
    check_refusal(&lesser, 400, &no_roles);
    check_refusal(&made_lesser, 400, &no_roles);
}

#[tokio::test]
async fn only_admins_of_the_organisation_see_or_make_keys() {
    let desk = Desk::open().await;
    let made = make_key(&desk, json!({ "name": "ci" })).await;
    let path = format!("{}{}/", keys(&desk), made["prefix"].as_str().unwrap());
    let forbidden = json!({ "detail": "You do not have permission to perform this action." });

    for other in [desk.colleague().await, desk.stranger().await] {
        let body = || Some(json!({ "name": "mine" }));
        check_refusal(&other.ask("GET", &keys(&desk), None).await, 403, &forbidden);
        check_refusal(
            &other.ask("POST", &keys(&desk), body()).await,
            403,
            &forbidden,
        );
        check_refusal(&other.ask("GET", &path, None).await, 403, &forbidden);
        check_refusal(&other.ask("PATCH", &path, body()).await, 403, &forbidden);
        check_refusal(&other.ask("DELETE", &path, None).await, 403, &forbidden);
    }
}

#[tokio::test]
async fn an_api_key_has_flags_explained_of_the_environment_it_names() {
    let desk = Desk::open().await;
    let made = make_key(&desk, json!({ "name": "explainer" })).await;
    let key = made["key"].as_str().unwrap();
    let ask = async |query: &str| {
        let path = format!("/api/v1/explain/flags/{query}");
        ask_with(&desk, key, "GET", &path, None).await
    };

    let told = ask(&format!("?environment={}&targetingKey=ada", desk.key)).await;
    let unnamed = ask("").await;
    let unknown = ask("?environment=nowhere").await;

    assert_eq!(told.status, 200, "{}", told.text());
    assert_eq!(told.json()["targetingKey"], "ada");
    assert_eq!((unnamed.status, unknown.status), (400, 404));
}
