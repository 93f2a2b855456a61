//! What is counted of answers.

use super::shop::{feature, shop_with};
use super::{connect, keyed, v1, v2};
use crate::face::Face;
use flagstaff_api::{ApiConfig, MetricsConfig};
use flagstaff_core::ValueType;
use flagstaff_proto::flagd::evaluation::{v1, v2};

/// A server with one feature more. All tests share one collector, so its name is of one test alone.
async fn with_feature(name: &str, flag_labels: bool) -> Face {
    let face = shop_with(ApiConfig {
        metrics: MetricsConfig { flag_labels },
        ..ApiConfig::default()
    })
    .await;
    feature(&face, name, "true", true, ValueType::Auto).await;
    face
}

/// Asks about it once in each version, and once by Connect.
async fn ask(face: &Face, name: &str) {
    let flag_key = name.to_owned();
    let request = v1::ResolveBooleanRequest {
        flag_key: flag_key.clone(),
        context: None,
    };
    assert!(v1(face).resolve_boolean(keyed(request)).await.is_ok());
    let request = v2::ResolveBooleanRequest {
        flag_key,
        context: None,
    };
    assert!(v2(face).resolve_boolean(keyed(request)).await.is_ok());
    let path = "/flagd.evaluation.v2.Service/ResolveBoolean";
    let body = format!(r#"{{"flagKey":"{name}"}}"#);
    assert_eq!(connect(face, path).body(body).send().await.status, 200);
}

async fn metrics(face: &Face) -> String {
    face.keyless("GET", "/metrics").send().await.text()
}

#[tokio::test]
async fn flags_are_labels_where_the_setting_says_so() {
    let face = with_feature("labelled-flag", true).await;

    ask(&face, "labelled-flag").await;

    let metrics = metrics(&face).await;
    for line in [
        r#"flagstaff_flagd_impressions_total{feature="labelled-flag",variant="control"} 3"#,
        r#"flagstaff_flagd_reasons_total{feature="labelled-flag",reason="STATIC"} 3"#,
    ] {
        assert!(metrics.lines().any(|each| each == line), "{line}");
    }
}

#[tokio::test]
async fn flags_are_counted_without_their_names_otherwise() {
    let face = with_feature("nameless-flag", false).await;

    ask(&face, "nameless-flag").await;

    let metrics = metrics(&face).await;
    assert!(!metrics.contains("nameless-flag"));
    for name in [
        "flagstaff_flagd_impressions_total ",
        "flagstaff_flagd_reasons_total{reason=\"STATIC\"} ",
    ] {
        assert!(metrics.contains(name), "{name}");
    }
}
