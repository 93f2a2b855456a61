//! Listeners of one face, which may stand for an environment.

use crate::face::{CLIENT_KEY, Face, SERVER_KEY};
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use flagstaff_api::{Face as Protocol, face_entrance};
use secrecy::SecretString;
use tower::ServiceExt as _;

const FLAGS: &str = "/ofrep/v1/evaluate/flags";

async fn ask(face: &Face, listener: Option<&str>, sent: Option<&str>, path: &str) -> u16 {
    let listener = listener.map(SecretString::from);
    let router: Router = face_entrance(face.state.clone(), Protocol::Ofrep, listener).into();
    let mut request = Request::post(path).header("content-type", "application/json");
    if let Some(key) = sent {
        request = request.header("authorization", format!("Bearer {key}"));
    }
    let request = request.body(Body::from(r#"{"context":{"targetingKey":"u1"}}"#));
    let answer = router.oneshot(request.unwrap()).await;
    answer.unwrap().status().as_u16()
}

#[tokio::test]
async fn a_listener_of_ofrep_lends_its_key_to_who_brings_none() {
    let face = Face::start().await;

    for key in [CLIENT_KEY, SERVER_KEY] {
        assert_eq!(ask(&face, Some(key), None, FLAGS).await, 200, "{key}");
    }
    assert_eq!(ask(&face, None, Some(CLIENT_KEY), FLAGS).await, 200);
    assert_eq!(ask(&face, None, None, FLAGS).await, 401);
    // What is brought counts, be it wrong.
    let wrong = ask(&face, Some(CLIENT_KEY), Some("unknown"), FLAGS).await;
    assert!(matches!(wrong, 401 | 403), "{wrong}");
}

#[tokio::test]
async fn a_listener_of_one_face_serves_no_other() {
    let face = Face::start().await;

    for path in ["/api/v1/identities/", "/api/v1/auth/login/", "/metrics"] {
        let status = ask(&face, Some(SERVER_KEY), None, path).await;
        assert_eq!(status, 404, "{path}");
    }
}
