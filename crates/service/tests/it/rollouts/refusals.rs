//! What cannot be a rollout, and what a rollout does not let others do.

use super::crowd::{Raised, create, holders, plan, share, step};
use super::places::{with_versions, without_versions};
use flagstaff_core::{Condition, FeatureId, Rule, RuleKind, SegmentId, StateValue, Timestamp};
use flagstaff_service::{
    EnvironmentPatch, FeatureReference, OptionRequest, OverrideChange, RolloutProblem,
    RolloutRequest, SegmentPatch, SegmentRequest, ServiceError, StatePatch, VariantReference,
    VersionPlace, VersionPlan,
};

pub(super) fn rule(operator: &str, value: &str) -> Rule {
    Rule {
        id: None,
        kind: RuleKind::All,
        rules: Vec::new(),
        conditions: vec![Condition {
            id: None,
            operator: operator.to_owned(),
            property: Some("company".to_owned()),
            value: Some(value.to_owned()),
            description: None,
        }],
    }
}

pub(super) async fn segment(place: &super::places::Place, rules: Vec<Rule>) -> SegmentId {
    let request = SegmentRequest {
        name: "internal".to_owned(),
        description: None,
        feature_id: None,
        hash: None,
        rules,
    };
    let fixture = &place.fixture;
    let made = fixture
        .service
        .create_segment(&fixture.caller, fixture.project.id, request);
    made.await.unwrap().id
}

#[tokio::test]
async fn what_cannot_be_a_rollout_is_refused_with_what_is_wrong() {
    let place = without_versions().await;
    let fixture = &place.fixture;
    let split = segment(&place, vec![rule("PERCENTAGE_SPLIT", "10")]).await;
    let check = async |request: RolloutRequest, expected: &str| {
        let refused = create(fixture, request).await.unwrap_err();
        assert_eq!(refused.to_string(), expected);
    };
    let banner = |percents: &[f64]| plan(place.banner, percents);
    let colour = |variant, percents: &[f64]| RolloutRequest {
        variant,
        ..plan(place.colour, percents)
    };
    let key = |key: &str| Some(VariantReference::Key(key.to_owned()));
    let named = |name: &str| RolloutRequest {
        feature: FeatureReference::Name(name.to_owned()),
        ..banner(&[10.0])
    };
    let inside = |segment| RolloutRequest {
        segment_id: Some(segment),
        ..banner(&[10.0])
    };

    check(
        banner(&[]),
        "invalid steps: the plan has no step: 1 to 100 are needed",
    )
    .await;
    check(
        banner(&[50.0, 50.0]),
        "invalid steps: the steps do not rise: step 2 has 50 % after 50 %",
    )
    .await;
    let mut long = banner(&[10.0]);
    long.steps[0].hold_seconds = -1;
    check(
        long,
        "invalid steps: step 1 is held for -1 s, which is not between 0 and 31622400",
    )
    .await;
    let mut wordy = banner(&[10.0]);
    wordy.description = Some("x".repeat(2001));
    check(wordy, "invalid description: has more than 2000 characters").await;
    check(plan(FeatureId::new(999), &[10.0]), "feature not found").await;
    check(named("nothing"), "feature not found").await;
    check(named(""), "feature not found").await;
    check(
        inside(SegmentId::new(999)),
        "invalid segment: 999 does not exist",
    )
    .await;
    check(
        inside(split),
        "invalid segment: places people by a percentage of its own",
    )
    .await;
    check(
        colour(None, &[50.0]),
        "invalid variant: is missing: the feature has several",
    )
    .await;
    check(
        colour(key("blue"), &[50.0]),
        "invalid variant: is none of the feature's",
    )
    .await;
    check(
        RolloutRequest {
            variant: key("green"),
            ..banner(&[50.0])
        },
        "invalid variant: cannot be named: the feature has none",
    )
    .await;
    check(
        colour(key("green"), &[10.0, 50.0]),
        "invalid steps: the steps begin with 10 %, and 20 % have it already",
    )
    .await;
    let unknown = fixture
        .service
        .create_rollout(&fixture.caller, "nothing", banner(&[10.0]))
        .await;
    assert_eq!(unknown.unwrap_err().to_string(), "environment not found");
    let first = create(fixture, banner(&[10.0])).await.unwrap().rollout.id;
    check(
        banner(&[10.0]),
        &format!("rollout {first} of the feature is live in the environment: it has to end first"),
    )
    .await;
}

