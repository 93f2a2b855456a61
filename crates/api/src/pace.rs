//! How many requests one key may make in a second.

use axum::http::HeaderValue;
use governor::clock::{Clock as _, MonotonicClock};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use std::hash::{BuildHasher as _, RandomState};
use std::num::NonZeroU32;
use std::time::Duration;

/// Keys remembered at once; when more come, those that have been quiet are forgotten.
const KEYS: usize = 10_000;

type Limiter = RateLimiter<
    u64,
    HashMapStateStore<u64>,
    MonotonicClock,
    NoOpMiddleware<<MonotonicClock as governor::clock::Clock>::Instant>,
>;

/// Counts requests by key: so many a second, as many at once after a second of quiet.
pub(crate) struct Pace {
    limiter: Option<Limiter>,
    hasher: RandomState,
}

/// Comes back too soon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooFast {
    /// Until another request is let through; at least a second.
    pub(crate) seconds: u64,
}

impl TooFast {
    /// The value of `Retry-After`.
    pub(crate) fn retry_after(self) -> HeaderValue {
        HeaderValue::from(self.seconds)
    }
}

impl Pace {
    /// A limit of requests a second for each key; 0 means none.
    pub(crate) fn new(requests_per_second: u32) -> Self {
        let quota = NonZeroU32::new(requests_per_second).map(Quota::per_second);
        Self {
            limiter: quota
                .map(|quota| RateLimiter::new(quota, HashMapStateStore::default(), MonotonicClock)),
            hasher: RandomState::new(),
        }
    }

    /// Counts a request with a key.
    ///
    /// # Errors
    /// When the key has made too many; then it is not counted.
    pub(crate) fn count(&self, key: &str) -> Result<(), TooFast> {
        let Some(limiter) = &self.limiter else {
            return Ok(());
        };
        if limiter.len() > KEYS {
            limiter.retain_recent();
        }
        // Only keys that open something come here, so that two share a number by accident only.
        let key = self.hasher.hash_one(key);
        limiter.check_key(&key).map_err(|early| {
            let wait = early.wait_time_from(MonotonicClock.now());
            TooFast {
                seconds: (wait + Duration::from_millis(999)).as_secs().max(1),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_its_own_limit() {
        let pace = Pace::new(2);

        assert_eq!(pace.count("a"), Ok(()));
        assert_eq!(pace.count("a"), Ok(()));
        assert_eq!(pace.count("a"), Err(TooFast { seconds: 1 }));
        assert_eq!(pace.count("b"), Ok(()));
    }

    #[test]
    fn no_limit_counts_nothing() {
        let pace = Pace::new(0);

        assert!((0..10_000).all(|_| pace.count("a").is_ok()));
    }
}
