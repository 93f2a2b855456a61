//! Who may change states and overrides, permission by permission.

use super::desk::{Desk, Stranger, check_refusal};
use serde_json::{Value as Json, json};

const UPDATE: &str = "UPDATE_FEATURE_STATE";
const MANAGE: &str = "MANAGE_SEGMENT_OVERRIDES";

fn forbidden() -> Json {
    json!({ "detail": "You do not have permission to perform this action." })
}

/// A colleague who may view the environment, and the address of the grant that says so.
async fn viewer(desk: &Desk) -> (Stranger<'_>, String) {
    let colleague = desk.colleague().await;
    let me = colleague.ask("GET", "/api/v1/auth/users/me/", None).await;
    let grants = desk.in_environment("user-permissions/");
    let body = json!({ "user": me.json()["id"], "permissions": ["VIEW_ENVIRONMENT"] });
    let id = desk.make(&grants, body).await;
    (colleague, format!("{grants}{id}/"))
}

async fn grant(desk: &Desk, path: &str, permissions: &[&str]) {
    let body = json!({ "permissions": permissions });
    let reply = desk.patch(path, body).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
}

#[tokio::test]
async fn states_and_overrides_have_a_permission_each() {
    let desk = Desk::open().await;
    let feature = desk.make_feature(json!({ "name": "banner" })).await;
    let segment = desk.make_segment("pro").await;
    let place = json!({ "feature": feature, "environment": 1, "segment": segment });
    let links = "/api/v1/features/feature-segments/";
    let link = desk.make(links, place.clone()).await;
    let states = "/api/v1/features/featurestates/";
    let over = json!({ "feature": feature, "environment": 1, "feature_segment": link });
    let over = desk.make(states, over).await;
    let default = desk.state_of(feature).await;
    let experiment = format!("/api/experiments/environments/{}/update-flag-v1/", desk.key);
    let flag = json!({ "feature": { "id": feature }, "enabled": true,
        "value": { "type": "string", "value": "x" } });
    let one_link = format!("{links}{link}/");
    let order = json!([{ "id": link, "priority": 3 }]);
    let (colleague, path) = viewer(&desk).await;
    let doors = [
        (UPDATE, "PUT", format!("{states}{default}/"), &place, 200),
        (MANAGE, "PUT", format!("{states}{over}/"), &place, 200),
        (UPDATE, "POST", experiment, &flag, 204),
        (MANAGE, "POST", links.to_owned(), &place, 201),
        (MANAGE, "GET", one_link.clone(), &place, 200),
        (MANAGE, "PUT", one_link.clone(), &place, 200),
        (
            MANAGE,
            "POST",
            format!("{links}update-priorities/"),
            &order,
            200,
        ),
        (MANAGE, "DELETE", one_link, &place, 204),
    ];

    for (permission, method, door, body, status) in doors {
        let other = if permission == UPDATE { MANAGE } else { UPDATE };
        grant(&desk, &path, &["VIEW_ENVIRONMENT", other]).await;
        let closed = colleague.ask(method, &door, Some(body.clone())).await;
        check_refusal(&closed, 403, &forbidden());
        grant(&desk, &path, &["VIEW_ENVIRONMENT", permission]).await;
        let open = colleague.ask(method, &door, Some(body.clone())).await;
        assert_eq!(open.status, status, "{method} {door}: {}", open.text());
    }
}

#[tokio::test]
async fn each_part_of_a_flag_has_its_permission() {
    let desk = Desk::open().await;
    let feature = desk.make_feature(json!({ "name": "banner" })).await;
    let segment = desk.make_segment("pro").await;
    let path = format!(
        "/api/__future__/environments/{}/features/{feature}/",
        desk.key
    );
    let default = json!({ "environment_default": { "enabled": true } });
    let overrides = json!({ "segment_overrides": [{ "segment": { "id": segment } }] });
    let (colleague, grants) = viewer(&desk).await;
    let ask =
        async |method: &str, body: &Json| colleague.ask(method, &path, Some(body.clone())).await;
    let missing = json!({ "detail": "Not found." });

    assert_eq!(ask("GET", &default).await.status, 200);
    check_refusal(&ask("PATCH", &default).await, 404, &missing);
    grant(&desk, &grants, &["VIEW_ENVIRONMENT", MANAGE]).await;
    check_refusal(&ask("PATCH", &default).await, 403, &forbidden());
    assert_eq!(ask("PATCH", &overrides).await.status, 200);
    grant(&desk, &grants, &["VIEW_ENVIRONMENT", UPDATE]).await;
    check_refusal(&ask("PATCH", &overrides).await, 403, &forbidden());
    assert_eq!(ask("PATCH", &default).await.status, 200);
    let one = format!("{path}segment-overrides/{segment}/");
    check_refusal(
        &colleague.ask("DELETE", &one, None).await,
        403,
        &forbidden(),
    );
    grant(&desk, &grants, &["VIEW_ENVIRONMENT", MANAGE]).await;
    assert_eq!(colleague.ask("DELETE", &one, None).await.status, 200);
}
