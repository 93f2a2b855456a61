use super::desk::{Desk, Stranger, check_refusal};
use crate::face::Reply;
use serde_json::{Value as Json, json};

const CREATE: &str = "/api/v1/features/create-feature-export/";
const NO_ENVIRONMENT: &str = "No Environment matches the given query.";

/// The id of an environment by its client key.
async fn environment(desk: &Desk, key: &str) -> i64 {
    let path = format!("/api/v1/environments/{key}/");
    desk.get(&path).await.json()["id"].as_i64().unwrap()
}

/// Exports an environment; gives the features of the file.
async fn export(desk: &Desk, environment: i64, tags: Json) -> Json {
    let body = json!({ "environment_id": environment, "tag_ids": tags });
    let id = desk.make(CREATE, body).await;
    desk.face.service.make_feature_files().await.unwrap();
    let reply = desk
        .get(&format!("/api/v1/features/download-feature-export/{id}/"))
        .await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let name = format!("attachment; filename=feature_export.{id}.json");
    assert_eq!(reply.header("content-disposition"), Some(&*name));
    reply.json()
}

fn multipart(strategy: &str, file: &str) -> String {
    format!(
        "--x\r\nContent-Disposition: form-data; name=\"strategy\"\r\n\r\n{strategy}\r\n--x\r\n\
        Content-Disposition: form-data; name=\"file\"; filename=\"f.json\"\r\n\
        Content-Type: application/json\r\n\r\n{file}\r\n--x--\r\n"
    )
}

async fn upload(desk: &Desk, environment: i64, strategy: &str, file: &str) -> Reply {
    let path = format!("/api/v1/features/feature-import/{environment}");
    desk.face.pass_seconds(1);
    let token = super::desk::token(&desk.face, super::desk::EMAIL).await;
    let ask = desk.face.keyless("POST", &path);
    let ask = ask.header("authorization", &format!("Token {token}"));
    let ask = ask.header("content-type", "multipart/form-data; boundary=x");
    ask.body(multipart(strategy, file)).send().await
}

async fn import(desk: &Desk, environment: i64, strategy: &str, file: &Json) {
    let reply = upload(desk, environment, strategy, &file.to_string()).await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    assert_eq!(reply.json()["status"], "PROCESSING");
    desk.face.service.make_feature_files().await.unwrap();
    // The background work may have made it, and be about to publish it.
    desk.face.service.follow_changes().await.unwrap();
}

/// How the newest import of the project ended.
async fn outcome(desk: &Desk) -> Json {
    let list = desk.get(&desk.in_project("feature-imports/")).await.json();
    list["results"][0]["status"].clone()
}

/// Features of every kind, with values that differ from what they start with.
async fn stock(desk: &Desk) {
    let option = |value: &str, share: f64, key: Option<&str>| json!({ "string_value": value, "default_percentage_allocation": share, "key": key });
    let number = json!({ "type": "int", "integer_value": 7, "default_percentage_allocation": 5 });
    let colour = json!({ "name": "colour", "initial_value": "red", "default_enabled": true,
        "multivariate_options": [option("blue", 30.0, Some("b")), option("green", 20.0, None), number] });
    let colour = desk.make_feature(colour).await;
    desk.make_feature(json!({ "name": "Größe", "initial_value": "12" }))
        .await;
    desk.make_feature(json!({ "name": "bare", "is_server_key_only": true }))
        .await;
    let switch = json!({ "name": "switch", "initial_value": "true", "default_enabled": true });
    let switch = desk.make_feature(switch).await;
    let old = json!({ "name": "old", "is_archived": true });
    desk.make_feature(old).await;
    let state = desk.state_of(colour).await;
    let path = desk.in_environment(&format!("featurestates/{state}/"));
    let weight = json!({ "multivariate_feature_option": 2, "percentage_allocation": 42.5 });
    let body = json!({ "feature_state_value": "pink", "enabled": false,
        "multivariate_feature_state_values": [weight] });
    assert_eq!(desk.put(&path, body).await.status, 200);
    let state = desk.state_of(switch).await;
    let path = desk.in_environment(&format!("featurestates/{state}/"));
    let body = json!({ "feature_state_value": false, "enabled": false });
    assert_eq!(desk.put(&path, body).await.status, 200);
}

/// A project beside that of the desk, with two environments; the desk works in the first.
async fn move_to_another_project(desk: &mut Desk) -> String {
    let blog = json!({ "name": "Blog", "organisation": desk.organisation });
    desk.project = desk.make("/api/v1/projects/", blog).await;
    desk.key = desk.make_environment("Development").await;
    desk.make_environment("Production").await
}

