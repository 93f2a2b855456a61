use super::desk::{Desk, check_refusal};
use serde_json::{Value as Json, json};

struct Flag {
    desk: Desk,
    feature: i64,
    segments: Vec<i64>,
}

/// A multivariate feature and two segments, in an environment that is changed directly, or by versions.
async fn flag(by_versions: bool) -> Flag {
    let desk = Desk::open().await;
    let option = |value: &str, weight: i64| json!({ "type": "unicode", "string_value": value, "default_percentage_allocation": weight });
    let colour = json!({ "name": "colour", "initial_value": "red", "default_enabled": true,
        "multivariate_options": [option("blue", 30), option("green", 20)] });
    let feature = desk.make_feature(colour).await;
    let segments = vec![desk.make_segment("a").await, desk.make_segment("b").await];
    if by_versions {
        desk.use_versions().await;
    }
    Flag {
        desk,
        feature,
        segments,
    }
}

impl Flag {
    fn path(&self) -> String {
        let (key, feature) = (&self.desk.key, self.feature);
        format!("/api/__future__/environments/{key}/features/{feature}/")
    }

    async fn get(&self) -> Json {
        let reply = self.desk.get(&self.path()).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()
    }

    /// Writes, and checks that what is answered is what is there.
    async fn write(&self, method: &str, body: Json) -> Json {
        let body = Some(body.to_string());
        let reply = self.desk.ask(method, &self.path(), body).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert_eq!(reply.json(), self.get().await);
        reply.json()
    }

    fn entry(&self, segment: usize, more: Json) -> Json {
        let mut entry = json!({ "segment": { "id": self.segments[segment] } });
        for (name, value) in more.as_object().unwrap() {
            entry[name] = value.clone();
        }
        entry
    }
}

fn text(value: &str) -> Json {
    json!({ "type": "string", "value": value })
}

fn variants(first: f64, second: f64) -> Json {
    json!([{ "id": 1, "weight": first }, { "id": 2, "weight": second }])
}

fn state(enabled: bool, value: Json, variants: Json) -> Json {
    json!({ "enabled": enabled, "value": value, "variants": variants })
}

async fn a_patch_leaves_what_it_does_not_name(by_versions: bool) {
    let flag = flag(by_versions).await;
    let before = json!({
        "environment_default": state(true, text("red"), variants(30.0, 20.0)),
        "segment_overrides": [],
    });
    assert_eq!(flag.get().await, before);
    assert_eq!(flag.write("PATCH", json!({})).await, before);

    let overrides = json!([flag.entry(0, json!({ "value": text("pink") }))]);
    let made = flag
        .write("PATCH", json!({ "segment_overrides": overrides }))
        .await;
    let default = json!({ "enabled": false, "variants": variants(60.0, 40.0) });
    let overrides = json!([flag.entry(0, json!({ "enabled": false }))]);
    let body = json!({ "environment_default": default, "segment_overrides": overrides });
    let changed = flag.write("PATCH", body).await;

    let mut expected = flag.entry(0, json!({ "priority": 0 }));
    for (name, value) in state(true, text("pink"), variants(30.0, 20.0))
        .as_object()
        .unwrap()
    {
        expected[name] = value.clone();
    }
    assert_eq!(
        made["segment_overrides"],
        json!([expected]),
        "a new one is as the default"
    );
    expected["enabled"] = json!(false);
    assert_eq!(changed["segment_overrides"], json!([expected]));
    let default = state(false, text("red"), variants(60.0, 40.0));
    assert_eq!(changed["environment_default"], default);
    let served = flag.desk.flag("colour", Some(("pia", json!([])))).await;
    assert_eq!(served["enabled"], false);
}

#[tokio::test]
async fn a_patch_leaves_what_it_does_not_name_directly() {
    a_patch_leaves_what_it_does_not_name(false).await;
}

#[tokio::test]
async fn a_patch_leaves_what_it_does_not_name_by_a_version() {
    a_patch_leaves_what_it_does_not_name(true).await;
}

