//! Whether a project is served to flagd is known to every node, and without asking the database.

use crate::fixture::Fixture;
use flagstaff_service::{FlagdIntegrationPatch, Service};

async fn is_served(service: &Service, fixture: &Fixture) -> bool {
    let published = service.published(fixture.environment.id).await.unwrap();
    published.snapshot.enabled_flagd().is_some()
}

#[tokio::test]
async fn requirement_07_a_switch_reaches_every_node() {
    let fixture = Fixture::new().await;
    let other = fixture.node();
    assert!(!is_served(&fixture.service, &fixture).await);
    assert!(!is_served(&other, &fixture).await);

    for enabled in [true, false, true] {
        let patch = FlagdIntegrationPatch {
            enabled: Some(enabled),
            ..FlagdIntegrationPatch::default()
        };
        let switched = fixture.service.update_flagd_integration(
            &fixture.caller,
            fixture.project.id,
            None,
            patch,
        );
        switched.await.unwrap();
        other.follow_changes().await.unwrap();

        assert_eq!(is_served(&fixture.service, &fixture).await, enabled);
        assert_eq!(is_served(&other, &fixture).await, enabled);
    }
}

#[tokio::test]
async fn environments_made_later_are_served_too() {
    let fixture = Fixture::new().await;
    let patch = FlagdIntegrationPatch {
        enabled: Some(true),
        ..FlagdIntegrationPatch::default()
    };
    let made = fixture
        .service
        .create_flagd_integration(&fixture.caller, fixture.project.id, patch);
    made.await.unwrap();

    let patch = flagstaff_service::EnvironmentPatch {
        name: Some("Later".to_owned()),
        ..flagstaff_service::EnvironmentPatch::default()
    };
    let later = fixture
        .service
        .create_environment(&fixture.caller, fixture.project.id, patch);
    let later = later.await.unwrap();

    let published = fixture.service.published(later.id).await.unwrap();
    assert!(published.snapshot.enabled_flagd().is_some());
}