#[tokio::test]
async fn what_is_exported_is_imported_unchanged() {
    let mut desk = Desk::open().await;
    stock(&desk).await;
    let here = environment(&desk, &desk.key).await;
    let file = export(&desk, here, json!([])).await;
    let production = move_to_another_project(&mut desk).await;
    let there = environment(&desk, &desk.key).await;

    import(&desk, there, "SKIP", &file).await;

    assert_eq!(outcome(&desk).await, "SUCCESS");
    assert_eq!(
        file.as_array().unwrap().len(),
        4,
        "archived ones stay behind"
    );
    assert_eq!(export(&desk, there, json!([])).await, file);
    let colour = desk.flag("colour", Some(("bob", json!([])))).await;
    assert_eq!(colour["enabled"], false);
    assert_eq!(colour["feature"]["type"], "MULTIVARIATE");
    assert_eq!(desk.flag("Größe", None).await["feature_state_value"], 12);
    assert_eq!(
        desk.flag("switch", None).await["feature_state_value"],
        false
    );
    // Another environment of the project has what the features start with.
    desk.key = production;
    let colour = desk.flag("colour", None).await;
    assert_eq!(
        (&colour["enabled"], &colour["feature_state_value"]),
        (&json!(true), &json!("red"))
    );
    assert_eq!(desk.flag("switch", None).await["feature_state_value"], true);
}

#[tokio::test]
async fn an_import_leaves_or_replaces_what_is_there() {
    let desk = Desk::open().await;
    let here = environment(&desk, &desk.key).await;
    let kept = desk
        .make_feature(json!({ "name": "Colour", "initial_value": "red" }))
        .await;
    let identities = desk.in_environment("identities/");
    let bob = desk.make(&identities, json!({ "identifier": "bob" })).await;
    let own = json!({ "feature": kept, "enabled": true, "feature_state_value": "own" });
    desk.make(&format!("{identities}{bob}/featurestates/"), own)
        .await;
    let file = json!([
        { "name": "colour", "enabled": true, "value": 3, "type": "int", "multivariate": [] },
        { "name": "new", "enabled": true, "value": null, "type": "unicode", "multivariate": [] },
    ]);

    import(&desk, here, "SKIP", &file).await;
    let after_skip = desk.flag("Colour", Some(("bob", json!([])))).await;
    import(&desk, here, "OVERWRITE_DESTRUCTIVE", &file).await;
    let after_overwrite = desk.flag("colour", Some(("bob", json!([])))).await;

    assert_eq!(after_skip["feature_state_value"], "own");
    assert_eq!(after_overwrite["feature_state_value"], 3);
    let list = desk.get(&desk.in_project("features/")).await.json();
    assert_eq!(list["count"], 2);
    let old = desk
        .get(&desk.in_project(&format!("features/{kept}/")))
        .await;
    assert_eq!(old.status, 404);
    let imports = desk.get(&desk.in_project("feature-imports/")).await.json();
    assert_eq!(imports["count"], 2);
    assert_eq!(imports["results"][0]["strategy"], "OVERWRITE_DESTRUCTIVE");
}

#[tokio::test]
async fn an_export_holds_the_features_of_some_tags() {
    let desk = Desk::open().await;
    let here = environment(&desk, &desk.key).await;
    let tag = json!({ "label": "beta" });
    let tag = desk.make(&desk.in_project("tags/"), tag).await;
    desk.make_feature(json!({ "name": "a", "tags": [tag] }))
        .await;
    desk.make_feature(json!({ "name": "b" })).await;

    let file = export(&desk, here, json!([tag])).await;

    let expected = json!([{ "name": "a", "default_enabled": false, "is_server_key_only": false,
        "initial_value": null, "value": null, "type": "unicode", "enabled": false,
        "multivariate": [] }]);
    assert_eq!(file, expected);
    let list = desk.get(&desk.in_project("feature-exports/")).await.json();
    let export = &list["results"][0];
    assert_eq!(
        (&list["count"], &export["status"]),
        (&json!(1), &json!("SUCCESS"))
    );
    let name = export["name"].as_str().unwrap();
    assert!(name.starts_with("Development | 2026-11-21 0"), "{name}");
    assert!(name.ends_with(" UTC"), "{name}");
}

#[tokio::test]
async fn an_import_that_does_not_fit_leaves_nothing() {
    let desk = Desk::open().await;
    // As a file that another version kept, and this one cannot read.
    let statement =
        "INSERT INTO feature_imports (environment_id, strategy, status, document, created_at)
        SELECT id, 'skip', 'processing', '[', created_at FROM environments";
    flagstaff_testkit::sql::execute(&desk.face.store, statement).await;

    desk.face.service.make_feature_files().await.unwrap();

    assert_eq!(outcome(&desk).await, "FAILED");
    let list = desk.get(&desk.in_project("features/")).await.json();
    assert_eq!(list["count"], 0);
}

