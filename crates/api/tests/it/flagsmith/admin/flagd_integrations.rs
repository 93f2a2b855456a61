use super::desk::{Desk, check_refusal};
use flagstaff_service::KeyNeed;
use serde_json::{Value as Json, json};

const MISSING: &str = "No FlagdIntegration matches the given query.";

fn list_path(desk: &Desk) -> String {
    desk.in_project("integrations/flagd/")
}

fn one_path(desk: &Desk, id: &Json) -> String {
    desk.in_project(&format!("integrations/flagd/{id}/"))
}

/// Whether the snapshot that everybody reads says that the project is served to flagd.
async fn is_served(desk: &Desk) -> bool {
    let open = desk
        .face
        .service
        .open_environment(Some(&desk.key), KeyNeed::Any)
        .await;
    open.unwrap().snapshot().enabled_flagd().is_some()
}

#[tokio::test]
async fn requirement_05_a_project_is_not_served_to_flagd_until_it_is_said() {
    let desk = Desk::open().await;

    let list = desk.get(&list_path(&desk)).await;

    assert_eq!((list.status, list.json()), (200, json!([])));
    assert!(!is_served(&desk).await);
}

#[tokio::test]
async fn requirement_06_the_integration_is_made_read_changed_and_deleted() {
    let desk = Desk::open().await;

    let made = desk
        .post(&list_path(&desk), json!({ "enabled": true }))
        .await;
    let list = desk.get(&list_path(&desk)).await.json();
    let path = one_path(&desk, &made.json()["id"]);
    let read = desk.get(&path).await.json();
    let patched = desk.patch(&path, json!({ "form": "lean" })).await.json();
    let body = json!({ "enabled": false, "evaluators": "inline" });
    let replaced = desk.put(&path, body).await.json();
    let deleted = desk.delete(&path).await;
    let gone = desk.get(&path).await;

    assert_eq!(made.status, 201);
    let made = made.json();
    assert_eq!(made["enabled"], true);
    assert_eq!(
        (&made["evaluators"], &made["form"]),
        (&json!("shared"), &json!("typed"))
    );
    assert_eq!(made["created_at"], made["updated_at"]);
    assert_eq!(list, json!([made]), "a list without pages");
    assert_eq!(read, made);
    assert_eq!(
        (&patched["enabled"], &patched["form"]),
        (&json!(true), &json!("lean"))
    );
    assert!(patched["updated_at"].as_str() > made["updated_at"].as_str());
    assert_eq!(patched["created_at"], made["created_at"]);
    assert_eq!(
        (
            &replaced["enabled"],
            &replaced["evaluators"],
            &replaced["form"]
        ),
        (&json!(false), &json!("inline"), &json!("lean"))
    );
    assert_eq!((deleted.status, deleted.text()), (204, String::new()));
    check_refusal(&gone, 404, &json!({ "detail": MISSING }));
}

#[tokio::test]
async fn requirement_06_without_a_word_the_integration_is_off() {
    let desk = Desk::open().await;

    let made = desk.post(&list_path(&desk), json!({})).await;

    assert_eq!((made.status, &made.json()["enabled"]), (201, &json!(false)));
    assert!(!is_served(&desk).await);
}

#[tokio::test]
async fn requirement_06_a_second_integration_is_refused() {
    let desk = Desk::open().await;
    let first = desk
        .post(&list_path(&desk), json!({ "enabled": true }))
        .await
        .json();

    let second = desk
        .post(&list_path(&desk), json!({ "enabled": false }))
        .await;

    check_refusal(
        &second,
        400,
        &json!(["FlagdIntegration for project already exist."]),
    );
    assert_eq!(desk.get(&list_path(&desk)).await.json(), json!([first]));
}

#[tokio::test]
async fn requirement_06_patching_the_list_makes_the_integration_or_changes_it() {
    let desk = Desk::open().await;

    let made = desk
        .patch(&list_path(&desk), json!({ "enabled": true }))
        .await;
    let changed = desk
        .patch(&list_path(&desk), json!({ "evaluators": "inline" }))
        .await;

    assert_eq!((made.status, &made.json()["enabled"]), (200, &json!(true)));
    let (made, changed) = (made.json(), changed.json());
    assert_eq!(changed["id"], made["id"]);
    assert_eq!(
        (&changed["enabled"], &changed["evaluators"]),
        (&json!(true), &json!("inline"))
    );
}

