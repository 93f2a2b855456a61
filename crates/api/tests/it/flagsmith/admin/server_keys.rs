use super::desk::{Desk, check_refusal};
use serde_json::json;

async fn status_with(desk: &Desk, key: &str) -> u16 {
    let ask = desk.face.keyless("GET", "/api/v1/environment-document/");
    ask.header("x-environment-key", key).send().await.status
}

#[tokio::test]
async fn a_key_opens_until_it_is_switched_off_or_deleted() {
    let desk = Desk::open().await;
    let list = desk.in_environment("api-keys/");
    let made = desk.post(&list, json!({ "name": "backend" })).await.json();
    let key = made["key"].as_str().unwrap();
    let path = format!("{list}{}/", made["id"]);

    let on = status_with(&desk, key).await;
    desk.patch(&path, json!({ "active": false })).await;
    let off = status_with(&desk, key).await;
    desk.patch(&path, json!({ "active": true })).await;
    let on_again = status_with(&desk, key).await;
    let deleted = desk.delete(&path).await;

    assert_eq!((on, off, on_again, deleted.status), (200, 403, 200, 204));
    assert_eq!(status_with(&desk, key).await, 403);
    assert_eq!(desk.get(&list).await.json(), json!([]));
}

#[tokio::test]
async fn the_end_of_a_key_can_be_set_and_taken_away() {
    let desk = Desk::open().await;
    let list = desk.in_environment("api-keys/");
    let body = json!({ "name": "old", "expires_at": "2020-01-01T02:00:00+02:00" });
    let made = desk.post(&list, body).await.json();
    let path = format!("{list}{}/", made["id"]);
    let key = made["key"].as_str().unwrap();

    let over = status_with(&desk, key).await;
    let endless = json!({ "name": "old", "expires_at": null });
    let put = desk.put(&path, endless).await.json();

    assert_eq!(made["expires_at"], "2020-01-01T00:00:00Z");
    assert_eq!(over, 403);
    assert_eq!(put["expires_at"], json!(null));
    assert_eq!(status_with(&desk, key).await, 200);
}

#[tokio::test]
async fn a_time_that_is_none_is_refused() {
    let desk = Desk::open().await;
    let list = desk.in_environment("api-keys/");
    let text = "Datetime has wrong format. Use one of these formats instead: \
                YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z].";

    for time in [json!("tomorrow"), json!(5), json!([])] {
        let body = json!({ "name": "a", "expires_at": time });
        let reply = desk.post(&list, body).await;
        check_refusal(&reply, 400, &json!({ "expires_at": [text] }));
    }
}

#[tokio::test]
async fn a_key_of_another_environment_is_not_found() {
    let desk = Desk::open().await;
    let other = desk.make_environment("Production").await;
    let list = format!("/api/v1/environments/{other}/api-keys/");
    let id = desk.make(&list, json!({ "name": "backend" })).await;

    let path = desk.in_environment(&format!("api-keys/{id}/"));
    let reply = desk.patch(&path, json!({ "active": false })).await;

    let missing = json!({ "detail": "No EnvironmentAPIKey matches the given query." });
    check_refusal(&reply, 404, &missing);
}
