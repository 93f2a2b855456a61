//! The dashboard asks the product itself what it shows.

use crate::dashboard::{Browser, sign_up};
use crate::database::Database;
use crate::http::{block_on, client, get_as, post};
use crate::server::Server;
use serde_json::{Value as Json, json};

const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "correct horse battery";

fn sign_in(server: &Server) -> String {
    let body = json!({ "email": EMAIL, "password": PASSWORD });
    let answer = post(&format!("{}/api/v1/auth/login/", server.url), &body);
    answer["key"].as_str().unwrap().to_owned()
}

fn create(server: &Server, token: &str, path: &str, body: &Json) -> Json {
    block_on(async {
        let request = client().post(format!("{}/api/v1/{path}", server.url));
        let request = request.header("Authorization", format!("Token {token}"));
        let answer = request.json(body).send().await.unwrap();
        assert_eq!(answer.status(), 201, "{path}");
        answer.json().await.unwrap()
    })
}

#[test]
fn a_flag_that_is_off_in_the_named_environment_hides_its_part() {
    let database = Database::sqlite();
    let server = Server::start(&database);
    let mut browser = Browser::new(&server);
    sign_up(&server, &mut browser);
    let shown = browser.get("/").text;
    let token = sign_in(&server);
    let organisations = get_as(&token, &format!("{}/api/v1/organisations/", server.url));
    let organisation = organisations["results"][0]["id"].as_i64().unwrap();
    let body = json!({ "name": "Ours", "organisation": organisation });
    let project = create(&server, &token, "projects/", &body)["id"]
        .as_i64()
        .unwrap();
    let body = json!({ "name": "Ours", "project": project });
    let environment = create(&server, &token, "environments/", &body);
    let key = environment["api_key"].as_str().unwrap();
    let features = format!("projects/{project}/features/");
    for name in ["try_it", "usage_chart"] {
        let body = json!({ "name": name, "default_enabled": false });
        create(&server, &token, &features, &body);
    }
    server.stop();

    let server = Server::start_with(&database, &[("FLAGSMITH", key)]);
    let mut browser = Browser::new(&server);
    let form = browser.get("/").token().to_owned();
    let fields = [
        ("form_token", form.as_str()),
        ("email", EMAIL),
        ("password", PASSWORD),
    ];
    browser.post("/sign-in", &fields);
    let hidden = browser.get("/").text;
    let usage = browser.get(&format!("/environments/{key}/usage"));

    assert!(shown.contains("curl -H") && hidden.contains(EMAIL));
    assert!(!hidden.contains("curl -H"));
    assert_eq!(usage.status, 404);
    let overrides = Browser::new(&server).get("/config/project-overrides").text;
    assert!(
        overrides.starts_with("window.projectOverrides = {"),
        "{overrides}"
    );
    assert!(overrides.contains(key), "{overrides}");
}

#[test]
fn nobody_is_shown_where_the_dashboards_own_flags_are() {
    let database = Database::sqlite();
    let server = Server::start(&database);
    let mut browser = Browser::new(&server);
    // The database was empty: a demo is made in it all the same.
    assert!(server.printed_after("client key").is_some());
    sign_up(&server, &mut browser);
    let token = sign_in(&server);
    let overrides = browser.get("/config/project-overrides").text;
    let (_, json) = overrides.split_once("= ").unwrap();
    let overrides: Json = serde_json::from_str(json.trim_end().trim_end_matches(';')).unwrap();
    let key = overrides["flagsmith"].as_str().unwrap();

    let list = |path: &str| get_as(&token, &format!("{}/api/v1/{path}", server.url));
    let organisations = list("organisations/");
    let projects = list("projects/");
    let (flags_status, flags) = crate::http::get(&format!("{}/api/v1/flags/", server.url), key);

    assert_eq!(organisations["count"], 1);
    assert_eq!(projects.as_array().unwrap().len(), 1);
    // Flagsmith's own dashboard asks with this key, as any SDK does.
    assert_eq!(flags_status, 200);
    assert!(flags.as_array().unwrap().len() >= 11);
    for path in [
        format!("environments/{key}/"),
        "organisations/-1/".to_owned(),
        "projects/-1/".to_owned(),
        "projects/-1/features/".to_owned(),
        format!("environments/{key}/featurestates/"),
    ] {
        let status = block_on(async {
            let request = client().get(format!("{}/api/v1/{path}", server.url));
            let request = request.header("Authorization", format!("Token {token}"));
            request.send().await.unwrap().status().as_u16()
        });
        assert!(matches!(status, 403 | 404), "{path}: {status}");
    }
    let home = browser.get("/").text;
    assert!(!home.contains(key));
    let metrics = browser.get("/metrics").text;
    assert!(!metrics.contains(key) && !metrics.contains("oauth_google"));
}
