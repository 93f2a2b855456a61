//! How many notification streams are open, and their end.

use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// Counts open streams and ends them all at once.
pub(crate) struct Streams {
    room: Arc<Semaphore>,
    closed: watch::Sender<bool>,
}

impl Streams {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            room: Arc::new(Semaphore::new(limit.min(Semaphore::MAX_PERMITS))),
            closed: watch::Sender::new(false),
        }
    }

    /// A place for one more stream; `None` when all are taken. It is free again once dropped.
    pub(crate) fn open(&self) -> Option<StreamPlace> {
        let permit = Arc::clone(&self.room).try_acquire_owned().ok()?;
        metrics::gauge!("flagstaff_streams_open").increment(1.0);
        Some(StreamPlace { _permit: permit })
    }

    /// Becomes true when streams have to end.
    pub(crate) fn closing(&self) -> watch::Receiver<bool> {
        self.closed.subscribe()
    }

    pub(crate) fn close(&self) {
        self.closed.send_replace(true);
    }
}

/// Held by a stream for as long as it is open.
pub(crate) struct StreamPlace {
    _permit: OwnedSemaphorePermit,
}

impl Drop for StreamPlace {
    fn drop(&mut self) {
        metrics::gauge!("flagstaff_streams_open").decrement(1.0);
    }
}
