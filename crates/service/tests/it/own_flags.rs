//! The dashboard's own flags.

use crate::fixture::{Fixture, clock};
use flagstaff_service::config::OwnFlagsConfig;
use flagstaff_service::{
    Caller, KeyNeed, OwnFlags, RequestKind, SdkLabels, Service, ServiceConfig, ServiceError,
};
use flagstaff_testkit::sql;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

fn with(fixture: &Fixture, own_flags: OwnFlagsConfig) -> Service {
    let config = ServiceConfig {
        own_flags,
        ..ServiceConfig::default()
    };
    Service::new(fixture.store.clone(), clock(&fixture.time), config)
}

#[tokio::test]
async fn the_hidden_flags_are_made_once_and_open_everything() {
    let fixture = Fixture::new().await;
    let service = &fixture.service;
    assert_eq!(*service.own_flags().await, OwnFlags::default());

    service.make_own_flags().await.unwrap();
    service.make_own_flags().await.unwrap();

    assert_eq!(*service.own_flags().await, OwnFlags::default());
    let key = service.own_flags_source().await.unwrap().key.unwrap();
    let environments = service.environment(&fixture.caller, &key).await;
    assert!(matches!(environments, Err(ServiceError::NotFound { .. })));
    let organisations = service.organisations(&fixture.caller).await.unwrap();
    assert_eq!(organisations.len(), 1);
    let projects = service.projects(&fixture.caller, None).await.unwrap();
    assert_eq!(projects.len(), 1);
}

#[tokio::test]
async fn a_hidden_flag_that_is_off_hides_its_part() {
    let fixture = Fixture::new().await;
    fixture.service.make_own_flags().await.unwrap();
    sql::execute(
        &fixture.store,
        "UPDATE feature_states SET enabled = FALSE WHERE feature_id =
            (SELECT id FROM features WHERE project_id = -1 AND name = 'tags')",
    )
    .await;

    let node = fixture.node();

    let expected = OwnFlags {
        tags: false,
        ..OwnFlags::default()
    };
    assert_eq!(*node.own_flags().await, expected);
}

#[tokio::test]
async fn superusers_alone_see_and_switch_the_hidden_flags_and_it_is_audited() {
    let fixture = Fixture::new().await;
    let service = &fixture.service;
    service.make_own_flags().await.unwrap();

    let superuser = &fixture.caller;
    let mut member = superuser.member().unwrap().clone();
    member.is_superuser = false;
    let plain = Caller::of_member(member, Vec::new());
    for refused in [
        service.own_flag_switches(&plain).await.map(drop),
        service.own_flag_changes(&plain, 9).await.map(drop),
        service.switch_own_flag(&plain, "tags", false).await,
    ] {
        assert!(matches!(refused, Err(ServiceError::Forbidden)));
    }
    assert!(service.own_flags().await.tags);

    service
        .switch_own_flag(superuser, "tags", false)
        .await
        .unwrap();
    // Once more changes nothing, and is not audited.
    service
        .switch_own_flag(superuser, "tags", false)
        .await
        .unwrap();

    assert!(!service.own_flags().await.tags);
    let switches = service.own_flag_switches(superuser).await.unwrap();
    assert_eq!(switches[0].name, "oauth_google");
    let off: Vec<&str> = switches
        .iter()
        .filter(|switch| !switch.is_enabled)
        .map(|switch| &*switch.name)
        .collect();
    assert_eq!(off, ["plan_based_access", "tags"]);
    let changes = service.own_flag_changes(superuser, 9).await.unwrap();
    let said: Vec<&str> = changes
        .iter()
        .map(|change| &*change.entry.summary)
        .collect();
    assert_eq!(
        said,
        [
            "The dashboard's own flag tags is switched off",
            "The dashboard's own flags are made"
        ]
    );
    let author = changes[0].author.as_ref().unwrap();
    assert_eq!(author.email, superuser.name());
    let unknown = service.switch_own_flag(superuser, "no such", true).await;
    assert!(matches!(unknown, Err(ServiceError::NotFound { .. })));
}

