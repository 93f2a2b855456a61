//! Whatever is sent to whichever management route gets a clear answer, never a 500.

use super::desk::{Desk, is_pro};
use crate::face::Reply;
use serde_json::{Value as Json, json};

/// Values that somebody may put where another was expected.
fn odd_values() -> Vec<Json> {
    let number = |text: &str| serde_json::from_str(text).unwrap();
    vec![
        json!(null),
        json!(true),
        json!(-1),
        json!(0),
        json!(2.5),
        number("1e400"),
        number("3000000000"),
        number("-9223372036854775809"),
        number("99999999999999999999999999"),
        json!(""),
        json!(" "),
        json!("x"),
        json!("a\u{0}b"),
        json!("NaN"),
        json!("é\u{1f600}\u{202e}"),
        json!("x".repeat(25_000)),
        json!([]),
        json!([[]]),
        json!([null]),
        json!({}),
        json!({ "a": 1 }),
        json!([{ "id": -1, "delete": "x" }]),
    ]
}

fn check(reply: &Reply, what: &str) {
    let is_clear = reply.status == 204 || reply.header("content-type") == Some("application/json");
    assert!(
        reply.status < 500 && is_clear,
        "{what}: {} {}",
        reply.status,
        reply.text()
    );
}

/// A route that takes a body, and one that it takes.
struct Writing {
    method: &'static str,
    path: String,
    body: Json,
}

async fn writings(desk: &Desk) -> Vec<Writing> {
    let option = json!({ "type": "unicode", "string_value": "b", "integer_value": 1,
        "boolean_value": true, "default_percentage_allocation": 1, "key": "k" });
    let tag_body = json!({ "label": "t", "color": "#fff", "description": "d",
        "is_permanent": true });
    let tag = desk.make(&desk.in_project("tags/"), tag_body.clone()).await;
    let flagd_body = json!({ "enabled": true, "evaluators": "inline", "form": "lean" });
    desk.make(&desk.in_project("integrations/flagd/"), json!({}))
        .await;
    let feature_body = json!({ "name": "colour", "initial_value": "a", "description": "d",
        "default_enabled": true, "type": "STANDARD", "tags": [tag], "owners": [1], "is_archived": false,
        "is_server_key_only": false, "multivariate_options": [&option] });
    let feature = desk.make_feature(feature_body.clone()).await;
    let mut option_body = option;
    option_body["feature"] = feature.into();
    // All options that are made together have to stay below 100.
    option_body["default_percentage_allocation"] = json!(0.1);
    let segment = desk.make_segment("pro").await;
    let state = desk.state_of(feature).await;
    let identities = desk.in_environment("identities/");
    let identity = desk.make(&identities, json!({ "identifier": "bob" })).await;
    let overrides = format!("{identities}{identity}/featurestates/");
    let overriding = desk.make(&overrides, json!({ "feature": feature })).await;
    let keys = desk.in_environment("api-keys/");
    let key = desk.make(&keys, json!({ "name": "backend" })).await;
    let weight = json!({ "multivariate_feature_option": 1, "percentage_allocation": 1, "id": 1 });
    let state_body = json!({ "enabled": true, "feature_state_value": "x", "feature": feature,
        "multivariate_feature_state_values": [weight] });
    let value = json!({ "type": "int", "integer_value": 1, "string_value": "s",
        "boolean_value": true });
    let override_body = json!({ "feature_segment": { "segment": segment, "priority": 1 },
        "enabled": true, "feature_state_value": value,
        "multivariate_feature_state_values": [weight] });
    let environment_body = json!({ "name": "e", "project": desk.project, "description": "d",
        "minimum_change_request_approvals": 1, "allow_client_traits": true, "banner_text": "b",
        "banner_colour": "#fff", "hide_disabled_flags": true, "hide_sensitive_data": false,
        "use_identity_composite_key_for_hashing": true,
        "use_identity_overrides_in_local_eval": true });
    let project_body = json!({ "name": "p", "organisation": desk.organisation,
        "hide_disabled_flags": false, "feature_name_regex": "", "stale_flags_limit_days": 1,
        "minimum_change_request_approvals": 1, "enable_realtime_updates": true });
    let organisation_body = json!({ "name": "o", "webhook_notification_email": "a@b.example",
        "persist_trait_data": true, "force_2fa": false });
    let segment_body = json!({ "name": "s", "description": "d", "feature": feature,
        "rules": [is_pro()] });
    let writing = |method, path: String, body: &Json| Writing {
        method,
        path,
        body: body.clone(),
    };
    let organisations = "/api/v1/organisations/".to_owned();
    let path = |path: String| desk.in_project(&path);
    let state_path = desk.in_environment(&format!("featurestates/{state}/"));
    let override_path =
        desk.in_environment(&format!("features/{feature}/create-segment-override/"));
    let mut writings = version_writings(desk, feature, &override_body).await;
    writings.extend([
        writing("POST", organisations.clone(), &organisation_body),
        writing(
            "PATCH",
            format!("{organisations}{}/", desk.organisation),
            &organisation_body,
        ),
        writing("POST", "/api/v1/projects/".to_owned(), &project_body),
        writing("PUT", path(String::new()), &project_body),
        writing(
            "POST",
            "/api/v1/environments/".to_owned(),
            &environment_body,
        ),
        writing("PUT", desk.in_environment(""), &environment_body),
        writing(
            "POST",
            keys.clone(),
            &json!({ "name": "k", "active": true, "expires_at": null }),
        ),
        writing(
            "PATCH",
            format!("{keys}{key}/"),
            &json!({ "name": "k", "expires_at": null }),
        ),
        writing("POST", path("features/".to_owned()), &feature_body),
        writing("PATCH", path(format!("features/{feature}/")), &feature_body),
        writing("POST", path("tags/".to_owned()), &tag_body),
        writing("PUT", path(format!("tags/{tag}/")), &tag_body),
        writing("PATCH", path("integrations/flagd/".to_owned()), &flagd_body),
        writing("PUT", path("integrations/flagd/1/".to_owned()), &flagd_body),
        writing(
            "POST",
            path(format!("features/{feature}/mv-options/")),
            &option_body,
        ),
        writing(
            "PATCH",
            path(format!("features/{feature}/mv-options/1/")),
            &option_body,
        ),
        writing(
            "POST",
            path(format!("features/{feature}/add-owners/")),
            &json!({ "user_ids": [1] }),
        ),
        writing(
            "POST",
            path(format!("features/{feature}/remove-owners/")),
            &json!({ "user_ids": [1] }),
        ),
        writing(
            "POST",
            path(format!("features/{feature}/add-group-owners/")),
            &json!({ "group_ids": [] }),
        ),
        writing("PUT", state_path.clone(), &state_body),
        writing("PATCH", state_path, &state_body),
        writing("POST", path("segments/".to_owned()), &segment_body),
        writing("PUT", path(format!("segments/{segment}/")), &segment_body),
        writing("POST", override_path, &override_body),
        writing("POST", identities, &json!({ "identifier": "i" })),
        writing("POST", overrides.clone(), &state_body),
        writing("PUT", format!("{overrides}{overriding}/"), &state_body),
        writing("PATCH", format!("{overrides}{overriding}/"), &state_body),
    ]);
    writings
}