#[tokio::test]
async fn where_changes_are_approved_no_rollout_writes_around_that() {
    let place = without_versions().await;
    let fixture = &place.fixture;
    let key = &fixture.environment.api_key;
    let patch = EnvironmentPatch {
        minimum_change_request_approvals: Some(Some(1)),
        ..EnvironmentPatch::default()
    };
    let protected = fixture
        .service
        .update_environment(&fixture.caller, key, patch);
    protected.await.unwrap();

    let refused = create(fixture, plan(place.banner, &[10.0])).await;

    assert!(matches!(refused, Err(ServiceError::ChangeRequestNeeded)));
}

#[tokio::test]
async fn a_part_of_a_segment_gets_it_and_nobody_else() {
    let place = without_versions().await;
    let fixture = &place.fixture;
    let internal = segment(&place, vec![rule("EQUAL", "us")]).await;
    let banner = Raised {
        feature: "banner",
        value: None,
    };
    let mut us = flagstaff_core::Attributes::new();
    us.insert("company", flagstaff_core::Value::text("us"));
    let request = RolloutRequest {
        segment_id: Some(internal),
        ..plan(place.banner, &[30.0, 100.0])
    };

    let id = create(fixture, request).await.unwrap().rollout.id;

    let inside = super::crowd::holders_with(fixture, &banner, 10_000, &us).await;
    assert!((share(&inside) - 30.0).abs() < 1.5, "{}", share(&inside));
    assert_eq!(share(&holders(fixture, &banner, 1000).await), 0.0);

    // The segment is somebody's own: who is in it may change meanwhile.
    let patch = SegmentPatch {
        rules: Some(vec![rule("EQUAL", "them")]),
        ..SegmentPatch::default()
    };
    let (service, caller, project) = (&fixture.service, &fixture.caller, fixture.project.id);
    service
        .update_segment(caller, project, internal, patch)
        .await
        .unwrap();
    let left = super::crowd::holders_with(fixture, &banner, 1000, &us).await;
    assert_eq!(share(&left), 0.0);
    let patch = SegmentPatch {
        rules: Some(vec![rule("PERCENTAGE_SPLIT", "5")]),
        ..SegmentPatch::default()
    };
    let split = service
        .update_segment(caller, project, internal, patch)
        .await;
    assert!(matches!(
        split,
        Err(ServiceError::Rollout(RolloutProblem::PercentageInside(_)))
    ));
    let deleted = service.delete_segment(caller, project, internal).await;
    assert!(is_managed(deleted));

    service.promote_rollout(caller, id).await.unwrap();
    let mut them = flagstaff_core::Attributes::new();
    them.insert("company", flagstaff_core::Value::text("them"));
    let all = super::crowd::holders_with(fixture, &banner, 1000, &them).await;
    assert_eq!(share(&all), 100.0);
    assert_eq!(share(&holders(fixture, &banner, 1000).await), 0.0);
    service.roll_back_rollout(caller, id, None).await.unwrap();
    let none = super::crowd::holders_with(fixture, &banner, 1000, &them).await;
    assert_eq!(share(&none), 0.0);
    service
        .delete_segment(caller, project, internal)
        .await
        .unwrap();
}

