//! Health, version and metrics.

use crate::face::Face;
use serde_json::json;

#[tokio::test]
async fn health_is_told_with_and_without_a_slash() {
    let face = Face::start().await;
    let working = json!({"DatabaseBackend": "working", "MigrationsHealthCheck": "working"});
    let check = async |path: &str, expected: &serde_json::Value| {
        let reply = face.keyless("GET", path).send().await;
        assert_eq!((reply.status, &reply.json()), (200, expected), "{path}");
    };

    check("/health", &working).await;
    check("/health/readiness", &working).await;
    check("/health/readiness/", &working).await;
    check("/health/liveness", &json!({"status": "ok"})).await;
    check("/health/liveness/", &json!({"status": "ok"})).await;
}

#[tokio::test]
async fn the_version_is_told_to_everybody() {
    let face = Face::start().await;

    let version = face.keyless("GET", "/version/").send().await.json();

    assert_eq!(version["image_tag"], env!("CARGO_PKG_VERSION"));
    assert_eq!(version["is_saas"], false);
}

#[tokio::test]
async fn health_is_only_read() {
    let face = Face::start().await;

    let reply = face.keyless("POST", "/health").send().await;

    assert_eq!(
        (reply.status, reply.header("allow")),
        (405, Some("GET, HEAD"))
    );
    assert_eq!(
        reply.json(),
        json!({"detail": "Method \"POST\" not allowed."})
    );
}

#[tokio::test]
async fn the_way_of_a_change_to_its_readers_is_measured() {
    let face = Face::start().await;
    // Held from here on, so that the next change is published.
    face.get("/api/v1/flags/").send().await;

    face.set_allow_client_traits(false).await;

    let mut text = String::new();
    for _ in 0..100 {
        text = face.keyless("GET", "/metrics").send().await.text();
        if text.contains("flagstaff_propagation_seconds_count ") {
            break;
        }
        // The probe is a task of its own.
        tokio::task::yield_now().await;
    }
    assert!(
        text.contains("flagstaff_propagation_seconds_count "),
        "{text}"
    );
    assert!(text.contains("flagstaff_propagation_seconds_bucket{le=\"0.01\"}"));
}
