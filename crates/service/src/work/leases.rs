//! Leases: work that must not be done by two nodes at once.
//!
//! A node that ends gives its leases back; of one that is killed they run out. Times come from the nodes' clocks, which
//! have to agree to a few seconds: doing such work twice is a waste, not a fault.

use crate::Service;
use crate::error::ServiceResult;
use std::time::Duration;
use tracing::debug;

/// How long a lease lasts that is not renewed.
const LEASE: i64 = 10_000_000;
/// How often a node tries to take or renew a lease: often enough not to lose it over one failure.
pub(super) const LEASE_TRIED_EVERY: Duration = Duration::from_secs(3);

impl Service {
    /// Takes or renews a lease; false while another node has it. Where nobody else is, it is always had.
    ///
    /// # Errors
    /// Failures of the database.
    pub(crate) async fn hold_lease(&self, name: &str) -> ServiceResult<bool> {
        if !self.is_shared() {
            return Ok(true);
        }
        let now = self.clock().now();
        let until = now.plus_micros(LEASE);
        let taken = self.store().take_lease(name, self.node(), now, until);
        self.ask(taken).await
    }

    /// Lets another node have a lease at once.
    pub(crate) async fn give_lease_back(&self, name: &str) {
        if !self.is_shared() {
            return;
        }
        if let Err(problem) = self
            .ask(self.store().release_lease(name, self.node()))
            .await
        {
            debug!(%problem, "a lease runs out instead of being given back");
        }
    }
}
