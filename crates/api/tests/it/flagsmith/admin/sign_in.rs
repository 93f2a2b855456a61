use super::desk::{Desk, EMAIL, PASSWORD, ask_as, check_refusal, token};
use crate::face::Reply;
use serde_json::json;

const ME: &str = "/api/v1/auth/users/me/";

async fn sign_in(desk: &Desk, body: String) -> Reply {
    let ask = desk.face.keyless("POST", "/api/v1/auth/login/");
    let ask = ask.header("content-type", "application/json").body(body);
    ask.send().await
}

#[tokio::test]
async fn signing_out_ends_one_token_and_no_other() {
    let desk = Desk::open().await;
    let first = token(&desk.face, EMAIL).await;
    let second = token(&desk.face, EMAIL).await;

    let out = ask_as(&desk.face, &first, "POST", "/api/v1/auth/logout/", None).await;
    let ended = ask_as(&desk.face, &first, "GET", ME, None).await;
    let other = ask_as(&desk.face, &second, "GET", ME, None).await;

    assert_eq!((out.status, out.text().as_str()), (204, ""));
    check_refusal(&ended, 401, &json!({ "detail": "Invalid token." }));
    assert_eq!((other.status, &other.json()["email"]), (200, &json!(EMAIL)));
}

#[tokio::test]
async fn only_the_scheme_token_is_looked_at() {
    let desk = Desk::open().await;
    let token = token(&desk.face, EMAIL).await;
    let missing = json!({ "detail": "Authentication credentials were not provided." });

    for header in [
        "",
        "Token",
        "Token ",
        "Basic YTpi",
        &format!("Bearer {token}"),
    ] {
        let ask = desk.face.keyless("GET", ME).header("authorization", header);
        check_refusal(&ask.send().await, 401, &missing);
    }
    let ask = desk.face.keyless("GET", ME);
    let any_case = ask.header("authorization", &format!("token  {token} "));
    assert_eq!(any_case.send().await.status, 200);
}

#[tokio::test]
async fn too_many_attempts_are_told_when_to_come_back() {
    let desk = Desk::open().await;
    desk.face.pass_seconds(60);
    let wrong = json!({ "email": EMAIL, "password": "wrong" }).to_string();
    for _ in 0..20 {
        assert_eq!(sign_in(&desk, wrong.clone()).await.status, 400);
    }

    let refused = sign_in(&desk, wrong.clone()).await;
    desk.face.pass_seconds(60);
    let right = json!({ "email": EMAIL, "password": PASSWORD }).to_string();
    let later = sign_in(&desk, right).await;

    let seconds = refused.header("retry-after").unwrap();
    let text = format!("Request was throttled. Expected available in {seconds} seconds.");
    check_refusal(&refused, 429, &json!({ "detail": text }));
    assert!((1..=61).contains(&seconds.parse::<u32>().unwrap()));
    assert_eq!(later.status, 200);
}

#[tokio::test]
async fn credentials_of_the_wrong_type_are_named() {
    let desk = Desk::open().await;

    let list = sign_in(&desk, r#"{"email": ["a"], "password": "b"}"#.to_owned()).await;
    let null = sign_in(&desk, r#"{"email": "a", "password": null}"#.to_owned()).await;
    let nothing = sign_in(&desk, String::new()).await;

    check_refusal(&list, 400, &json!({ "email": ["Not a valid string."] }));
    let no_null = json!({ "password": ["This field may not be null."] });
    check_refusal(&null, 400, &no_null);
    let wrong = "Unable to log in with provided credentials.";
    check_refusal(&nothing, 400, &json!({ "non_field_errors": [wrong] }));
}
