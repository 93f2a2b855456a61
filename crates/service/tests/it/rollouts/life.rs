//! From the first step to the end.

use super::crowd::{Raised, create, holders, plan, share, step};
use crate::fixture::Fixture;
use flagstaff_core::{RolloutEventKind, RolloutState};
use flagstaff_service::{RolloutRequest, VariantReference};

const BANNER: Raised<'static> = Raised {
    feature: "banner",
    value: None,
};

#[tokio::test]
async fn a_feature_is_switched_on_step_by_step_and_then_for_everybody() {
    let fixture = Fixture::new().await;
    let feature = fixture.feature("banner", None).await;
    let caller = &fixture.caller;

    let made = create(&fixture, plan(feature, &[10.0, 50.0, 100.0])).await;

    let id = made.unwrap().rollout.id;
    let mut before = vec![false; 10_000];
    for percent in [10.0, 50.0, 100.0] {
        let now = holders(&fixture, &BANNER, before.len()).await;
        assert!((share(&now) - percent).abs() < 1.5, "{}", share(&now));
        assert!(now.iter().zip(&before).all(|(now, before)| *now || !before));
        before = now;
        let due = fixture.service.advance_rollouts().await.unwrap();
        assert_eq!(due, Some(fixture.now().plus_micros(60_000_000)));
        fixture.advance(60);
        fixture.service.advance_rollouts().await.unwrap();
    }
    let view = fixture.service.rollout(caller, id).await.unwrap();
    assert_eq!(view.rollout.state, RolloutState::Promoted);
    let published = fixture.open().await.published;
    assert!(published.snapshot.features[0].state.enabled);
    assert!(published.snapshot.segments.is_empty());
    assert_eq!(share(&holders(&fixture, &BANNER, 1000).await), 100.0);
    let events = fixture.service.rollout_events(caller, id).await.unwrap();
    let told: Vec<_> = events
        .iter()
        .map(|event| (event.kind, event.percentage.percent(), event.is_system))
        .collect();
    assert_eq!(
        told,
        [
            (RolloutEventKind::Created, 0.0, false),
            (RolloutEventKind::Stepped, 10.0, true),
            (RolloutEventKind::Stepped, 50.0, true),
            (RolloutEventKind::Stepped, 100.0, true),
            (RolloutEventKind::Promoted, 100.0, true),
        ]
    );
}

#[tokio::test]
async fn an_option_is_raised_and_nobody_else_changes_variant() {
    let fixture = Fixture::new().await;
    let options = [("red", 20.0), ("green", 20.0)];
    let feature = fixture.multivariate("colour", &options).await;
    let colour = |value| Raised {
        feature: "colour",
        value: Some(value),
    };
    let (red, green) = (colour("red"), colour("green"));
    let (reds, greens) = (
        holders(&fixture, &red, 10_000).await,
        holders(&fixture, &green, 10_000).await,
    );

    let request = RolloutRequest {
        variant: Some(VariantReference::Key("green".to_owned())),
        ..plan(feature, &[60.0, 100.0])
    };
    create(&fixture, request).await.unwrap();

    let (reds_now, greens_now) = (
        holders(&fixture, &red, 10_000).await,
        holders(&fixture, &green, 10_000).await,
    );
    assert!(
        (share(&greens_now) - 60.0).abs() < 1.5,
        "{}",
        share(&greens_now)
    );
    for number in 0..10_000 {
        assert!(greens_now[number] || !greens[number], "{number} lost green");
        assert!(reds[number] || !reds_now[number], "{number} became red");
    }
    fixture.advance(60);
    fixture.service.advance_rollouts().await.unwrap();
    fixture.advance(60);
    fixture.service.advance_rollouts().await.unwrap();
    assert_eq!(share(&holders(&fixture, &green, 1000).await), 100.0);
    let weights = fixture.open().await.published.snapshot.features[0]
        .state
        .weights
        .clone();
    let weights: Vec<f64> = weights
        .iter()
        .map(|each| each.percentage_allocation)
        .collect();
    assert_eq!(weights, [0.0, 100.0]);
}

