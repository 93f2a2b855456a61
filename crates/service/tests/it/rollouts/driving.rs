//! Rollouts that a program outside drives.

use super::crowd::{Raised, create, holders, plan, share};
use super::places::{Place, without_versions};
use flagstaff_core::{Percentage, RolloutEventKind, RolloutState};
use flagstaff_service::{
    DriveRequest, FeatureReference, RolloutProblem, RolloutView, ServiceError, ServiceResult,
};

const BANNER: Raised<'static> = Raised {
    feature: "banner",
    value: None,
};

async fn drive(place: &Place, percent: Option<f64>) -> ServiceResult<Option<RolloutView>> {
    drive_as(place, percent, "rollops").await
}

async fn drive_as(
    place: &Place,
    percent: Option<f64>,
    driver: &str,
) -> ServiceResult<Option<RolloutView>> {
    let request = DriveRequest {
        feature: FeatureReference::Name("banner".to_owned()),
        variant: None,
        segment_id: None,
        percentage: Percentage::from_percent(percent.unwrap_or_default()).unwrap(),
        rolls_back: percent.is_none(),
        driver: driver.to_owned(),
    };
    let fixture = &place.fixture;
    let key = &fixture.environment.api_key;
    let service = &fixture.service;
    service.drive_rollout(&fixture.caller, key, request).await
}

#[tokio::test]
async fn a_program_raises_lowers_repeats_promotes_and_takes_back() {
    let place = without_versions().await;
    let fixture = &place.fixture;
    assert_eq!(drive(&place, None).await.unwrap(), None);

    for percent in [25.0, 50.0, 50.0, 1.0, 0.0, 75.0] {
        let view = drive(&place, Some(percent)).await.unwrap().unwrap();
        assert_eq!(view.rollout.percentage.percent(), percent);
        assert_eq!(view.rollout.driver.as_deref(), Some("rollops"));
        let share = share(&holders(fixture, &BANNER, 10_000).await);
        assert!((share - percent).abs() < 1.5, "{share} of {percent}");
        assert_eq!(fixture.service.advance_rollouts().await.unwrap(), None);
    }
    let whole = drive(&place, Some(100.0)).await.unwrap().unwrap().rollout;
    let again = drive(&place, Some(100.0)).await.unwrap().unwrap().rollout;
    assert_eq!((again.id, again.state), (whole.id, RolloutState::Promoted));
    let back = drive(&place, None).await.unwrap().unwrap().rollout;
    assert_eq!((back.id, back.state), (whole.id, RolloutState::RolledBack));
    assert_eq!(share(&holders(fixture, &BANNER, 1000).await), 0.0);
    assert_eq!(drive(&place, None).await.unwrap(), None);

    let events = fixture.service.rollout_events(&fixture.caller, back.id);
    let events = events.await.unwrap();
    let stepped = events
        .iter()
        .filter(|event| event.kind == RolloutEventKind::Stepped);
    let percents: Vec<f64> = stepped.map(|event| event.percentage.percent()).collect();
    // What is served already is told of once.
    assert_eq!(percents, [25.0, 50.0, 1.0, 0.0, 75.0]);
    let next = drive(&place, Some(5.0)).await.unwrap().unwrap().rollout;
    assert!(next.id > back.id);
}

#[tokio::test]
async fn a_program_leaves_the_rollouts_of_others_alone() {
    let place = without_versions().await;
    let planned = create(&place.fixture, plan(place.banner, &[10.0])).await;
    let planned = planned.unwrap().rollout.id;
    let another = |result: ServiceResult<Option<RolloutView>>| match result {
        Err(ServiceError::Rollout(RolloutProblem::AnotherLive(id))) => id,
        other => panic!("{other:?}"),
    };

    assert_eq!(another(drive(&place, Some(50.0)).await), planned);
    assert_eq!(another(drive(&place, None).await), planned);
    let (service, caller) = (&place.fixture.service, &place.fixture.caller);
    service.abort_rollout(caller, planned, None).await.unwrap();
    let own = drive(&place, Some(50.0)).await.unwrap().unwrap().rollout.id;
    assert_eq!(another(drive_as(&place, Some(60.0), "argo").await), own);
}

#[tokio::test]
async fn a_held_rollout_goes_on_when_its_driver_says_so() {
    let place = without_versions().await;
    let (service, caller) = (&place.fixture.service, &place.fixture.caller);
    let id = drive(&place, Some(20.0)).await.unwrap().unwrap().rollout.id;
    service.hold_rollout(caller, id, None).await.unwrap();

    let resumed = service.resume_rollout(caller, id).await.unwrap().rollout;
    assert_eq!(
        (resumed.state, resumed.due_at),
        (RolloutState::Running, None)
    );
    service.hold_rollout(caller, id, None).await.unwrap();
    let driven = drive(&place, Some(20.0)).await.unwrap().unwrap().rollout;

    assert_eq!(driven.state, RolloutState::Running);
}
