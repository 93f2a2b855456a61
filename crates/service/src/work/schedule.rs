//! Scheduled states become true at their time, exactly once however many nodes wait for it.

use super::Stop;
use crate::Service;
use crate::error::ServiceResult;
use flagstaff_core::Timestamp;
use flagstaff_store::TouchedIdentities;
use std::time::Duration;
use tracing::{info, warn};

/// The longest wait. What is scheduled meanwhile wakes the loop, on other nodes by a notice; a notice may get lost, and
/// then this is how late it can be.
const LONGEST_WAIT: Duration = Duration::from_millis(900);
/// The shortest wait, so that a clock that stands still does not spin.
const SHORTEST_WAIT: Duration = Duration::from_millis(5);

pub(super) async fn run(service: Service, mut stop: Stop) {
    loop {
        let next = match service.apply_due_changes().await {
            Ok(next) => next,
            // Said once for all when the database went away.
            Err(_) if service.availability().is_away() => None,
            Err(problem) => {
                warn!(%problem, "cannot look for scheduled changes");
                None
            }
        };
        tokio::select! {
            goes_on = stop.sleep(service.wait_until(next)) => if !goes_on { return },
            () = service.schedule_changed().notified() => {}
        }
    }
}

impl Service {
    /// Makes every scheduled change true whose time has come and that no other node was faster with; answers when
    /// the next one is due.
    ///
    /// # Errors
    /// Failures of the database.
    pub async fn apply_due_changes(&self) -> ServiceResult<Option<Timestamp>> {
        let now = self.clock().now();
        let next = self.ask(self.store().next_change()).await?;
        if next.is_none_or(|next| next > now) {
            return Ok(next);
        }
        for flipped in self.store().apply_due_changes(now).await? {
            let id = flipped.id;
            info!(environment.id = id.get(), "scheduled change is live");
            self.refresh(id, flipped.revision, TouchedIdentities::All)
                .await?;
        }
        Ok(self.store().next_change().await?)
    }

    fn wait_until(&self, next: Option<Timestamp>) -> Duration {
        let Some(next) = next else {
            return LONGEST_WAIT;
        };
        let micros = next.micros().saturating_sub(self.clock().now().micros());
        let wait = Duration::from_micros(u64::try_from(micros).unwrap_or(0));
        wait.clamp(SHORTEST_WAIT, LONGEST_WAIT)
    }
}
