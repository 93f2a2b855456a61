use super::desk::{Desk, check_refusal};
use serde_json::{Value as Json, json};

const STATES: &str = "/api/v1/features/featurestates/";

struct Banner {
    desk: Desk,
    feature: i64,
    /// The default in the environment.
    state: i64,
    environment: i64,
}

async fn banner() -> Banner {
    let desk = Desk::open().await;
    let feature = desk
        .make_feature(json!({ "name": "banner", "initial_value": "all" }))
        .await;
    let environment = desk.get(&desk.in_environment("")).await.json()["id"]
        .as_i64()
        .unwrap();
    Banner {
        state: desk.state_of(feature).await,
        desk,
        feature,
        environment,
    }
}

impl Banner {
    fn path(&self) -> String {
        format!("{STATES}{}/", self.state)
    }

    fn body(&self, more: Json) -> Json {
        let mut body = json!({ "feature": self.feature, "environment": self.environment });
        let (Json::Object(members), Json::Object(more)) = (&mut body, more) else {
            panic!("not objects");
        };
        members.extend(more);
        body
    }

    async fn link(&self, segment: i64) -> i64 {
        let body = self.body(json!({ "segment": segment }));
        self.desk
            .make("/api/v1/features/feature-segments/", body)
            .await
    }
}

#[tokio::test]
async fn columns_that_are_not_named_stay() {
    let banner = banner().await;
    let put = async |value: Json| {
        let body = banner.body(json!({ "feature_state_value": value }));
        let reply = banner.desk.put(&banner.path(), body).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()["feature_state_value"].clone()
    };

    let integer = put(json!({ "type": "int", "integer_value": 7 })).await;
    let back = put(json!({ "type": "unicode" })).await;

    let expected = |kind: &str| json!({ "type": kind, "string_value": "all", "integer_value": 7, "boolean_value": null });
    assert_eq!((integer, back), (expected("int"), expected("unicode")));
}

#[tokio::test]
async fn a_state_cannot_be_moved() {
    let banner = banner().await;
    let check = async |name: &str, value: i64| {
        let mut body = banner.body(json!({}));
        body[name] = value.into();
        let reply = banner.desk.put(&banner.path(), body).await;
        let text = format!("Cannot change the {name} of a feature state");
        check_refusal(&reply, 400, &json!({ name: [text] }));
    };

    check("feature", 99).await;
    check("environment", 99).await;
    check("feature_segment", 1).await;
    check("identity", 1).await;
}

#[tokio::test]
async fn a_change_has_to_name_its_place_and_a_state_that_is_there() {
    let banner = banner().await;
    let required = json!(["This field is required."]);

    let empty = banner.desk.put(&banner.path(), json!({})).await;
    let patched = banner.desk.patch(&banner.path(), json!({})).await;
    let bare = json!({ "feature_state_value": "x", "enabled": "maybe" });
    let bare = banner.desk.patch(&banner.path(), bare).await;
    let unknown = format!("{STATES}99999/");
    let unknown = banner
        .desk
        .put(&unknown, banner.body(json!({ "enabled": true })))
        .await;

    let both = json!({ "feature": required, "environment": required });
    check_refusal(&empty, 400, &both);
    check_refusal(&patched, 400, &json!({ "environment": required }));
    let no_object = "Invalid data. Expected a dictionary, but got str.";
    let expected = json!({
        "feature_state_value": { "non_field_errors": [no_object] },
        "enabled": ["Must be a valid boolean."],
    });
    check_refusal(&bare, 400, &expected);
    let missing = json!({ "detail": "No FeatureState matches the given query." });
    check_refusal(&unknown, 404, &missing);
}

#[tokio::test]
async fn an_override_is_made_in_two_steps_and_served() {
    let banner = banner().await;
    let segment = banner.desk.make_segment("pro").await;
    let link = banner.link(segment).await;
    let value = json!({ "type": "unicode", "string_value": "pros" });
    let body = banner
        .body(json!({ "feature_segment": link, "enabled": true, "feature_state_value": value }));
    let flag = async |plan: &str| {
        let traits = json!([{ "trait_key": "plan", "trait_value": plan }]);
        banner.desk.flag("banner", Some((plan, traits))).await["feature_state_value"].clone()
    };
    assert_eq!(flag("pro").await, "all", "a link alone changes nothing");

    let made = banner.desk.post(STATES, body.clone()).await;
    let again = banner.desk.post(STATES, body).await;

    assert_eq!(made.status, 201, "{}", made.text());
    assert_eq!(made.json()["feature_segment"], link);
    assert_eq!(flag("pro").await, "pros");
    assert_eq!(flag("free").await, "all");
    let exists = "['Feature state already exists for this environment, feature, version, \
                  segment & identity combination']";
    check_refusal(&again, 400, &json!([exists]));
}

