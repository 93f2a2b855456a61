use super::desk::{Desk, Stranger, check_refusal, is_pro};
use flagstaff_core::OrganisationId;
use serde_json::{Value as Json, json};

fn forbidden() -> Json {
    json!({ "detail": "You do not have permission to perform this action." })
}

fn no_project() -> Json {
    json!({ "detail": "No Project matches the given query." })
}

fn no_environment() -> Json {
    json!({ "detail": "No Environment matches the given query." })
}

fn in_organisation(desk: &Desk, path: &str) -> String {
    format!("/api/v1/organisations/{}/{path}", desk.organisation)
}

/// A desk, and somebody of its organisation who is none of its admins, with their id.
async fn with_colleague(desk: &Desk) -> (Stranger<'_>, Json) {
    let colleague = desk.colleague().await;
    let me = colleague.ask("GET", "/api/v1/auth/users/me/", None).await;
    (colleague, me.json()["id"].clone())
}

/// Grants something; gives the address of the grant.
async fn grant(desk: &Desk, path: &str, user: &Json, permissions: &[&str], admin: bool) -> String {
    let body = json!({ "user": user, "permissions": permissions, "admin": admin });
    let id = desk.make(path, body).await;
    format!("{path}{id}/")
}

#[tokio::test]
async fn whoever_was_granted_nothing_sees_nothing() {
    let desk = Desk::open().await;
    let (colleague, _) = with_colleague(&desk).await;

    for path in ["", "features/", "segments/", "tags/", "my-permissions/"] {
        let reply = colleague.ask("GET", &desk.in_project(path), None).await;
        check_refusal(&reply, 404, &no_project());
    }
    for path in [
        "",
        "document/",
        "featurestates/",
        "identities/",
        "api-keys/",
        "metrics/",
    ] {
        let reply = colleague.ask("GET", &desk.in_environment(path), None).await;
        check_refusal(&reply, 404, &no_environment());
    }
    let projects = colleague.ask("GET", "/api/v1/projects/", None).await;
    assert_eq!(projects.json(), json!([]));
    let body = json!({ "name": "Mine", "organisation": desk.organisation });
    let project = colleague.ask("POST", "/api/v1/projects/", Some(body)).await;
    check_refusal(&project, 403, &forbidden());
}

#[tokio::test]
async fn permissions_of_a_project_open_one_door_each() {
    let desk = Desk::open().await;
    let (colleague, user) = with_colleague(&desk).await;
    let feature = desk.make_feature(json!({ "name": "checkout" })).await;
    let grants = desk.in_project("user-permissions/");
    let path = grant(&desk, &grants, &user, &["VIEW_PROJECT"], false).await;
    let one = desk.in_project(&format!("features/{feature}/"));
    let segment = json!({ "name": "pro", "rules": [is_pro()], "project": desk.project });
    let environment = json!({ "name": "Staging", "project": desk.project });
    let tag = json!({ "label": "a", "color": "#ffffff", "project": desk.project });
    let doors = [
        (
            "CREATE_FEATURE",
            "POST",
            desk.in_project("features/"),
            Some(json!({ "name": "b" })),
            201,
        ),
        (
            "CREATE_FEATURE",
            "PATCH",
            one.clone(),
            Some(json!({ "description": "x" })),
            200,
        ),
        (
            "MANAGE_SEGMENTS",
            "POST",
            desk.in_project("segments/"),
            Some(segment),
            201,
        ),
        (
            "MANAGE_TAGS",
            "POST",
            desk.in_project("tags/"),
            Some(tag),
            201,
        ),
        (
            "CREATE_ENVIRONMENT",
            "POST",
            "/api/v1/environments/".to_owned(),
            Some(environment),
            201,
        ),
        ("DELETE_FEATURE", "DELETE", one, None, 204),
    ];

    for (permission, method, door, body, status) in doors {
        desk.patch(&path, json!({ "permissions": ["VIEW_PROJECT"] }))
            .await;
        let closed = colleague.ask(method, &door, body.clone()).await;
        check_refusal(&closed, 403, &forbidden());
        desk.patch(
            &path,
            json!({ "permissions": ["VIEW_PROJECT", permission] }),
        )
        .await;
        let open = colleague.ask(method, &door, body).await;
        assert_eq!(open.status, status, "{permission}: {}", open.text());
    }
    let rename = Some(json!({ "name": "Mine" }));
    for (method, body) in [("PATCH", rename), ("DELETE", None)] {
        let reply = colleague.ask(method, &desk.in_project(""), body).await;
        check_refusal(&reply, 403, &forbidden());
    }
    check_refusal(
        &colleague.ask("GET", &grants, None).await,
        403,
        &forbidden(),
    );
}

