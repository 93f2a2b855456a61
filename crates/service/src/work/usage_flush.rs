//! Usage counts are written every few seconds.

use super::Stop;
use crate::Service;
use std::time::Duration;
use tracing::warn;

pub(super) async fn run(service: Service, mut stop: Stop) {
    let seconds = service.config().usage.flush_seconds.max(1);
    let interval = Duration::from_secs(u64::from(seconds));
    while stop.sleep(interval).await {
        if let Err(problem) = service.flush_usage().await {
            warn!(%problem, "usage counts are kept and written later");
        }
    }
}
