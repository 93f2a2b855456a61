use super::desk::{Desk, check_refusal};
use crate::face::Reply;
use serde_json::{Value as Json, json};

const FORBIDDEN: &str = "You do not have permission to perform this action.";

impl Desk {
    async fn experiment(&self, name: &str, body: Json) -> Reply {
        let path = format!("/api/experiments/environments/{}/{name}/", self.key);
        self.post(&path, body).await
    }

    /// What those in the segments get, and everybody else.
    async fn values(&self) -> (Json, Json) {
        let traits = json!([{ "trait_key": "plan", "trait_value": "pro" }]);
        let pro = self.flag("limit", Some(("pia", traits))).await;
        let other = self.flag("limit", None).await;
        let value = |flag: &Json| flag["feature_state_value"].clone();
        (value(&pro), value(&other))
    }
}

/// A desk with the feature `limit`, in an environment that is changed directly, or by versions.
async fn desk(by_versions: bool) -> (Desk, i64) {
    let desk = Desk::open().await;
    let feature = desk
        .make_feature(json!({ "name": "limit", "initial_value": "1" }))
        .await;
    if by_versions {
        desk.use_versions().await;
    }
    (desk, feature)
}

fn integer(value: i64) -> Json {
    json!({ "type": "integer", "value": value.to_string() })
}

async fn one_state_is_written(by_versions: bool) {
    let (desk, feature) = desk(by_versions).await;
    let segment = desk.make_segment("pro").await;
    let update = async |more: Json| {
        let mut body = json!({ "feature": { "name": "limit" }, "enabled": true });
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        let reply = desk.experiment("update-flag-v1", body).await;
        assert_eq!((reply.status, reply.text().as_str()), (204, ""));
    };

    update(json!({ "value": integer(11) })).await;
    assert_eq!(desk.values().await, (json!(11), json!(11)));
    let by_id = json!({ "id": feature });
    update(json!({ "feature": by_id, "segment": { "id": segment }, "value": integer(22) })).await;
    assert_eq!(desk.values().await, (json!(22), json!(11)));
    update(json!({ "segment": { "id": segment }, "value": integer(33) })).await;
    assert_eq!(desk.values().await, (json!(33), json!(11)));
    let links = format!("/api/v1/features/feature-segments/?environment=1&feature={feature}");
    assert_eq!(desk.get(&links).await.json()["count"], 1);

    let gone = json!({ "feature": { "name": "limit" }, "segment": { "id": segment } });
    let deleted = desk
        .experiment("delete-segment-override", gone.clone())
        .await;
    assert_eq!(deleted.status, 204, "{}", deleted.text());
    assert_eq!(desk.values().await, (json!(11), json!(11)));
    let again = desk.experiment("delete-segment-override", gone).await;
    let text = format!("Segment override for segment {segment} does not exist");
    check_refusal(&again, 404, &json!({ "detail": text }));
}

#[tokio::test]
async fn one_state_is_written_directly() {
    one_state_is_written(false).await;
}

#[tokio::test]
async fn one_state_is_written_by_a_version() {
    one_state_is_written(true).await;
}

async fn all_states_are_written(by_versions: bool) {
    let (desk, _) = desk(by_versions).await;
    let (weak, strong) = (desk.make_segment("a").await, desk.make_segment("b").await);
    let state = |segment: i64, value: i64, priority: Option<i64>| {
        json!({ "segment_id": segment, "enabled": true, "priority": priority,
            "value": integer(value) })
    };
    let body = |default: i64, overrides: Json| {
        json!({
            "feature": { "name": "limit" },
            "environment_default": { "enabled": true, "value": integer(default) },
            "segment_overrides": overrides,
        })
    };

    let both = json!([state(weak, 20, None), state(strong, 30, None)]);
    let made = desk.experiment("update-flag-v2", body(10, both)).await;
    assert_eq!(made.status, 204, "{}", made.text());
    assert_eq!(desk.values().await, (json!(20), json!(10)));
    let moved = json!([state(strong, 30, Some(0))]);
    let moved = desk.experiment("update-flag-v2", body(11, moved)).await;
    assert_eq!(moved.status, 204, "{}", moved.text());
    assert_eq!(
        desk.values().await,
        (json!(30), json!(11)),
        "the others give way"
    );

    // The second override cannot be written, so nothing is.
    let mut broken = state(weak, 21, None);
    let weight = json!({ "multivariate_feature_option": 99, "percentage_allocation": 1 });
    broken["multivariate_feature_state_values"] = json!([weight]);
    let broken = json!([state(strong, 31, None), broken]);
    let broken = desk.experiment("update-flag-v2", body(12, broken)).await;
    let text = "Multivariate options [99] do not belong to the feature";
    check_refusal(&broken, 400, &json!({ "non_field_errors": [text] }));
    assert_eq!(desk.values().await, (json!(30), json!(11)));
}

