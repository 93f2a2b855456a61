use super::desk::{Desk, check_refusal};
use crate::face::Reply;
use serde_json::{Value as Json, json};

const BY_VERSIONS: &str = "This environment uses v2 feature versioning. \
    Use the environment feature version endpoint instead.";

/// A desk whose environment changes by versions, with a feature `banner` that says `hello`.
struct Versioned {
    desk: Desk,
    environment: i64,
    feature: i64,
}

impl Versioned {
    async fn open() -> Self {
        let desk = Desk::open().await;
        let body = json!({ "name": "banner", "initial_value": "hello", "default_enabled": true });
        let feature = desk.make_feature(body).await;
        let enabled = desk
            .post(&desk.in_environment("enable-v2-versioning/"), json!({}))
            .await;
        assert_eq!((enabled.status, enabled.text().as_str()), (202, ""));
        let environment = desk.get(&desk.in_environment("")).await.json();
        assert_eq!(environment["use_v2_feature_versioning"], true);
        Self {
            environment: environment["id"].as_i64().unwrap(),
            feature,
            desk,
        }
    }

    fn path(&self, rest: &str) -> String {
        let (environment, feature) = (self.environment, self.feature);
        format!("/api/v1/environments/{environment}/features/{feature}/versions/{rest}")
    }

    async fn make(&self, body: Json) -> Json {
        let reply = self.desk.post(&self.path(""), body).await;
        assert_eq!(reply.status, 201, "{}", reply.text());
        reply.json()
    }

    async fn draft(&self) -> String {
        let made = self.make(json!({})).await;
        made["uuid"].as_str().unwrap().to_owned()
    }

    async fn states(&self, version: &str) -> Vec<Json> {
        let reply = self
            .desk
            .get(&self.path(&format!("{version}/featurestates/")))
            .await;
        reply.json().as_array().unwrap().clone()
    }

    async fn publish(&self, version: &str, body: Json) -> Reply {
        self.desk
            .post(&self.path(&format!("{version}/publish/")), body)
            .await
    }

    async fn value(&self) -> Json {
        self.desk.flag("banner", None).await["feature_state_value"].clone()
    }

    async fn value_of_pro(&self) -> Json {
        let traits = json!([{ "trait_key": "plan", "trait_value": "pro" }]);
        let flag = self.desk.flag("banner", Some(("ada", traits))).await;
        flag["feature_state_value"].clone()
    }

    async fn live(&self) -> String {
        let list = self.desk.get(&self.path("?is_live=true")).await.json();
        list["results"][0]["uuid"].as_str().unwrap().to_owned()
    }
}

fn text(value: &str) -> Json {
    json!({ "type": "unicode", "string_value": value })
}

