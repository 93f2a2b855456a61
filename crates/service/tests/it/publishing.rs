//! A change is served as soon as it is answered, and snapshots built from parts equal fresh ones.

use crate::fixture::Fixture;
use flagstaff_core::{Condition, Context, Rule, RuleKind, Snapshot, Value};
use flagstaff_service::{
    Caller, EnvironmentPatch, IdentityOverrideRequest, SegmentOverrideRequest, SegmentRequest,
    ServiceError, StatePatch, ValueChange,
};

fn condition(property: &str, value: &str) -> Vec<Rule> {
    let condition = Condition {
        id: None,
        operator: "EQUAL".to_owned(),
        property: Some(property.to_owned()),
        value: Some(value.to_owned()),
        description: None,
    };
    vec![Rule {
        id: None,
        kind: RuleKind::All,
        rules: Vec::new(),
        conditions: vec![condition],
    }]
}

fn default_value(snapshot: &Snapshot, name: &str) -> Value {
    let index = snapshot.rules.feature_index(name).unwrap();
    let context = Context::default();
    let mut evaluator = snapshot.rules.evaluator(&context);
    evaluator.flag(index).value.clone()
}

/// What a snapshot says, without the sharing.
fn said(snapshot: &Snapshot) -> String {
    format!(
        "{} {:?} {:?} {:?} {:?} {:?}",
        snapshot.revision,
        snapshot.updated_at,
        snapshot.environment,
        snapshot.features,
        snapshot.segments,
        snapshot.identities.in_order(),
    )
}

#[tokio::test]
async fn whoever_changes_a_value_is_served_it_at_once() {
    let fixture = Fixture::new().await;
    let feature = fixture.feature("banner", Some("hello")).await;
    let before = fixture.open().await;
    let state = fixture.default_state(feature).await;
    let patch = StatePatch {
        value: Some(ValueChange::Integer(7)),
        ..StatePatch::default()
    };

    let key = &fixture.environment.api_key;
    let changed = fixture
        .service
        .update_feature_state(&fixture.caller, key, state, patch)
        .await
        .unwrap();

    let after = fixture.open().await;
    assert_eq!(
        changed.value.text.as_deref(),
        Some("hello"),
        "the other column keeps its value"
    );
    assert_eq!(
        default_value(before.snapshot(), "banner"),
        Value::text("hello")
    );
    assert_eq!(default_value(after.snapshot(), "banner"), Value::Integer(7));
    assert!(after.snapshot().revision > before.snapshot().revision);
    assert!(after.snapshot().updated_at > before.snapshot().updated_at);
}

#[tokio::test]
async fn a_snapshot_after_any_sequence_of_edits_equals_a_fresh_one() {
    let fixture = Fixture::new().await;
    let (service, caller) = (&fixture.service, &fixture.caller);
    let key = &*fixture.environment.api_key;
    let resident = fixture.open().await;
    let banner = fixture.feature("banner", Some("hello")).await;
    let colour = fixture
        .multivariate("colour", &[("blue", 30.0), ("green", 20.0)])
        .await;
    let request = SegmentRequest {
        name: "pro".to_owned(),
        description: None,
        feature_id: None,
        hash: None,
        rules: condition("plan", "pro"),
    };
    let segment = service
        .create_segment(caller, fixture.project.id, request)
        .await
        .unwrap();
    let ada = service.create_identity(caller, key, "ada").await.unwrap();
    let bob = service.create_identity(caller, key, "bob").await.unwrap();
    for identity in [ada.id, bob.id] {
        let request = IdentityOverrideRequest {
            feature_id: banner,
            enabled: true,
            value: Some(ValueChange::Text(Some(format!("for {identity}")))),
            weights: Vec::new(),
        };
        service
            .create_identity_override(caller, key, identity, request)
            .await
            .unwrap();
    }
    let request = SegmentOverrideRequest {
        segment_id: segment.id,
        priority: None,
        enabled: true,
        value: ValueChange::Text(Some("red".to_owned())),
        weights: Vec::new(),
    };
    service
        .create_segment_override(caller, key, colour, request)
        .await
        .unwrap();
    service.delete_identity(caller, key, bob.id).await.unwrap();
    service
        .delete_feature(caller, fixture.project.id, banner)
        .await
        .unwrap();

    let edited = fixture.open().await;
    let fresh = fixture
        .node()
        .published(fixture.environment.id)
        .await
        .unwrap();

    assert!(edited.snapshot().revision > resident.snapshot().revision + 8);
    assert_eq!(said(edited.snapshot()), said(&fresh.snapshot));
    assert!(
        edited.snapshot().identities.is_empty(),
        "the feature they override is gone"
    );
}