#[tokio::test]
async fn all_states_are_written_directly_or_none() {
    all_states_are_written(false).await;
}

#[tokio::test]
async fn all_states_are_written_by_a_version_or_none() {
    all_states_are_written(true).await;
}

#[tokio::test]
async fn each_change_is_told_of_as_recorded() {
    let (desk, _) = desk(false).await;
    let segment = desk.make_segment("pro").await;
    let body = |segment: Json, value: i64| {
        json!({ "feature": { "name": "limit" }, "segment": segment, "enabled": true,
            "value": integer(value) })
    };
    let mut default = body(json!(null), 5);
    default.as_object_mut().unwrap().remove("segment");
    let told = async |count: usize| desk.last_audited(count).await;

    desk.experiment("update-flag-v1", default.clone()).await;
    let both = [
        "Flag state updated for feature: limit",
        "Remote config value updated for feature: limit",
    ];
    assert_eq!(told(2).await, both);
    let pro = json!({ "id": segment });
    desk.experiment("update-flag-v1", body(pro.clone(), 6))
        .await;
    let made = "Remote config updated for segment override on feature 'limit' and segment 'pro'.";
    assert_eq!(told(1).await, [made]);
    let gone = json!({ "feature": { "name": "limit" }, "segment": pro });
    desk.experiment("delete-segment-override", gone).await;
    let deleted = "Flag state / Remote config value deleted for feature 'limit' and segment 'pro'";
    assert_eq!(told(1).await, [deleted]);
    desk.use_versions().await;
    desk.experiment("update-flag-v1", default).await;
    assert_eq!(told(1).await, ["New version published for feature: limit"]);
}

#[tokio::test]
async fn a_feature_is_named_in_one_way() {
    let (desk, _) = desk(false).await;
    let check = async |feature: Json, expected: Json| {
        let body = json!({ "feature": feature, "enabled": true, "value": integer(1) });
        let reply = desk.experiment("update-flag-v1", body).await;
        check_refusal(&reply, 400, &expected);
    };
    let nested = |text: &str| json!({ "feature": { "non_field_errors": [text] } });

    let neither = "Either 'name' or 'id' is required for feature identification";
    check(json!({}), nested(neither)).await;
    let both = json!({ "name": "limit", "id": 1 });
    check(both, nested("Provide either 'name' or 'id', not both")).await;
    let case = json!({ "name": "Limit" });
    check(
        case,
        json!(["Feature '{'name': 'Limit'}' not found in project"]),
    )
    .await;
    let id = json!({ "id": 99 });
    check(id, json!(["Feature '{'id': 99}' not found in project"])).await;
}