#[tokio::test]
async fn an_override_for_an_identity_is_named_by_id_or_identifier() {
    let banner = banner().await;
    let path = banner.desk.in_environment("identities/");
    let alice = banner
        .desk
        .make(&path, json!({ "identifier": "alice" }))
        .await;
    banner
        .desk
        .make(&path, json!({ "identifier": "bob" }))
        .await;

    let by_id = banner.body(json!({ "identity": alice, "enabled": true }));
    let by_id = banner.desk.post(STATES, by_id).await;
    let by_name = banner.body(json!({ "identifier": "bob", "enabled": true }));
    let by_name = banner.desk.post(STATES, by_name).await;

    assert_eq!((by_id.status, by_name.status), (201, 201));
    assert_eq!(by_id.json()["identity"], alice);
    let bob = banner.desk.flag("banner", Some(("bob", json!([])))).await;
    assert_eq!(bob["enabled"], true);
    let list = format!("{STATES}?environment={}", banner.environment);
    assert_eq!(banner.desk.get(&list).await.json()["count"], 3);
}

#[tokio::test]
async fn what_a_new_state_names_has_to_be_there() {
    let banner = banner().await;
    let other = banner.desk.make_feature(json!({ "name": "other" })).await;
    let segment = banner.desk.make_segment("pro").await;
    let link = banner.link(segment).await;
    let check = async |more: Json, status: u16, expected: Json| {
        let reply = banner.desk.post(STATES, banner.body(more)).await;
        check_refusal(&reply, status, &expected);
    };
    let forbidden = json!({ "detail": "You do not have permission to perform this action." });

    check(json!({ "environment": 99 }), 403, forbidden.clone()).await;
    check(json!({ "environment": "x" }), 403, forbidden.clone()).await;
    check(json!({ "environment": null }), 403, forbidden).await;
    let elsewhere = json!({ "feature": ["Feature does not exist in project"] });
    check(json!({ "feature": 99 }), 400, elsewhere).await;
    let no_row = json!({ "feature_segment": ["Invalid pk \"99\" - object does not exist."] });
    check(json!({ "feature_segment": 99 }), 400, no_row).await;
    let non_field = |text: &str| json!({ "non_field_errors": [text] });
    check(
        json!({ "feature": other, "feature_segment": link }),
        400,
        non_field("Feature Segment does not belong to environment."),
    )
    .await;
    check(
        json!({ "identity": 99 }),
        400,
        non_field("Identity does not exist in environment."),
    )
    .await;
    check(
        json!({ "identifier": "nobody" }),
        400,
        non_field("Invalid identifier"),
    )
    .await;
    let both = non_field("An override is for a segment or for an identity, not for both.");
    check(json!({ "feature_segment": link, "identity": 1 }), 400, both).await;
}

#[tokio::test]
async fn a_deleted_default_is_served_no_more_until_it_is_made_again() {
    let banner = banner().await;
    let path = banner
        .desk
        .in_environment(&format!("featurestates/{}/", banner.state));
    let served = async || {
        let ask = banner.desk.face.keyless("GET", "/api/v1/flags/");
        let ask = ask.header("x-environment-key", &banner.desk.key);
        ask.send().await.json()
    };

    let deleted = banner.desk.delete(&path).await;
    let gone = served().await;
    let again = banner.desk.delete(&path).await;
    let made = banner
        .desk
        .post(
            &banner.desk.in_environment("featurestates/"),
            json!({ "feature": banner.feature, "enabled": true, "feature_state_value": 25 }),
        )
        .await;

    assert_eq!(deleted.status, 204);
    assert_eq!(gone, json!([]));
    assert_eq!(again.status, 404);
    assert_eq!(made.status, 201, "{}", made.text());
    assert_eq!(made.json()["feature_state_value"], 25);
    assert_eq!(served().await[0]["feature_state_value"], 25);
}

#[tokio::test]
async fn an_environment_takes_no_state_without_a_feature() {
    let banner = banner().await;
    let path = banner.desk.in_environment("featurestates/");

    let missing = banner.desk.post(&path, json!({ "enabled": true })).await;
    let unknown = banner.desk.post(&path, json!({ "feature": 99 })).await;
    let twice = banner
        .desk
        .post(&path, json!({ "feature": banner.feature }))
        .await;

    let forbidden = json!({ "detail": "You do not have permission to perform this action." });
    check_refusal(&missing, 403, &forbidden);
    let elsewhere = json!({ "feature": ["Feature does not exist in project"] });
    check_refusal(&unknown, 400, &elsewhere);
    assert_eq!(twice.status, 400);
}

