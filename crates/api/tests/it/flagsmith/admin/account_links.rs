//! Djoser's routes for forgotten passwords and other addresses.

use super::desk::{Desk, EMAIL, PASSWORD, check_refusal};
use crate::face::Reply;
use secrecy::ExposeSecret as _;
use serde_json::{Value as Json, json};
use std::time::Duration;

const NEW_PASSWORD: &str = "another-long-Passw0rd";

async fn post(desk: &Desk, route: &str, body: Json) -> Reply {
    let ask = desk
        .face
        .keyless("POST", &format!("/api/v1/auth/users/{route}/"));
    let ask = ask.header("content-type", "application/json");
    ask.body(body.to_string()).send().await
}

/// What stands in the link that was asked for, as the routes take it.
async fn link(desk: &Desk) -> Json {
    for _ in 0..500 {
        let waiting = desk
            .face
            .service
            .waiting_links(&desk.face.caller)
            .await
            .unwrap();
        if let Some(first) = waiting.first() {
            let shown = desk
                .face
                .service
                .show_waiting_link(&desk.face.caller, first.id);
            let path = shown.await.unwrap().expose_secret().to_owned();
            let mut pieces = path.rsplit('/');
            let token = pieces.next().unwrap();
            return json!({ "uid": pieces.next().unwrap(), "token": token });
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("no link waits");
}

fn with(link: &Json, more: &Json) -> Json {
    let mut body = link.clone();
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

async fn may_sign_in(desk: &Desk, email: &str, password: &str) -> bool {
    let ask = desk.face.keyless("POST", "/api/v1/auth/login/");
    let body = json!({ "email": email, "password": password }).to_string();
    let ask = ask.header("content-type", "application/json").body(body);
    ask.send().await.status == 200
}

#[tokio::test]
async fn a_password_is_reset_by_a_link_once() {
    let desk = Desk::open().await;
    let asked = post(&desk, "reset_password", json!({ "email": EMAIL })).await;
    let link = link(&desk).await;
    let new = json!({ "new_password": NEW_PASSWORD, "re_new_password": NEW_PASSWORD });

    let different = with(
        &link,
        &json!({ "new_password": "a", "re_new_password": "b" }),
    );
    let different = post(&desk, "reset_password_confirm", different).await;
    let weak = with(
        &link,
        &json!({ "new_password": "123", "re_new_password": "123" }),
    );
    let weak = post(&desk, "reset_password_confirm", weak).await;
    let done = post(&desk, "reset_password_confirm", with(&link, &new)).await;
    let again = post(&desk, "reset_password_confirm", with(&link, &new)).await;

    assert_eq!((asked.status, asked.text().as_str()), (204, ""));
    let text = "The two password fields didn't match.";
    check_refusal(&different, 400, &json!({ "non_field_errors": [text] }));
    assert_eq!(weak.status, 400);
    assert!(weak.json()["new_password"].is_array(), "{}", weak.text());
    assert_eq!((done.status, done.text().as_str()), (204, ""));
    let over = json!({ "token": ["Invalid token for given user."] });
    check_refusal(&again, 400, &over);
    assert!(may_sign_in(&desk, EMAIL, NEW_PASSWORD).await);
    assert!(!may_sign_in(&desk, EMAIL, PASSWORD).await);
    assert_eq!(desk.get("/api/v1/auth/users/me/").await.status, 401);
}

#[tokio::test]
async fn asking_is_answered_alike_for_an_address_that_nobody_has() {
    let desk = Desk::open().await;

    for route in ["reset_password", "reset_email"] {
        let known = post(&desk, route, json!({ "email": EMAIL })).await;
        let unknown = post(&desk, route, json!({ "email": "nobody@example.com" })).await;

        assert_eq!(known.status, 204);
        assert_eq!(
            (known.status, &known.body, names(&known)),
            (unknown.status, &unknown.body, names(&unknown))
        );
    }
    let none = post(&desk, "reset_password", json!({ "email": "nonsense" })).await;
    check_refusal(
        &none,
        400,
        &json!({ "email": ["Enter a valid email address."] }),
    );
    let missing = post(&desk, "reset_password", json!({})).await;
    check_refusal(
        &missing,
        400,
        &json!({ "email": ["This field is required."] }),
    );
    let activation = post(&desk, "resend_activation", json!({ "email": EMAIL })).await;
    assert_eq!((activation.status, activation.text().as_str()), (400, ""));
}

fn names(reply: &Reply) -> Vec<&str> {
    reply
        .headers
        .iter()
        .map(|(name, _)| name.as_str())
        .collect()
}

#[tokio::test]
async fn an_unknown_account_and_a_wrong_token_are_answered_alike() {
    let desk = Desk::open().await;
    post(&desk, "reset_password", json!({ "email": EMAIL })).await;
    let link = link(&desk).await;
    let over = json!({ "token": ["Invalid token for given user."] });
    let new = json!({ "new_password": NEW_PASSWORD, "re_new_password": NEW_PASSWORD });

    for (uid, token) in [
        (json!("MQ"), link["token"].clone()),
        (link["uid"].clone(), json!("set-password")),
        (json!("x"), json!("y")),
    ] {
        let wrong = with(&json!({ "uid": uid, "token": token }), &new);
        check_refusal(
            &post(&desk, "reset_password_confirm", wrong).await,
            400,
            &over,
        );
        let wrong = json!({ "uid": uid, "token": token });
        check_refusal(&post(&desk, "activation", wrong).await, 400, &over);
    }
}

#[tokio::test]
async fn another_address_is_chosen_by_a_link() {
    let desk = Desk::open().await;
    post(&desk, "reset_email", json!({ "email": EMAIL })).await;
    let link = link(&desk).await;

    let wrong = with(&link, &json!({ "new_email": "nonsense" }));
    let wrong = post(&desk, "reset_email_confirm", wrong).await;
    let done = with(&link, &json!({ "new_email": "countess@example.com" }));
    let done = post(&desk, "reset_email_confirm", done).await;

    check_refusal(
        &wrong,
        400,
        &json!({ "new_email": ["Enter a valid email address."] }),
    );
    assert_eq!(done.status, 204);
    assert!(may_sign_in(&desk, "countess@example.com", PASSWORD).await);
}

#[tokio::test]
async fn links_are_limited_for_where_they_are_asked_from() {
    let desk = Desk::open().await;
    desk.face.pass_seconds(60);
    let mut statuses = Vec::new();

    for number in 0..21 {
        let email = format!("someone{number}@example.com");
        let reply = post(&desk, "reset_password", json!({ "email": email })).await;
        statuses.push(reply.status);
    }

    assert_eq!((statuses[19], statuses[20]), (204, 429));
}

#[tokio::test]
async fn services_that_are_not_set_up_sign_nobody_in() {
    let desk = Desk::open().await;

    for name in ["google", "github"] {
        let path = format!("/api/v1/auth/oauth/{name}/");
        let ask = desk.face.keyless("POST", &path);
        let ask = ask.header("content-type", "application/json");
        let reply = ask.body(r#"{"access_token": "x"}"#).send().await;

        assert_eq!(reply.status, 404, "{}", reply.text());
        assert!(reply.json()["message"].is_string());
    }
}

#[tokio::test]
async fn a_session_of_the_dashboard_does_not_count_here() {
    let desk = Desk::open().await;
    let found = desk.face.store.member_for_sign_in(EMAIL).await.unwrap();
    let (member, _) = found.unwrap();
    let session = desk.face.service.open_session(member.id).await.unwrap();
    let session = session.expose_secret();

    for path in [
        "/api/v1/auth/users/me/",
        "/api/v1/organisations/",
        "/ofrep/v1/configuration",
    ] {
        let cookie = format!(
            "flagstaff-session={session}; __Host-flagstaff-session={session}; jwt={session}"
        );
        let reply = desk
            .face
            .keyless("GET", path)
            .header("cookie", &cookie)
            .send()
            .await;
        assert!(
            matches!(reply.status, 401 | 403 | 404),
            "{path}: {}",
            reply.status
        );
        assert!(!reply.text().contains(EMAIL));
    }
    // Nor does what the cookie holds as a token: it is another kind.
    let as_token = desk.face.keyless("GET", "/api/v1/auth/users/me/");
    let as_token = as_token.header("authorization", &format!("Token {session}"));
    assert_eq!(as_token.send().await.status, 401);
}