/// The same for versions of a feature, in an environment of their own.
async fn version_writings(desk: &Desk, feature: i64, override_body: &Json) -> Vec<Writing> {
    let key = desk.make_environment("Versions").await;
    let environment = format!("/api/v1/environments/{key}/");
    desk.post(&format!("{environment}enable-v2-versioning/"), json!({}))
        .await;
    let id = desk.get(&environment).await.json()["id"].clone();
    let versions = format!("/api/v1/environments/{id}/features/{feature}/versions/");
    let draft = async || {
        let made = desk.post(&versions, json!({})).await.json();
        format!("{versions}{}/", made["uuid"].as_str().unwrap())
    };
    let states = format!("{}featurestates/", draft().await);
    let state = desk.get(&states).await.json()[0]["id"].clone();
    let value = &override_body["feature_state_value"];
    let state_body = json!({ "enabled": true, "feature_state_value": value });
    let version_body = json!({ "description": "d", "live_from": "2038-01-01T00:00:00Z",
        "publish_immediately": false, "feature_states_to_create": [],
        "feature_states_to_update": [&state_body], "segment_ids_to_delete_overrides": [1] });
    let publish_body = json!({ "live_from": "2001-01-01T00:00:00Z" });
    let writing = |method, path: String, body: &Json| Writing {
        method,
        path,
        body: body.clone(),
    };
    vec![
        writing("POST", versions.clone(), &version_body),
        writing("POST", states.clone(), override_body),
        writing("PUT", format!("{states}{state}/"), &state_body),
        writing("PATCH", format!("{states}{state}/"), &state_body),
        writing("POST", format!("{}publish/", draft().await), &publish_body),
    ]
}

