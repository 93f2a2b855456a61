//! How often something may be tried within a time.

use crate::error::{ServiceError, ServiceResult};
use flagstaff_core::Timestamp;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

pub(crate) const MINUTE: i64 = 60_000_000;
pub(crate) const HOUR: i64 = 60 * MINUTE;
/// Who is remembered at once; when more try, those whose time is over are forgotten.
const LIMIT: usize = 50_000;

/// Attempts of the present time, by whoever makes them.
#[derive(Debug)]
pub(crate) struct Attempts<K> {
    /// Microseconds.
    time: i64,
    counts: Mutex<HashMap<K, (Timestamp, u32)>>,
}

impl<K: Eq + Hash> Attempts<K> {
    pub(crate) fn within(time: i64) -> Self {
        Self {
            time,
            counts: Mutex::default(),
        }
    }

    /// Counts an attempt.
    ///
    /// # Errors
    /// [`ServiceError::TooManyAttempts`] above the limit.
    pub(crate) fn count(&self, by: K, now: Timestamp, limit: u32) -> ServiceResult<()> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= LIMIT {
            counts.retain(|_, (began, _)| now.micros() - began.micros() < self.time);
        }
        if counts.len() >= LIMIT {
            // More than that many at once is a flood: all begin anew rather than that memory grows.
            counts.clear();
        }
        let (began, count) = counts.entry(by).or_insert((now, 0));
        if now.micros() - began.micros() >= self.time {
            (*began, *count) = (now, 0);
        }
        *count = count.saturating_add(1);
        if *count <= limit {
            return Ok(());
        }
        let left = began.micros() + self.time - now.micros();
        Err(ServiceError::TooManyAttempts {
            retry_after_seconds: u64::try_from(left / 1_000_000 + 1).unwrap_or(60),
        })
    }

    /// Forgets the attempts of one who has succeeded.
    pub(crate) fn forget(&self, by: &K) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.remove(by);
    }
}
