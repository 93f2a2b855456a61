//! How long a change may take, and when something is tried again.

use std::time::Duration;
use tokio::time::Instant;

/// What a change may take where the host says nothing.
const WHOLE: Duration = Duration::from_secs(30);
/// What one request may take.
const REQUEST: Duration = Duration::from_secs(5);
/// How often a request is made.
pub(crate) const ATTEMPTS: u32 = 3;
/// The first pause; each further one is twice as long.
const PAUSE: Duration = Duration::from_millis(200);
/// How much sooner than the host's own deadline we answer: a deadline that fires in the server below us is an answer
/// without a content type, which the host's library does not understand.
const EARLY: Duration = Duration::from_millis(200);

/// The time that a change has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Budget {
    end: Instant,
}

impl Budget {
    /// Begins now; `told` is what the host waits.
    pub(crate) fn begin(told: Option<Duration>) -> Self {
        let told = told.map_or(WHOLE, |told| told.saturating_sub(EARLY));
        Self {
            end: Instant::now() + told.min(WHOLE),
        }
    }

    /// When everything has to be over.
    pub(crate) fn end(self) -> Instant {
        self.end
    }

    /// What the next request may take; `None` where no time is left.
    pub(crate) fn request(self) -> Option<Duration> {
        let left = self.end.saturating_duration_since(Instant::now());
        (!left.is_zero()).then(|| left.min(REQUEST))
    }

    /// How long to wait before the next attempt; `None` where it would not fit in.
    pub(crate) fn pause(self, attempt: u32, asked: Option<Duration>) -> Option<Duration> {
        let pause = asked.unwrap_or_else(|| jittered(PAUSE * 2_u32.pow(attempt.min(8))));
        let left = self.end.saturating_duration_since(Instant::now());
        (attempt + 1 < ATTEMPTS && pause < left).then_some(pause)
    }
}

/// Half of it to all of it: two rollouts that met with trouble together come back apart.
fn jittered(pause: Duration) -> Duration {
    let chance = getrandom::u32().unwrap_or_default();
    pause.mul_f64(0.5 + f64::from(chance) / f64::from(u32::MAX) / 2.0)
}

/// Reads the header `grpc-timeout`; what cannot be read counts as absent.
pub(crate) fn read_timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let is_number = (1..=8).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    let number: u64 = is_number.then(|| digits.parse().ok())??;
    Some(match unit {
        "H" => Duration::from_secs(number * 3600),
        "M" => Duration::from_secs(number * 60),
        "S" => Duration::from_secs(number),
        "m" => Duration::from_millis(number),
        "u" => Duration::from_micros(number),
        "n" => Duration::from_nanos(number),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn rol_10_a_change_has_thirty_seconds_or_what_the_host_waits() {
        let left = |told| Budget::begin(told).end - Instant::now();

        assert!(left(None) > Duration::from_secs(29));
        assert!(left(Some(Duration::from_secs(600))) <= WHOLE);
        let short = left(Some(Duration::from_secs(2)));
        assert!(short <= Duration::from_millis(1800) && short > Duration::from_secs(1));
        let gone = Budget::begin(Some(Duration::from_millis(100)));
        assert_eq!(gone.request(), None);
    }

    #[tokio::test]
    async fn rol_10_a_request_has_five_seconds_and_three_attempts() {
        let budget = Budget::begin(None);

        assert_eq!(budget.request(), Some(REQUEST));
        let first = budget.pause(0, None).unwrap();
        assert!((PAUSE / 2..=PAUSE).contains(&first), "{first:?}");
        assert!(budget.pause(1, None).is_some());
        assert_eq!(budget.pause(2, None), None);
    }

    #[tokio::test]
    async fn rol_10_what_a_server_asks_to_wait_is_waited_within_the_budget() {
        let budget = Budget::begin(None);

        let asked = Duration::from_secs(3);
        assert_eq!(budget.pause(0, Some(asked)), Some(asked));
        assert_eq!(budget.pause(0, Some(Duration::from_secs(60))), None);
    }

    #[test]
    fn the_hosts_timeout_is_read() {
        for (text, expected) in [
            ("1500m", Some(Duration::from_millis(1500))),
            ("9999999u", Some(Duration::from_micros(9_999_999))),
            ("10S", Some(Duration::from_secs(10))),
            ("", None),
            ("S", None),
            ("-1S", None),
            ("123456789S", None),
            ("1x", None),
            ("1é", None),
        ] {
            assert_eq!(read_timeout(text), expected, "{text}");
        }
    }
}
