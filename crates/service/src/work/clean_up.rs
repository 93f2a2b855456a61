//! Removing what has had its time: one node at a time does it.

use super::{LEASE_TRIED_EVERY, Stop};
use crate::Service;
use crate::error::ServiceResult;
use std::time::Duration;
use tokio::time::Instant;
use tracing::{info, warn};

const LEASE: &str = "clean up";
/// How often the node whose work it is does it.
const INTERVAL: Duration = Duration::from_secs(600);

pub(super) async fn run(service: Service, mut stop: Stop) {
    // Whoever takes the work over does it at once: nobody knows when it was done last.
    let mut done: Option<Instant> = None;
    loop {
        match service.hold_lease(LEASE).await {
            Ok(true) if done.is_none_or(|done| done.elapsed() >= INTERVAL) => {
                match service.clean_up().await {
                    Ok(()) => done = Some(Instant::now()),
                    Err(problem) => warn!(%problem, "expired rows stay for now"),
                }
            }
            Ok(true) => {}
            // Another node does it, or it cannot be known.
            Ok(false) | Err(_) => done = None,
        }
        if !stop.sleep(LEASE_TRIED_EVERY).await {
            return service.give_lease_back(LEASE).await;
        }
    }
}

impl Service {
    /// Removes tokens, sessions and links that have expired, and files of features that were kept long enough.
    ///
    /// # Errors
    /// Failures of the database.
    pub async fn clean_up(&self) -> ServiceResult<()> {
        let removed = self.store().remove_expired(self.clock().now()).await?;
        if removed > 0 {
            info!(
                rows = removed,
                "expired tokens, sessions and links are removed"
            );
        }
        self.delete_old_feature_files().await
    }
}