#[tokio::test]
async fn overrides_of_people_stand_before_a_rollout_and_can_be_made_meanwhile() {
    let place = without_versions().await;
    let fixture = &place.fixture;
    let blocked = segment(&place, vec![rule("EQUAL", "us")]).await;
    let mut us = flagstaff_core::Attributes::new();
    us.insert("company", flagstaff_core::Value::text("us"));
    let banner = Raised {
        feature: "banner",
        value: None,
    };
    create(fixture, plan(place.banner, &[100.0])).await.unwrap();
    assert_eq!(share(&holders(fixture, &banner, 100).await), 100.0);

    let change = OverrideChange {
        segment_id: blocked,
        priority: None,
        patch: StatePatch {
            enabled: Some(false),
            ..StatePatch::default()
        },
    };
    let (feature, key) = (
        FeatureReference::Id(place.banner),
        &fixture.environment.api_key,
    );
    let service = &fixture.service;
    service
        .update_flag(&fixture.caller, key, &feature, None, vec![change])
        .await
        .unwrap();

    let blocked = super::crowd::holders_with(fixture, &banner, 100, &us).await;
    assert_eq!(share(&blocked), 0.0);
    assert_eq!(share(&holders(fixture, &banner, 100).await), 100.0);
    let links = service
        .feature_segments(&fixture.caller, fixture.environment.id, place.banner)
        .await
        .unwrap();
    let own: Vec<_> = links.iter().map(|view| view.link.priority).collect();
    assert_eq!(own, [Some(0), Some(1_000_000_000)]);
}

pub(super) fn is_managed<T>(result: Result<T, ServiceError>) -> bool {
    let problem = match result {
        Err(ServiceError::Rollout(problem)) => problem,
        _ => return false,
    };
    matches!(problem, RolloutProblem::Managed(_))
}

#[tokio::test]
async fn what_a_rollout_manages_is_changed_by_nothing_else() {
    for place in [without_versions().await, with_versions().await] {
        let fixture = &place.fixture;
        let (service, caller, project) = (&fixture.service, &fixture.caller, fixture.project.id);
        let key = &fixture.environment.api_key;
        let request = RolloutRequest {
            variant: Some(VariantReference::Key("green".to_owned())),
            ..plan(place.colour, &[50.0])
        };
        let rollout = create(fixture, request).await.unwrap().rollout;
        let managed = rollout.managed_segment_id.unwrap();
        let off = StatePatch {
            enabled: Some(false),
            ..StatePatch::default()
        };

        assert!(is_managed(
            place.change_default(place.colour, off.clone()).await
        ));
        let state = fixture.default_state(place.colour).await;
        if !rollout_has_versions(&place).await {
            let changed = service.update_feature_state(caller, key, state, off.clone());
            assert!(is_managed(changed.await));
            assert!(is_managed(
                service.delete_feature_state(caller, key, state).await
            ));
        }
        let patch = SegmentPatch {
            name: Some("mine".to_owned()),
            ..SegmentPatch::default()
        };
        assert!(is_managed(
            service
                .update_segment(caller, project, managed, patch)
                .await
        ));
        assert!(is_managed(
            service.delete_segment(caller, project, managed).await
        ));
        let change = OverrideChange {
            segment_id: managed,
            priority: None,
            patch: off.clone(),
        };
        let feature = FeatureReference::Id(place.colour);
        let changed = service.update_flag(caller, key, &feature, None, vec![change]);
        assert!(is_managed(changed.await));
        let links = service
            .feature_segments(caller, fixture.environment.id, place.colour)
            .await
            .unwrap();
        let link = links
            .iter()
            .find(|view| view.link.segment_id == managed)
            .unwrap();
        let link = link.link.id;
        let deleted = service.delete_feature_segment(caller, link).await;
        assert!(is_managed(deleted) || rollout_has_versions(&place).await);
        let option = rollout.option_id.unwrap();
        let deleted = service
            .delete_option(caller, project, place.colour, option)
            .await;
        assert!(is_managed(deleted));
        let more = OptionRequest {
            key: Some("blue".to_owned()),
            value: StateValue::of_text(Some("blue")),
            default_percentage_allocation: 0.0,
        };
        assert!(is_managed(
            service
                .create_option(caller, project, place.colour, more)
                .await
        ));
        assert!(is_managed(
            service.delete_feature(caller, project, place.colour).await
        ));
        let switched = if rollout_has_versions(&place).await {
            service.disable_versions(caller, key).await
        } else {
            service.enable_versions(caller, key).await
        };
        assert!(is_managed(switched));

        // Another feature, and this one once the rollout has ended, are changed as ever.
        place
            .change_default(place.banner, off.clone())
            .await
            .unwrap();
        service
            .abort_rollout(caller, rollout.id, None)
            .await
            .unwrap();
        place.change_default(place.colour, off).await.unwrap();
        service
            .delete_feature(caller, project, place.colour)
            .await
            .unwrap();
    }
}

