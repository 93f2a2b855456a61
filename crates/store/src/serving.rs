//! One serving process for each SQLite file.

use crate::Store;
use crate::backend::Backend;
use std::fs::{File, TryLockError};
use std::path::PathBuf;

/// The right to serve a database and to write to it; given back when dropped.
#[derive(Debug)]
pub struct Serving {
    /// Locked as long as it is open. `None` for Postgres, which many nodes serve together.
    _lock: Option<File>,
}

/// Why a database cannot be served by this process.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    /// Another process has it.
    #[error("{} is in use: the server is running", path.display())]
    InUse {
        /// The database file.
        path: PathBuf,
    },
    /// The lock file cannot be made or locked.
    #[error("cannot lock {}", path.display())]
    Lock {
        /// The lock file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
}

impl Store {
    /// Takes the right to serve this database, by a lock on `<file>.lock`. Readers from the command line need none.
    ///
    /// A second process would answer from snapshots that the first one's changes do not reach.
    ///
    /// # Errors
    /// When another process has it, or the lock file cannot be made.
    pub fn claim_serving(&self) -> Result<Serving, ClaimError> {
        let Backend::Sqlite { path, .. } = self.backend() else {
            return Ok(Serving { _lock: None });
        };
        let mut name = path.as_os_str().to_owned();
        name.push(".lock");
        let name = PathBuf::from(name);
        let failed = |source| ClaimError::Lock {
            path: name.clone(),
            source,
        };
        let file = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&name)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Serving { _lock: Some(file) }),
            Err(TryLockError::WouldBlock) => Err(ClaimError::InUse { path: path.clone() }),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }
}
