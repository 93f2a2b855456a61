//! What the recorded server held beyond its document, and what was switched between the recorded requests.

use crate::face::Face;
use flagstaff_core::Timestamp;
use flagstaff_service::EnvironmentPatch;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use std::net::{IpAddr, Ipv4Addr};

const EXPIRED_KEY: &str = "ser.WfQwaa2HLf8xELmL2upDs5";
const INACTIVE_KEY: &str = "ser.YyRrmzD3SkVXLWU62D4xrb";
pub const RECORDED_TOKEN: &str = "Token 3919341c161732277b66a40e88da3fcaa54aafe6";
const EMAIL: &str = "admin@example.com";
const PASSWORD: &str = "Str0ng-Passw0rd!";

/// Brings a server that serves the recorded document into the recorded state.
pub async fn prepare(face: &Face) {
    face.add_server_key(EXPIRED_KEY, true, Some(Timestamp::from_micros(1)))
        .await;
    face.add_server_key(INACTIVE_KEY, false, None).await;
    let alice = |key: &str, value: serde_json::Value| json!({"identity": {"identifier": "alice@example.com"}, "trait_key": key, "trait_value": value});
    let traits = json!([alice("age", json!(31)), alice("vip", json!(true))]).to_string();
    let put = face.request("PUT", "/api/v1/traits/bulk/");
    let put = put.header("content-type", "application/json").body(traits);
    assert_eq!(put.send().await.status, 200);
}

/// Makes the change that was made before a row was recorded.
pub async fn before(face: &Face, file: &str, row: u64) {
    match (file, row) {
        ("10-sdk-flags", 34) => {
            let hide_disabled_flags = Some(Some(true));
            update(
                face,
                EnvironmentPatch {
                    hide_disabled_flags,
                    ..none()
                },
            )
            .await;
        }
        ("10-sdk-flags", 37) => {
            let hide_disabled_flags = Some(None);
            let hide_sensitive_data = Some(true);
            update(
                face,
                EnvironmentPatch {
                    hide_disabled_flags,
                    hide_sensitive_data,
                    ..none()
                },
            )
            .await;
        }
        ("11-sdk-identities", 1) => {
            let hide_sensitive_data = Some(false);
            update(
                face,
                EnvironmentPatch {
                    hide_sensitive_data,
                    ..none()
                },
            )
            .await;
        }
        ("11-sdk-identities", 43) | ("12-sdk-traits", 1) | ("13-sdk-environment-document", 14) => {
            face.set_allow_client_traits(false).await;
        }
        // Before the environment was copied it was as it had been.
        ("19-clone-import-export", 2) => {
            let patch = EnvironmentPatch {
                description: Some(Some("changed".to_owned())),
                allow_client_traits: Some(true),
                ..none()
            };
            update(face, patch).await;
        }
        // Something else was saved in between, as the time in the recorded answer shows.
        ("11-sdk-identities", 44) => {
            let description = Some(Some("saved again".to_owned()));
            update(
                face,
                EnvironmentPatch {
                    description,
                    ..none()
                },
            )
            .await;
        }
        ("12-sdk-traits", 4) => face.set_allow_client_traits(true).await,
        _ => {}
    }
}

fn none() -> EnvironmentPatch {
    EnvironmentPatch::default()
}

async fn update(face: &Face, patch: EnvironmentPatch) {
    face.update_environment(patch).await;
}

/// A token that signs in here, for the recorded one.
pub async fn sign_in(face: &Face) -> String {
    let link = face.service.waiting_sign_in_link().await.unwrap().unwrap();
    let password = || SecretString::from(PASSWORD);
    let redeemed = face
        .service
        .redeem_sign_in_link(link.expose_secret(), EMAIL, password());
    redeemed.await.unwrap();
    let from = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let token = face.service.sign_in(EMAIL, password(), from).await.unwrap();
    format!("Token {}", token.expose_secret())
}
