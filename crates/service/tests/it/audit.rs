//! The audit log as files, and who may read it.

use crate::fixture::Fixture;
use flagstaff_core::FeatureId;
use flagstaff_service::{
    AuditFilter, AuditFormat, AuditPlace, AuditVerdict, Caller, ServiceError, ServiceResult,
};
use futures::{StreamExt as _, TryStreamExt as _};

async fn export(
    fixture: &Fixture,
    place: AuditPlace,
    format: AuditFormat,
) -> ServiceResult<String> {
    let filter = AuditFilter::default();
    let stream = fixture
        .service
        .export_audit(&fixture.caller, place, filter, format)
        .await?;
    let chunks: Vec<_> = stream.boxed().try_collect().await?;
    let bytes: Vec<u8> = chunks.concat();
    Ok(String::from_utf8(bytes).unwrap())
}

#[tokio::test]
async fn a_file_holds_every_entry_of_a_long_log() {
    let fixture = Fixture::new().await;
    for number in 0..3 {
        fixture.feature(&format!("feature-{number}"), None).await;
    }
    let statement = "WITH RECURSIVE numbers (i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM numbers WHERE i < 2199)
        INSERT INTO audit_entries (organisation_id, sequence, previous_hash, hash, at, actor_kind, actor_name,
            action, noun, summary, words_folded)
        SELECT 1, i, '', '', 1800000000000000 + i, 'system', 'test', 'update', 'tag', 'a, \"b\"', '' FROM numbers";
    flagstaff_testkit::sql::execute(&fixture.store, statement).await;
    let place = AuditPlace::Organisation(fixture.project.organisation_id);

    let csv = export(&fixture, place, AuditFormat::Csv).await.unwrap();
    let json = export(&fixture, place, AuditFormat::JsonLines)
        .await
        .unwrap();

    let entries = fixture
        .store
        .audit_entries(Some(fixture.project.organisation_id), 0, 10_000);
    let count = entries.await.unwrap().len();
    assert!(count > 1_200);
    assert_eq!(
        csv.lines().count(),
        count + 1,
        "a header and a line for each"
    );
    assert!(csv.starts_with("sequence,at,"));
    assert!(csv.contains("\"a, \"\"b\"\"\""));
    assert_eq!(json.lines().count(), count);
    assert!(json.starts_with("{\"sequence\":2199,"));
}

#[tokio::test]
async fn the_history_of_a_feature_tells_of_its_states_too() {
    let fixture = Fixture::new().await;
    let banner: FeatureId = fixture.feature("banner", None).await;
    fixture.feature("other", None).await;
    let place = AuditPlace::Project(fixture.project.id);
    let filter = AuditFilter {
        feature: Some(banner),
        ..AuditFilter::default()
    };

    let service = &fixture.service;
    let (records, older) = service
        .audit_part(&fixture.caller, place, filter, None, 50)
        .await
        .unwrap();

    assert_eq!(older, None);
    assert!(!records.is_empty());
    for record in &records {
        assert!(record.entry.summary.contains("banner"), "{record:?}");
        assert_eq!(
            record.author.as_ref().map(|member| member.id),
            fixture.caller.member().map(|member| member.id)
        );
    }
}

#[tokio::test]
async fn a_chain_is_checked_by_admins_only() {
    let fixture = Fixture::new().await;
    let organisation = fixture.project.organisation_id;
    let member = fixture.caller.member().unwrap().clone();
    let nobody = Caller::of_member(
        flagstaff_core::Member {
            is_superuser: false,
            ..member
        },
        Vec::new(),
    );

    let verdict = fixture
        .service
        .verify_audit(&fixture.caller, organisation)
        .await
        .unwrap();
    let refused = fixture.service.verify_audit(&nobody, organisation).await;
    let place = AuditPlace::Installation;
    let installation = fixture
        .service
        .audit_part(&nobody, place, AuditFilter::default(), None, 5)
        .await;

    assert!(matches!(verdict, AuditVerdict::Whole { entries } if entries > 0));
    assert!(matches!(refused, Err(ServiceError::Forbidden)));
    assert!(matches!(installation, Err(ServiceError::Forbidden)));
    export(&fixture, place, AuditFormat::Csv).await.unwrap();
}
