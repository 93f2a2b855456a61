//! Environment keys: what opens what.

use crate::fixture::Fixture;
use flagstaff_service::{KeyNeed, ServerKeyPatch, ServerKeyRequest, ServiceError};

#[tokio::test]
async fn a_key_opens_its_environment_until_it_is_withdrawn() {
    let fixture = Fixture::new().await;
    let (service, caller) = (&fixture.service, &fixture.caller);
    let api_key = &*fixture.environment.api_key;
    let request = ServerKeyRequest {
        name: "backend".to_owned(),
        ..ServerKeyRequest::default()
    };
    let key = service
        .create_server_key(caller, api_key, request)
        .await
        .unwrap();
    let open = || service.open_environment(Some(&key.key), KeyNeed::ServerSide);
    assert!(open().await.unwrap().server_side);

    let off = ServerKeyPatch {
        active: Some(false),
        ..ServerKeyPatch::default()
    };
    service
        .update_server_key(caller, api_key, key.id, off)
        .await
        .unwrap();
    assert!(matches!(open().await, Err(ServiceError::KeyUnknown)));

    let expiring = ServerKeyPatch {
        active: Some(true),
        expires_at: Some(Some(fixture.now().plus_micros(60_000_000))),
        ..ServerKeyPatch::default()
    };
    service
        .update_server_key(caller, api_key, key.id, expiring)
        .await
        .unwrap();
    assert!(open().await.is_ok());
    fixture.advance(60);
    assert!(matches!(open().await, Err(ServiceError::KeyUnknown)));

    service.delete_environment(caller, api_key).await.unwrap();
    let client = service.open_environment(Some(api_key), KeyNeed::Any).await;
    assert!(matches!(client, Err(ServiceError::KeyUnknown)));
}

#[tokio::test]
async fn a_key_of_the_wrong_kind_is_told_apart_from_an_unknown_one() {
    let fixture = Fixture::new().await;
    let open = |key, need| fixture.service.open_environment(key, need);
    let client = Some(&*fixture.environment.api_key);

    assert!(matches!(
        open(None, KeyNeed::Any).await,
        Err(ServiceError::KeyMissing)
    ));
    assert!(matches!(
        open(Some(" "), KeyNeed::Any).await,
        Err(ServiceError::KeyMissing)
    ));
    assert!(matches!(
        open(client, KeyNeed::ServerSide).await,
        Err(ServiceError::KeyMissing)
    ));
    for unknown in ["nope", "ser.nope", "é", "a b", &"x".repeat(101)] {
        let answer = open(Some(unknown), KeyNeed::Any).await;
        assert!(matches!(answer, Err(ServiceError::KeyUnknown)), "{unknown}");
    }
}
