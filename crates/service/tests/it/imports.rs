//! Imports, the demo and the set-up by scripts.

use crate::fixture::clock;
use flagstaff_core::EnvironmentKey;
use flagstaff_service::{
    BootstrapRequest, ImportRequest, KeyNeed, Noun, Service, ServiceConfig, ServiceError, Store,
};
use flagstaff_wire::flagsmith::document::{environment_document, parse_environment_document};
use secrecy::ExposeSecret;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use tempfile::TempDir;

async fn empty() -> (TempDir, Store, Service) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("test.db").display());
    let store = Store::connect(&url).await.unwrap();
    let time = Arc::new(AtomicI64::new(1_800_000_000_000_000));
    store.migrate(clock(&time).now()).await.unwrap();
    let service = Service::new(store.clone(), clock(&time), ServiceConfig::default());
    (folder, store, service)
}

#[tokio::test]
async fn the_demo_is_made_once_and_served() {
    let (_folder, _store, service) = empty().await;

    let demo = service.create_demo().await.unwrap().unwrap();
    let again = service.create_demo().await.unwrap();

    let key = Some(demo.server_key.expose_secret());
    let open = service
        .open_environment(key, KeyNeed::ServerSide)
        .await
        .unwrap();
    assert!(again.is_none());
    assert!(open.snapshot().features.len() >= 6);
    assert_eq!(open.snapshot().identities.len(), 1);
    assert!(
        open.snapshot()
            .warnings
            .iter()
            .all(|warnings| warnings.is_empty())
    );
}

#[tokio::test]
async fn an_imported_document_comes_out_as_it_went_in_and_a_second_import_is_refused() {
    let (_folder, _store, service) = empty().await;
    let demo = service.create_demo().await.unwrap().unwrap();
    let open = service
        .open_environment(Some(&demo.client_key), KeyNeed::Any)
        .await
        .unwrap();
    let (bytes, _) = environment_document(open.snapshot());
    let (document, warnings) = parse_environment_document(&bytes).unwrap();
    let (_elsewhere_folder, _elsewhere_store, elsewhere) = empty().await;

    let request = ImportRequest {
        server_key: EnvironmentKey::parse("ser.fixed"),
        ..ImportRequest::default()
    };
    elsewhere
        .import_environment(document.clone(), request.clone())
        .await
        .unwrap();
    let again = elsewhere
        .import_environment(document.clone(), request)
        .await;

    let open = elsewhere
        .open_environment(Some("ser.fixed"), KeyNeed::ServerSide)
        .await
        .unwrap();
    let (copied, _) = environment_document(open.snapshot());
    let (copy, _) = parse_environment_document(&copied).unwrap();
    assert!(warnings.is_empty(), "{warnings:?}");
    assert_eq!(copy.features.len(), document.features.len());
    for (copied, original) in copy.features.iter().zip(&document.features) {
        assert_eq!(
            copied.state.hash_seed, original.state.hash_seed,
            "{}",
            original.name
        );
        assert_eq!(
            copied.state.value, original.state.value,
            "{}",
            original.name
        );
    }
    assert!(matches!(
        again,
        Err(ServiceError::Conflict {
            noun: Noun::ClientKey
        })
    ));
}

#[tokio::test]
async fn setting_up_twice_leaves_what_is_there() {
    let (_folder, store, service) = empty().await;
    let request = |key: Option<&str>| BootstrapRequest {
        organisation: "local-dev".to_owned(),
        project: "local-dev".to_owned(),
        environment: "development".to_owned(),
        server_key_name: "flagd-local".to_owned(),
        server_key: key.and_then(EnvironmentKey::parse),
        email: "admin@example.com".to_owned(),
        password: None,
    };

    let first = service.bootstrap(request(None)).await.unwrap();
    let second = service.bootstrap(request(None)).await.unwrap();
    let replaced = service
        .bootstrap(request(Some("ser.pinned")))
        .await
        .unwrap();

    let keys = store.server_keys(first.environment.id).await.unwrap();
    assert!(first.invented_password.is_some());
    assert!(second.invented_password.is_none());
    assert_eq!(first.server_key.key, second.server_key.key);
    assert_eq!(&*replaced.server_key.key, "ser.pinned");
    assert_eq!(keys.len(), 1);
}