#[tokio::test]
async fn a_held_rollout_stays_and_what_was_left_of_its_step_passes_after_it_is_resumed() {
    let fixture = Fixture::new().await;
    let feature = fixture.feature("banner", None).await;
    let (service, caller) = (&fixture.service, &fixture.caller);
    let view = create(&fixture, plan(feature, &[10.0, 50.0]))
        .await
        .unwrap();
    let id = view.rollout.id;
    fixture.advance(20);

    let reason = Some("somebody called".to_owned());
    let held = service
        .hold_rollout(caller, id, reason.clone())
        .await
        .unwrap();
    fixture.advance(1000);
    service.advance_rollouts().await.unwrap();

    assert_eq!(held.rollout.state, RolloutState::Held);
    assert_eq!(held.rollout.reason, reason);
    let still = service.rollout(caller, id).await.unwrap().rollout;
    assert_eq!((still.percentage.percent(), still.due_at), (10.0, None));
    let resumed = service.resume_rollout(caller, id).await.unwrap().rollout;
    assert_eq!(resumed.due_at, Some(fixture.now().plus_micros(40_000_000)));
    fixture.advance(40);
    service.advance_rollouts().await.unwrap();
    let moved = service.rollout(caller, id).await.unwrap().rollout;
    assert_eq!(moved.percentage.percent(), 50.0);
    fixture.advance(60);
    service.advance_rollouts().await.unwrap();
    let rests = service.rollout(caller, id).await.unwrap().rollout;
    assert_eq!(rests.state, RolloutState::Held);
    assert_eq!(rests.reason.as_deref(), Some("the plan ends at 50 %"));
    let refused = service.resume_rollout(caller, id).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        format!("rollout {id} is at the end of its plan and can only be promoted or aborted")
    );
}

#[tokio::test]
async fn a_gate_is_passed_when_somebody_approves_and_a_start_is_waited_for() {
    let fixture = Fixture::new().await;
    let feature = fixture.feature("banner", None).await;
    let (service, caller) = (&fixture.service, &fixture.caller);
    let mut request = plan(feature, &[10.0, 50.0]);
    request.steps[0].starts_at = Some(fixture.now().plus_micros(5_000_000));
    request.steps[0].needs_approval = true;

    let id = create(&fixture, request).await.unwrap().rollout.id;

    let now = || async { service.rollout(caller, id).await.unwrap().rollout };
    assert_eq!(now().await.state, RolloutState::Scheduled);
    assert!(service.approve_rollout(caller, id).await.is_err());
    fixture.advance(5);
    service.advance_rollouts().await.unwrap();
    let gated = now().await;
    assert_eq!((gated.percentage.percent(), gated.due_at), (10.0, None));
    assert!(gated.waits_for_approval());
    fixture.advance(1000);
    assert_eq!(service.advance_rollouts().await.unwrap(), None);
    service.approve_rollout(caller, id).await.unwrap();
    let again = service.approve_rollout(caller, id).await.unwrap_err();
    assert_eq!(
        again.to_string(),
        format!("rollout {id} waits for no approval")
    );
    service.advance_rollouts().await.unwrap();
    assert_eq!(now().await.percentage.percent(), 50.0);
}

#[tokio::test]
async fn two_nodes_take_each_step_once() {
    let fixture = Fixture::new().await;
    let feature = fixture.feature("banner", None).await;
    let other = fixture.node();
    let percents: Vec<f64> = (1..=10).map(f64::from).collect();
    let id = create(&fixture, plan(feature, &percents))
        .await
        .unwrap()
        .rollout
        .id;

    for _ in 1..10 {
        fixture.advance(60);
        let (one, two) = tokio::join!(fixture.service.advance_rollouts(), other.advance_rollouts());
        one.unwrap();
        two.unwrap();
    }

    let events = fixture
        .service
        .rollout_events(&fixture.caller, id)
        .await
        .unwrap();
    let stepped = events
        .iter()
        .filter(|event| event.kind == RolloutEventKind::Stepped);
    let steps: Vec<_> = stepped.map(|event| event.step.unwrap()).collect();
    assert_eq!(steps, (0..10).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_plan_that_has_not_begun_can_be_changed() {
    let fixture = Fixture::new().await;
    let feature = fixture.feature("banner", None).await;
    let (service, caller) = (&fixture.service, &fixture.caller);
    let mut request = plan(feature, &[10.0, 50.0]);
    request.steps[0].starts_at = Some(fixture.now().plus_micros(5_000_000));
    let id = create(&fixture, request).await.unwrap().rollout.id;

    let patch = flagstaff_service::RolloutPatch {
        description: Some(Some("slower".to_owned())),
        steps: Some(vec![step(5.0), step(100.0)]),
    };
    let changed = service
        .update_rollout(caller, id, patch.clone())
        .await
        .unwrap();

    assert_eq!(changed.rollout.steps, [step(5.0), step(100.0)]);
    assert_eq!(changed.rollout.due_at, Some(fixture.now()));
    service.advance_rollouts().await.unwrap();
    let refused = service.update_rollout(caller, id, patch).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        format!("rollout {id} is running and cannot be edited")
    );
}