#[tokio::test]
async fn what_is_missing_or_unknown_is_told() {
    let (desk, _) = desk(false).await;
    let required = json!(["This field is required."]);

    let empty = desk.experiment("update-flag-v1", json!({})).await;
    let empty_too = desk.experiment("update-flag-v2", json!({})).await;
    let nothing = desk.experiment("delete-segment-override", json!({})).await;
    let feature = json!({ "name": "limit" });
    let body = json!({ "feature": feature, "segment": { "id": 99 }, "enabled": true,
        "value": integer(1) });
    let unknown = desk.experiment("update-flag-v1", body.clone()).await;
    let undeletable = desk.experiment("delete-segment-override", body).await;
    let entry = json!({ "segment_id": 99, "enabled": true, "value": integer(1) });
    let all = |overrides: Json| {
        json!({ "feature": feature, "segment_overrides": overrides,
            "environment_default": { "enabled": true, "value": integer(1) } })
    };
    let listed = desk.experiment("update-flag-v2", all(json!([entry]))).await;
    let twice = desk
        .experiment("update-flag-v2", all(json!([entry, entry])))
        .await;

    let expected = json!({ "feature": required, "enabled": required, "value": required });
    check_refusal(&empty, 400, &expected);
    let expected = json!({ "feature": required, "environment_default": required });
    check_refusal(&empty_too, 400, &expected);
    let expected = json!({ "feature": required, "segment": required });
    check_refusal(&nothing, 400, &expected);
    let text = "Segment with id 99 not found in project";
    check_refusal(&unknown, 400, &json!({ "segment": [text] }));
    check_refusal(&undeletable, 400, &json!({ "segment": [text] }));
    check_refusal(&listed, 400, &json!({ "segment_overrides": [text] }));
    let text = "Duplicate segment_id values are not allowed";
    check_refusal(&twice, 400, &json!({ "segment_overrides": [text] }));
}

#[tokio::test]
async fn weights_of_an_override_are_checked() {
    let desk = Desk::open().await;
    let option = |value: &str| json!({ "type": "unicode", "string_value": value, "default_percentage_allocation": 10 });
    let colour = json!({ "name": "colour", "initial_value": "red",
        "multivariate_options": [option("blue"), option("green")] });
    desk.make_feature(colour).await;
    let segment = desk.make_segment("pro").await;
    let write = async |weights: Json| {
        let value = json!({ "type": "string", "value": "red" });
        let entry = json!({ "segment_id": segment, "enabled": true, "value": value,
            "multivariate_feature_state_values": weights });
        let body = json!({ "feature": { "name": "colour" }, "segment_overrides": [entry],
            "environment_default": { "enabled": true, "value": value } });
        desk.experiment("update-flag-v2", body).await
    };
    let weight = |option: i64, percent: i64| json!({ "multivariate_feature_option": option, "percentage_allocation": percent });

    let twice = write(json!([weight(1, 10), weight(1, 20)])).await;
    let above = write(json!([weight(1, 95), weight(2, 10)])).await;
    let written = write(json!([weight(1, 100), weight(2, 0)])).await;

    let text = "Multivariate options must be unique";
    check_refusal(&twice, 400, &json!({ "non_field_errors": [text] }));
    let text = "Multivariate allocations for the feature state must not exceed 100%.";
    check_refusal(&above, 400, &json!([text]));
    assert_eq!(written.status, 204, "{}", written.text());
    let traits = json!([{ "trait_key": "plan", "trait_value": "pro" }]);
    let flag = desk.flag("colour", Some(("pia", traits))).await;
    assert_eq!(flag["feature_state_value"], "blue");
}

#[tokio::test]
async fn only_who_may_change_states_does_and_never_around_an_approval() {
    let (desk, _) = desk(false).await;
    let body = json!({ "feature": { "name": "limit" }, "enabled": true, "value": integer(2) });
    let path = |key: &str| format!("/api/experiments/environments/{key}/update-flag-v1/");
    let stranger = desk.stranger().await;

    let foreign = stranger
        .ask("POST", &path(&desk.key), Some(body.clone()))
        .await;
    let unknown = desk.post(&path("nothing"), body.clone()).await;
    let approvals = json!({ "minimum_change_request_approvals": 1 });
    let changed = desk.patch(&desk.in_environment(""), approvals).await;
    let protected = desk.post(&path(&desk.key), body).await;

    check_refusal(&foreign, 403, &json!({ "detail": FORBIDDEN }));
    check_refusal(&unknown, 403, &json!({ "detail": FORBIDDEN }));
    assert_eq!(changed.status, 200, "{}", changed.text());
    let text = "This endpoint cannot be used when change requests are enabled. \
                Use the change request workflow instead.";
    check_refusal(&protected, 403, &json!({ "detail": text }));
    assert_eq!(desk.values().await.1, 1);
}