#[tokio::test]
async fn a_change_made_on_another_node_is_followed() {
    let fixture = Fixture::new().await;
    let feature = fixture.feature("banner", Some("hello")).await;
    let other = fixture.node();
    let published = other.published(fixture.environment.id).await.unwrap();
    assert_eq!(
        default_value(&published.snapshot, "banner"),
        Value::text("hello")
    );
    let state = fixture.default_state(feature).await;
    let patch = StatePatch {
        value: Some(ValueChange::Text(Some("bye".to_owned()))),
        ..StatePatch::default()
    };
    let key = &fixture.environment.api_key;
    fixture
        .service
        .update_feature_state(&fixture.caller, key, state, patch)
        .await
        .unwrap();

    other.follow_changes().await.unwrap();

    let published = other.published(fixture.environment.id).await.unwrap();
    assert_eq!(
        default_value(&published.snapshot, "banner"),
        Value::text("bye")
    );
}

#[tokio::test]
async fn streams_hear_of_a_change_and_of_nothing_else() {
    let fixture = Fixture::new().await;
    let open = fixture.open().await;
    let mut stream = fixture.service.subscribe(&open);
    stream.mark_unchanged();

    fixture.feature("banner", None).await;

    assert!(stream.has_changed().unwrap());
    let heard = *stream.borrow_and_update();
    assert_eq!(heard, fixture.open().await.snapshot().updated_at);
    assert!(!stream.has_changed().unwrap());
}

#[tokio::test]
async fn a_stranger_may_neither_see_nor_change() {
    let fixture = Fixture::new().await;
    let mut member = fixture.caller.member().unwrap().clone();
    member.is_superuser = false;
    let stranger = Caller::of_member(member, Vec::new());

    let project = fixture.service.project(&stranger, fixture.project.id).await;
    let key = &fixture.environment.api_key;
    let environment = fixture.service.environment(&stranger, key).await;
    let organisation = fixture
        .service
        .organisation(&stranger, fixture.project.organisation_id)
        .await;

    assert!(matches!(project, Err(ServiceError::NotFound { .. })));
    assert!(matches!(environment, Err(ServiceError::NotFound { .. })));
    assert!(matches!(organisation, Err(ServiceError::Forbidden)));
}

#[tokio::test]
async fn changes_of_different_fields_made_at_once_lose_nothing() {
    let fixture = Fixture::new().await;
    let key = fixture.environment.api_key.to_string();
    let change = |patch: EnvironmentPatch| {
        let (service, caller, key) = (fixture.service.clone(), fixture.caller.clone(), key.clone());
        tokio::spawn(async move { service.update_environment(&caller, &key, patch).await })
    };
    let changes = [
        change(EnvironmentPatch {
            description: Some(Some("kept".to_owned())),
            ..EnvironmentPatch::default()
        }),
        change(EnvironmentPatch {
            banner_text: Some(Some("kept".to_owned())),
            ..EnvironmentPatch::default()
        }),
        change(EnvironmentPatch {
            hide_disabled_flags: Some(Some(true)),
            ..EnvironmentPatch::default()
        }),
    ];

    for change in changes {
        change.await.unwrap().unwrap();
    }

    let environment = fixture
        .service
        .environment(&fixture.caller, &key)
        .await
        .unwrap();
    assert_eq!(environment.description.as_deref(), Some("kept"));
    assert_eq!(environment.banner_text.as_deref(), Some("kept"));
    assert_eq!(environment.hide_disabled_flags, Some(true));
}
