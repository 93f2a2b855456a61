//! What is held in memory is bounded.

use crate::fixture::{Fixture, clock};
use flagstaff_service::config::MemoryConfig;
use flagstaff_service::{EnvironmentPatch, KeyNeed, Service, ServiceConfig};

#[tokio::test]
async fn the_least_recently_used_environment_goes_unless_a_stream_follows_it() {
    let fixture = Fixture::new().await;
    let patch = EnvironmentPatch {
        name: Some("Production".to_owned()),
        ..EnvironmentPatch::default()
    };
    let production = fixture
        .service
        .create_environment(&fixture.caller, fixture.project.id, patch)
        .await
        .unwrap();
    let config = ServiceConfig {
        memory: MemoryConfig {
            snapshot_weight: 1,
            ..MemoryConfig::default()
        },
        ..ServiceConfig::default()
    };
    let service = Service::new(fixture.store.clone(), clock(&fixture.time), config);
    let work = service.start().await.unwrap();
    let open = |key| {
        let service = service.clone();
        async move {
            service
                .open_environment(Some(key), KeyNeed::Any)
                .await
                .unwrap()
        }
    };

    let first = open(&*fixture.environment.api_key).await;
    open(&*production.api_key).await;
    assert_eq!(service.facts().snapshots, 1, "there is room for one");
    let again = open(&*fixture.environment.api_key).await;
    assert_eq!(again.snapshot().revision, first.snapshot().revision);

    let _stream = service.subscribe(&again);
    open(&*production.api_key).await;
    assert_eq!(service.facts().snapshots, 2, "a followed one stays");
    assert_eq!(service.facts().streams, 1);
    work.stop().await;
}
