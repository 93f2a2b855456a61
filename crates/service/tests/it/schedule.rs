//! Scheduled states become true at their time, once.

use crate::fixture::Fixture;
use flagstaff_core::{FeatureId, StateValue, Timestamp, Value};
use flagstaff_store::{
    Action, Actor, AuditEntry, Change, NewFeatureState, NewStateOwner, Noun, Touched,
};
use uuid::Uuid;

/// Schedules another value of a feature for a minute from now; gives that time.
async fn schedule(fixture: &Fixture, feature: FeatureId, value: &str) -> Timestamp {
    let due = fixture.now().plus_micros(60_000_000);
    let mut write = fixture.store.write().await.unwrap();
    let state = NewFeatureState {
        uuid: Uuid::new_v4(),
        feature_id: feature,
        environment_id: fixture.environment.id,
        owner: NewStateOwner::Environment,
        enabled: true,
        value: StateValue::of_text(Some(value)),
        hash_seed: None,
        weights: Vec::new(),
        version: 2,
        live_from: due,
    };
    write
        .insert_feature_state(&state, fixture.now())
        .await
        .unwrap();
    let entry = AuditEntry {
        organisation_id: Some(fixture.project.organisation_id),
        project_id: None,
        environment_id: None,
        actor: Actor::System {
            name: "test".to_owned(),
        },
        action: Action::Create,
        noun: Noun::FeatureState,
        object_id: None,
        object_uuid: None,
        summary: "scheduled".to_owned(),
        details: None,
        subjects: flagstaff_store::AuditSubjects::default(),
    };
    let change = Change {
        audit: vec![entry],
        touched: Touched {
            environments: vec![fixture.environment.id],
            ..Touched::default()
        },
        at: fixture.now(),
        outbox: Vec::new(),
    };
    write.commit(change).await.unwrap();
    due
}

#[tokio::test]
async fn a_scheduled_state_becomes_true_once_however_many_nodes_wait() {
    let fixture = Fixture::new().await;
    let feature = fixture.feature("banner", Some("before")).await;
    let other = fixture.node();
    let own = fixture.open().await;
    let theirs = other.published(fixture.environment.id).await.unwrap();
    let due = schedule(&fixture, feature, "after").await;

    assert_eq!(
        fixture.service.apply_due_changes().await.unwrap(),
        Some(due)
    );
    fixture.service.follow_changes().await.unwrap();
    assert_eq!(
        value(&fixture.open().await.published.snapshot),
        Value::text("before")
    );
    fixture.advance(60);
    let (one, two) = tokio::join!(
        fixture.service.apply_due_changes(),
        other.apply_due_changes()
    );
    assert_eq!((one.unwrap(), two.unwrap()), (None, None));
    fixture.service.follow_changes().await.unwrap();
    other.follow_changes().await.unwrap();

    let after = fixture.open().await;
    let elsewhere = other.published(fixture.environment.id).await.unwrap();
    assert_eq!(value(after.snapshot()), Value::text("after"));
    assert_eq!(value(&elsewhere.snapshot), Value::text("after"));
    // One revision for scheduling it, one for the flip: a second node adds none.
    assert_eq!(after.snapshot().revision, own.snapshot().revision + 2);
    assert_eq!(elsewhere.snapshot.revision, theirs.snapshot.revision + 2);
    let entries = fixture
        .store
        .audit_entries(Some(fixture.project.organisation_id), 0, 1000)
        .await
        .unwrap();
    let flips = entries
        .iter()
        .filter(|entry| entry.actor_name == "schedule");
    assert_eq!(flips.count(), 1);
    for entry in &entries {
        assert_eq!(
            entry.hash,
            entry.expected_hash(),
            "entry {}",
            entry.sequence
        );
    }
    for pair in entries.windows(2) {
        assert_eq!(pair[0].hash, pair[1].previous_hash);
    }
}

fn value(snapshot: &flagstaff_core::Snapshot) -> Value {
    snapshot.features[0].state.value.effective()
}

#[tokio::test]
async fn a_question_in_the_instant_of_a_scheduled_change_is_answered_with_it() {
    let fixture = Fixture::new().await;
    let feature = fixture.feature("banner", Some("before")).await;
    schedule(&fixture, feature, "after").await;
    fixture.service.follow_changes().await.unwrap();
    let early = fixture.service.up_to_now(fixture.open().await).await;
    fixture.advance(60);

    // No timer runs here.
    let held = fixture.open().await;
    let asked = fixture.service.up_to_now(held.clone()).await;
    let again = fixture.service.up_to_now(asked.clone()).await;

    assert_eq!(value(early.snapshot()), Value::text("before"));
    assert_eq!(value(held.snapshot()), Value::text("before"));
    assert_eq!(value(asked.snapshot()), Value::text("after"));
    assert_eq!(asked.server_side, held.server_side);
    assert_eq!(again.snapshot().revision, asked.snapshot().revision);
}

#[tokio::test]
async fn a_scheduled_change_that_another_node_made_true_is_not_waited_for() {
    let fixture = Fixture::new().await;
    let feature = fixture.feature("banner", Some("before")).await;
    schedule(&fixture, feature, "after").await;
    fixture.service.follow_changes().await.unwrap();
    let held = fixture.open().await;
    fixture.advance(60);
    fixture.node().apply_due_changes().await.unwrap();

    let asked = fixture.service.up_to_now(held.clone()).await;

    assert_eq!(value(held.snapshot()), Value::text("before"));
    assert_eq!(value(asked.snapshot()), Value::text("after"));
}
