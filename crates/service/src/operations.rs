//! What operators ask: is it ready, and how much does it hold.

use crate::Service;
use std::time::Duration;

/// How long readiness waits for the database.
const PATIENCE: Duration = Duration::from_secs(2);

/// Whether everything that is needed answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Readiness {
    /// The database answered within two seconds.
    pub database: bool,
}

/// Sizes for the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// Environments held compiled.
    pub snapshots: usize,
    /// Streams that follow one.
    pub streams: usize,
    /// Identities held with their traits.
    pub identities: u64,
}

impl Service {
    /// Asks the database for something trivial.
    pub async fn readiness(&self) -> Readiness {
        let answer = tokio::time::timeout(PATIENCE, self.ask(self.store().ping())).await;
        Readiness {
            database: matches!(answer, Ok(Ok(()))),
        }
    }

    /// What this process holds.
    #[must_use]
    pub fn facts(&self) -> Facts {
        Facts {
            snapshots: self.environments().resident().len(),
            streams: self.environments().followers(),
            identities: self.identity_cache().len(),
        }
    }

    /// True where other nodes use the same database.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.store().is_shared()
    }
}
