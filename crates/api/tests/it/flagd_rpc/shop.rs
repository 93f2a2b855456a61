//! Features of every kind, in an environment that is served to flagd.

use crate::face::{CLIENT_KEY, Face, SERVER_KEY};
use crate::flagd_grpc::integrate;
use flagstaff_api::ApiConfig;
use flagstaff_core::{
    Condition, FeatureId, FeatureKind, ProjectId, Rule, RuleKind, SegmentId, StateValue, ValueType,
};
use flagstaff_service::{
    FeatureReference, FeatureRequest, KeyNeed, OptionRequest, OverrideChange, SegmentRequest,
    StatePatch, ValueChange,
};
use flagstaff_testkit::sql;

/// A server with the features that the cases are about:
///
/// | name | what it is |
/// |---|---|
/// | `bool` | on, true |
/// | `text` | on, `hello` |
/// | `int`, `float`, `whole` | on, 5, 1.5, 3.0 |
/// | `object` | on, `{"a":[1,"x"]}` |
/// | `off` | off, for everybody |
/// | `beta` | off, on with `early` for whoever's `plan` is `pro` |
/// | `offer` | on, with `gold` for whoever's `plan` is `pro` |
/// | `split` | on, half of all get `red` |
pub async fn shop() -> Face {
    shop_with(ApiConfig::default()).await
}

pub async fn shop_with(config: ApiConfig) -> Face {
    let face = Face::start_with(config).await;
    integrate(&face, true).await;
    // Whoever makes a feature looks after it.
    sql::execute(&face.store, include_str!("maker.sql")).await;
    feature(&face, "bool", "true", true, ValueType::Auto).await;
    feature(&face, "text", "hello", true, ValueType::Auto).await;
    feature(&face, "int", "5", true, ValueType::Auto).await;
    feature(&face, "float", "1.5", true, ValueType::Number).await;
    feature(&face, "whole", "3.0", true, ValueType::Number).await;
    feature(&face, "object", r#"{"a":[1,"x"]}"#, true, ValueType::Json).await;
    feature(&face, "off", "true", false, ValueType::Auto).await;
    feature(&face, "beta", "late", false, ValueType::Auto).await;
    feature(&face, "offer", "plain", true, ValueType::Auto).await;
    let pro = segment(&face, "pros", "plan", "EQUAL", "pro").await;
    over(&face, "beta", pro, true, "early").await;
    over(&face, "offer", pro, true, "gold").await;
    split(&face).await;
    face
}

pub async fn project(face: &Face) -> ProjectId {
    let open = face
        .service
        .open_environment(Some(SERVER_KEY), KeyNeed::Any);
    open.await.unwrap().snapshot().project.id
}

fn request(name: &str, value: &str, enabled: bool, value_type: ValueType) -> FeatureRequest {
    FeatureRequest {
        name: name.to_owned(),
        default_enabled: enabled,
        initial_value: Some(value.to_owned()),
        description: None,
        is_archived: false,
        is_server_key_only: false,
        hash: None,
        value_type,
        expected_removal: None,
        options: Vec::new(),
        kind: FeatureKind::Standard,
        tags: Vec::new(),
        owners: Some(Vec::new()),
    }
}

pub async fn feature(
    face: &Face,
    name: &str,
    value: &str,
    enabled: bool,
    value_type: ValueType,
) -> FeatureId {
    let request = request(name, value, enabled, value_type);
    let project = project(face).await;
    let made = face.service.create_feature(&face.caller, project, request);
    made.await.unwrap().feature.id
}

async fn split(face: &Face) {
    let request = FeatureRequest {
        options: vec![OptionRequest {
            key: Some("red".to_owned()),
            value: StateValue::of_text(Some("red")),
            default_percentage_allocation: 50.0,
        }],
        ..request("split", "blue", true, ValueType::Auto)
    };
    let project = project(face).await;
    let made = face.service.create_feature(&face.caller, project, request);
    made.await.unwrap();
}

/// A segment with one condition.
pub async fn segment(
    face: &Face,
    name: &str,
    property: &str,
    operator: &str,
    value: &str,
) -> SegmentId {
    let request = SegmentRequest {
        name: name.to_owned(),
        description: None,
        feature_id: None,
        hash: None,
        rules: vec![Rule {
            id: None,
            kind: RuleKind::All,
            rules: Vec::new(),
            conditions: vec![Condition {
                id: None,
                operator: operator.to_owned(),
                property: Some(property.to_owned()),
                value: Some(value.to_owned()),
                description: None,
            }],
        }],
    };
    let project = project(face).await;
    let made = face.service.create_segment(&face.caller, project, request);
    made.await.unwrap().id
}

/// Makes or changes the override of a feature for a segment.
pub async fn over(face: &Face, feature: &str, segment: SegmentId, enabled: bool, value: &str) {
    let change = OverrideChange {
        segment_id: segment,
        priority: None,
        patch: patch(enabled, value),
    };
    update(face, feature, None, vec![change]).await;
}

/// Changes what everybody else gets.
pub async fn set(face: &Face, feature: &str, enabled: bool, value: &str) {
    update(face, feature, Some(patch(enabled, value)), Vec::new()).await;
}

fn patch(enabled: bool, value: &str) -> StatePatch {
    let value = StateValue::typed_by_content(Some(value));
    StatePatch {
        enabled: Some(enabled),
        value: Some(ValueChange::exactly(&value)),
        weights: None,
    }
}

async fn update(
    face: &Face,
    feature: &str,
    default: Option<StatePatch>,
    overrides: Vec<OverrideChange>,
) {
    face.pass_seconds(1);
    let feature = FeatureReference::Name(feature.to_owned());
    let service = &face.service;
    let updated = service.update_flag(&face.caller, CLIENT_KEY, &feature, default, overrides);
    updated.await.unwrap();
}