/// The places of all members and items in a body.
fn places(json: &Json, path: &str, found: &mut Vec<String>) {
    let mut visit = |name: &str, member: &Json| {
        let path = format!("{path}/{name}");
        found.push(path.clone());
        places(member, &path, found);
    };
    match json {
        Json::Object(members) => members
            .iter()
            .for_each(|(name, member)| visit(name, member)),
        Json::Array(items) => {
            for (position, item) in items.iter().enumerate() {
                visit(&position.to_string(), item);
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
}

/// Gives what is made a name of its own: a taken one would be all that is looked at.
fn rename(writing: &Writing, body: &mut Json, place: &str, count: usize) {
    for member in ["name", "identifier", "key"] {
        let is_odd = place == format!("/{member}");
        if writing.method == "POST" && body.get(member).is_some() && !is_odd {
            body[member] = json!(format!("n{count}"));
        }
    }
}

#[tokio::test]
async fn every_field_of_every_body_may_be_anything() {
    let desk = Desk::open().await;
    let mut count = 0;
    for writing in writings(&desk).await {
        let Writing { method, path, body } = &writing;
        let mut found = Vec::new();
        places(body, "", &mut found);
        for place in found {
            for value in odd_values() {
                count += 1;
                let mut odd = body.clone();
                *odd.pointer_mut(&place).unwrap() = value.clone();
                rename(&writing, &mut odd, &place, count);
                let reply = desk.ask(method, path, Some(odd.to_string())).await;
                let shown: String = value.to_string().chars().take(40).collect();
                check(&reply, &format!("{method} {path} {place} {shown}"));
            }
        }
        // What was kept of all that is replaced, and a body without oddities is taken.
        count += 1;
        let mut sound = body.clone();
        rename(&writing, &mut sound, "", count);
        let reply = desk.ask(method, path, Some(sound.to_string())).await;
        let is_taken = reply.status < 300 || path.ends_with("featurestates/");
        assert!(is_taken, "{method} {path}: {}", reply.text());
    }
}

#[tokio::test]
async fn every_body_may_be_anything() {
    let desk = Desk::open().await;
    for Writing { method, path, .. } in writings(&desk).await {
        let mut bodies: Vec<String> = odd_values().iter().map(Json::to_string).collect();
        bodies.extend(["".to_owned(), "{".to_owned(), "\u{0}".to_owned()]);
        bodies.push("[".repeat(300));
        for body in bodies {
            let reply = desk.ask(method, &path, Some(body.clone())).await;
            let shown: String = body.chars().take(40).collect();
            check(&reply, &format!("{method} {path} {shown}"));
        }
    }
}

#[tokio::test]
async fn every_id_in_a_path_may_be_anything() {
    let desk = Desk::open().await;
    let writings = writings(&desk).await;
    let odd = [
        "0",
        "-1",
        "x",
        "1.0",
        "99999999999999999999",
        "9223372036854775807",
        "%00",
        "%FF",
        "%2F",
        "ser.x",
    ];
    for Writing { method, path, body } in writings {
        let steps: Vec<&str> = path.split('/').collect();
        // What is no word of ours is an id or a key.
        let is_id = |step: &str| step.parse::<i64>().is_ok() || step == desk.key;
        for position in (0..steps.len()).filter(|position| is_id(steps[*position])) {
            for id in odd {
                let mut steps = steps.clone();
                steps[position] = id;
                let path = steps.join("/");
                for method in [method, "GET", "DELETE"] {
                    let body = (method != "GET").then(|| body.to_string());
                    let reply = desk.ask(method, &path, body).await;
                    check(&reply, &format!("{method} {path}"));
                    assert!(reply.status >= 400, "{method} {path}: {}", reply.status);
                }
            }
        }
    }
}

#[tokio::test]
async fn every_parameter_of_every_list_may_be_anything() {
    let desk = Desk::open().await;
    let environment = desk.get(&desk.in_environment("")).await.json()["id"].clone();
    let names = [
        "page",
        "page_size",
        "organisation",
        "project",
        "search",
        "sort_field",
        "sort_direction",
        "environment",
        "is_archived",
        "is_enabled",
        "value_search",
        "feature",
        "feature_name",
        "anyIdentity",
        "q",
        "include_feature_specific",
    ];
    let values = [
        "",
        "0",
        "-1",
        "1",
        "x",
        "true",
        "4294967295",
        "4294967296",
        "99999999999999999999",
        "%00",
        "%FF",
        "%25",
        "'%22;--",
        "%F0%9F%98%80",
    ];
    let lists = [
        "/api/v1/organisations/".to_owned(),
        "/api/v1/projects/".to_owned(),
        format!("/api/v1/environments/?project={}", desk.project),
        desk.in_project(&format!("features/?environment={environment}")),
        desk.in_project("segments/"),
        desk.in_environment("featurestates/"),
        desk.in_environment("identities/"),
    ];
    for list in lists {
        let joint = if list.contains('?') { '&' } else { '?' };
        for name in names {
            for value in values {
                let path = format!("{list}{joint}{name}={value}");
                check(&desk.get(&path).await, &path);
            }
        }
    }
}

#[tokio::test]
async fn nobody_gets_in_without_a_token() {
    let desk = Desk::open().await;
    for Writing { path, .. } in writings(&desk).await {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
            let reply = desk.face.keyless(method, &path).send().await;
            let expected = json!({ "detail": "Authentication credentials were not provided." });
            assert_eq!(
                (reply.status, reply.json()),
                (401, expected),
                "{method} {path}"
            );
        }
    }
}