async fn a_put_writes_anew_what_it_names(by_versions: bool) {
    let flag = flag(by_versions).await;
    let both = json!([
        flag.entry(
            0,
            json!({ "value": text("pink"), "variants": variants(0.0, 0.0) })
        ),
        flag.entry(1, json!({ "enabled": false })),
    ]);
    flag.write("PUT", json!({ "segment_overrides": both }))
        .await;
    assert_eq!(flag.write("PUT", json!({})).await, flag.get().await);

    let only = json!([flag.entry(1, json!({ "priority": 5 }))]);
    let fewer = flag
        .write("PUT", json!({ "segment_overrides": only }))
        .await;
    let default = json!({ "environment_default": { "variants": variants(1.5, 2.0) } });
    let reset = flag.write("PUT", default).await;
    let none = flag.write("PUT", json!({ "segment_overrides": [] })).await;

    let mut expected = flag.entry(1, json!({ "priority": 5 }));
    for (name, value) in state(true, text("red"), variants(30.0, 20.0))
        .as_object()
        .unwrap()
    {
        expected[name] = value.clone();
    }
    assert_eq!(
        fewer["segment_overrides"],
        json!([expected]),
        "as the default again"
    );
    let default = state(false, Json::Null, variants(1.5, 2.0));
    assert_eq!(reset["environment_default"], default);
    assert_eq!(
        reset["segment_overrides"],
        json!([expected]),
        "what is not named stays"
    );
    assert_eq!(none["segment_overrides"], json!([]));
}

#[tokio::test]
async fn a_put_writes_anew_what_it_names_directly() {
    a_put_writes_anew_what_it_names(false).await;
}

#[tokio::test]
async fn a_put_writes_anew_what_it_names_by_a_version() {
    a_put_writes_anew_what_it_names(true).await;
}

async fn an_override_is_taken_away(by_versions: bool) {
    let flag = flag(by_versions).await;
    let both = json!([flag.entry(0, json!({})), flag.entry(1, json!({}))]);
    flag.write("PATCH", json!({ "segment_overrides": both }))
        .await;
    let path = format!("{}segment-overrides/{}/", flag.path(), flag.segments[0]);

    let deleted = flag.desk.delete(&path).await;
    let again = flag.desk.delete(&path).await;

    assert_eq!(deleted.status, 200, "{}", deleted.text());
    let left = &deleted.json()["segment_overrides"];
    assert_eq!(left[0]["segment"]["id"], flag.segments[1]);
    assert_eq!(
        (left[0]["priority"].as_i64(), left.as_array().unwrap().len()),
        (Some(1), 1),
        "the others keep their priorities"
    );
    assert_eq!(deleted.json(), flag.get().await);
    check_refusal(
        &again,
        404,
        &json!({ "detail": "Segment override not found." }),
    );
}

#[tokio::test]
async fn an_override_is_taken_away_directly() {
    an_override_is_taken_away(false).await;
}

#[tokio::test]
async fn an_override_is_taken_away_by_a_version() {
    an_override_is_taken_away(true).await;
}

async fn two_overrides_of_one_priority_are_refused(by_versions: bool) {
    let flag = flag(by_versions).await;
    let first = json!([flag.entry(0, json!({}))]);
    flag.write("PATCH", json!({ "segment_overrides": first }))
        .await;
    let before = flag.get().await;

    let body = json!({
        "environment_default": { "enabled": false },
        "segment_overrides": [flag.entry(1, json!({ "priority": 0 }))],
    });
    let reply = flag.desk.patch(&flag.path(), body).await;

    check_refusal(&reply, 400, &json!({ "detail": "Duplicate priority: 0." }));
    assert_eq!(flag.get().await, before, "nothing was written");
}

#[tokio::test]
async fn two_overrides_of_one_priority_are_refused_directly() {
    two_overrides_of_one_priority_are_refused(false).await;
}

