//! Usage counts.

use crate::fixture::Fixture;
use flagstaff_core::Timestamp;
use flagstaff_service::{EvaluationCount, RequestKind, SdkLabels, ServiceError, UsagePeriod};

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
        variant: None,
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

#[tokio::test]
async fn variants_are_counted_by_day_where_the_protocol_tells_them() {
    let fixture = Fixture::new().await;
    let banner = fixture.feature("banner", None).await;
    let open = fixture.open().await;
    let (service, labels) = (&fixture.service, SdkLabels::default());
    let counted = |variant: Option<&str>, count| EvaluationCount {
        feature: "banner".to_owned(),
        enabled: Some(true),
        variant: variant.map(str::to_owned),
        count,
    };

    let counts = [
        counted(Some("control"), 2),
        counted(Some("red"), 5),
        counted(None, 9),
    ];
    service.count_evaluations(&open, &counts, &labels);
    service.flush_usage().await.unwrap();
    service.count_evaluations(&open, &[counted(Some("control"), 4)], &labels);
    service.flush_usage().await.unwrap();
    let (place, period) = ((fixture.project.id, banner), UsagePeriod::Days(7));
    let environment = fixture.environment.id;
    let told = service.variant_usage(&fixture.caller, place, environment, period);

    let expected = [("control".to_owned(), 6), ("red".to_owned(), 5)];
    assert_eq!(told.await.unwrap(), expected);
    fixture.advance(8 * 24 * 3_600);
    let later = service.variant_usage(&fixture.caller, place, environment, period);
    assert!(later.await.unwrap().is_empty());
    let nowhere = (fixture.project.id, flagstaff_core::FeatureId::new(999));
    let refused = service.variant_usage(&fixture.caller, nowhere, environment, period);
    assert!(matches!(refused.await, Err(ServiceError::NotFound { .. })));
}
