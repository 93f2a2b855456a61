//! Exports and imports of features are made soon after they are asked for, on any node.

use super::Stop;
use crate::Service;
use crate::error::ServiceResult;
use std::time::Duration;
use tokio::time::timeout;
use tracing::warn;

/// What was asked for through another node is made after at most this time, should that node have stopped.
const INTERVAL: Duration = Duration::from_secs(2);
/// How long files are kept.
const KEPT_MICROS: i64 = 14 * 24 * 3600 * 1_000_000;

pub(super) async fn run(service: Service, mut stop: Stop) {
    let mut was_away = false;
    loop {
        match service.make_feature_files().await {
            Ok(()) => was_away = false,
            // Once, not every two seconds of an outage.
            Err(problem) if !was_away => {
                was_away = true;
                warn!(%problem, "exports and imports of features have to wait");
            }
            Err(_) => {}
        }
        let waiting = timeout(INTERVAL, service.feature_files_waiting().notified());
        if stop.unless_stopped(waiting).await.is_none() {
            return;
        }
    }
}

impl Service {
    /// Makes every export and import that waits.
    ///
    /// # Errors
    /// When the database cannot be reached; what waits goes on waiting.
    pub async fn make_feature_files(&self) -> ServiceResult<()> {
        while let Some(waiting) = self.store().next_feature_export().await? {
            self.make_feature_export(&waiting).await?;
        }
        while let Some(waiting) = self.store().next_feature_import().await? {
            self.make_feature_import(&waiting).await?;
        }
        Ok(())
    }

    /// Removes exports and imports that were asked for more than 14 days ago.
    ///
    /// # Errors
    /// Failures of the database.
    pub async fn delete_old_feature_files(&self) -> ServiceResult<()> {
        let before = self.clock().now().plus_micros(-KEPT_MICROS);
        self.store().delete_old_feature_files(before).await?;
        Ok(())
    }
}
