//! Deadlines that are nearly always met, made cheap.
//!
//! A timer of tokio is entered into a list under a lock and taken out of it again; with a deadline for the header of every
//! request that is a good part of a small one. Here a connection keeps one timer. A later deadline leaves it as it is; where
//! it goes off before the deadline that counts by then, it is set again.

use hyper::rt::{Sleep, Timer};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

/// A timer that goes off no later than the deadline it was last asked about.
#[derive(Debug, Default)]
pub(super) struct Deadline(Option<Pin<Box<tokio::time::Sleep>>>);

impl Deadline {
    /// Ready when the deadline has passed.
    pub(super) fn poll_passed(&mut self, deadline: Instant, context: &mut Context<'_>) -> Poll<()> {
        let deadline = deadline.into();
        let new = || Box::pin(tokio::time::sleep_until(deadline));
        let sleep = self.0.get_or_insert_with(new);
        if sleep.deadline() > deadline {
            sleep.as_mut().reset(deadline);
        }
        loop {
            ready!(sleep.as_mut().poll(context));
            if sleep.deadline() >= deadline {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(deadline);
        }
    }
}

/// The timer that hyper asks about the headers of one connection, one after the other.
#[derive(Debug, Clone, Default)]
pub(super) struct HeaderTimer(Arc<Mutex<Deadline>>);

impl Timer for HeaderTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(self.now() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        Box::pin(HeaderSleep {
            timer: self.clone(),
            deadline,
        })
    }

    fn now(&self) -> Instant {
        tokio::time::Instant::now().into()
    }
}

/// Waits for one deadline. Two at once are waited for by one task, so that either may have the timer.
struct HeaderSleep {
    timer: HeaderTimer,
    deadline: Instant,
}

impl Future for HeaderSleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let timer = self.timer.0.lock();
        let mut timer = timer.unwrap_or_else(PoisonError::into_inner);
        timer.poll_passed(self.deadline, context)
    }
}

impl Sleep for HeaderSleep {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use tokio::time::timeout;

    const MOMENT: Duration = Duration::from_millis(20);

    #[tokio::test]
    async fn a_deadline_that_moves_on_is_waited_for_to_its_end() {
        let mut deadline = Deadline::default();
        let begun = Instant::now();
        let near = begun + MOMENT;
        let first = poll_fn(|context| deadline.poll_passed(near, context));
        assert!(timeout(Duration::ZERO, first).await.is_err());

        let far = begun + MOMENT * 4;
        poll_fn(|context| deadline.poll_passed(far, context)).await;

        assert!(begun.elapsed() >= MOMENT * 4);
    }

    #[tokio::test]
    async fn a_deadline_that_comes_nearer_is_not_missed() {
        let mut deadline = Deadline::default();
        let begun = Instant::now();
        let far = begun + Duration::from_secs(60);
        let first = poll_fn(|context| deadline.poll_passed(far, context));
        assert!(timeout(Duration::ZERO, first).await.is_err());

        let near = begun + MOMENT;
        let second = poll_fn(|context| deadline.poll_passed(near, context));

        assert!(timeout(Duration::from_secs(30), second).await.is_ok());
    }

    #[tokio::test]
    async fn headers_of_one_connection_are_waited_for_one_after_the_other() {
        let timer = HeaderTimer::default();
        let begun = Instant::now();
        for _ in 0..3 {
            let sleep = timer.sleep(MOMENT);
            assert!(timeout(Duration::ZERO, sleep).await.is_err());
        }

        timer.sleep(MOMENT * 2).await;

        assert!(begun.elapsed() >= MOMENT * 2);
    }
}