#[tokio::test]
async fn files_that_cannot_be_are_refused_with_the_place() {
    let desk = Desk::open().await;
    let here = environment(&desk, &desk.key).await;
    let check = async |file: &str, expected: &str| {
        let reply = upload(&desk, here, "SKIP", file).await;
        check_refusal(&reply, 400, &json!({ "file": [expected] }));
    };
    let feature = |change: fn(&mut Json)| {
        let mut feature = json!({ "name": "a", "enabled": true, "value": "x", "type": "unicode",
            "multivariate": [{ "percentage_allocation": 60, "value": "y", "type": "unicode" }] });
        change(&mut feature);
        json!([feature]).to_string()
    };

    check("", "The submitted file is empty.").await;
    check("{}", "the document must be a list, not an object").await;
    let deep = "[".repeat(100);
    check(&deep, "it is nested more than 64 levels deep").await;
    let wrong = feature(|json| json["enabled"] = json!("x"));
    check(&wrong, "[0].enabled must be true or false, not text").await;
    let over = feature(|json| {
        let again = json["multivariate"][0].clone();
        json["multivariate"].as_array_mut().unwrap().push(again);
    });
    check(
        &over,
        "Feature \"a\", multivariate_options: Invalid percentage allocation",
    )
    .await;
    let large =
        feature(|json| (json["value"], json["type"]) = (json!(3_000_000_000_i64), json!("int")));
    check(
        &large,
        "Feature \"a\", integer_value: Ensure this value is between -2147483648 and 2147483647.",
    )
    .await;
    let reply = upload(&desk, here, "X", "[]").await;
    check_refusal(
        &reply,
        400,
        &json!({ "strategy": ["\"X\" is not a valid choice."] }),
    );
    let path = format!("/api/v1/features/feature-import/{here}");
    let nothing = desk.post(&path, json!({})).await;
    let expected =
        json!({ "file": ["No file was submitted."], "strategy": ["This field is required."] });
    check_refusal(&nothing, 400, &expected);
    let text = desk
        .post(&path, json!({ "file": "x", "strategy": "SKIP" }))
        .await;
    let expected = "The submitted data was not a file. Check the encoding type on the form.";
    check_refusal(&text, 400, &json!({ "file": [expected] }));
}

#[tokio::test]
async fn exports_that_cannot_be_are_refused() {
    let desk = Desk::open().await;
    let here = environment(&desk, &desk.key).await;
    let required = "This field is required.";

    let nothing = desk.post(CREATE, json!({})).await;
    let nowhere = desk.post(CREATE, json!({ "environment_id": 999, "tag_ids": [] }));
    let nowhere = nowhere.await;
    let untagged = desk.post(CREATE, json!({ "environment_id": here, "tag_ids": [9] }));
    let untagged = untagged.await;
    let missing = desk
        .get("/api/v1/features/download-feature-export/9/")
        .await;
    let vendor = desk
        .get("/api/v1/features/download-flagsmith-on-flagsmith/")
        .await;

    let expected = json!({ "environment_id": [required], "tag_ids": [required] });
    check_refusal(&nothing, 400, &expected);
    check_refusal(&nowhere, 404, &json!({ "detail": NO_ENVIRONMENT }));
    let text = "Invalid pk \"9\" - object does not exist.";
    check_refusal(&untagged, 400, &json!({ "tag_ids": [text] }));
    let text = "No FeatureExport matches the given query.";
    check_refusal(&missing, 404, &json!({ "detail": text }));
    let text = "This system is not configured for this download.";
    check_refusal(&vendor, 404, &json!({ "detail": text }));
}

#[tokio::test]
async fn files_are_kept_for_two_weeks() {
    let desk = Desk::open().await;
    let here = environment(&desk, &desk.key).await;
    export(&desk, here, json!([])).await;
    let count = async || {
        let list = desk.get(&desk.in_project("feature-exports/")).await;
        list.json()["count"].as_i64().unwrap()
    };

    desk.face.pass_seconds(14 * 24 * 3600 - 60);
    desk.face.service.delete_old_feature_files().await.unwrap();
    let before = count().await;
    desk.face.pass_seconds(120);
    desk.face.service.delete_old_feature_files().await.unwrap();

    assert_eq!((before, count().await), (1, 0));
}

#[tokio::test]
async fn strangers_take_no_features_away_and_bring_none_in() {
    let desk = Desk::open().await;
    let here = environment(&desk, &desk.key).await;
    export(&desk, here, json!([])).await;
    let stranger = desk.stranger().await;
    let check = async |stranger: &Stranger<'_>, method: &str, path: &str, body, text: &str| {
        let reply = stranger.ask(method, path, body).await;
        check_refusal(&reply, 404, &json!({ "detail": text }));
    };

    let body = json!({ "environment_id": here, "tag_ids": [] });
    check(&stranger, "POST", CREATE, Some(body), NO_ENVIRONMENT).await;
    let path = "/api/v1/features/download-feature-export/1/";
    let text = "No FeatureExport matches the given query.";
    check(&stranger, "GET", path, None, text).await;
    let text = "No Project matches the given query.";
    let lists = [
        desk.in_project("feature-exports/"),
        desk.in_project("feature-imports/"),
    ];
    for list in lists {
        check(&stranger, "GET", &list, None, text).await;
    }
}
