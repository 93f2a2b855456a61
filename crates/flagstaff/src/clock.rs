//! The one place that reads the machine's clock.

use flagstaff_core::Timestamp;
use std::time::{SystemTime, UNIX_EPOCH};

/// The present, by the machine's clock.
#[expect(
    clippy::disallowed_methods,
    reason = "every other place is given the time by this one"
)]
pub(crate) fn now() -> Timestamp {
    let micros = match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_micros()).unwrap_or(i64::MAX),
        Err(before) => {
            i64::try_from(before.duration().as_micros()).map_or(i64::MIN, |micros| -micros)
        }
    };
    Timestamp::from_micros(micros)
}
