use super::desk::{Desk, check_refusal};
use serde_json::{Value as Json, json};

const MISSING: &str = "No Tag matches the given query.";

async fn make_tag(desk: &Desk, label: &str) -> i64 {
    desk.make(&desk.in_project("tags/"), json!({ "label": label }))
        .await
}

async fn named(desk: &Desk, query: &str) -> Vec<String> {
    let path = desk.in_project(&format!("features/?{query}"));
    let list = desk.get(&path).await.json();
    let names = list["results"].as_array().unwrap().iter();
    names
        .map(|feature| feature["name"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_tag_lives() {
    let desk = Desk::open().await;
    let id = make_tag(&desk, "beta").await;
    let path = desk.in_project(&format!("tags/{id}/"));

    let made = desk.get(&path).await.json();
    let by_uuid = format!("tags/get-by-uuid/{}/", made["uuid"].as_str().unwrap());
    let found = desk.get(&desk.in_project(&by_uuid)).await.json();
    let patched = desk.patch(&path, json!({ "is_permanent": true })).await;
    let body = json!({ "label": "gamma", "color": "#fff", "description": null });
    let replaced = desk.put(&path, body).await.json();
    let deleted = desk.delete(&path).await;
    let gone = desk.get(&path).await;
    let list = desk.get(&desk.in_project("tags/")).await.json();

    assert_eq!(
        (&made["label"], &made["color"]),
        (&json!("beta"), &json!("#6837FC"))
    );
    assert_eq!(found, made);
    assert_eq!(patched.json()["is_permanent"], true);
    assert_eq!(patched.json()["label"], "beta");
    assert_eq!(
        (&replaced["label"], &replaced["is_permanent"]),
        (&json!("gamma"), &json!(true))
    );
    assert_eq!(deleted.status, 204);
    check_refusal(&gone, 404, &json!({ "detail": MISSING }));
    assert_eq!(list["count"], 0);
}

#[tokio::test]
async fn what_is_no_tag_is_refused() {
    let desk = Desk::open().await;
    let list = desk.in_project("tags/");
    let check = async |body: Json, expected: Json| {
        check_refusal(&desk.post(&list, body).await, 400, &expected);
    };

    check(json!({}), json!({ "label": ["This field is required."] })).await;
    let blank = json!({ "label": ["This field may not be blank."] });
    check(json!({ "label": " " }), blank).await;
    let long = json!({ "label": ["Ensure this field has no more than 100 characters."] });
    check(json!({ "label": "x".repeat(101) }), long).await;
    let long = json!({ "color": ["Ensure this field has no more than 10 characters."] });
    check(json!({ "label": "a", "color": "#12345678901" }), long).await;
}

#[tokio::test]
async fn a_feature_carries_tags() {
    let desk = Desk::open().await;
    let (beta, team) = (make_tag(&desk, "beta").await, make_tag(&desk, "team").await);
    let feature = desk
        .make_feature(json!({ "name": "a", "tags": [team, beta] }))
        .await;
    let path = desk.in_project(&format!("features/{feature}/"));

    let made = desk.get(&path).await.json();
    let described = desk.patch(&path, json!({ "description": "d" })).await;
    let replaced = desk.put(&path, json!({ "tags": [team] })).await.json();
    desk.delete(&desk.in_project(&format!("tags/{team}/")))
        .await;
    let bare = desk.get(&path).await.json();

    assert_eq!(made["tags"], json!([beta, team]));
    assert_eq!(described.json()["tags"], json!([beta, team]));
    assert_eq!(replaced["tags"], json!([team]));
    assert_eq!(bare["tags"], json!([]));
}

#[tokio::test]
async fn features_are_found_by_their_tags() {
    let desk = Desk::open().await;
    let (beta, team) = (make_tag(&desk, "beta").await, make_tag(&desk, "team").await);
    for (name, tags) in [
        ("both", json!([beta, team])),
        ("one", json!([beta])),
        ("none", json!([])),
    ] {
        desk.make_feature(json!({ "name": name, "tags": tags }))
            .await;
    }

    assert_eq!(named(&desk, &format!("tags={beta},{team}")).await, ["both"]);
    let union = format!("tags={beta},{team}&tag_strategy=UNION");
    assert_eq!(named(&desk, &union).await, ["both", "one"]);
    assert_eq!(named(&desk, "tags=").await, ["none"]);
    assert!(named(&desk, "tags=999").await.is_empty());
    let reply = desk
        .get(&desk.in_project("features/?tags=x&tag_strategy=Y"))
        .await;
    let expected = json!({
        "tag_strategy": ["\"Y\" is not a valid choice."],
        "tags": ["Tag IDs must be integers."],
    });
    check_refusal(&reply, 400, &expected);
}

#[tokio::test]
async fn tags_stay_within_their_project() {
    let desk = Desk::open().await;
    let blog = json!({ "name": "Blog", "organisation": desk.organisation });
    let blog = desk.make("/api/v1/projects/", blog).await;
    let path = format!("/api/v1/projects/{blog}/tags/");
    let foreign = desk.make(&path, json!({ "label": "x" })).await;

    let body = json!({ "name": "a", "tags": [foreign] });
    let carried = desk.post(&desk.in_project("features/"), body).await;
    let seen = desk
        .get(&desk.in_project(&format!("tags/{foreign}/")))
        .await;

    let text = format!("Invalid pk \"{foreign}\" - object does not exist.");
    check_refusal(&carried, 400, &json!({ "tags": [text] }));
    check_refusal(&seen, 404, &json!({ "detail": MISSING }));
}

#[tokio::test]
async fn strangers_find_no_tags() {
    let desk = Desk::open().await;
    let id = make_tag(&desk, "beta").await;
    let tag = desk.in_project(&format!("tags/{id}/"));
    let list = desk.in_project("tags/");
    let body = || Some(json!({ "label": "a" }));
    let stranger = desk.stranger().await;

    for (method, path, body) in [
        ("GET", &list, None),
        ("POST", &list, body()),
        ("GET", &tag, None),
        ("PUT", &tag, body()),
        ("PATCH", &tag, body()),
        ("DELETE", &tag, None),
    ] {
        let reply = stranger.ask(method, path, body).await;

        let missing = json!({ "detail": "No Project matches the given query." });
        check_refusal(&reply, 404, &missing);
    }
}
