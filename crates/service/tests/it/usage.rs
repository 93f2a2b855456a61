//! Usage counts.

use crate::fixture::Fixture;
use flagstaff_core::Timestamp;
use flagstaff_service::{EvaluationCount, RequestKind, SdkLabels};

#[tokio::test]
async fn counts_add_up_over_flushes_and_unknown_features_are_dropped() {
    let fixture = Fixture::new().await;
    let banner = fixture.feature("banner", None).await;
    let open = fixture.open().await;
    let labels = SdkLabels {
        user_agent: Some("flagsmith-python-sdk/6.3.0".to_owned()),
        ..SdkLabels::default()
    };
    let counted = |feature: &str, count| EvaluationCount {
        feature: feature.to_owned(),
        enabled: None,
        count,
    };
    let service = &fixture.service;

    let counts = [
        counted("banner", 3),
        counted("nope", 5),
        counted("banner", -1),
    ];
    service.count_evaluations(&open, &counts, &labels);
    service.count_request(&open, RequestKind::Flags, &labels);
    service.flush_usage().await.unwrap();
    service.count_evaluations(&open, &[counted("banner", 4)], &labels);
    service.flush_usage().await.unwrap();
    service.flush_usage().await.unwrap();

    let since = Timestamp::from_micros(0);
    let environment = fixture.environment.id;
    let evaluations = fixture
        .store
        .count_evaluations(environment, banner, since)
        .await;
    let requests = fixture
        .store
        .count_requests(environment, RequestKind::Flags, since)
        .await;
    assert_eq!(evaluations.unwrap(), 7);
    assert_eq!(requests.unwrap(), 1);
}
