//! Leases: work that one node at a time does. Unaudited.

use crate::backend::execute;
use crate::{Store, StoreResult};
use flagstaff_core::Timestamp;

impl Store {
    /// Takes or renews a lease until a time; false while another holder has it.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn take_lease(
        &self,
        name: &str,
        holder: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> StoreResult<bool> {
        const SQL: &str = "
            INSERT INTO leases (name, holder, expires_at) VALUES ($1, $2, $4)
            ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
                WHERE leases.holder = excluded.holder OR leases.expires_at <= $3";
        let done = execute!(self, SQL, name, holder, now.micros(), until.micros())?;
        Ok(done > 0)
    }

    /// Gives a lease back; does nothing when the holder no longer has it.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn release_lease(&self, name: &str, holder: &str) -> StoreResult<()> {
        const SQL: &str = "DELETE FROM leases WHERE name = $1 AND holder = $2";
        execute!(self, SQL, name, holder)?;
        Ok(())
    }
}