#[tokio::test]
async fn requirement_06_read_only_and_unknown_words_are_not_taken() {
    let desk = Desk::open().await;
    let path = list_path(&desk);

    let word = desk
        .post(&path, json!({ "evaluators": "both", "form": "faithful" }))
        .await;
    let kind = desk.post(&path, json!({ "enabled": "perhaps" })).await;
    let null = desk.post(&path, json!({ "enabled": null })).await;
    let list = desk.post(&path, json!([true])).await;
    let times = desk
        .post(
            &path,
            json!({ "created_at": "2001-01-01T00:00:00Z", "id": 77 }),
        )
        .await;

    let expected = json!({
        "evaluators": ["\"both\" is not a valid choice."],
        "form": ["\"faithful\" is not a valid choice."],
    });
    check_refusal(&word, 400, &expected);
    check_refusal(
        &kind,
        400,
        &json!({ "enabled": ["Must be a valid boolean."] }),
    );
    check_refusal(
        &null,
        400,
        &json!({ "enabled": ["This field may not be null."] }),
    );
    assert_eq!(list.status, 400);
    assert_eq!(times.status, 201);
    assert_ne!(times.json()["id"], 77);
    assert!(
        !times.json()["created_at"]
            .as_str()
            .unwrap()
            .starts_with("2001")
    );
}

#[tokio::test]
async fn requirement_06_only_admins_of_the_project_may_look_and_change() {
    let desk = Desk::open().await;
    let made = desk
        .post(&list_path(&desk), json!({ "enabled": true }))
        .await
        .json();
    let colleague = desk.colleague().await;
    let me = colleague
        .ask("GET", "/api/v1/auth/users/me/", None)
        .await
        .json();
    let grant = json!({ "user": me["id"], "permissions": ["VIEW_PROJECT"], "admin": false });
    let unseen = colleague.ask("GET", &list_path(&desk), None).await;
    let grant = desk
        .post(&desk.in_project("user-permissions/"), grant)
        .await;
    assert_eq!(grant.status, 201);
    let off = || Some(json!({ "enabled": false }));
    let (list, one) = (list_path(&desk), one_path(&desk, &made["id"]));

    check_refusal(
        &unseen,
        404,
        &json!({ "detail": "No Project matches the given query." }),
    );
    for (method, path, body) in [
        ("GET", &list, None),
        ("POST", &list, off()),
        ("PATCH", &list, off()),
        ("GET", &one, None),
        ("PUT", &one, off()),
        ("PATCH", &one, off()),
        ("DELETE", &one, None),
    ] {
        let refused = colleague.ask(method, path, body).await;
        let forbidden = json!({ "detail": "You do not have permission to perform this action." });
        check_refusal(&refused, 403, &forbidden);
    }
    assert_eq!(desk.get(&list).await.json(), json!([made]));
    let keyless = desk.face.keyless("GET", &list).send().await;
    assert_eq!(keyless.status, 401);
}

#[tokio::test]
async fn requirement_06_an_integration_of_another_project_is_not_found() {
    let desk = Desk::open().await;
    let made = desk.post(&list_path(&desk), json!({})).await.json();
    let other = json!({ "name": "Blog", "organisation": desk.organisation });
    let other = desk.make("/api/v1/projects/", other).await;
    let path = format!(
        "/api/v1/projects/{other}/integrations/flagd/{}/",
        made["id"]
    );

    for reply in [
        desk.get(&path).await,
        desk.patch(&path, json!({ "enabled": true })).await,
        desk.put(&path, json!({ "enabled": true })).await,
        desk.delete(&path).await,
    ] {
        check_refusal(&reply, 404, &json!({ "detail": MISSING }));
    }
    assert_eq!(desk.get(&list_path(&desk)).await.json(), json!([made]));
}

#[tokio::test]
async fn requirement_07_what_is_switched_holds_for_the_next_request() {
    let desk = Desk::open().await;
    assert!(!is_served(&desk).await, "the snapshot is held from here on");

    let made = desk
        .post(&list_path(&desk), json!({ "enabled": true }))
        .await
        .json();
    assert!(is_served(&desk).await);
    let path = one_path(&desk, &made["id"]);
    desk.patch(&path, json!({ "enabled": false })).await;
    assert!(!is_served(&desk).await);
    desk.patch(&path, json!({ "enabled": true })).await;
    assert!(is_served(&desk).await);
    desk.delete(&path).await;
    assert!(!is_served(&desk).await);
}

#[tokio::test]
async fn each_change_of_the_integration_is_audited() {
    let desk = Desk::open().await;
    let made = desk
        .post(&list_path(&desk), json!({ "enabled": true }))
        .await
        .json();
    let path = one_path(&desk, &made["id"]);

    desk.patch(&path, json!({ "form": "lean", "enabled": false }))
        .await;
    desk.delete(&path).await;

    assert_eq!(
        desk.last_audited(3).await,
        [
            "flagd integration deleted: Shop",
            "flagd integration updated: Shop, off, evaluators shared, form lean",
            "flagd integration created: Shop, on, evaluators shared, form typed",
        ]
    );
}
