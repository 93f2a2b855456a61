//! Whether the database can be reached.
//!
//! Only nodes that share a database ask: on SQLite it is a file. One task looks (see `work::change_notices`); what is
//! asked on behalf of SDKs goes through [`Service::ask`], which does not wait for a database that is known to be away.
//! So answers that need it are refused at once, and those that do not are not held up.

use crate::Service;
use crate::error::{ServiceError, ServiceResult};
use flagstaff_store::StoreResult;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tracing::{info, warn};

/// What is known of the database.
#[derive(Debug)]
pub(crate) struct Availability {
    is_away: watch::Sender<bool>,
    /// Somebody could not reach it: it is to be looked at, now.
    doubts: Notify,
}

impl Default for Availability {
    fn default() -> Self {
        Self {
            is_away: watch::Sender::new(false),
            doubts: Notify::new(),
        }
    }
}

impl Availability {
    /// True while the database is known to be away.
    pub(crate) fn is_away(&self) -> bool {
        *self.is_away.borrow()
    }

    /// Waits until somebody doubts that the database can be reached; for at most a time.
    pub(crate) async fn doubted(&self, time: Duration) {
        // Either way it is looked at.
        let _ = tokio::time::timeout(time, self.doubts.notified()).await;
    }

    /// Keeps what was found.
    pub(crate) fn found(&self, is_away: bool) {
        metrics::gauge!("flagstaff_database_up").set(if is_away { 0.0 } else { 1.0 });
        let has_changed = self
            .is_away
            .send_if_modified(|known| std::mem::replace(known, is_away) != is_away);
        match (has_changed, is_away) {
            (true, true) => warn!("the database is away; what is in memory is served on"),
            (true, false) => info!("the database is back"),
            (false, _) => {}
        }
    }

    async fn turns_away(&self) {
        let mut receiver = self.is_away.subscribe();
        // The sender lives as long as this.
        let _ = receiver.wait_for(|is_away| *is_away).await;
    }
}

impl Service {
    /// Asks the database on behalf of an SDK: not at all while it is away, and no longer than it is known to be there.
    ///
    /// # Errors
    /// [`ServiceError::Unavailable`] while it is away, and other failures.
    pub(crate) async fn ask<T>(
        &self,
        question: impl Future<Output = StoreResult<T>>,
    ) -> ServiceResult<T> {
        let availability = self.availability();
        tokio::select! {
            biased;
            () = availability.turns_away() => Err(Self::away()),
            answer = question => answer.map_err(|error| {
                if error.is_lost_connection() {
                    availability.doubts.notify_one();
                }
                error.into()
            }),
        }
    }

    /// Passes while the database is not known to be away.
    ///
    /// # Errors
    /// [`ServiceError::Unavailable`] while it is away.
    pub(crate) fn require_database(&self) -> ServiceResult<()> {
        if self.availability().is_away() {
            return Err(Self::away());
        }
        Ok(())
    }

    fn away() -> ServiceError {
        ServiceError::Unavailable("known since it was last looked at".into())
    }
}