#[tokio::test]
async fn nothing_that_is_asked_of_the_hidden_flags_is_counted() {
    let fixture = Fixture::new().await;
    let service = &fixture.service;
    let _work = service.start().await.unwrap();
    service.make_own_flags().await.unwrap();
    let key = service.own_flags_source().await.unwrap().key.unwrap();
    let hidden = service
        .open_environment(Some(&key), KeyNeed::Any)
        .await
        .unwrap();
    let labels = SdkLabels::default();

    service.count_request(&hidden, RequestKind::Flags, &labels);
    service.count_request(&fixture.open().await, RequestKind::Flags, &labels);
    service.flush_usage().await.unwrap();

    let counted = "SELECT COUNT(*) FROM request_counts";
    assert_eq!(sql::count(&fixture.store, counted).await, 1);
    let hidden = "SELECT COUNT(*) FROM request_counts WHERE environment_id < 0";
    assert_eq!(sql::count(&fixture.store, hidden).await, 0);
}

#[tokio::test]
async fn an_environment_of_this_server_decides_where_it_is_named() {
    let fixture = Fixture::new().await;
    fixture.service.make_own_flags().await.unwrap();
    // A feature is off when it is made, unless it is said.
    fixture.feature("usage_chart", None).await;
    fixture
        .feature("segment_operators", Some(r#"[{"value": "IN"}]"#))
        .await;
    let own_flags = OwnFlagsConfig {
        key: Some(fixture.environment.api_key.to_string()),
        api: None,
    };
    let service = with(&fixture, own_flags);
    let _work = service.start().await.unwrap();

    let flags = service.own_flags().await;

    assert!(!flags.usage_chart && flags.tags && flags.try_it);
    // Its value counts only while it is on.
    assert_eq!(flags.segment_operators, None);
}

/// Answers everybody with this, and counts nothing.
async fn server(status: u16, body: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = vec![0; 4000];
            let read = stream.read(&mut request).await.unwrap_or(0);
            let text = String::from_utf8_lossy(&request[..read]).to_lowercase();
            let is_right = text.starts_with("get /api/v1/flags/ ")
                && text.contains("x-environment-key: client-key");
            let status = if is_right { status } else { 403 };
            let answer = format!(
                "HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    format!("http://{address}/api/v1/")
}

async fn eventually(service: &Service, expected: &OwnFlags) -> bool {
    for _ in 0..200 {
        let flags: Arc<OwnFlags> = service.own_flags().await;
        if *flags == *expected {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    false
}

#[tokio::test]
async fn an_environment_of_another_server_decides_where_that_is_named() {
    let fixture = Fixture::new().await;
    let body = r#"[
        {"id": 1, "feature": {"id": 1, "name": "tags"}, "enabled": false, "feature_state_value": null},
        {"id": 2, "feature": {"id": 2, "name": "segment_operators"}, "enabled": true,
         "feature_state_value": "[\"EQUAL\", \"IN\"]"},
        {"id": 3, "feature": {"id": 3, "name": "unknown"}, "enabled": false, "feature_state_value": 7}
    ]"#;
    let named = |api: String| OwnFlagsConfig {
        key: Some("client-key".to_owned()),
        api: Some(api),
    };

    let service = with(&fixture, named(server(200, body).await));
    let _work = service.start().await.unwrap();
    let broken = with(&fixture, named(server(500, body).await));
    let _broken_work = broken.start().await.unwrap();

    let expected = OwnFlags {
        tags: false,
        segment_operators: Some(vec!["EQUAL".to_owned(), "IN".to_owned()]),
        ..OwnFlags::default()
    };
    assert!(eventually(&service, &expected).await);
    assert_eq!(*broken.own_flags().await, OwnFlags::default());
}
