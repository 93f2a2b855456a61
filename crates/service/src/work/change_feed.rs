//! What others changed: revisions are compared every two seconds.

use super::Stop;
use crate::Service;
use crate::error::ServiceResult;
use crate::snapshots::TouchedIdentities;
use std::collections::HashMap;
use std::time::Duration;
use tracing::warn;

/// A change made elsewhere is served after at most this time.
const INTERVAL: Duration = Duration::from_secs(2);

pub(super) async fn run(service: Service, mut stop: Stop) {
    let mut was_away = false;
    while stop.sleep(INTERVAL).await {
        match service.follow_changes().await {
            Ok(()) => was_away = false,
            // Once, not every two seconds of an outage.
            Err(problem) if !was_away => {
                was_away = true;
                warn!(%problem, "cannot compare revisions; what is in memory is served on");
            }
            Err(_) => {}
        }
    }
}

impl Service {
    /// Brings every resident environment up to the database.
    ///
    /// # Errors
    /// Failures of the database.
    pub async fn follow_changes(&self) -> ServiceResult<()> {
        let resident = self.environments().resident();
        if resident.is_empty() {
            return Ok(());
        }
        let ids: Vec<_> = resident.iter().map(|(id, _)| *id).collect();
        let stored: HashMap<_, _> = self
            .store()
            .revisions(&ids)
            .await?
            .into_iter()
            .map(|stored| (stored.id, stored.revision))
            .collect();
        for (id, revision) in resident {
            match stored.get(&id) {
                Some(newer) if *newer > revision => {
                    // Keys are changed in the same step as revisions.
                    self.keys().reload(self, id).await?;
                    self.refresh(id, *newer, TouchedIdentities::All).await?;
                }
                Some(_) => {}
                None => self.forget_environment(id).await?,
            }
        }
        Ok(())
    }
}
