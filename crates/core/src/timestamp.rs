//! A point in time.

/// Microseconds since 1970-01-01T00:00:00 UTC, without leap seconds; negative before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Wraps microseconds since the epoch.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the epoch.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// The later of now and one microsecond after `previous`, so that every change has a time of its own.
    #[must_use]
    pub fn after(self, previous: Self) -> Self {
        Self(self.0.max(previous.0.saturating_add(1)))
    }

    /// The first microsecond of the day (UTC) that this time is in.
    #[must_use]
    pub const fn start_of_day(self) -> Self {
        const DAY: i64 = 86_400_000_000;
        Self(self.0.div_euclid(DAY).saturating_mul(DAY))
    }

    /// This time moved by some microseconds.
    #[must_use]
    pub const fn plus_micros(self, micros: i64) -> Self {
        Self(self.0.saturating_add(micros))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_midnight_in_universal_time() {
        let day = |micros| Timestamp::from_micros(micros).start_of_day().micros();

        assert_eq!(day(0), 0);
        assert_eq!(day(86_400_000_000 + 5), 86_400_000_000);
        assert_eq!(day(-1), -86_400_000_000);
    }
}
