//! Versions of features: what is served when, by the clock.

use crate::fixture::Fixture;
use flagstaff_core::{FeatureId, StateOwner, Timestamp};
use flagstaff_service::{
    PageRequest, ServiceError, StatePatch, ValueChange, VersionFilter, VersionPlace, VersionPlan,
    VersionUpdate, VersionView, VersioningProblem,
};

/// A fixture whose environment changes by versions.
struct Versioned {
    fixture: Fixture,
    feature: FeatureId,
}

impl Versioned {
    async fn new() -> Self {
        let fixture = Fixture::new().await;
        let feature = fixture.feature("banner", Some("first")).await;
        let key = &fixture.environment.api_key;
        fixture
            .service
            .enable_versions(&fixture.caller, key)
            .await
            .unwrap();
        Self { fixture, feature }
    }

    fn place(&self) -> VersionPlace {
        VersionPlace {
            environment_id: self.fixture.environment.id,
            feature_id: self.feature,
        }
    }

    /// The time some seconds from now.
    fn at(&self, seconds: i64) -> Timestamp {
        self.fixture.now().plus_micros(seconds * 1_000_000)
    }

    async fn make(
        &self,
        value: &str,
        live_from: Option<Timestamp>,
        is_published: bool,
    ) -> VersionView {
        let plan = VersionPlan {
            live_from,
            is_published,
            updated: vec![VersionUpdate {
                segment_id: None,
                priority: None,
                patch: StatePatch {
                    value: Some(ValueChange::Text(Some(value.to_owned()))),
                    ..StatePatch::default()
                },
            }],
            ..VersionPlan::default()
        };
        let fixture = &self.fixture;
        let made = fixture
            .service
            .create_feature_version(&fixture.caller, self.place(), plan)
            .await;
        made.unwrap()
    }

    async fn value(&self) -> String {
        let open = self.fixture.open().await;
        let state = &open.snapshot().features[0].state;
        state.value.text.clone().unwrap_or_default()
    }

    /// Lets seconds pass and does what is due.
    async fn pass(&self, seconds: i64) -> Option<Timestamp> {
        self.fixture.advance(seconds);
        self.fixture.service.apply_due_changes().await.unwrap()
    }

    async fn flips(&self) -> usize {
        let organisation = Some(self.fixture.project.organisation_id);
        let entries = self
            .fixture
            .store
            .audit_entries(organisation, 0, 1000)
            .await;
        let entries = entries.unwrap();
        let of_schedule = entries
            .iter()
            .filter(|entry| entry.actor_name == "schedule");
        of_schedule.count()
    }
}

#[tokio::test]
async fn two_planned_versions_come_in_the_order_of_their_times() {
    let v = Versioned::new().await;
    let (one, two) = (v.at(10), v.at(20));
    v.make("two", Some(two), true).await;
    v.make("one", Some(one), true).await;

    assert_eq!(v.pass(9).await, Some(one));
    assert_eq!(v.value().await, "first");
    assert_eq!(v.pass(1).await, Some(two));
    assert_eq!(v.value().await, "one");
    assert_eq!(v.pass(10).await, None);
    assert_eq!(v.value().await, "two");
    assert_eq!(v.pass(100).await, None);
    assert_eq!(v.flips().await, 2);
}

#[tokio::test]
async fn a_later_plan_builds_on_an_earlier_one() {
    let v = Versioned::new().await;
    v.make("one", Some(v.at(10)), true).await;
    let draft = VersionPlan {
        live_from: Some(v.at(20)),
        ..VersionPlan::default()
    };
    let caller = &v.fixture.caller;
    let made = v
        .fixture
        .service
        .create_feature_version(caller, v.place(), draft)
        .await
        .unwrap();

    let states = v
        .fixture
        .service
        .feature_version_states(caller, v.place(), made.version.uuid)
        .await
        .unwrap();

    assert_eq!(states[0].value.text.as_deref(), Some("one"));
}

#[tokio::test]
async fn what_is_published_meanwhile_gives_way_to_the_plan_at_its_time() {
    let v = Versioned::new().await;
    v.make("planned", Some(v.at(10)), true).await;
    v.fixture.advance(5);
    v.make("meanwhile", None, true).await;
    assert_eq!(v.value().await, "meanwhile");

    v.pass(5).await;

    assert_eq!(v.value().await, "planned");
    assert_eq!(v.flips().await, 1);
}

#[tokio::test]
async fn a_time_that_has_passed_is_now_and_wins_over_what_is_live() {
    let v = Versioned::new().await;
    v.fixture.advance(10);
    v.make("live", None, true).await;
    // The clock stands still, and the time asked for lies before that of the live version.
    let made = v.make("past", Some(v.at(-5)), true).await;

    assert!(made.is_live);
    assert!(made.version.live_from > Some(v.at(-1)), "{made:?}");
    assert_eq!(v.value().await, "past");
    assert_eq!(v.fixture.service.apply_due_changes().await.unwrap(), None);
    assert_eq!(v.flips().await, 0);
}

