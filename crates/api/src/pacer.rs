//! A queue that lets so many through in a second: what thousands begin at once is spread, in the order they came.

use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// Parts of a second by which a pacer counts: so much of a second's share may begin at one instant.
const PARTS: u32 = 200;

/// Lets a steady number through in a second. Whoever stops waiting costs nothing.
#[derive(Debug)]
pub struct Pacer {
    room: Arc<Semaphore>,
    hold: Duration,
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
        let at_once = per_second.div_ceil(PARTS).clamp(1, 1 << 20);
        let hold = Duration::from_secs(1) * at_once / per_second.max(1);
        Self {
            room: Arc::new(Semaphore::new(at_once as usize)),
            hold,
        }
    }

    /// Waits for one's turn.
    pub async fn turn(&self) {
        // The semaphore is never closed; if it were, waiting would help nobody.
        if let Ok(permit) = Arc::clone(&self.room).acquire_owned().await {
            let hold = self.hold;
            tokio::spawn(async move {
                tokio::time::sleep(hold).await;
                drop(permit);
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

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

        // Three may begin at any instant, and three more every six thousandths of a second.
        let early = turns.iter().filter(|turn| turn.as_millis() < 100).count();
        assert!((3..=60).contains(&early), "{early}");
        let last = turns.iter().max().map_or(0, Duration::as_millis);
        assert!(last >= 380, "{last} ms");
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
