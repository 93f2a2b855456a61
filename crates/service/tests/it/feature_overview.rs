//! The list of features, and changes that are made to what the caller saw.

use crate::fixture::Fixture;
use flagstaff_core::{FeatureId, FeatureKind};
use flagstaff_service::{
    FeaturePatch, OverviewQuery, OverviewSort, PageRequest, ProjectPatch, ServedChanges,
    ServiceError, StatePatch, TagPatch, ValueChange, WriteMode,
};

const DAY: i64 = 86_400;

async fn names(fixture: &Fixture, query: OverviewQuery) -> Vec<String> {
    let key = &fixture.environment.api_key;
    let page = PageRequest { page: 1, size: 50 };
    let found = fixture
        .service
        .feature_overview(&fixture.caller, key, &query, page)
        .await
        .unwrap();
    assert_eq!(found.total, found.rows.len());
    let rows = found.rows.iter();
    rows.map(|row| row.part.feature.name.to_string()).collect()
}

fn enabled(enabled: bool) -> ServedChanges {
    let patch = StatePatch {
        enabled: Some(enabled),
        ..StatePatch::default()
    };
    ServedChanges {
        default: Some(patch),
        ..ServedChanges::default()
    }
}

async fn switch(fixture: &Fixture, feature: FeatureId, changes: ServedChanges) {
    let (caller, key) = (&fixture.caller, &fixture.environment.api_key);
    fixture
        .service
        .change_served_feature(caller, key, feature, changes, WriteMode::Update)
        .await
        .unwrap();
}

#[tokio::test]
async fn features_are_searched_filtered_and_sorted() {
    let fixture = Fixture::new().await;
    let banner = fixture.feature("Banner", Some("hello")).await;
    fixture.feature("apples", Some("42")).await;
    fixture.multivariate("colour", &[("red", 50.0)]).await;
    fixture.advance(5);
    switch(&fixture, banner, enabled(true)).await;

    let search = |text: &str| OverviewQuery {
        search: Some(text.to_owned()),
        ..OverviewQuery::default()
    };
    let sorted = |sort| OverviewQuery {
        sort,
        ..OverviewQuery::default()
    };
    let all = ["apples", "Banner", "colour"];
    assert_eq!(names(&fixture, OverviewQuery::default()).await, all);
    assert_eq!(names(&fixture, search("BAN")).await, ["Banner"]);
    assert!(names(&fixture, search("nothing")).await.is_empty());
    let by_value = OverviewQuery {
        value: Some("HELL".to_owned()),
        ..OverviewQuery::default()
    };
    assert_eq!(names(&fixture, by_value).await, ["Banner"]);
    let off = OverviewQuery {
        is_enabled: Some(false),
        ..OverviewQuery::default()
    };
    assert_eq!(names(&fixture, off).await, ["apples"]);
    let variants = OverviewQuery {
        kind: Some(FeatureKind::Multivariate),
        ..OverviewQuery::default()
    };
    assert_eq!(names(&fixture, variants).await, ["colour"]);
    let newest = names(&fixture, sorted(OverviewSort::Newest)).await;
    assert_eq!(newest, ["colour", "apples", "Banner"]);
    let changed = names(&fixture, sorted(OverviewSort::Changed)).await;
    assert_eq!(changed[0], "Banner");
}

#[tokio::test]
async fn archived_features_stand_apart() {
    let fixture = Fixture::new().await;
    let (service, caller) = (&fixture.service, &fixture.caller);
    let old = fixture.feature("old", None).await;
    fixture.feature("new", None).await;
    let patch = FeaturePatch {
        is_archived: Some(true),
        ..FeaturePatch::default()
    };
    service
        .update_feature(caller, fixture.project.id, old, patch)
        .await
        .unwrap();

    let archived = OverviewQuery {
        is_archived: true,
        ..OverviewQuery::default()
    };
    assert_eq!(names(&fixture, archived).await, ["old"]);
    assert_eq!(names(&fixture, OverviewQuery::default()).await, ["new"]);
}

#[tokio::test]
async fn a_feature_is_stale_when_nobody_changed_it_for_long_and_it_is_not_meant_to_stay() {
    let fixture = Fixture::new().await;
    let (service, caller, project) = (&fixture.service, &fixture.caller, fixture.project.id);
    let patch = ProjectPatch {
        stale_flags_limit_days: Some(30),
        ..ProjectPatch::default()
    };
    service
        .update_project(caller, project, patch)
        .await
        .unwrap();
    let patch = TagPatch {
        label: Some("forever".to_owned()),
        is_permanent: Some(true),
        ..TagPatch::default()
    };
    let tag = service.create_tag(caller, project, patch).await.unwrap().id;
    fixture.feature("forgotten", None).await;
    let touched = fixture.feature("touched", None).await;
    let kept = fixture.feature("kept", None).await;
    let patch = FeaturePatch {
        tags: Some(vec![tag]),
        ..FeaturePatch::default()
    };
    service
        .update_feature(caller, project, kept, patch)
        .await
        .unwrap();
    fixture.advance(31 * DAY);
    fixture.feature("fresh", None).await;
    switch(&fixture, touched, enabled(true)).await;

    let stale = OverviewQuery {
        is_stale: true,
        ..OverviewQuery::default()
    };
    let tagged = OverviewQuery {
        tag: Some(tag),
        ..OverviewQuery::default()
    };
    assert_eq!(names(&fixture, stale).await, ["forgotten"]);
    assert_eq!(names(&fixture, tagged).await, ["kept"]);
}

#[tokio::test]
async fn what_somebody_else_wrote_meanwhile_is_not_overwritten() {
    let fixture = Fixture::new().await;
    let (service, caller) = (&fixture.service, &fixture.caller);
    let key = &fixture.environment.api_key;
    let feature = fixture.feature("banner", Some("hello")).await;
    let seen = service.served_feature(caller, key, feature).await.unwrap();
    let write = |text: &str, seen: String| {
        let patch = StatePatch {
            value: Some(ValueChange::Text(Some(text.to_owned()))),
            ..StatePatch::default()
        };
        let changes = ServedChanges {
            default: Some(patch),
            overrides: None,
            seen: Some(seen),
        };
        service.change_served_feature(caller, key, feature, changes, WriteMode::Update)
    };
    fixture.advance(1);

    let theirs = write("theirs", seen.stamp()).await.unwrap();
    let refused = write("mine", seen.stamp()).await;

    assert!(
        matches!(refused, Err(ServiceError::Outdated { .. })),
        "{refused:?}"
    );
    assert_ne!(seen.stamp(), theirs.stamp());
    let now = service.served_feature(caller, key, feature).await.unwrap();
    assert_eq!(now.default.value.text.as_deref(), Some("theirs"));
    write("mine", theirs.stamp()).await.unwrap();
}

#[tokio::test]
async fn versions_are_not_overwritten_either() {
    let fixture = Fixture::new().await;
    let (service, caller) = (&fixture.service, &fixture.caller);
    let key = &fixture.environment.api_key;
    let feature = fixture.feature("banner", Some("hello")).await;
    service.enable_versions(caller, key).await.unwrap();
    let seen = service.served_feature(caller, key, feature).await.unwrap();
    fixture.advance(1);
    switch(&fixture, feature, enabled(true)).await;

    let late = ServedChanges {
        seen: Some(seen.stamp()),
        ..enabled(false)
    };
    let refused = service
        .change_served_feature(caller, key, feature, late, WriteMode::Update)
        .await;

    assert!(
        matches!(refused, Err(ServiceError::Outdated { .. })),
        "{refused:?}"
    );
}