#[tokio::test]
async fn a_node_whose_clock_is_behind_publishes_over_what_is_live() {
    let v = Versioned::new().await;
    v.fixture.advance(3600);
    v.make("ahead", None, true).await;
    v.fixture.advance(-1800);

    let made = v.make("behind", None, true).await;

    assert!(made.is_live);
    assert_eq!(v.value().await, "behind");
    let elsewhere = v.fixture.node();
    let published = elsewhere.published(v.fixture.environment.id).await.unwrap();
    let state = &published.snapshot.features[0].state;
    assert_eq!(state.value.text.as_deref(), Some("behind"));
    assert_eq!(v.fixture.service.apply_due_changes().await.unwrap(), None);
    assert_eq!(v.flips().await, 0);
}

#[tokio::test]
async fn a_node_that_starts_after_the_time_serves_the_plan_and_tells_of_it_once() {
    let v = Versioned::new().await;
    v.make("planned", Some(v.at(10)), true).await;
    v.fixture.advance(60);
    let again = v.fixture.node();

    let published = again.published(v.fixture.environment.id).await.unwrap();
    again.apply_due_changes().await.unwrap();
    v.fixture.service.apply_due_changes().await.unwrap();

    let state = &published.snapshot.features[0].state;
    assert_eq!(state.value.text.as_deref(), Some("planned"));
    assert_eq!(v.flips().await, 1);
    assert_eq!(v.value().await, "planned");
}

#[tokio::test]
async fn a_plan_can_be_put_off_brought_forward_and_dropped() {
    let v = Versioned::new().await;
    let made = v.make("planned", Some(v.at(10)), true).await.version.uuid;
    let (service, caller) = (&v.fixture.service, &v.fixture.caller);

    let later = v.at(30);
    service
        .publish_feature_version(caller, v.place(), made, Some(later))
        .await
        .unwrap();
    assert_eq!(v.pass(15).await, Some(later));
    assert_eq!(v.value().await, "first");
    service
        .publish_feature_version(caller, v.place(), made, Some(v.at(0)))
        .await
        .unwrap();
    assert_eq!(v.value().await, "planned");
    assert_eq!(service.apply_due_changes().await.unwrap(), None);

    let dropped = v.make("dropped", Some(v.at(10)), true).await.version.uuid;
    service
        .delete_feature_version(caller, v.place(), dropped)
        .await
        .unwrap();
    assert_eq!(v.pass(20).await, None);
    assert_eq!(v.value().await, "planned");
    assert_eq!(v.flips().await, 0);
}

#[tokio::test]
async fn a_plan_whose_time_has_come_can_neither_be_dropped_nor_put_off() {
    let v = Versioned::new().await;
    let made = v.make("planned", Some(v.at(10)), true).await.version.uuid;
    // Nobody has done yet what is due.
    v.fixture.advance(11);
    let (service, caller) = (&v.fixture.service, &v.fixture.caller);

    let dropped = service
        .delete_feature_version(caller, v.place(), made)
        .await;
    let put_off = service
        .publish_feature_version(caller, v.place(), made, Some(v.at(10)))
        .await;

    let is = |error, problem| matches!(error, ServiceError::Versioning(found) if found == problem);
    assert!(is(dropped.unwrap_err(), VersioningProblem::Live));
    assert!(is(put_off.unwrap_err(), VersioningProblem::PutOff));
}

#[tokio::test]
async fn nobody_changes_variant_when_a_version_is_published() {
    let v = Versioned::new().await;
    let fixture = &v.fixture;
    let colour = fixture
        .multivariate("colour", &[("blue", 30.0), ("green", 20.0)])
        .await;
    let state = async || {
        let open = fixture.open().await;
        let snapshot = open.snapshot();
        let index = snapshot.feature_index_by_id(colour).unwrap();
        snapshot.features[index].state.clone()
    };
    let before = state().await;
    let place = VersionPlace {
        feature_id: colour,
        ..v.place()
    };
    let plan = VersionPlan {
        is_published: true,
        ..VersionPlan::default()
    };

    fixture
        .service
        .create_feature_version(&fixture.caller, place, plan)
        .await
        .unwrap();

    let after = state().await;
    assert_ne!(after.id, before.id);
    assert_eq!(after.hash_seed, before.hash_seed);
    assert_eq!(after.value, before.value);
    for (after, before) in after.weights.iter().zip(&before.weights) {
        assert_eq!(after.option_id, before.option_id);
        assert_eq!(after.percentage_allocation, before.percentage_allocation);
    }
}

#[tokio::test]
async fn versions_begin_and_end_without_a_change_of_what_is_served() {
    let v = Versioned::new().await;
    v.fixture.advance(1);
    v.make("live", None, true).await;
    v.make("planned", Some(v.at(10)), true).await;
    v.make("draft", None, false).await;
    let (service, caller) = (&v.fixture.service, &v.fixture.caller);
    let key = &v.fixture.environment.api_key;

    service.disable_versions(caller, key).await.unwrap();

    assert_eq!(v.value().await, "live");
    assert_eq!(v.pass(60).await, None);
    assert_eq!(v.value().await, "live");
    let page = service
        .feature_versions(
            caller,
            v.place(),
            VersionFilter::default(),
            PageRequest::first(),
        )
        .await;
    assert_eq!(page.unwrap().total, 0);
    let open = v.fixture.open().await;
    let state = &open.snapshot().features[0].state;
    assert_eq!(state.owner, StateOwner::Environment);
    assert_eq!(state.feature_version, None);
}