async fn rollout_has_versions(place: &super::places::Place) -> bool {
    let key = &place.fixture.environment.api_key;
    let service = &place.fixture.service;
    let environment = service.environment(&place.fixture.caller, key).await;
    environment.unwrap().use_v2_feature_versioning
}

#[tokio::test]
async fn versions_are_published_meanwhile_as_long_as_they_keep_what_it_began_from() {
    let place = with_versions().await;
    let fixture = &place.fixture;
    let (service, caller) = (&fixture.service, &fixture.caller);
    let of_banner = || VersionPlace {
        environment_id: fixture.environment.id,
        feature_id: place.banner,
    };
    let draft = async |enabled: Option<bool>| {
        let plan = VersionPlan {
            updated: vec![flagstaff_service::VersionUpdate {
                segment_id: None,
                priority: None,
                patch: StatePatch {
                    enabled,
                    ..StatePatch::default()
                },
            }],
            ..VersionPlan::default()
        };
        let made = service.create_feature_version(caller, of_banner(), plan);
        made.await.unwrap().version.uuid
    };
    let (other, same) = (draft(Some(true)).await, draft(None).await);
    create(fixture, plan(place.banner, &[50.0])).await.unwrap();
    let banner = Raised {
        feature: "banner",
        value: None,
    };

    let publish = |uuid, at: Option<Timestamp>| {
        service.publish_feature_version(caller, of_banner(), uuid, at)
    };
    assert!(is_managed(publish(other, None).await));
    publish(same, None).await.unwrap();

    assert!((share(&holders(fixture, &banner, 10_000).await) - 50.0).abs() < 1.5);
    let planned = with_versions().await;
    let of_planned = VersionPlace {
        environment_id: planned.fixture.environment.id,
        feature_id: planned.banner,
    };
    let later = VersionPlan {
        live_from: Some(planned.fixture.now().plus_micros(3_600_000_000)),
        is_published: true,
        ..VersionPlan::default()
    };
    let (service, caller) = (&planned.fixture.service, &planned.fixture.caller);
    let made = service.create_feature_version(caller, of_planned, later);
    made.await.unwrap();
    let refused = create(&planned.fixture, plan(planned.banner, &[50.0])).await;
    assert_eq!(
        refused.unwrap_err().to_string(),
        "invalid feature: has a version that is going to become live in the environment"
    );
}

#[tokio::test]
async fn a_step_that_is_refused_holds_the_rollout_and_says_why() {
    let place = without_versions().await;
    let fixture = &place.fixture;
    let mut request = plan(place.banner, &[10.0]);
    request.steps[0].starts_at = Some(fixture.now().plus_micros(1_000_000));
    let id = create(fixture, request).await.unwrap().rollout.id;
    let on = StatePatch {
        enabled: Some(true),
        ..StatePatch::default()
    };
    // It has not begun: nothing is its own yet.
    place.change_default(place.banner, on).await.unwrap();

    fixture.advance(1);
    fixture.service.advance_rollouts().await.unwrap();

    let held = fixture
        .service
        .rollout(&fixture.caller, id)
        .await
        .unwrap()
        .rollout;
    assert_eq!(
        held.reason.as_deref(),
        Some("the next step was refused: invalid feature: is on for everybody there already")
    );
    assert_eq!(held.state, flagstaff_core::RolloutState::Held);
    assert_eq!(
        held.steps,
        [step(10.0)].map(|step| flagstaff_core::RolloutStep {
            starts_at: held.steps[0].starts_at,
            ..step
        })
    );
}
