use super::desk::{Desk, EMAIL, PASSWORD, ask_as, check_refusal, token};
use crate::face::{Face, Reply};
use serde_json::{Value as Json, json};

const USERS: &str = "/api/v1/auth/users/";
const ME: &str = "/api/v1/auth/users/me/";

fn person(email: &str) -> Json {
    json!({ "email": email, "password": PASSWORD, "first_name": "Eve", "last_name": "Example" })
}

async fn send(face: &Face, path: &str, body: Json) -> Reply {
    let ask = face.keyless("POST", path);
    let ask = ask.header("content-type", "application/json");
    ask.body(body.to_string()).send().await
}

fn forbidden() -> Json {
    json!({ "detail": "You do not have permission to perform this action." })
}

#[tokio::test]
async fn the_first_member_signs_up_and_nobody_after_them() {
    let face = Face::start_empty().await;

    let first = send(&face, USERS, person(EMAIL)).await;
    let second = send(&face, USERS, person("eve@example.com")).await;
    let again = send(&face, USERS, person(EMAIL)).await;

    assert_eq!(first.status, 201, "{}", first.text());
    let token = first.json()["key"].as_str().unwrap().to_owned();
    let me = ask_as(&face, &token, "GET", ME, None).await.json();
    assert_eq!(
        (&me["email"], &me["is_superuser"]),
        (&json!(EMAIL), &json!(false))
    );
    check_refusal(&second, 403, &forbidden());
    check_refusal(&again, 403, &forbidden());
}

#[tokio::test]
async fn of_two_who_sign_up_first_one_is() {
    let face = Face::start_empty().await;

    let (one, two) = tokio::join!(
        send(&face, USERS, person("one@example.com")),
        send(&face, USERS, person("two@example.com")),
    );

    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 403]);
}

#[tokio::test]
async fn the_first_member_belongs_to_the_organisations_that_are_there() {
    let face = Face::start().await;
    let mut body = person(EMAIL);
    body["superuser"] = true.into();

    let made = send(&face, USERS, body).await;

    let token = made.json()["key"].as_str().unwrap().to_owned();
    let path = "/api/v1/organisations/";
    let organisations = ask_as(&face, &token, "GET", path, None).await.json();
    assert_eq!(organisations["results"][0]["role"], "ADMIN");
    let me = ask_as(&face, &token, "GET", ME, None).await.json();
    assert_eq!(me["is_superuser"], true);
}

#[tokio::test]
async fn where_sign_up_is_open_anybody_may_but_not_as_superuser() {
    let face = Face::start_open_to_all().await;
    send(&face, USERS, person(EMAIL)).await;

    let mut body = person("eve@example.com");
    body["superuser"] = true.into();
    let superuser = send(&face, USERS, body).await;
    let member = send(&face, USERS, person("eve@example.com")).await;
    let again = send(&face, USERS, person("EVE@example.com")).await;

    let text = "Only the first member can be a superuser.";
    check_refusal(&superuser, 400, &json!({ "superuser": [text] }));
    assert_eq!(member.status, 201);
    let text = "Email already exists. Please log in.";
    check_refusal(&again, 400, &json!({ "email": [text] }));
}

#[tokio::test]
async fn fields_of_a_sign_up_are_checked_together() {
    let face = Face::start_empty().await;
    let required = ["This field is required."];
    let check = async |body: Json, expected: Json| {
        check_refusal(&send(&face, USERS, body).await, 400, &expected);
    };

    check(
        json!({}),
        json!({
            "first_name": required, "last_name": required, "email": required, "password": required,
        }),
    )
    .await;
    let mut body = person(EMAIL);
    body["first_name"] = "x".repeat(151).into();
    let text = "Ensure this field has no more than 150 characters.";
    check(body, json!({ "first_name": [text] })).await;
    let mut body = person(EMAIL);
    body["sign_up_type"] = "SAML".into();
    check(
        body,
        json!({ "sign_up_type": ["\"SAML\" is not a valid choice."] }),
    )
    .await;
    let mut body = person(EMAIL);
    body["password"] = "x".repeat(129).into();
    let text = "This password is too long. It must contain at most 128 characters.";
    check(body, json!({ "password": [text] })).await;
}