#[tokio::test]
async fn permissions_of_an_environment_open_one_door_each() {
    let desk = Desk::open().await;
    let (colleague, user) = with_colleague(&desk).await;
    let feature = desk.make_feature(json!({ "name": "checkout" })).await;
    let segment = desk.make_segment("pro").await;
    let state = desk.state_of(feature).await;
    let identities = desk.in_environment("identities/");
    let identity = desk.make(&identities, json!({ "identifier": "bob" })).await;
    let grants = desk.in_environment("user-permissions/");
    let path = grant(&desk, &grants, &user, &["VIEW_ENVIRONMENT"], false).await;
    let value = json!({ "enabled": true, "feature_state_value": { "type": "unicode", "string_value": "x" },
        "feature_segment": { "segment": segment } });
    let inside = |path: &str| desk.in_environment(path);
    let doors = [
        (
            "UPDATE_FEATURE_STATE",
            "PATCH",
            inside(&format!("featurestates/{state}/")),
            json!({ "enabled": true }),
            200,
        ),
        (
            "UPDATE_FEATURE_STATE",
            "POST",
            inside(&format!("identities/{identity}/featurestates/")),
            json!({ "feature": feature, "enabled": true }),
            201,
        ),
        (
            "MANAGE_SEGMENT_OVERRIDES",
            "POST",
            inside(&format!("features/{feature}/create-segment-override/")),
            value,
            201,
        ),
        (
            "VIEW_IDENTITIES",
            "GET",
            inside("identities/"),
            json!({}),
            200,
        ),
        (
            "VIEW_IDENTITIES",
            "GET",
            inside(&format!("identities/{identity}/")),
            json!({}),
            200,
        ),
        (
            "MANAGE_IDENTITIES",
            "POST",
            inside("identities/"),
            json!({ "identifier": "eve" }),
            201,
        ),
        (
            "MANAGE_IDENTITIES",
            "DELETE",
            inside(&format!("identities/{identity}/")),
            json!({}),
            204,
        ),
    ];

    for (permission, method, door, body, status) in doors {
        desk.patch(&path, json!({ "permissions": ["VIEW_ENVIRONMENT"] }))
            .await;
        let closed = colleague.ask(method, &door, Some(body.clone())).await;
        check_refusal(&closed, 403, &forbidden());
        desk.patch(
            &path,
            json!({ "permissions": ["VIEW_ENVIRONMENT", permission] }),
        )
        .await;
        let open = colleague.ask(method, &door, Some(body)).await;
        assert_eq!(open.status, status, "{permission}: {}", open.text());
    }
    for (method, path) in [
        ("PATCH", ""),
        ("DELETE", ""),
        ("GET", "api-keys/"),
        ("POST", "api-keys/"),
    ] {
        let body = Some(json!({ "name": "Mine" }));
        check_refusal(
            &colleague.ask(method, &inside(path), body).await,
            403,
            &forbidden(),
        );
    }
    assert_eq!(
        colleague
            .ask("GET", &inside("document/"), None)
            .await
            .status,
        200
    );
    assert_eq!(
        colleague
            .ask("GET", &inside("featurestates/"), None)
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn the_admin_of_a_project_is_one_of_each_environment_and_nowhere_else() {
    let desk = Desk::open().await;
    let (colleague, user) = with_colleague(&desk).await;
    let other = json!({ "name": "Other", "organisation": desk.organisation });
    let other = desk.make("/api/v1/projects/", other).await;
    grant(
        &desk,
        &desk.in_project("user-permissions/"),
        &user,
        &[],
        true,
    )
    .await;

    let renamed = colleague
        .ask(
            "PATCH",
            &desk.in_project(""),
            Some(json!({ "name": "Mine" })),
        )
        .await;
    let keys = colleague
        .ask("GET", &desk.in_environment("api-keys/"), None)
        .await;
    let environment = Some(json!({ "description": "mine" }));
    let changed = colleague
        .ask("PATCH", &desk.in_environment(""), environment)
        .await;
    let elsewhere = colleague
        .ask("GET", &format!("/api/v1/projects/{other}/"), None)
        .await;
    let list = colleague.ask("GET", "/api/v1/projects/", None).await.json();
    let organisation = Some(json!({ "name": "Mine" }));
    let above = colleague
        .ask("PATCH", &in_organisation(&desk, ""), organisation)
        .await;

    assert_eq!(
        (renamed.status, keys.status, changed.status),
        (200, 200, 200)
    );
    check_refusal(&elsewhere, 404, &no_project());
    assert_eq!(list.as_array().unwrap().len(), 1);
    check_refusal(&above, 403, &forbidden());
}

#[tokio::test]
async fn whoever_makes_something_is_its_admin() {
    let desk = Desk::open().await;
    let (colleague, user) = with_colleague(&desk).await;
    let grants = in_organisation(&desk, "user-permissions/");
    grant(&desk, &grants, &user, &["CREATE_PROJECT"], false).await;

    let body = json!({ "name": "Mine", "organisation": desk.organisation });
    let project = colleague
        .ask("POST", "/api/v1/projects/", Some(body))
        .await
        .json();
    let body = json!({ "name": "Dev", "project": project["id"] });
    let environment = colleague
        .ask("POST", "/api/v1/environments/", Some(body))
        .await
        .json();
    let path = format!("/api/v1/projects/{}/user-permissions/", project["id"]);
    let in_project = colleague.ask("GET", &path, None).await.json();
    let path = format!(
        "/api/v1/environments/{}/user-permissions/",
        environment["api_key"].as_str().unwrap()
    );
    let in_environment = colleague.ask("GET", &path, None).await.json();
    let path = format!(
        "/api/v1/environments/{}/clone/",
        environment["api_key"].as_str().unwrap()
    );
    let body = Some(json!({ "name": "Copy" }));
    let copy = colleague.ask("POST", &path, body).await.json();
    let copy = format!(
        "/api/v1/environments/{}/",
        copy["api_key"].as_str().unwrap()
    );
    assert_eq!(colleague.ask("DELETE", &copy, None).await.status, 204);
    desk.patch(
        &in_organisation(&desk, ""),
        json!({ "restrict_project_create_to_admin": true }),
    )
    .await;
    let body = json!({ "name": "Another", "organisation": desk.organisation });
    let refused = colleague.ask("POST", "/api/v1/projects/", Some(body)).await;

    for list in [in_project, in_environment] {
        let own = list
            .as_array()
            .unwrap()
            .iter()
            .find(|grant| grant["user"]["id"] == user);
        assert_eq!(own.unwrap()["admin"], true);
    }
    check_refusal(&refused, 403, &forbidden());
}

#[tokio::test]
async fn lists_of_environments_show_what_may_be_viewed() {
    let desk = Desk::open().await;
    let (colleague, user) = with_colleague(&desk).await;
    desk.make_environment("Production").await;
    grant(
        &desk,
        &desk.in_project("user-permissions/"),
        &user,
        &["VIEW_PROJECT"],
        false,
    )
    .await;
    let path = format!("/api/v1/environments/?project={}", desk.project);

    let before = colleague.ask("GET", &path, None).await.json();
    let grants = desk.in_environment("user-permissions/");
    grant(&desk, &grants, &user, &["VIEW_ENVIRONMENT"], false).await;
    let after = colleague.ask("GET", &path, None).await.json();

    assert_eq!(before["count"], 0);
    assert_eq!(
        (&after["count"], &after["results"][0]["name"]),
        (&json!(1), &json!("Development"))
    );
}

#[tokio::test]
async fn everybody_is_told_what_they_may_do() {
    let desk = Desk::open().await;
    let (colleague, user) = with_colleague(&desk).await;
    let words = ["VIEW_PROJECT", "MANAGE_TAGS"];
    grant(
        &desk,
        &desk.in_project("user-permissions/"),
        &user,
        &words,
        false,
    )
    .await;
    grant(
        &desk,
        &in_organisation(&desk, "user-permissions/"),
        &user,
        &["CREATE_PROJECT"],
        false,
    )
    .await;
    grant(
        &desk,
        &desk.in_environment("user-permissions/"),
        &user,
        &[],
        true,
    )
    .await;
    let derived_from = json!({ "groups": [], "roles": [] });
    let shape = |permissions: &[&str], admin: bool| json!({ "permissions": permissions, "admin": admin, "tag_based_permissions": [] });

    let mine = desk.get(&desk.in_project("my-permissions/")).await.json();
    let project = colleague
        .ask("GET", &desk.in_project("my-permissions/"), None)
        .await
        .json();
    let above = colleague
        .ask("GET", &in_organisation(&desk, "my-permissions/"), None)
        .await
        .json();
    let below = colleague
        .ask("GET", &desk.in_environment("my-permissions/"), None)
        .await
        .json();
    let detailed = desk.in_project(&format!("user-detailed-permissions/{user}/"));
    let theirs = desk.get(&detailed).await.json();
    let own = colleague.ask("GET", &detailed, None).await.json();
    let all = desk
        .get(&desk.in_project(&format!("all-user-permissions/{user}/")))
        .await
        .json();
    let others = colleague
        .ask(
            "GET",
            &desk.in_project("user-detailed-permissions/1/"),
            None,
        )
        .await;
    let nobody = desk
        .get(&desk.in_project("user-detailed-permissions/999/"))
        .await;

    assert_eq!(mine, shape(&[], true));
    assert_eq!(project, shape(&words, false));
    assert_eq!(above, shape(&["CREATE_PROJECT"], false));
    assert_eq!(below, shape(&[], true));
    assert_eq!((&theirs, &theirs["admin"]), (&own, &json!(false)));
    let first = json!({
        "permission_key": "VIEW_PROJECT", "is_directly_granted": true, "derived_from": derived_from,
    });
    assert_eq!(
        (&theirs["permissions"][0], &theirs["derived_from"]),
        (&first, &derived_from)
    );
    assert_eq!(all, shape(&words, false));
    check_refusal(&others, 403, &forbidden());
    let missing = json!({ "detail": "No FFAdminUser matches the given query." });
    check_refusal(&nobody, 404, &missing);
}

#[tokio::test]
async fn grants_are_shown_changed_taken_away_and_told_of() {
    let desk = Desk::open().await;
    let (colleague, user) = with_colleague(&desk).await;
    let list = desk.in_project("user-permissions/");
    let path = grant(
        &desk,
        &list,
        &user,
        &["VIEW_PROJECT", "VIEW_PROJECT"],
        false,
    )
    .await;

    let got = desk.get(&path).await.json();
    let filtered = desk.get(&format!("{list}?user={user}")).await.json();
    let put = desk
        .put(
            &path,
            json!({ "user": user, "permissions": ["MANAGE_TAGS"], "admin": true }),
        )
        .await;
    let body = json!({ "user": user, "permissions": [], "admin": false });
    let twice = desk.post(&list, body).await;
    let gone = desk.delete(&path).await;
    let after = colleague.ask("GET", &desk.in_project(""), None).await;

    assert_eq!(got["permissions"], json!(["VIEW_PROJECT"]));
    assert_eq!((&got["admin"], &got["user"]), (&json!(false), &user));
    assert_eq!(filtered.as_array().unwrap().len(), 1);
    assert_eq!(filtered[0]["user"]["email"], "eve@example.com");
    assert_eq!(
        (&put.json()["permissions"], &put.json()["admin"]),
        (&json!(["MANAGE_TAGS"]), &json!(true))
    );
    assert_eq!((twice.status, gone.status), (400, 204));
    check_refusal(&after, 404, &no_project());
    let missing = json!({ "detail": "No UserPermission matches the given query." });
    check_refusal(&desk.get(&path).await, 404, &missing);
    check_refusal(&desk.delete(&path).await, 404, &missing);
    let organisation = Some(OrganisationId::new(desk.organisation));
    let entries = desk
        .face
        .store
        .audit_entries(organisation, 0, 100)
        .await
        .unwrap();
    let told: Vec<&str> = entries
        .iter()
        .rev()
        .take(3)
        .map(|entry| entry.summary.as_str())
        .collect();
    let expected = [
        "Permissions taken away: eve@example.com",
        "Permissions of eve@example.com: admin",
        "Permissions of eve@example.com: VIEW_PROJECT",
    ];
    assert_eq!(told, expected);
    assert_eq!(entries.last().unwrap().project_id, Some(desk.project));
}

#[tokio::test]
async fn a_grant_names_a_member_and_known_permissions() {
    let desk = Desk::open().await;
    let (_, user) = with_colleague(&desk).await;
    let list = desk.in_project("user-permissions/");
    let check = async |body: Json, expected: Json| {
        check_refusal(&desk.post(&list, body).await, 400, &expected);
    };

    check(json!({}), json!({ "user": ["This field is required."] })).await;
    let text = "Invalid pk \"999\" - object does not exist.";
    check(json!({ "user": 999 }), json!({ "user": [text] })).await;
    let text = "Invalid pk \"VIEW_ENVIRONMENT\" - object does not exist.";
    let body = json!({ "user": user, "permissions": ["VIEW_ENVIRONMENT"] });
    check(body, json!({ "permissions": [text] })).await;
    let text = "Incorrect type. Expected pk value, received int.";
    check(
        json!({ "user": user, "permissions": [1] }),
        json!({ "permissions": [text] }),
    )
    .await;
    let text = "Expected a list of items but got type \"str\".";
    check(
        json!({ "user": user, "permissions": "x" }),
        json!({ "permissions": [text] }),
    )
    .await;
}

#[tokio::test]
async fn only_admins_of_a_place_grant_there() {
    let desk = Desk::open().await;
    let (colleague, user) = with_colleague(&desk).await;
    grant(
        &desk,
        &desk.in_project("user-permissions/"),
        &user,
        &["VIEW_PROJECT"],
        false,
    )
    .await;
    let environment = desk.in_environment("user-permissions/");
    grant(&desk, &environment, &user, &["VIEW_ENVIRONMENT"], false).await;
    let body = || Some(json!({ "user": user, "admin": true }));

    for path in [
        in_organisation(&desk, "user-permissions/"),
        desk.in_project("user-permissions/"),
        environment.clone(),
    ] {
        check_refusal(
            &colleague.ask("POST", &path, body()).await,
            403,
            &forbidden(),
        );
        let one = format!("{path}1/");
        check_refusal(
            &colleague.ask("PATCH", &one, body()).await,
            403,
            &forbidden(),
        );
        check_refusal(
            &colleague.ask("DELETE", &one, None).await,
            403,
            &forbidden(),
        );
    }
    assert_eq!(colleague.ask("GET", &environment, None).await.status, 200);
}

#[tokio::test]
async fn catalogues_name_what_can_be_granted() {
    let desk = Desk::open().await;

    let counts = ["organisations", "projects", "environments"].map(|level| {
        let path = format!("/api/v1/{level}/permissions/");
        let desk = &desk;
        async move { desk.get(&path).await.json() }
    });
    let [organisation, project, environment] = counts;

    assert_eq!(organisation.await.as_array().unwrap().len(), 2);
    assert_eq!(project.await.as_array().unwrap().len(), 10);
    let environment = environment.await;
    assert_eq!(environment.as_array().unwrap().len(), 7);
    assert_eq!(environment[1]["key"], "UPDATE_FEATURE_STATE");
    assert_eq!(environment[1]["supports_tag"], true);
}
