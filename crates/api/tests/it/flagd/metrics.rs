use super::polls::{DIAGNOSTICS, FLAGS};
use crate::face::{CLIENT_KEY, Face, SERVER_KEY};

#[tokio::test]
async fn requirement_32_documents_are_measured_without_naming_whose() {
    let face = Face::start_with_flagd().await;
    let tag = face.polled(FLAGS).await.tag().to_owned();
    face.poll(FLAGS, &[("if-none-match", &tag)]).await;
    face.polled(DIAGNOSTICS).await;
    face.get_with(CLIENT_KEY, FLAGS).send().await;
    face.set_flagd(false).await;
    face.poll(FLAGS, &[]).await;

    let text = face.keyless("GET", "/metrics").send().await.text();

    for status in ["200", "304", "403", "404"] {
        let counted = format!("flagstaff_flagd_sync_requests_total{{status=\"{status}\"}} ");
        assert!(text.contains(&counted), "{status} is missing");
    }
    let size = "flagstaff_flagd_document_size_bytes_bucket{le=";
    for end in ["512", "4096", "32768", "262144", "2097152", "+Inf"] {
        assert!(
            text.contains(&format!("{size}\"{end}\"}}")),
            "{end} is missing"
        );
    }
    assert_eq!(text.matches(size).count(), 6);
    assert!(text.contains("flagstaff_flagd_document_build_seconds_count "));
    // The recorded environment has a pattern that flagd cannot say.
    let warnings = "flagstaff_flagd_translation_warnings_total{reason=\"";
    assert!(text.contains(warnings));
    let reasons = text.lines().filter_map(|line| line.strip_prefix(warnings));
    for reason in reasons {
        let (reason, _) = reason.split_once('"').unwrap();
        assert!(
            reason
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'_'),
            "{reason}"
        );
    }
    for secret in [SERVER_KEY, CLIENT_KEY, "Development", "Shop"] {
        assert!(!text.contains(secret), "{secret} is told");
    }
}
