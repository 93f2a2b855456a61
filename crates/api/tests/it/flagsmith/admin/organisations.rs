use super::desk::{Desk, check_refusal};
use serde_json::json;

const LIST: &str = "/api/v1/organisations/";

#[tokio::test]
async fn somebody_elses_organisation_is_forbidden_as_is_one_that_is_not_there() {
    let desk = Desk::open().await;
    let stranger = desk.stranger().await;
    let path = format!("{LIST}{}/", desk.organisation);
    let forbidden = json!({ "detail": "You do not have permission to perform this action." });

    for path in [path.as_str(), "/api/v1/organisations/99999/"] {
        for (method, body) in [("GET", None), ("PATCH", Some(json!({}))), ("DELETE", None)] {
            check_refusal(&stranger.ask(method, path, body).await, 403, &forbidden);
        }
    }
    let own = stranger.ask("GET", LIST, None).await.json();
    assert_eq!(own["count"], 1);
    assert_eq!(own["results"][0]["name"], "Elsewhere");
}

#[tokio::test]
async fn only_admins_change_an_organisation() {
    let desk = Desk::open().await;
    let colleague = desk.colleague().await;
    let path = format!("{LIST}{}/", desk.organisation);
    let body = || Some(json!({ "name": "Mine" }));

    let seen = colleague.ask("GET", &path, None).await;
    let refused = colleague.ask("PATCH", &path, body()).await;

    assert_eq!((seen.status, &seen.json()["role"]), (200, &json!("USER")));
    assert_eq!(refused.status, 403);
    let after = desk.get(&path).await.json();
    assert_eq!(after["name"], "Acme");
    assert_eq!(after["num_seats"], 2);
}

#[tokio::test]
async fn what_is_sent_is_kept_and_the_rest_stays() {
    let desk = Desk::open().await;
    let body = json!({
        "name": "Beta",
        "webhook_notification_email": "ops@example.com",
        "force_2fa": true,
    });
    let path = format!("{LIST}{}/", desk.make(LIST, body).await);

    let patch = json!({ "persist_trait_data": false, "webhook_notification_email": "" });
    let patched = desk.patch(&path, patch).await.json();

    let expected = json!(["Beta", null, true, false]);
    let shown = json!([
        patched["name"],
        patched["webhook_notification_email"],
        patched["force_2fa"],
        patched["persist_trait_data"],
    ]);
    assert_eq!(shown, expected);
}

#[tokio::test]
async fn an_address_that_is_none_is_refused() {
    let desk = Desk::open().await;
    let expected = json!({ "webhook_notification_email": ["Enter a valid email address."] });

    let body = json!({ "name": "Beta", "webhook_notification_email": "nobody" });
    check_refusal(&desk.post(LIST, body).await, 400, &expected);
    let path = format!("{LIST}{}/", desk.organisation);
    let body = json!({ "webhook_notification_email": "nobody" });
    check_refusal(&desk.patch(&path, body).await, 400, &expected);
}

#[tokio::test]
async fn a_put_needs_the_name() {
    let desk = Desk::open().await;
    let path = format!("{LIST}{}/", desk.organisation);

    let reply = desk.put(&path, json!({ "force_2fa": true })).await;

    let expected = json!({ "name": ["This field is required."] });
    check_refusal(&reply, 400, &expected);
}

#[tokio::test]
async fn a_deleted_organisation_takes_its_projects_along() {
    let desk = Desk::open().await;
    let path = format!("{LIST}{}/", desk.organisation);

    let deleted = desk.delete(&path).await;

    assert_eq!((deleted.status, deleted.body.len()), (204, 0));
    assert_eq!(desk.get(&path).await.status, 403);
    assert_eq!(desk.get(&desk.in_project("")).await.status, 404);
    assert_eq!(desk.get(&desk.in_environment("")).await.status, 404);
    let flags = desk.face.keyless("GET", "/api/v1/flags/");
    let flags = flags.header("x-environment-key", &desk.key).send().await;
    assert_eq!(flags.status, 403);
}

#[tokio::test]
async fn everything_is_found_by_its_uuid_by_those_who_may_see_it() {
    let desk = Desk::open().await;
    let stranger = desk.stranger().await;
    let organisation = desk.get(&format!("{LIST}{}/", desk.organisation)).await;
    let project = desk.get(&desk.in_project("")).await;
    let environment = desk.get(&desk.in_environment("")).await;
    let forbidden = "You do not have permission to perform this action.";
    let no_project = "No Project matches the given query.";
    let no_environment = "No Environment matches the given query.";
    let unknown = "00000000-0000-4000-8000-000000000000";

    for (level, row, status, text) in [
        ("organisations", organisation, 403, forbidden),
        ("projects", project, 404, no_project),
        ("environments", environment, 404, no_environment),
    ] {
        let row = row.json();
        let path = format!(
            "/api/v1/{level}/get-by-uuid/{}/",
            row["uuid"].as_str().unwrap()
        );
        let found = desk.get(&path).await.json();
        assert_eq!((&found["id"], &found["name"]), (&row["id"], &row["name"]));
        let refusal = json!({ "detail": text });
        check_refusal(&stranger.ask("GET", &path, None).await, status, &refusal);
        let missing = format!("/api/v1/{level}/get-by-uuid/{unknown}/");
        check_refusal(&desk.get(&missing).await, status, &refusal);
        let nonsense = desk.get(&format!("/api/v1/{level}/get-by-uuid/x/")).await;
        check_refusal(&nonsense, 404, &json!({ "detail": "Not found." }));
    }
}

#[tokio::test]
async fn nothing_is_limited_by_a_subscription() {
    let desk = Desk::open().await;
    let stranger = desk.stranger().await;
    let path = format!("{LIST}{}/get-subscription-metadata/", desk.organisation);

    let metadata = desk.get(&path).await.json();

    assert_eq!(metadata["max_seats"], i32::MAX);
    for unlimited in [
        "max_projects",
        "feature_history_visibility_days",
        "audit_log_visibility_days",
    ] {
        assert_eq!(metadata[unlimited], json!(null));
    }
    assert_eq!(stranger.ask("GET", &path, None).await.status, 403);
}
