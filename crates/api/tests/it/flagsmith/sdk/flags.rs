use crate::face::{Face, Reply, SERVER_KEY};
use flagstaff_service::EnvironmentPatch;
use serde_json::json;

const FLAGS: &str = "/api/v1/flags/";

fn names(reply: &Reply) -> Vec<String> {
    let flags = reply.json();
    let flags = flags.as_array().unwrap().iter();
    flags
        .map(|flag| flag["feature"]["name"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn server_only_features_stay_hidden_where_disabled_flags_are_hidden() {
    let face = Face::start().await;
    face.update_environment(EnvironmentPatch {
        hide_disabled_flags: Some(Some(true)),
        ..EnvironmentPatch::default()
    })
    .await;

    let for_clients = face.get(FLAGS).send().await;
    let for_servers = face.get_with(SERVER_KEY, FLAGS).send().await;
    let asked_for = face.get("/api/v1/flags/?feature=secret-flag").send().await;

    assert_eq!(names(&for_clients), ["banner", "limit", "colour"]);
    assert_eq!(
        names(&for_servers),
        ["banner", "limit", "secret-flag", "colour"]
    );
    assert_eq!(asked_for.status, 404);
}

#[tokio::test]
async fn the_options_of_a_server_only_feature_are_no_business_of_clients() {
    let face = Face::start().await;
    let path = "/api/v1/flags/9/multivariate-options/";

    let for_clients = face.get(path).send().await;
    let for_servers = face.get_with(SERVER_KEY, path).send().await;

    assert_eq!(for_clients.status, 404);
    assert_eq!(
        for_servers.json(),
        json!({"control_value": "s3", "options": []})
    );
}

#[tokio::test]
async fn a_name_is_found_in_any_case_of_any_script() {
    let face = Face::start().await;

    let reply = face
        .get("/api/v1/flags/?feature=%C3%89T%C3%89")
        .send()
        .await;

    assert_eq!(reply.json()["feature"]["name"], "été");
}

#[tokio::test]
async fn unchanged_flags_are_not_sent_again() {
    let face = Face::start().await;
    let tag = face
        .get(FLAGS)
        .send()
        .await
        .header("etag")
        .unwrap()
        .to_owned();
    let ask = async || face.get(FLAGS).header("if-none-match", &tag).send().await;

    let unchanged = ask().await;
    face.update_environment(EnvironmentPatch {
        hide_sensitive_data: Some(true),
        ..EnvironmentPatch::default()
    })
    .await;
    let changed = ask().await;

    assert_eq!((unchanged.status, unchanged.body.len()), (304, 0));
    assert_eq!(changed.status, 200);
}

#[tokio::test]
async fn the_lists_of_the_two_kinds_of_keys_have_tags_of_their_own() {
    let face = Face::start().await;
    let client = face.get(FLAGS).send().await;

    let ask = face.get_with(SERVER_KEY, FLAGS);
    let server = ask
        .header("if-none-match", client.header("etag").unwrap())
        .send()
        .await;

    assert_eq!(server.status, 200);
}
