//! Follows what is published as any subscriber does, and measures how long changes take from their commit.

use super::Stop;
use crate::Service;
use flagstaff_core::Timestamp;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;

pub(super) async fn run(service: Service, mut stop: Stop) {
    let mut publications = service.environments().publications();
    while let Some(received) = stop.unless_stopped(publications.recv()).await {
        match received {
            Ok(committed_at) => {
                let delay = delay(committed_at, service.clock().now());
                metrics::histogram!("flagstaff_propagation_seconds").record(delay.as_secs_f64());
            }
            // So many at once that some were not measured.
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}

/// How long ago that was; nothing where another node's clock is ahead.
fn delay(committed_at: Timestamp, now: Timestamp) -> Duration {
    let micros = now.micros().saturating_sub(committed_at.micros());
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_is_never_negative() {
        let check = |committed_at, now, expected| {
            let [committed_at, now] = [committed_at, now].map(Timestamp::from_micros);
            assert_eq!(
                delay(committed_at, now),
                Duration::from_micros(expected),
                "{committed_at:?} {now:?}"
            );
        };

        check(1_000, 1_250, 250);
        check(1_000, 1_000, 0);
        check(1_250, 1_000, 0);
        check(i64::MIN, i64::MAX, i64::MAX.unsigned_abs());
    }
}
