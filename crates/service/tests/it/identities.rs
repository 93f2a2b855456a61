//! Who asks, and what is stored about them.

use crate::fixture::Fixture;
use flagstaff_core::{Identifier, Value};
use flagstaff_service::{
    EnvironmentPatch, Identification, OrganisationPatch, Problem, SentTrait, ServiceError,
    TraitRequest,
};
use std::sync::Arc;

fn sent(key: &str, value: Value) -> SentTrait {
    SentTrait {
        key: key.into(),
        value,
        transient: false,
    }
}

fn says(identifier: &str, traits: Vec<SentTrait>) -> Identification {
    Identification {
        identifier: Some(identifier.to_owned()),
        traits,
        transient: false,
    }
}

#[tokio::test]
async fn traits_are_kept_changed_and_deleted() {
    let fixture = Fixture::new().await;
    let open = fixture.open().await;
    let identify = |traits| fixture.service.identify(&open, says("dave", traits));
    let plan = |value| {
        vec![
            sent("plan", Value::text(value)),
            sent("age", Value::Integer(31)),
        ]
    };

    let first = identify(plan("pro")).await.unwrap();
    assert!(first.traits.iter().all(|shown| shown.id.is_some()));
    identify(vec![sent("plan", Value::text("free"))])
        .await
        .unwrap();
    identify(vec![sent("age", Value::Null)]).await.unwrap();

    let last = identify(Vec::new()).await.unwrap();
    let stored = fixture
        .store
        .stored_identity(fixture.environment.id, &Identifier::parse("dave").unwrap())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(last.traits.len(), 1);
    assert_eq!(last.attributes.get("plan"), Some(&Value::text("free")));
    assert_eq!(stored.traits.len(), 1, "memory and database agree");
}

#[tokio::test]
async fn the_last_of_two_traits_with_one_key_counts() {
    let fixture = Fixture::new().await;
    let open = fixture.open().await;
    let traits = vec![sent("k", Value::text("1")), sent("k", Value::text("2"))];

    let identified = fixture
        .service
        .identify(&open, says("dup", traits))
        .await
        .unwrap();

    assert_eq!(identified.traits.len(), 1);
    assert_eq!(identified.attributes.get("k"), Some(&Value::text("2")));
}

#[tokio::test]
async fn nothing_is_stored_of_somebody_transient_or_anonymous() {
    let fixture = Fixture::new().await;
    let open = fixture.open().await;
    let mut transient = says("ghost", vec![sent("plan", Value::text("pro"))]);
    transient.transient = true;
    let anonymous = Identification {
        identifier: None,
        traits: vec![sent("age", Value::Integer(30))],
        transient: false,
    };

    let ghost = fixture.service.identify(&open, transient).await.unwrap();
    let nobody = fixture.service.identify(&open, anonymous).await.unwrap();

    let known = fixture
        .service
        .identities(
            &fixture.caller,
            &fixture.environment.api_key,
            None,
            flagstaff_service::PageRequest::first(),
        )
        .await
        .unwrap();
    assert!(ghost.traits.iter().all(|shown| shown.transient));
    // SHA-256 of `age30`: the same traits give the same identifier.
    assert_eq!(
        &*nobody.identifier,
        "17396d1a7bafff1fcebe3b06a25dd1e01f57e990645d416f5db63cffa42f33e8"
    );
    assert_eq!(known.total, 0);
}

#[tokio::test]
async fn traits_of_a_client_are_ignored_where_they_are_not_allowed() {
    let fixture = Fixture::new().await;
    let patch = EnvironmentPatch {
        allow_client_traits: Some(false),
        ..EnvironmentPatch::default()
    };
    let key = &fixture.environment.api_key;
    fixture
        .service
        .update_environment(&fixture.caller, key, patch)
        .await
        .unwrap();
    let mut open = fixture.open().await;
    let traits = || vec![sent("plan", Value::text("pro"))];
    let request = TraitRequest {
        identifier: Identifier::parse("frank").unwrap(),
        key: "plan".into(),
        value: Value::text("x"),
    };

    let ignored = fixture
        .service
        .identify(&open, says("frank", traits()))
        .await
        .unwrap();
    let refused = fixture.service.set_traits(&open, vec![request]).await;
    open.server_side = true;
    let kept = fixture
        .service
        .identify(&open, says("frank", traits()))
        .await
        .unwrap();

    assert!(ignored.traits.is_empty());
    assert!(matches!(
        refused,
        Err(ServiceError::Invalid {
            problem: Problem::ClientTraitsNotAllowed,
            ..
        })
    ));
    assert_eq!(kept.traits.len(), 1);
    assert_eq!(
        kept.traits[0].id, None,
        "new to a known identity: answered without its id"
    );
}

#[tokio::test]
async fn an_organisation_that_stores_no_traits_uses_them_all_the_same() {
    let fixture = Fixture::new().await;
    let open = fixture.open().await;
    drop(open);
    let patch = OrganisationPatch {
        persist_trait_data: Some(false),
        ..OrganisationPatch::default()
    };
    fixture
        .service
        .update_organisation(&fixture.caller, fixture.project.organisation_id, patch)
        .await
        .unwrap();
    let open = fixture.open().await;

    let identified = fixture
        .service
        .identify(&open, says("gina", vec![sent("plan", Value::text("pro"))]))
        .await
        .unwrap();

    let again = fixture
        .service
        .identify(&open, says("gina", Vec::new()))
        .await
        .unwrap();
    assert_eq!(identified.attributes.get("plan"), Some(&Value::text("pro")));
    assert!(again.traits.is_empty());
}

#[tokio::test]
async fn increments_made_at_once_lose_nothing() {
    let fixture = Fixture::new().await;
    let open = fixture.open().await;
    let gina = Identifier::parse("gina").unwrap();
    let increments = (0..50).map(|_| {
        let (service, open, gina) = (fixture.service.clone(), open.clone(), gina.clone());
        tokio::spawn(async move { service.increment_trait(&open, gina, "n".into(), 2).await })
    });

    for increment in increments.collect::<Vec<_>>() {
        increment.await.unwrap().unwrap();
    }

    let sum = fixture
        .service
        .increment_trait(&open, gina.clone(), "n".into(), 0)
        .await
        .unwrap();
    let beyond = fixture
        .service
        .increment_trait(&open, gina, Arc::from("n"), i64::MAX)
        .await;
    assert_eq!(sum, 100);
    assert!(matches!(
        beyond,
        Err(ServiceError::Invalid {
            problem: Problem::TraitNotInteger,
            ..
        })
    ));
}