fn names(json: &Json) -> Vec<&str> {
    json.as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

#[tokio::test]
async fn an_environment_without_versions_says_so() {
    let desk = Desk::open().await;
    let feature = desk.make_feature(json!({ "name": "banner" })).await;
    let path = format!("/api/v1/environments/1/features/{feature}/versions/");

    let list = desk.get(&path).await;
    let create = desk.post(&path, json!({})).await;
    let disable = desk
        .post(&desk.in_environment("disable-v2-versioning/"), json!({}))
        .await;

    let empty = json!({ "count": 0, "next": null, "previous": null, "results": [] });
    check_refusal(&list, 200, &empty);
    let needs = json!({ "environment": "Environment must use v2 feature versioning." });
    check_refusal(&create, 400, &needs);
    assert_eq!(create.header("allow"), Some("GET, POST, HEAD, OPTIONS"));
    let off = json!({ "detail": "Environment is not using v2 versioning." });
    check_refusal(&disable, 400, &off);
    assert_eq!(disable.header("allow"), Some("POST, OPTIONS"));
}

#[tokio::test]
async fn versions_begin_with_what_is_live() {
    let v = Versioned::open().await;

    let again = v
        .desk
        .post(&v.desk.in_environment("enable-v2-versioning/"), json!({}))
        .await;
    let list = v.desk.get(&v.path("")).await.json();
    let live = v.live().await;
    let states = v.states(&live).await;
    let row = v
        .desk
        .get(&v.desk.in_environment("featurestates/"))
        .await
        .json();

    let on = json!({ "detail": "Environment already using v2 versioning." });
    check_refusal(&again, 400, &on);
    assert_eq!(list["count"], 1);
    let first = &list["results"][0];
    assert_eq!(
        names(first),
        [
            "created_at",
            "updated_at",
            "published",
            "live_from",
            "uuid",
            "is_live",
            "published_by",
            "created_by",
            "description"
        ]
    );
    assert_eq!(
        (&first["published"], &first["is_live"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(
        (&first["published_by"], &first["created_by"]),
        (&Json::Null, &Json::Null)
    );
    assert_eq!(states.len(), 1);
    assert_eq!(
        states[0]["feature_state_value"],
        json!({
            "type": "unicode",
            "string_value": "hello",
            "integer_value": null,
            "boolean_value": null,
        })
    );
    assert_eq!(row["results"][0]["id"], states[0]["id"]);
    assert_eq!(row["results"][0]["environment_feature_version"], *live);
    assert_eq!(row["results"][0]["version"], 1);
}

#[tokio::test]
async fn a_draft_is_changed_unseen_and_published_once() {
    let v = Versioned::open().await;
    let segment = v.desk.make_segment("pro").await;
    let made = v.make(json!({ "description": "draft" })).await;
    let uuid = made["uuid"].as_str().unwrap();
    assert_eq!(
        (&made["published"], &made["live_from"]),
        (&json!(false), &Json::Null)
    );
    assert_eq!(
        (&made["description"], &made["created_by"]),
        (&json!("draft"), &json!(1))
    );
    let default = v.states(uuid).await.remove(0);
    let path = v.path(&format!("{uuid}/featurestates/"));
    let state = format!("{path}{}/", default["id"]);

    let patched = v
        .desk
        .patch(
            &state,
            json!({ "enabled": false, "feature_state_value": text("draft-val") }),
        )
        .await;
    let put = v
        .desk
        .put(
            &state,
            json!({ "enabled": true, "feature_state_value": text("draft-val") }),
        )
        .await;
    let body = json!({ "feature_segment": { "segment": segment }, "enabled": true, "feature_state_value": text("pro-v2") });
    let added = v.desk.post(&path, body).await;

    assert_eq!(
        (patched.status, &patched.json()["enabled"]),
        (200, &json!(false))
    );
    assert_eq!(patched.json()["live_from"], Json::Null);
    assert_eq!(patched.header("allow"), Some("PUT, PATCH, DELETE, OPTIONS"));
    assert_eq!((put.status, &put.json()["enabled"]), (200, &json!(true)));
    assert_eq!(added.status, 201, "{}", added.text());
    assert_eq!(added.json()["feature_segment"]["priority"], 0);
    assert_eq!(
        (v.value().await, v.value_of_pro().await),
        (json!("hello"), json!("hello"))
    );

    let published = v.publish(uuid, json!({})).await;
    assert_eq!(published.status, 200, "{}", published.text());
    assert_eq!(names(&published.json()), ["live_from"]);
    assert_eq!(
        (v.value().await, v.value_of_pro().await),
        (json!("draft-val"), json!("pro-v2"))
    );

    let again = v.publish(uuid, json!({})).await;
    assert_eq!((again.status, again.json()), (200, published.json()));
    let changed = v.desk.patch(&state, json!({ "enabled": false })).await;
    let deleted = v.desk.delete(&v.path(&format!("{uuid}/"))).await;
    check_refusal(
        &changed,
        400,
        &json!({ "detail": "Cannot modify published version." }),
    );
    check_refusal(
        &deleted,
        400,
        &json!({ "detail": "Cannot delete a live version." }),
    );
    assert_eq!(deleted.header("allow"), Some("DELETE, OPTIONS"));
    let links = format!(
        "/api/v1/features/feature-segments/?environment={}&feature={}",
        v.environment, v.feature
    );
    assert_eq!(v.desk.get(&links).await.json()["count"], 1);
}

#[tokio::test]
async fn a_version_knows_where_it_is_and_what_went_before() {
    let v = Versioned::open().await;
    let first = v.live().await;
    let draft = v.draft().await;

    let reply = v
        .desk
        .get(&format!("/api/v1/environment-feature-versions/{draft}/"))
        .await;
    let of_first = v
        .desk
        .get(&format!("/api/v1/environment-feature-versions/{first}/"))
        .await;

    let json = reply.json();
    assert_eq!(
        names(&json)[9..],
        ["previous_version_uuid", "feature", "environment"]
    );
    assert_eq!(json["previous_version_uuid"], *first);
    assert_eq!(
        (&json["feature"], &json["environment"]),
        (&json!(v.feature), &json!(v.environment))
    );
    assert_eq!(of_first.json()["previous_version_uuid"], Json::Null);
    assert_eq!(reply.header("allow"), Some("GET, HEAD, OPTIONS"));
}

#[tokio::test]
async fn one_request_makes_changes_and_publishes_a_version() {
    let v = Versioned::open().await;
    let (pro, also) = (
        v.desk.make_segment("pro").await,
        v.desk.make_segment("also").await,
    );
    let create = |segment: i64| {
        json!({
            "publish_immediately": true,
            "feature_states_to_create": [{
                "feature_segment": { "segment": segment, "priority": 0 },
                "enabled": true,
                "feature_state_value": { "type": "int", "integer_value": 3 },
            }],
        })
    };
    let made = v.make(create(pro)).await;
    assert_eq!(
        (&made["published"], &made["is_live"], &made["published_by"]),
        (&json!(true), &json!(true), &json!(1))
    );
    assert_eq!(v.value_of_pro().await, 3);

    let again = v.desk.post(&v.path(""), create(pro)).await;
    let text_of_conflict =
        "An unresolvable conflict occurred: segment override already exists for segment 'pro'";
    check_refusal(&again, 400, &json!({ "message": text_of_conflict }));

    let mut body = create(also);
    body["feature_states_to_update"] = json!([{ "feature_segment": null, "enabled": false, "feature_state_value": text("one-shot") }]);
    body["segment_ids_to_delete_overrides"] = json!([pro, 99_999]);
    v.make(body).await;
    let states = v.states(&v.live().await).await;
    assert_eq!(states.len(), 2);
    assert_eq!(states[0]["feature_state_value"]["string_value"], "one-shot");
    assert_eq!(states[0]["enabled"], false);
    assert_eq!(states[1]["feature_segment"]["segment"], also);
    assert_eq!(states[1]["feature_segment"]["priority"], 0);

    let update = |segment| json!({ "feature_states_to_update": [{ "feature_segment": segment, "feature_state_value": text("x") }] });
    let missing = v
        .desk
        .post(&v.path(""), update(json!({ "segment": pro })))
        .await;
    let text_of_missing =
        "An unresolvable conflict occurred: segment override does not exist for segment 'pro'.";
    check_refusal(&missing, 400, &json!({ "message": text_of_missing }));
    let default = json!({ "feature_states_to_create": [{ "enabled": true, "feature_state_value": text("x") }] });
    let second = v.desk.post(&v.path(""), default).await;
    let text_of_second = "Cannot create FeatureState objects that are not segment overrides.";
    check_refusal(&second, 400, &json!({ "message": text_of_second }));
    // Refusals leave nothing.
    assert_eq!(v.desk.get(&v.path("")).await.json()["count"], 3);
}

#[tokio::test]
async fn a_version_for_a_time_to_come_waits_for_it() {
    let v = Versioned::open().await;
    let made = v.make(json!({ "live_from": "2038-01-01T00:00:00Z" })).await;
    assert_eq!(
        (&made["live_from"], &made["published"]),
        (&json!("2038-01-01T00:00:00Z"), &json!(false))
    );
    let uuid = made["uuid"].as_str().unwrap();

    let published = v.publish(uuid, json!({})).await.json();
    let earlier = v
        .publish(uuid, json!({ "live_from": "2037-01-01T00:00:00Z" }))
        .await
        .json();
    let list = v.desk.get(&v.path("")).await.json();
    let waiting = v.desk.get(&v.path("?is_live=false")).await.json();
    let deleted = v.desk.delete(&v.path(&format!("{uuid}/"))).await;

    assert_eq!(published["live_from"], "2038-01-01T00:00:00Z");
    assert_eq!(earlier["live_from"], "2037-01-01T00:00:00Z");
    assert_eq!((&list["count"], &waiting["count"]), (&json!(2), &json!(1)));
    assert_eq!(waiting["results"][0]["published"], true);
    assert_eq!(waiting["results"][0]["is_live"], false);
    assert_eq!(v.value().await, "hello");
    assert_eq!(deleted.status, 204);
    assert_eq!(v.desk.get(&v.path("")).await.json()["count"], 1);
}

#[tokio::test]
async fn what_is_live_cannot_be_put_off_and_the_past_is_now() {
    let v = Versioned::open().await;
    let draft = v.draft().await;
    let states = v.states(&draft).await;
    let state = v.path(&format!("{draft}/featurestates/{}/", states[0]["id"]));
    v.desk
        .patch(&state, json!({ "feature_state_value": text("new") }))
        .await;

    let published = v
        .publish(&draft, json!({ "live_from": "2001-01-01T00:00:00Z" }))
        .await
        .json();
    let put_off = v
        .publish(&draft, json!({ "live_from": "2038-01-01T00:00:00Z" }))
        .await;

    assert!(
        published["live_from"].as_str().unwrap() > "2026",
        "{published}"
    );
    assert_eq!(v.value().await, "new");
    check_refusal(
        &put_off,
        400,
        &json!({ "detail": "Cannot put off a live version." }),
    );
}

#[tokio::test]
async fn direct_changes_are_refused_and_identity_overrides_are_not() {
    let v = Versioned::open().await;
    let segment = v.desk.make_segment("pro").await;
    let body = json!({
        "publish_immediately": true,
        "feature_states_to_create": [{ "feature_segment": { "segment": segment }, "enabled": true, "feature_state_value": text("x") }],
    });
    v.make(body).await;
    let states = v.states(&v.live().await).await;
    let (default, over, link) = (
        &states[0]["id"],
        &states[1]["id"],
        &states[1]["feature_segment"]["id"],
    );
    let (environment, feature) = (v.environment, v.feature);
    let row = json!({ "feature": feature, "environment": environment, "enabled": false, "feature_state_value": text("x") });
    let own = v.desk.in_environment("featurestates/");
    let link_body = json!({ "feature": feature, "segment": segment, "environment": environment });
    let over_body = json!({ "feature_segment": { "segment": segment }, "enabled": true, "feature_state_value": text("z") });
    let links = "/api/v1/features/feature-segments/";
    let rows = "/api/v1/features/featurestates/";
    let create_override = v
        .desk
        .in_environment(&format!("features/{feature}/create-segment-override/"));

    let refused = json!({ "detail": BY_VERSIONS });
    for (method, path, body) in [
        (
            "PATCH",
            format!("{own}{default}/"),
            json!({ "enabled": false }),
        ),
        (
            "PUT",
            format!("{own}{default}/"),
            json!({ "enabled": false }),
        ),
        ("DELETE", format!("{own}{default}/"), json!({})),
        (
            "POST",
            own.clone(),
            json!({ "feature": feature, "enabled": true }),
        ),
        ("PUT", format!("{rows}{default}/"), row.clone()),
        (
            "PATCH",
            format!("{rows}{over}/"),
            json!({ "environment": environment, "enabled": false }),
        ),
        ("POST", rows.to_owned(), row.clone()),
        ("POST", create_override, over_body),
        ("POST", links.to_owned(), link_body.clone()),
        ("PUT", format!("{links}{link}/"), link_body.clone()),
        ("DELETE", format!("{links}{link}/"), json!({})),
        (
            "POST",
            format!("{links}update-priorities/"),
            json!([{ "id": link, "priority": 4 }]),
        ),
    ] {
        let reply = v.desk.ask(method, &path, Some(body.to_string())).await;
        assert_eq!(
            (reply.status, reply.json()),
            (400, refused.clone()),
            "{method} {path}"
        );
    }
    assert_eq!(
        v.states(&v.live().await).await,
        states,
        "nothing has changed"
    );

    let identities = v.desk.in_environment("identities/");
    let identity = v
        .desk
        .make(&identities, json!({ "identifier": "ada" }))
        .await;
    let path = format!("{identities}{identity}/featurestates/");
    let body = json!({ "feature": feature, "enabled": true, "feature_state_value": "direct" });
    let state = v.desk.make(&path, body).await;
    assert_eq!(v.value_of_pro().await, "direct");
    let put = v
        .desk
        .patch(
            &format!("{path}{state}/"),
            json!({ "feature_state_value": "again" }),
        )
        .await;
    assert_eq!((put.status, v.value_of_pro().await), (200, json!("again")));
    assert_eq!(v.desk.delete(&format!("{path}{state}/")).await.status, 204);
    assert_eq!(v.value_of_pro().await, "x");
}

#[tokio::test]
async fn overrides_leave_a_draft_and_its_default_stays() {
    let v = Versioned::open().await;
    let segment = v.desk.make_segment("pro").await;
    let draft = v.draft().await;
    let path = v.path(&format!("{draft}/featurestates/"));
    let body = json!({ "feature_segment": { "segment": segment, "priority": 2 }, "enabled": true, "feature_state_value": text("x") });
    let added = v.desk.post(&path, body.clone()).await.json();
    let default = v.states(&draft).await.remove(0);

    let twice = v.desk.post(&path, body).await;
    let no_segment = v
        .desk
        .post(
            &path,
            json!({ "feature_segment": { "segment": 99_999 }, "feature_state_value": text("x") }),
        )
        .await;
    let no_override = v
        .desk
        .post(
            &path,
            json!({ "enabled": true, "feature_state_value": text("x") }),
        )
        .await;
    let no_value = v
        .desk
        .post(&path, json!({ "feature_segment": { "segment": segment } }))
        .await;
    let moved = v
        .desk
        .patch(
            &format!("{path}{}/", added["id"]),
            json!({ "feature_segment": { "segment": segment, "priority": 5 } }),
        )
        .await;
    let needed = v.desk.delete(&format!("{path}{}/", default["id"])).await;
    let gone = v.desk.delete(&format!("{path}{}/", added["id"])).await;
    let unknown = v.desk.delete(&format!("{path}{}/", added["id"])).await;

    let exists =
        "An unresolvable conflict occurred: segment override already exists for segment 'pro'";
    check_refusal(&twice, 400, &json!({ "message": exists }));
    let pk = "Invalid pk \"99999\" - object does not exist.";
    check_refusal(
        &no_segment,
        400,
        &json!({ "feature_segment": { "segment": [pk] } }),
    );
    let not_an_override = "Cannot create FeatureState objects that are not segment overrides.";
    check_refusal(&no_override, 400, &json!({ "message": not_an_override }));
    check_refusal(
        &no_value,
        400,
        &json!({ "feature_state_value": ["This field is required."] }),
    );
    assert_eq!(moved.json()["feature_segment"]["priority"], 5);
    check_refusal(
        &needed,
        400,
        &json!({ "detail": "Cannot delete environment default feature state." }),
    );
    assert_eq!(gone.status, 204);
    check_refusal(
        &unknown,
        404,
        &json!({ "detail": "No FeatureState matches the given query." }),
    );
    assert_eq!(v.states(&draft).await.len(), 1);
}

#[tokio::test]
async fn versions_end_with_what_is_live() {
    let v = Versioned::open().await;
    let draft = v.draft().await;
    let default = v.states(&draft).await.remove(0);
    let path = v.path(&format!("{draft}/featurestates/{}/", default["id"]));
    v.desk
        .patch(&path, json!({ "feature_state_value": text("kept") }))
        .await;
    v.publish(&draft, json!({})).await;
    v.draft().await;

    let disabled = v
        .desk
        .post(&v.desk.in_environment("disable-v2-versioning/"), json!({}))
        .await;
    let row = v
        .desk
        .get(&v.desk.in_environment("featurestates/"))
        .await
        .json();
    let state = v
        .desk
        .in_environment(&format!("featurestates/{}/", default["id"]));
    let direct = v
        .desk
        .patch(&state, json!({ "feature_state_value": "direct" }))
        .await;

    assert_eq!((disabled.status, disabled.text().as_str()), (202, ""));
    assert_eq!(row["results"][0]["id"], default["id"]);
    assert_eq!(row["results"][0]["feature_state_value"], "kept");
    assert_eq!(row["results"][0]["environment_feature_version"], Json::Null);
    assert!(row["results"][0]["live_from"].is_string());
    assert_eq!((direct.status, v.value().await), (200, json!("direct")));
    assert_eq!(v.desk.get(&v.path("")).await.json()["count"], 0);
}

#[tokio::test]
async fn features_options_and_segments_come_and_go_beside_versions() {
    let v = Versioned::open().await;
    let segment = v.desk.make_segment("pro").await;
    let body = json!({
        "publish_immediately": true,
        "feature_states_to_create": [{ "feature_segment": { "segment": segment }, "enabled": true, "feature_state_value": text("x") }],
    });
    v.make(body).await;

    let late = v
        .desk
        .make_feature(json!({ "name": "late", "initial_value": "1" }))
        .await;
    let options = v
        .desk
        .in_project(&format!("features/{}/mv-options/", v.feature));
    let option = json!({ "feature": v.feature, "string_value": "blue", "default_percentage_allocation": 100 });
    v.desk.make(&options, option).await;
    let gone = v
        .desk
        .delete(&v.desk.in_project(&format!("segments/{segment}/")))
        .await;

    assert_eq!(gone.status, 204);
    assert_eq!(v.desk.flag("late", None).await["feature_state_value"], 1);
    let versions = format!(
        "/api/v1/environments/{}/features/{late}/versions/",
        v.environment
    );
    assert_eq!(v.desk.get(&versions).await.json()["count"], 1);
    assert_eq!(v.value_of_pro().await, "blue");
    let weights = &v.states(&v.draft().await).await[0]["multivariate_feature_state_values"];
    assert_eq!(weights[0]["percentage_allocation"], 100.0);
}

#[tokio::test]
async fn versions_are_none_of_a_strangers_business() {
    let v = Versioned::open().await;
    let draft = v.draft().await;
    let state = v.states(&draft).await[0]["id"].clone();
    let stranger = v.desk.stranger().await;

    for (method, path, noun) in [
        ("GET", v.path(""), "Environment"),
        ("POST", v.path(""), "Environment"),
        ("DELETE", v.path(&format!("{draft}/")), "Environment"),
        ("POST", v.path(&format!("{draft}/publish/")), "Environment"),
        (
            "GET",
            v.path(&format!("{draft}/featurestates/")),
            "Environment",
        ),
        (
            "DELETE",
            v.path(&format!("{draft}/featurestates/{state}/")),
            "Environment",
        ),
        (
            "GET",
            format!("/api/v1/environment-feature-versions/{draft}/"),
            "EnvironmentFeatureVersion",
        ),
        (
            "POST",
            v.desk.in_environment("enable-v2-versioning/"),
            "Environment",
        ),
        (
            "POST",
            v.desk.in_environment("disable-v2-versioning/"),
            "Environment",
        ),
    ] {
        let reply = stranger.ask(method, &path, None).await;
        let expected = json!({ "detail": format!("No {noun} matches the given query.") });
        assert_eq!(
            (reply.status, reply.json()),
            (404, expected),
            "{method} {path}"
        );
    }
}

#[tokio::test]
async fn unknown_places_and_broken_bodies_are_named() {
    let v = Versioned::open().await;
    let draft = v.draft().await;
    let unknown = "00000000-0000-4000-8000-000000000000";
    let no = |model: &str| json!({ "detail": format!("No {model} matches the given query.") });

    let no_environment = v
        .desk
        .get(&format!(
            "/api/v1/environments/999/features/{}/versions/",
            v.feature
        ))
        .await;
    let no_feature = v
        .desk
        .get(&format!(
            "/api/v1/environments/{}/features/999/versions/",
            v.environment
        ))
        .await;
    check_refusal(&no_environment, 404, &no("Environment"));
    check_refusal(&no_feature, 404, &no("Feature"));
    for (method, rest) in [
        ("DELETE", format!("{unknown}/")),
        ("POST", format!("{unknown}/publish/")),
        ("GET", format!("{unknown}/featurestates/")),
    ] {
        let reply = v.desk.ask(method, &v.path(&rest), None).await;
        assert_eq!(
            (reply.status, reply.json()),
            (404, no("EnvironmentFeatureVersion")),
            "{method} {rest}"
        );
    }
    let no_uuid = v.desk.delete(&v.path("something/")).await;
    check_refusal(&no_uuid, 404, &json!({ "detail": "Not found." }));
    let body = json!({ "enabled": "perhaps" });
    let state = v
        .desk
        .patch(&v.path(&format!("{draft}/featurestates/1/")), body)
        .await;
    check_refusal(
        &state,
        400,
        &json!({ "enabled": ["Must be a valid boolean."] }),
    );
    let wrong = json!({
        "publish_immediately": "perhaps",
        "live_from": "tomorrow",
        "feature_states_to_update": [{ "enabled": true }],
        "segment_ids_to_delete_overrides": ["x"],
    });
    let create = v.desk.post(&v.path(""), wrong).await;
    let when = "Datetime has wrong format. Use one of these formats instead: YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z].";
    assert_eq!(create.status, 400);
    assert_eq!(
        create.json(),
        json!({
            "feature_states_to_update": [{ "feature_state_value": ["This field is required."] }],
            "segment_ids_to_delete_overrides": { "0": ["A valid integer is required."] },
            "live_from": [when],
            "publish_immediately": ["Must be a valid boolean."],
        })
    );
    let list = v.desk.get(&v.path("?is_live=perhaps")).await;
    check_refusal(
        &list,
        400,
        &json!({ "is_live": ["Must be a valid boolean."] }),
    );
    let publish = v.publish(&draft, json!({ "live_from": "tomorrow" })).await;
    check_refusal(&publish, 400, &json!({ "live_from": [when] }));
}

#[tokio::test]
async fn viewers_look_at_versions_and_change_nothing() {
    let v = Versioned::open().await;
    let draft = v.draft().await;
    let state = v.states(&draft).await[0]["id"].clone();
    let colleague = v.desk.colleague().await;
    let me = colleague.ask("GET", "/api/v1/auth/users/me/", None).await;
    let body = json!({ "user": me.json()["id"], "permissions": ["VIEW_ENVIRONMENT"] });
    let grants = v.desk.in_environment("user-permissions/");
    v.desk.make(&grants, body).await;

    for path in [
        v.path(""),
        v.path(&format!("{draft}/featurestates/")),
        format!("/api/v1/environment-feature-versions/{draft}/"),
    ] {
        let reply = colleague.ask("GET", &path, None).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
    }
    let value = json!({ "feature_state_value": text("x") });
    for (method, path) in [
        ("POST", v.path("")),
        ("DELETE", v.path(&format!("{draft}/"))),
        ("POST", v.path(&format!("{draft}/publish/"))),
        ("PATCH", v.path(&format!("{draft}/featurestates/{state}/"))),
        ("DELETE", v.path(&format!("{draft}/featurestates/{state}/"))),
        ("POST", v.desk.in_environment("enable-v2-versioning/")),
        ("POST", v.desk.in_environment("disable-v2-versioning/")),
    ] {
        let body = if path.ends_with("publish/") {
            json!({})
        } else {
            value.clone()
        };
        let reply = colleague.ask(method, &path, Some(body)).await;
        let forbidden = json!({ "detail": "You do not have permission to perform this action." });
        assert_eq!(
            (reply.status, reply.json()),
            (403, forbidden),
            "{method} {path}"
        );
    }
}
