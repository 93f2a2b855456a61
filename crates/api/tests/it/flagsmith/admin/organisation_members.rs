use super::desk::{Desk, EMAIL, check_refusal};
use serde_json::{Value as Json, json};

fn in_organisation(desk: &Desk, path: &str) -> String {
    format!("/api/v1/organisations/{}/{path}", desk.organisation)
}

fn forbidden() -> Json {
    json!({ "detail": "You do not have permission to perform this action." })
}

#[tokio::test]
async fn everybody_of_an_organisation_is_listed() {
    let desk = Desk::open().await;
    let colleague = desk.colleague().await;
    let users = in_organisation(&desk, "users/");

    let list = desk.get(&users).await.json();
    let theirs = colleague.ask("GET", &users, None).await.json();

    let names: Vec<&String> = list[0].as_object().unwrap().keys().collect();
    let expected = [
        "id",
        "email",
        "first_name",
        "last_name",
        "last_login",
        "uuid",
        "role",
        "date_joined",
    ];
    assert_eq!(names, expected);
    assert_eq!(
        (&list[0]["email"], &list[0]["role"]),
        (&json!(EMAIL), &json!("ADMIN"))
    );
    assert_eq!(
        (&list[1]["email"], &list[1]["role"]),
        (&json!("eve@example.com"), &json!("USER"))
    );
    assert_eq!(theirs, list);
}

#[tokio::test]
async fn a_role_is_changed_by_admins() {
    let desk = Desk::open().await;
    let colleague = desk.colleague().await;
    let users = in_organisation(&desk, "users/");
    let id = desk.get(&users).await.json()[1]["id"].clone();
    let path = format!("{users}{id}/update-role/");
    let keys = in_organisation(&desk, "master-api-keys/");

    let own = colleague
        .ask("POST", &path, Some(json!({ "role": "ADMIN" })))
        .await;
    let done = desk.post(&path, json!({ "role": "ADMIN" })).await;
    let as_admin = colleague.ask("GET", &keys, None).await;
    let wrong = desk.post(&path, json!({ "role": "OWNER" })).await;
    let nobody = desk
        .post(
            &format!("{users}999/update-role/"),
            json!({ "role": "USER" }),
        )
        .await;

    check_refusal(&own, 403, &forbidden());
    let organisation = json!({ "id": desk.organisation, "name": "Acme" });
    assert_eq!(
        done.json(),
        json!({ "role": "ADMIN", "organisation": organisation })
    );
    assert_eq!(as_admin.status, 200);
    check_refusal(
        &wrong,
        400,
        &json!({ "role": ["\"OWNER\" is not a valid choice."] }),
    );
    let missing = json!({ "detail": "No FFAdminUser matches the given query." });
    check_refusal(&nobody, 404, &missing);
}

#[tokio::test]
async fn the_last_admin_stays() {
    let desk = Desk::open().await;
    desk.colleague().await;
    let users = in_organisation(&desk, "users/");
    let id = desk.get(&users).await.json()[0]["id"].clone();

    let role = desk
        .post(
            &format!("{users}{id}/update-role/"),
            json!({ "role": "USER" }),
        )
        .await;
    let path = in_organisation(&desk, "remove-users/");
    let removal = desk.post(&path, json!([{ "id": id }])).await;

    let text = "The organisation needs an admin.";
    check_refusal(&role, 400, &json!({ "role": [text] }));
    check_refusal(&removal, 400, &json!({ "id": [text] }));
    assert_eq!(desk.get(&users).await.json().as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn whoever_is_removed_sees_the_organisation_no_more() {
    let desk = Desk::open().await;
    let colleague = desk.colleague().await;
    let users = in_organisation(&desk, "users/");
    let id = desk.get(&users).await.json()[1]["id"].clone();
    let path = in_organisation(&desk, "remove-users/");

    let own = colleague
        .ask("POST", &path, Some(json!([{ "id": id }])))
        .await;
    let unknown = desk.post(&path, json!([{ "id": id }, { "id": 999 }])).await;
    let before = colleague.ask("GET", &users, None).await;
    let removed = desk.post(&path, json!([{ "id": id }])).await;
    let after = colleague.ask("GET", &users, None).await;
    let again = desk.post(&path, json!({ "id": id })).await;
    let broken = desk.post(&path, json!([{ "id": "x" }])).await;

    check_refusal(&own, 403, &forbidden());
    let missing = json!({ "detail": "No FFAdminUser matches the given query." });
    check_refusal(&unknown, 404, &missing);
    assert_eq!(before.status, 200, "all are removed, or none");
    assert_eq!(
        (removed.status, removed.json()),
        (200, json!([{ "id": id }]))
    );
    check_refusal(&after, 403, &forbidden());
    check_refusal(&again, 404, &missing);
    assert_eq!(broken.status, 400);
    let project = colleague.ask("GET", &desk.in_project(""), None).await;
    assert_eq!(project.status, 404);
}
