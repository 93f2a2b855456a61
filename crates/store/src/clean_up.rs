//! Rows that have had their time. Unaudited: nobody can use them any more.

use crate::backend::execute;
use crate::{Store, StoreResult};
use flagstaff_core::Timestamp;

/// Rows removed in one statement: nobody waits long for their locks.
macro_rules! some_of {
    ($table:literal, $condition:literal) => {
        concat!(
            "DELETE FROM ",
            $table,
            " WHERE id IN (SELECT id FROM ",
            $table,
            " WHERE ",
            $condition,
            " LIMIT 500)"
        )
    };
}

impl Store {
    /// Removes what expired before a time: tokens, sessions of browsers and links. Answers how many rows.
    ///
    /// # Errors
    /// When the database does not answer; what was removed before stays removed.
    pub async fn remove_expired(&self, now: Timestamp) -> StoreResult<u64> {
        const EXPIRED: [&str; 5] = [
            some_of!("member_tokens", "expires_at <= $1"),
            some_of!("sessions", "expires_at <= $1"),
            some_of!("sign_in_links", "expires_at <= $1"),
            some_of!("account_links", "expires_at <= $1"),
            some_of!("spent_states", "expires_at <= $1"),
        ];
        let mut removed = 0;
        for sql in EXPIRED {
            loop {
                let rows = execute!(self, sql, now.micros())?;
                removed += rows;
                if rows == 0 {
                    break;
                }
            }
        }
        Ok(removed)
    }
}
