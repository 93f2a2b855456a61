//! A queue that lets so many through in a second: what thousands begin at once is spread, in the order they came.

use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

/// How far a pacer makes up for turns that were late: timers go by milliseconds. So much of a second's share, and no
/// more, may begin at one instant.
const CATCH_UP: Duration = Duration::from_millis(2);

/// Lets a steady number through in a second. Whoever stops waiting costs nothing.
#[derive(Debug)]
pub struct Pacer {
    /// When the next may begin. Whoever holds it is first in the queue, and moves it on only by beginning.
    next: Mutex<Instant>,
    interval: Duration,
}

impl Pacer {
    /// So many in a second for each processor, and at least one.
    #[must_use]
    pub fn per_processor(per_second: u32) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let processors = u32::try_from(processors).unwrap_or(1);
        Self::new(per_second.saturating_mul(processors))
    }

    fn new(per_second: u32) -> Self {
        Self {
            next: Mutex::new(Instant::now()),
            interval: Duration::from_secs(1) / per_second.max(1),
        }
    }

    /// Waits for one's turn.
    pub async fn turn(&self) {
        let mut next = self.next.lock().await;
        if *next > Instant::now() {
            sleep_until(*next).await;
        }
        let now = Instant::now();
        let earliest = now.checked_sub(CATCH_UP).unwrap_or(now);
        *next = earliest.max(*next) + self.interval;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[tokio::test]
    async fn many_at_once_are_spread_over_their_time() {
        let pacer = Arc::new(Pacer::new(500));
        let begun = Instant::now();

        let turns = (0..200).map(|_| {
            let pacer = Arc::clone(&pacer);
            async move {
                pacer.turn().await;
                begun.elapsed()
            }
        });
        let turns = futures::future::join_all(turns).await;

        // One every two thousandths of a second.
        let early = turns.iter().filter(|turn| turn.as_millis() < 100).count();
        assert!((1..=60).contains(&early), "{early}");
        let last = turns.iter().max().map_or(0, Duration::as_millis);
        assert!(last >= 380, "{last} ms");
    }

    #[tokio::test]
    async fn a_long_silence_does_not_let_a_crowd_through() {
        let pacer = Pacer::new(1000);
        tokio::time::sleep(Duration::from_millis(300)).await;
        let begun = Instant::now();

        for _ in 0..100 {
            pacer.turn().await;
        }

        assert!(begun.elapsed() >= Duration::from_millis(95));
    }

    #[tokio::test]
    async fn whoever_stops_waiting_takes_nobodys_turn() {
        let pacer = Pacer::new(1);
        pacer.turn().await;
        for _ in 0..100 {
            let impatient = tokio::time::timeout(Duration::ZERO, pacer.turn()).await;
            assert!(impatient.is_err());
        }

        let patient = tokio::time::timeout(Duration::from_secs(10), pacer.turn()).await;

        assert!(patient.is_ok(), "a hundred turns would have taken 100 s");
    }
}