#[tokio::test]
async fn attempts_to_sign_up_are_limited() {
    let face = Face::start_empty().await;

    for _ in 0..20 {
        assert_eq!(send(&face, USERS, person("nope")).await.status, 400);
    }

    assert_eq!(send(&face, USERS, person(EMAIL)).await.status, 429);
}

#[tokio::test]
async fn the_first_configuration_is_refused_once_somebody_is_there() {
    let face = Face::start_empty().await;
    let path = "/api/v1/users/config/init/";
    let body = json!({ "email": EMAIL, "password": PASSWORD });

    let weak = send(&face, path, json!({ "email": EMAIL, "password": "123" })).await;
    let made = send(&face, path, body.clone()).await;
    let again = send(&face, path, body).await;

    assert_eq!(weak.status, 400);
    assert_eq!(made.status, 201, "{}", made.text());
    let token = made.json()["key"].as_str().unwrap().to_owned();
    let me = ask_as(&face, &token, "GET", ME, None).await.json();
    assert_eq!(me["is_superuser"], true);
    check_refusal(&again, 403, &forbidden());
}

#[tokio::test]
async fn people_change_their_own_names() {
    let desk = Desk::open().await;

    let patched = desk
        .patch(ME, json!({ "first_name": "Ada", "email": "x" }))
        .await;
    let incomplete = desk.put(ME, json!({ "first_name": "Ada" })).await;
    let id = patched.json()["id"].clone();
    let body = json!({ "first_name": "Augusta", "last_name": "King" });
    let put = desk.put(&format!("{USERS}{id}/"), body).await.json();
    let other = desk.get(&format!("{USERS}999/")).await;
    let list = desk.get(USERS).await.json();

    assert_eq!(patched.json()["first_name"], "Ada");
    assert_eq!(patched.json()["email"], EMAIL, "only with the password");
    check_refusal(
        &incomplete,
        400,
        &json!({ "last_name": ["This field is required."] }),
    );
    assert_eq!(
        (&put["first_name"], &put["last_name"]),
        (&json!("Augusta"), &json!("King"))
    );
    let missing = json!({ "detail": "No FFAdminUser matches the given query." });
    check_refusal(&other, 404, &missing);
    assert_eq!(
        (&list["count"], &list["results"][0]["id"]),
        (&json!(1), &id)
    );
}

#[tokio::test]
async fn a_changed_password_ends_other_sign_ins() {
    let desk = Desk::open().await;
    let path = format!("{USERS}set_password/");
    let other = token(&desk.face, EMAIL).await;
    let body = |current: &str, new: &str, repeated: &str| json!({ "current_password": current, "new_password": new, "re_new_password": repeated });
    let new = "another-long-Passw0rd";

    let wrong = desk.post(&path, body("wrong", new, new)).await;
    let differing = desk.post(&path, body(PASSWORD, new, "other")).await;
    let weak = desk.post(&path, body(PASSWORD, "1234567", "1234567")).await;
    let done = desk.post(&path, body(PASSWORD, new, new)).await;

    check_refusal(
        &wrong,
        400,
        &json!({ "current_password": ["Invalid password."] }),
    );
    let text = "The two password fields didn't match.";
    check_refusal(&differing, 400, &json!({ "non_field_errors": [text] }));
    assert!(weak.json()["new_password"].is_array(), "{}", weak.text());
    assert_eq!(done.status, 204);
    assert_eq!(
        desk.get(ME).await.status,
        200,
        "the token that was used stays"
    );
    assert_eq!(
        ask_as(&desk.face, &other, "GET", ME, None).await.status,
        401
    );
    let old = json!({ "email": EMAIL, "password": PASSWORD });
    assert_eq!(
        send(&desk.face, "/api/v1/auth/login/", old).await.status,
        400
    );
    let right = json!({ "email": EMAIL, "password": new });
    assert_eq!(
        send(&desk.face, "/api/v1/auth/login/", right).await.status,
        200
    );
}

