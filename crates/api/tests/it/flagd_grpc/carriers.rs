//! The places where a key can stand, and what is said where it cannot be used.

use super::{code, integrate, serving, sync_client, with};
use crate::face::{CLIENT_KEY, Face, SERVER_KEY};
use flagstaff_core::Timestamp;
use flagstaff_proto::flagd::sync::v1::GetMetadataRequest;
use tonic::Code;

async fn asked(face: &Face, metadata: &[(&'static str, &str)]) -> Code {
    let request = with(GetMetadataRequest {}, metadata);
    code(&sync_client(face).get_metadata(request).await)
}

#[tokio::test]
async fn a_server_key_opens_by_every_metadata() {
    let face = serving().await;
    let bearer = format!("Bearer {SERVER_KEY}");
    let source = format!("source={SERVER_KEY}");

    for metadata in [
        ("x-environment-key", SERVER_KEY),
        ("authorization", SERVER_KEY),
        ("authorization", bearer.as_str()),
        ("flagd-selector", SERVER_KEY),
        ("flagd-selector", source.as_str()),
    ] {
        assert_eq!(asked(&face, &[metadata]).await, Code::Ok, "{}", metadata.0);
    }
}

#[tokio::test]
async fn a_key_that_opens_nothing_is_denied() {
    let face = serving().await;
    face.add_server_key("ser.inactive", false, None).await;
    let past = Some(Timestamp::from_micros(1));
    face.add_server_key("ser.expired", true, past).await;

    for key in ["ser.unknown", CLIENT_KEY, "ser.inactive", "ser.expired", ""] {
        let code = asked(&face, &[("x-environment-key", key)]).await;
        assert_eq!(code, Code::PermissionDenied, "{key}");
    }
    let code = asked(&face, &[("flagd-selector", "ser.unknown")]).await;
    assert_eq!(code, Code::PermissionDenied);
    let code = asked(&face, &[("authorization", "Basic abc")]).await;
    assert_eq!(code, Code::PermissionDenied);
}

#[tokio::test]
async fn a_selector_names_the_environment_that_the_key_opens_or_is_refused() {
    let face = serving().await;
    let own = own_flag_set(&face).await;
    let selected = async |selector: &str| {
        let metadata = [
            ("x-environment-key", SERVER_KEY),
            ("flagd-selector", selector),
        ];
        asked(&face, &metadata).await
    };

    assert_eq!(selected(&format!("flagSetId={own}")).await, Code::Ok);
    assert_eq!(selected(&format!("source={own}")).await, Code::Ok);
    assert_eq!(selected(&own).await, Code::Ok);
    assert_eq!(selected("default").await, Code::Ok);
    assert_eq!(selected("flagSetId=another/one").await, Code::NotFound);
    assert_eq!(selected("flagSetId=").await, Code::InvalidArgument);
    assert_eq!(selected("colour=red").await, Code::InvalidArgument);
    assert_eq!(selected(&"x".repeat(2000)).await, Code::InvalidArgument);
}

#[tokio::test]
async fn a_name_alone_opens_nothing_without_a_listener_that_stands_for_it() {
    let face = serving().await;
    let own = format!("flagSetId={}", own_flag_set(&face).await);

    // The question that older clients ask first is one they do without.
    assert_eq!(
        asked(&face, &[("flagd-selector", own.as_str())]).await,
        Code::Unimplemented
    );
    assert_eq!(asked(&face, &[]).await, Code::Unimplemented);
}

#[tokio::test]
async fn a_project_that_is_not_served_to_flagd_is_not_found() {
    let face = serving().await;
    integrate(&face, false).await;

    let request = with(GetMetadataRequest {}, &[("x-environment-key", SERVER_KEY)]);
    let refusal = sync_client(&face).get_metadata(request).await.unwrap_err();

    assert_eq!(refusal.code(), Code::NotFound);
    assert_eq!(
        refusal.message(),
        "flagd integration is not enabled for this project."
    );
    // Who may not ask learns nothing about the project.
    assert_eq!(
        asked(&face, &[("x-environment-key", "ser.unknown")]).await,
        Code::PermissionDenied
    );
}

#[tokio::test]
async fn no_refusal_repeats_what_was_sent() {
    let face = serving().await;
    for metadata in [
        ("x-environment-key", "ser.not-to-be-shown"),
        ("flagd-selector", "ser.not-to-be-shown"),
        ("flagd-selector", "secret=ser.not-to-be-shown"),
    ] {
        let request = with(GetMetadataRequest {}, &[metadata]);
        let refusal = sync_client(&face).get_metadata(request).await.unwrap_err();
        assert!(!refusal.message().contains("shown"), "{refusal}");
    }
}

/// `<project>/<environment>` of the recorded environment.
pub async fn own_flag_set(face: &Face) -> String {
    let document = face
        .get_with(SERVER_KEY, "/api/v1/flagd/flags.json")
        .send()
        .await
        .json();
    document["metadata"]["flagSetId"]
        .as_str()
        .unwrap()
        .to_owned()
}
