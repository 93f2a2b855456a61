//! What operators ask: is it ready, and how much does it hold.

use crate::error::ServiceResult;
use crate::{Caller, Service};
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

/// What the database is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DatabaseFacts {
    /// True for Postgres, which several nodes may share; false for a SQLite file.
    pub is_shared: bool,
    /// Migrations that it went through: the version of its tables.
    pub schema: usize,
    /// Migrations that this program knows.
    pub known_schema: usize,
}

impl Service {
    /// What the database is, for members.
    ///
    /// # Errors
    /// Failures of the database.
    pub async fn database_facts(&self, _: &Caller) -> ServiceResult<DatabaseFacts> {
        let state = self.store().migration_state().await?;
        Ok(DatabaseFacts {
            is_shared: self.is_shared(),
            schema: state.applied,
            known_schema: state.known,
        })
    }

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
