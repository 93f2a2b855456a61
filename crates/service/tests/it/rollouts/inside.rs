//! Rollouts inside of a segment that has an override already.

use super::crowd::{Raised, create, holders, holders_with, plan, share};
use super::places::{Place, with_versions, without_versions};
use super::refusals::{is_managed, rule, segment};
use flagstaff_core::{Attributes, SegmentId, Value};
use flagstaff_service::{
    FeatureReference, OverrideChange, RolloutRequest, StatePatch, ValueChange, VariantReference,
    WeightChange,
};

const GREEN: Raised<'static> = Raised {
    feature: "colour",
    value: Some("green"),
};

fn staff() -> Attributes {
    let mut staff = Attributes::new();
    staff.insert("company", Value::text("us"));
    staff
}

/// Writes an override of the feature with options.
async fn write(place: &Place, segment: SegmentId, patch: StatePatch, priority: Option<i64>) {
    let fixture = &place.fixture;
    let change = OverrideChange {
        segment_id: segment,
        priority,
        patch,
    };
    let (feature, key) = (
        FeatureReference::Id(place.colour),
        &fixture.environment.api_key,
    );
    let service = &fixture.service;
    service
        .update_flag(&fixture.caller, key, &feature, None, vec![change])
        .await
        .unwrap();
}

/// All of who is served what, but for times.
async fn served(place: &Place) -> String {
    let published = place.fixture.open().await.published;
    let rules = &published.snapshot.rules;
    let overrides = rules.segments().iter().map(|segment| {
        let of_segment = segment.overrides().iter().map(|each| {
            let weights: Vec<_> = each.state.variants.iter().map(|each| each.weight).collect();
            format!(
                "{:?} {} {:?} {weights:?}",
                each.priority, each.state.enabled, each.state.value
            )
        });
        format!("{} {:?}", segment.name(), of_segment.collect::<Vec<_>>())
    });
    overrides.collect::<Vec<_>>().join("; ")
}

async fn an_override_is_stood_before_and_comes_back(place: Place) {
    let fixture = &place.fixture;
    let (service, caller) = (&fixture.service, &fixture.caller);
    let internal = segment(&place, vec![rule("EQUAL", "us")]).await;
    let first = segment(&place, vec![rule("EQUAL", "first")]).await;
    let options = service
        .options(caller, fixture.project.id, place.colour)
        .await
        .unwrap();
    let weight = |(option, percentage): (usize, f64)| WeightChange {
        option_id: options[option].id,
        percentage_allocation: percentage,
    };
    let on = |weights: [f64; 2]| StatePatch {
        enabled: Some(true),
        value: Some(ValueChange::Text(Some("own".to_owned()))),
        weights: Some((0..2).zip(weights).map(weight).collect()),
    };
    write(&place, first, on([100.0, 0.0]), Some(0)).await;
    write(&place, internal, on([40.0, 10.0]), Some(1)).await;
    let before = served(&place).await;
    let greens = holders_with(fixture, &GREEN, 10_000, &staff()).await;
    let others = holders(fixture, &GREEN, 10_000).await;
    assert!((share(&greens) - 10.0).abs() < 1.5);
    let request = || RolloutRequest {
        variant: Some(VariantReference::Key("green".to_owned())),
        segment_id: Some(internal),
        ..plan(place.colour, &[60.0, 100.0])
    };

    let id = create(fixture, request()).await.unwrap().rollout.id;

    let now = holders_with(fixture, &GREEN, 10_000, &staff()).await;
    assert!((share(&now) - 60.0).abs() < 1.5, "{}", share(&now));
    assert!(now.iter().zip(&greens).all(|(now, before)| *now || !before));
    assert_eq!(holders(fixture, &GREEN, 10_000).await, others);
    let feature = FeatureReference::Id(place.colour);
    let key = &fixture.environment.api_key;
    let deleted = service
        .delete_flag_override(caller, key, &feature, internal)
        .await;
    assert!(is_managed(deleted));
    // The default is not what it began from.
    let off = StatePatch {
        enabled: Some(false),
        ..StatePatch::default()
    };
    let back = StatePatch {
        enabled: Some(true),
        ..StatePatch::default()
    };
    place.change_default(place.colour, off).await.unwrap();
    place.change_default(place.colour, back).await.unwrap();
    service.abort_rollout(caller, id, None).await.unwrap();
    assert_eq!(served(&place).await, before);

    let id = create(fixture, request()).await.unwrap().rollout.id;
    service.promote_rollout(caller, id).await.unwrap();
    let all = holders_with(fixture, &GREEN, 1000, &staff()).await;
    assert_eq!(share(&all), 100.0);
    assert_eq!(holders(fixture, &GREEN, 10_000).await, others);
    service.roll_back_rollout(caller, id, None).await.unwrap();
    assert_eq!(served(&place).await, before);
}

#[tokio::test]
async fn an_override_of_the_segment_comes_back_without_versions() {
    an_override_is_stood_before_and_comes_back(without_versions().await).await;
}

#[tokio::test]
async fn an_override_of_the_segment_comes_back_with_versions() {
    an_override_is_stood_before_and_comes_back(with_versions().await).await;
}