#[tokio::test]
async fn an_address_is_changed_with_the_password() {
    let desk = Desk::open().await;
    let colleague = desk.colleague().await;
    let path = format!("{USERS}set_email/");
    let body =
        |email: &str, password: &str| json!({ "new_email": email, "current_password": password });

    let wrong = desk.post(&path, body("new@example.com", "wrong")).await;
    let invalid = desk.post(&path, body("new", PASSWORD)).await;
    let taken = desk.post(&path, body("EVE@example.com", PASSWORD)).await;
    let done = desk.post(&path, body("new@example.com", PASSWORD)).await;

    check_refusal(
        &wrong,
        400,
        &json!({ "current_password": ["Invalid password."] }),
    );
    check_refusal(
        &invalid,
        400,
        &json!({ "new_email": ["Enter a valid email address."] }),
    );
    let text = "Email already exists. Please log in.";
    check_refusal(&taken, 400, &json!({ "new_email": [text] }));
    assert_eq!(done.status, 204);
    assert_eq!(desk.get(ME).await.json()["email"], "new@example.com");
    assert_eq!(
        colleague.ask("GET", ME, None).await.json()["email"],
        "eve@example.com"
    );
}

#[tokio::test]
async fn first_steps_are_kept_for_dashboards() {
    let desk = Desk::open().await;
    let path = format!("{ME}onboarding/");

    let before = desk.get(ME).await.json();
    let tasks = desk
        .patch(&path, json!({ "tasks": [{ "name": "a" }] }))
        .await;
    desk.patch(&path, json!({ "tools": { "completed": true } }))
        .await;
    let after = desk.get(ME).await.json();
    let wrong = desk.patch(&path, json!({ "tasks": {} })).await;
    let long = json!({ "tasks": ["x".repeat(20_000)] });
    let long = desk.patch(&path, long).await;

    assert_eq!(before["onboarding"], json!(null));
    assert_eq!((tasks.status, tasks.text().as_str()), (204, ""));
    let kept = json!({ "tasks": [{ "name": "a" }], "tools": { "completed": true } });
    assert_eq!(after["onboarding"], kept);
    check_refusal(
        &wrong,
        400,
        &json!({ "tasks": ["Expected a list of items."] }),
    );
    assert_eq!(long.status, 400);
}

#[tokio::test]
async fn whoever_deletes_their_account_is_gone_with_what_was_theirs_alone() {
    let desk = Desk::open().await;
    let colleague = desk.colleague().await;
    let alone = desk
        .make("/api/v1/organisations/", json!({ "name": "Alone" }))
        .await;
    let ask = async |body: Json| desk.ask("DELETE", ME, Some(body.to_string())).await;

    let missing = ask(json!({})).await;
    let wrong = ask(json!({ "current_password": "wrong" })).await;
    let body = json!({ "current_password": PASSWORD, "delete_orphan_organisations": true });
    let done = ask(body).await;

    check_refusal(
        &missing,
        400,
        &json!({ "current_password": ["This field is required."] }),
    );
    check_refusal(
        &wrong,
        400,
        &json!({ "current_password": ["Invalid password."] }),
    );
    assert_eq!(done.status, 204);
    assert_eq!(desk.get(ME).await.status, 401);
    let right = json!({ "email": EMAIL, "password": PASSWORD });
    assert_eq!(
        send(&desk.face, "/api/v1/auth/login/", right).await.status,
        400
    );
    let id = flagstaff_core::OrganisationId::new(alone);
    assert_eq!(desk.face.store.organisation(id).await.unwrap(), None);
    let shared = format!("/api/v1/organisations/{}/", desk.organisation);
    assert_eq!(
        colleague.ask("GET", &shared, None).await.json()["num_seats"],
        1
    );
    assert_eq!(
        send(&desk.face, USERS, person("third@example.com"))
            .await
            .status,
        403
    );
}

#[tokio::test]
async fn a_token_can_be_withdrawn() {
    let desk = Desk::open().await;

    let done = desk.delete("/api/v1/auth/token/").await;

    assert_eq!(done.status, 204);
    assert_eq!(desk.get(ME).await.status, 401);
}
