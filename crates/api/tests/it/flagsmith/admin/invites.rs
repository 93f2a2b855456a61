use super::desk::{Desk, EMAIL, PASSWORD, ask_as, check_refusal};
use crate::face::Reply;
use serde_json::{Value as Json, json};

const EVE: &str = "eve@example.com";

fn in_organisation(desk: &Desk, path: &str) -> String {
    format!("/api/v1/organisations/{}/{path}", desk.organisation)
}

fn forbidden() -> Json {
    json!({ "detail": "You do not have permission to perform this action." })
}

/// Signs somebody up with what stands in a link.
async fn sign_up(desk: &Desk, email: &str, hash: &Json) -> Reply {
    let ask = desk.face.keyless("POST", "/api/v1/auth/users/");
    let ask = ask.header("content-type", "application/json");
    let body = json!({
        "email": email, "password": PASSWORD, "first_name": "Eve", "last_name": "Example",
        "sign_up_type": "INVITE_LINK", "invite_hash": hash,
    });
    ask.body(body.to_string()).send().await
}

async fn join(desk: &Desk, token: &Json, path: &str) -> Reply {
    let path = format!("/api/v1/users/join/{path}/");
    ask_as(&desk.face, token.as_str().unwrap(), "POST", &path, None).await
}

#[tokio::test]
async fn whoever_is_invited_signs_up_and_joins_once() {
    let desk = Desk::open().await;
    let body = json!({ "email": EVE, "role": "ADMIN", "permission_groups": [] });
    let invite = desk.post(&in_organisation(&desk, "invites/"), body).await;
    let invite = invite.json();
    let hash = &invite["hash"];

    let wrong = sign_up(&desk, EVE, &json!("wrong")).await;
    let other = sign_up(&desk, "bob@example.com", hash).await;
    let eve = sign_up(&desk, EVE, hash).await;
    let token = eve.json()["key"].clone();
    let path = hash.as_str().unwrap();
    let joined = join(&desk, &token, path).await;
    let again = join(&desk, &token, path).await;

    check_refusal(&wrong, 403, &forbidden());
    check_refusal(&other, 403, &forbidden());
    assert_eq!((eve.status, joined.status), (201, 200));
    assert_eq!(joined.json()["role"], "ADMIN");
    assert_eq!(joined.json()["num_seats"], 2);
    let missing = json!({ "detail": "No Invite matches the given query." });
    check_refusal(&again, 404, &missing);
    let waiting = desk.get(&in_organisation(&desk, "invites/")).await;
    assert_eq!(waiting.json()["count"], 0);
    let users = desk.get(&in_organisation(&desk, "users/")).await.json();
    assert_eq!(
        (&users[1]["email"], &users[1]["role"]),
        (&json!(EVE), &json!("ADMIN"))
    );
}

#[tokio::test]
async fn an_invite_is_for_its_address_alone() {
    let desk = Desk::open().await;
    let link = desk
        .post(&in_organisation(&desk, "invite-links/"), json!({}))
        .await;
    let bob = sign_up(&desk, "bob@example.com", &link.json()["hash"]).await;
    let invites = in_organisation(&desk, "invites/");
    let invite = desk.post(&invites, json!({ "email": EVE })).await.json();

    let joined = join(&desk, &bob.json()["key"], invite["hash"].as_str().unwrap()).await;

    let missing = json!({ "detail": "No Invite matches the given query." });
    check_refusal(&joined, 404, &missing);
    assert_eq!(desk.get(&invites).await.json()["count"], 1);
}

#[tokio::test]
async fn an_invite_shows_its_link_once_and_a_renewed_one_has_another() {
    let desk = Desk::open().await;
    let invites = in_organisation(&desk, "invites/");
    let made = desk
        .post(&invites, json!({ "email": EVE, "role": "USER" }))
        .await;
    let made = made.json();
    let path = format!("{invites}{}/", made["id"]);

    let listed = desk.get(&invites).await.json();
    let got = desk.get(&path).await.json();
    let renewed = desk.post(&format!("{path}resend/"), json!({})).await.json();

    let hash = made["hash"].as_str().unwrap();
    let link = format!("http://127.0.0.1:8000/api/v1/users/join/{hash}/");
    assert_eq!(made["link"], link);
    assert!(!listed.to_string().contains(hash));
    assert_eq!(listed["results"], json!([got]));
    assert_eq!(got["invited_by"]["email"], EMAIL);
    assert_eq!(got["role"], "USER");
    assert_eq!(
        (&renewed["id"], &renewed["email"]),
        (&made["id"], &json!(EVE))
    );
    assert_eq!(sign_up(&desk, EVE, &made["hash"]).await.status, 403);
    assert_eq!(sign_up(&desk, EVE, &renewed["hash"]).await.status, 201);
    assert_eq!(desk.delete(&path).await.status, 204);
    let missing = json!({ "detail": "No Invite matches the given query." });
    check_refusal(&desk.get(&path).await, 404, &missing);
    check_refusal(&desk.delete(&path).await, 404, &missing);
    check_refusal(
        &desk.post(&format!("{path}resend/"), json!({})).await,
        404,
        &missing,
    );
}