#[tokio::test]
async fn two_overrides_of_one_priority_are_refused_by_a_version() {
    two_overrides_of_one_priority_are_refused(true).await;
}

#[tokio::test]
async fn problems_stand_where_they_are_in_the_body() {
    let flag = flag(false).await;
    let plain = flag.desk.make_feature(json!({ "name": "plain" })).await;
    let check = async |method: &str, body: Json, expected: Json| {
        let body = Some(body.to_string());
        let reply = flag.desk.ask(method, &flag.path(), body).await;
        check_refusal(&reply, 400, &expected);
    };
    let default = |more: Json| json!({ "environment_default": more });
    let overrides = |more: Json| json!({ "segment_overrides": more });

    check("PATCH", json!([]), json!(["Expected an object."])).await;
    let above = default(json!({ "variants": variants(60.0, 50.0) }));
    let problem = json!({ "variants": ["Total weight must not exceed 100."] });
    check("PATCH", above, default(problem)).await;
    let missing = json!({ "variants": ["Must include all feature's variants."] });
    let one = json!({ "variants": [{ "id": 1, "weight": 5 }] });
    check("PATCH", default(one), default(missing.clone())).await;
    check("PUT", default(json!({ "enabled": true })), default(missing)).await;
    let unknown = json!({ "variants": [{ "id": 9, "weight": 5 }] });
    let entries = json!([flag.entry(0, json!({})), flag.entry(1, unknown)]);
    let expected = json!([{}, { "variants": ["Variant not found."] }]);
    check("PATCH", overrides(entries), overrides(expected)).await;
    let nobody = json!([{ "segment": { "id": 99 } }]);
    let expected = json!([{ "segment": { "id": ["Segment not found."] } }]);
    check("PATCH", overrides(nobody), overrides(expected)).await;
    let twice = json!([flag.entry(0, json!({})), flag.entry(0, json!({}))]);
    let text = format!("Duplicate segment: {}.", flag.segments[0]);
    check("PATCH", overrides(twice), overrides(json!([text]))).await;
    let value = json!({ "value": { "type": "boolean", "value": "yes" } });
    let text = "'yes' is not a valid boolean (use 'true' or 'false')";
    check("PATCH", default(value), default(json!({ "value": [text] }))).await;
    let path = flag
        .path()
        .replace(&format!("/{}/", flag.feature), &format!("/{plain}/"));
    let body = default(json!({ "variants": [] }));
    let reply = flag.desk.patch(&path, body).await;
    let problem = json!({ "variants": ["Feature is not multivariate."] });
    check_refusal(&reply, 400, &default(problem));
}

#[tokio::test]
async fn nobody_else_learns_of_a_flag_and_nobody_writes_around_an_approval() {
    let flag = flag(false).await;
    let body = || Some(json!({ "environment_default": { "enabled": false } }));
    let stranger = flag.desk.stranger().await;
    let missing = json!({ "detail": "Not found." });

    for method in ["GET", "PUT", "PATCH"] {
        let reply = stranger.ask(method, &flag.path(), body()).await;
        check_refusal(&reply, 404, &missing);
    }
    let segment = format!("{}segment-overrides/{}/", flag.path(), flag.segments[0]);
    check_refusal(&stranger.ask("DELETE", &segment, None).await, 404, &missing);
    let unknown = flag.path().replace(&format!("/{}/", flag.feature), "/99/");
    check_refusal(&flag.desk.get(&unknown).await, 404, &missing);
    let approvals = json!({ "minimum_change_request_approvals": 0 });
    flag.desk
        .patch(&flag.desk.in_environment(""), approvals)
        .await;
    let protected = flag.desk.patch(&flag.path(), body().unwrap()).await;
    let expected = json!({
        "detail": "Cannot update flags in an environment with change requests enabled.",
        "code": "change_requests_enabled",
    });
    check_refusal(&protected, 409, &expected);
    check_refusal(&flag.desk.delete(&segment).await, 409, &expected);
    assert_eq!(flag.get().await["environment_default"]["enabled"], true);
}