#[tokio::test]
async fn an_override_for_a_segment_is_not_deleted_by_its_state() {
    let banner = banner().await;
    let segment = banner.desk.make_segment("pro").await;
    let link = banner.link(segment).await;
    let body = banner.body(json!({ "feature_segment": link }));
    let state = banner.desk.make(STATES, body).await;
    let path = banner
        .desk
        .in_environment(&format!("featurestates/{state}/"));

    let reply = banner.desk.delete(&path).await;

    let missing = json!({ "detail": "No FeatureState matches the given query." });
    check_refusal(&reply, 404, &missing);
}

#[tokio::test]
async fn states_of_others_are_out_of_reach() {
    let banner = banner().await;
    let state = banner
        .desk
        .in_environment(&format!("featurestates/{}/", banner.state));
    let uuid = banner.desk.get(&state).await.json()["uuid"].clone();
    let uuid = uuid.as_str().unwrap();
    let by_uuid = format!("{STATES}get-by-uuid/{uuid}/");
    let in_environment = banner.desk.in_environment("featurestates/");
    let body = || Some(banner.body(json!({ "enabled": true })));
    let own = banner.desk.get(&by_uuid).await;
    let no_uuid = banner.desk.get(&format!("{STATES}get-by-uuid/x/")).await;
    let stranger = banner.desk.stranger().await;
    let check = async |method: &str, path: &str, body: Option<Json>, status: u16| {
        let reply = stranger.ask(method, path, body).await;
        assert_eq!(reply.status, status, "{method} {path}: {}", reply.text());
    };

    assert_eq!(
        (own.status, own.json()["id"].as_i64()),
        (200, Some(banner.state))
    );
    assert_eq!(no_uuid.status, 404);
    let list = format!("{STATES}?environment={}", banner.environment);
    check("GET", &list, None, 403).await;
    check("POST", STATES, body(), 403).await;
    check("PUT", &banner.path(), body(), 404).await;
    check("PATCH", &banner.path(), body(), 404).await;
    check("GET", &by_uuid, None, 404).await;
    check("POST", &in_environment, body(), 404).await;
    let state = format!("{in_environment}{}/", banner.state);
    check("DELETE", &state, None, 404).await;
}

#[tokio::test]
async fn where_versions_are_used_single_states_and_links_are_not_changed() {
    let banner = banner().await;
    let segment = banner.desk.make_segment("pro").await;
    let link = banner.link(segment).await;
    let state = json!({ "feature_segment": link, "enabled": true });
    banner.desk.make(STATES, banner.body(state)).await;
    banner.desk.use_versions().await;
    let links = "/api/v1/features/feature-segments/";
    let list = format!(
        "{links}?environment={}&feature={}",
        banner.environment, banner.feature
    );
    let listed = banner.desk.get(&list).await.json();
    let link = listed["results"][0]["id"].as_i64().unwrap();
    let one_link = format!("{links}{link}/");
    let default = banner.desk.state_of(banner.feature).await;
    let in_environment = banner.desk.in_environment("featurestates/");
    let create = banner.desk.in_environment(&format!(
        "features/{}/create-segment-override/",
        banner.feature
    ));
    let check = async |method: &str, path: &str, body: Json| {
        let reply = banner.desk.ask(method, path, Some(body.to_string())).await;
        let text = "This environment uses v2 feature versioning. \
                    Use the environment feature version endpoint instead.";
        check_refusal(&reply, 400, &json!({ "detail": text }));
    };

    let body = || banner.body(json!({ "enabled": true, "segment": segment }));
    check("PUT", &format!("{STATES}{default}/"), body()).await;
    check("PATCH", &format!("{STATES}{default}/"), body()).await;
    check("POST", STATES, body()).await;
    check("POST", &in_environment, body()).await;
    check("PATCH", &format!("{in_environment}{default}/"), body()).await;
    check("DELETE", &format!("{in_environment}{default}/"), body()).await;
    check("POST", links, body()).await;
    check("PUT", &one_link, body()).await;
    check("DELETE", &one_link, body()).await;
    let order = json!([{ "id": link, "priority": 4 }]);
    check("POST", &format!("{links}update-priorities/"), order).await;
    let value = json!({ "type": "unicode", "string_value": "x" });
    let over = json!({ "feature_segment": { "segment": segment }, "feature_state_value": value });
    check("POST", &create, over).await;
    assert_eq!(banner.desk.get(&list).await.json(), listed);

    let identities = banner.desk.in_environment("identities/");
    let alice = json!({ "identifier": "alice" });
    let alice = banner.desk.make(&identities, alice).await;
    let body = banner.body(json!({ "identity": alice, "enabled": true }));
    let over = banner.desk.post(STATES, body).await;
    assert_eq!(
        over.status,
        201,
        "overrides of identities stay direct: {}",
        over.text()
    );
}