#[tokio::test]
async fn several_are_invited_together_or_none() {
    let desk = Desk::open().await;
    let path = in_organisation(&desk, "invite/");
    let list = |emails: &[&str]| {
        let invites: Vec<Json> = emails
            .iter()
            .map(|email| json!({ "email": email }))
            .collect();
        json!({ "invites": invites })
    };

    let twice = desk.post(&path, list(&[EVE, "EVE@example.com"])).await;
    let member = desk.post(&path, list(&[EVE, EMAIL])).await;
    let waiting = desk.get(&in_organisation(&desk, "invites/")).await.json();
    let both = desk.post(&path, list(&[EVE, "bob@example.com"])).await;
    let again = desk.post(&path, list(&[EVE])).await;

    let text = json!({ "email": ["This person is invited already."] });
    check_refusal(&twice, 400, &text);
    let known = "This person is a member of the organisation already.";
    check_refusal(&member, 400, &json!({ "email": [known] }));
    assert_eq!(waiting["count"], 0);
    assert_eq!(
        (both.status, both.json().as_array().unwrap().len()),
        (201, 2)
    );
    check_refusal(&again, 400, &text);
}

#[tokio::test]
async fn fields_of_an_invite_are_checked() {
    let desk = Desk::open().await;
    let path = in_organisation(&desk, "invites/");
    let check = async |body: Json, expected: Json| {
        check_refusal(&desk.post(&path, body).await, 400, &expected);
    };

    check(json!({}), json!({ "email": ["This field is required."] })).await;
    let text = "Enter a valid email address.";
    check(json!({ "email": "eve" }), json!({ "email": [text] })).await;
    let text = "\"OWNER\" is not a valid choice.";
    check(
        json!({ "email": EVE, "role": "OWNER" }),
        json!({ "role": [text] }),
    )
    .await;
    let text = "Invalid pk \"7\" - object does not exist.";
    let body = json!({ "email": EVE, "permission_groups": [7] });
    check(body, json!({ "permission_groups": [text] })).await;
    let links = in_organisation(&desk, "invite-links/");
    let reply = desk.post(&links, json!({ "role": "OWNER" })).await;
    assert_eq!(reply.status, 400);
}

#[tokio::test]
async fn a_link_lets_anybody_in_until_it_is_over_or_deleted() {
    let desk = Desk::open().await;
    let links = in_organisation(&desk, "invite-links/");
    let link = desk.post(&links, json!({ "role": "USER" })).await;
    let link = link.json();
    let over = json!({ "role": "ADMIN", "expires_at": "2020-01-01T00:00:00Z" });
    let over = desk.post(&links, over).await.json();
    let hash = link["hash"].as_str().unwrap();

    let listed = desk.get(&links).await.json();
    let late = sign_up(&desk, EVE, &over["hash"]).await;
    let eve = sign_up(&desk, EVE, &link["hash"]).await.json();
    let joined = join(&desk, &eve["key"], &format!("link/{hash}")).await;
    let rejoined = join(&desk, &eve["key"], &format!("link/{hash}")).await;
    let admin = desk
        .post(&format!("/api/v1/users/join/link/{hash}/"), json!({}))
        .await;
    let deleted = desk.delete(&format!("{links}{}/", link["id"])).await;
    let gone = join(&desk, &eve["key"], &format!("link/{hash}")).await;
    let path = format!("link/{}", over["hash"].as_str().unwrap());
    let late_join = join(&desk, &eve["key"], &path).await;

    assert_eq!(listed, json!([link, over]));
    check_refusal(&late, 403, &forbidden());
    assert_eq!(
        (joined.status, &joined.json()["role"]),
        (200, &json!("USER"))
    );
    assert_eq!(rejoined.status, 200);
    assert_eq!(
        admin.json()["role"],
        "ADMIN",
        "nobody is made less by joining again"
    );
    assert_eq!(deleted.status, 204);
    let missing = json!({ "detail": "No InviteLink matches the given query." });
    check_refusal(&gone, 404, &missing);
    check_refusal(&late_join, 404, &missing);
    check_refusal(
        &desk.delete(&format!("{links}{}/", link["id"])).await,
        404,
        &missing,
    );
}

#[tokio::test]
async fn only_admins_of_the_organisation_invite() {
    let desk = Desk::open().await;
    let paths = ["invites/", "invite/", "invite-links/"].map(|path| in_organisation(&desk, path));

    for other in [desk.colleague().await, desk.stranger().await] {
        for path in &paths {
            let body = json!({ "email": "bob@example.com", "invites": [] });
            check_refusal(
                &other.ask("POST", path, Some(body)).await,
                403,
                &forbidden(),
            );
        }
        check_refusal(&other.ask("GET", &paths[0], None).await, 403, &forbidden());
        check_refusal(&other.ask("GET", &paths[2], None).await, 403, &forbidden());
        let one = format!("{}1/", paths[0]);
        check_refusal(&other.ask("GET", &one, None).await, 403, &forbidden());
        check_refusal(&other.ask("DELETE", &one, None).await, 403, &forbidden());
        let link = format!("{}1/", paths[2]);
        check_refusal(&other.ask("DELETE", &link, None).await, 403, &forbidden());
    }
}
