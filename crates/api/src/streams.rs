//! The streams that are open, of all protocols: how many, since when, whether their readers read, and their end.

use crate::listener::Connection;
use crate::pacer::Pacer;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// What speaks on a stream; the label of its metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Realtime,
    Ofrep,
    FlagdSync,
    FlagdEvents,
    Health,
}

impl Protocol {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Realtime => "realtime",
            Self::Ofrep => "ofrep",
            Self::FlagdSync => "flagd-sync",
            Self::FlagdEvents => "flagd-events",
            Self::Health => "health",
        }
    }
}

/// Counts open streams, looks after their readers and ends them all at once.
pub(crate) struct Streams {
    room: Arc<Semaphore>,
    closed: watch::Sender<bool>,
    first_documents: Pacer,
    deliveries: Arc<Deliveries>,
}

impl Streams {
    /// Room for `limit` streams, `starts` of which are given their first document in a second for each processor;
    /// readers take what they are sent within `stall`.
    pub(crate) fn new(limit: usize, starts: u32, stall: Duration) -> Self {
        Self {
            room: Arc::new(Semaphore::new(limit.min(Semaphore::MAX_PERMITS))),
            closed: watch::Sender::new(false),
            first_documents: Pacer::per_processor(starts),
            deliveries: Arc::new(Deliveries::new(stall)),
        }
    }

    /// A place for one more stream; `None` when all are taken. It is free again once dropped.
    pub(crate) fn open(
        &self,
        protocol: Protocol,
        connection: Option<Connection>,
    ) -> Option<StreamPlace> {
        let permit = Arc::clone(&self.room).try_acquire_owned().ok()?;
        metrics::gauge!("flagstaff_streams_open", "protocol" => protocol.as_str()).increment(1.0);
        if protocol == Protocol::FlagdSync {
            metrics::gauge!("flagstaff_flagd_sync_active_streams").increment(1.0);
        }
        Some(StreamPlace {
            _permit: permit,
            protocol,
            opened: Instant::now(),
            delivery: Deliveries::follow(&self.deliveries, connection),
        })
    }

    /// Waits until it is one's turn to be given a first document: thousands who come back at once are spread, so that
    /// requests of others are answered in between.
    pub(crate) async fn first_document(&self) {
        self.first_documents.turn().await;
    }

    /// Becomes true when streams have to end.
    pub(crate) fn closing(&self) -> watch::Receiver<bool> {
        self.closed.subscribe()
    }

    /// True when streams have to end.
    pub(crate) fn is_closed(&self) -> bool {
        *self.closed.borrow()
    }

    pub(crate) fn close(&self) {
        self.closed.send_replace(true);
    }
}

/// Held by a stream for as long as it is open.
pub(crate) struct StreamPlace {
    _permit: OwnedSemaphorePermit,
    protocol: Protocol,
    opened: Instant,
    delivery: DeliveryPlace,
}

impl StreamPlace {
    /// Something is given out to be sent.
    pub(crate) fn sent(&self) {
        self.delivery.sent();
    }

    /// What was given out is on its way. True where that took longer than it may.
    pub(crate) fn was_too_slow(&self) -> bool {
        self.delivery.was_too_slow()
    }
}

impl Drop for StreamPlace {
    fn drop(&mut self) {
        let protocol = self.protocol.as_str();
        metrics::gauge!("flagstaff_streams_open", "protocol" => protocol).decrement(1.0);
        if self.protocol == Protocol::FlagdSync {
            let seconds = self.opened.elapsed().as_secs_f64();
            metrics::gauge!("flagstaff_flagd_sync_active_streams").decrement(1.0);
            metrics::histogram!("flagstaff_flagd_sync_stream_duration_seconds").record(seconds);
        }
    }
}

/// What is being sent on each stream, and since when.
struct Deliveries {
    began: Instant,
    stall: Duration,
    numbers: AtomicU64,
    under_way: Mutex<HashMap<u64, Arc<Delivery>>>,
    is_watched: AtomicBool,
}

struct Delivery {
    /// Milliseconds since the process began, plus one; 0 while nothing is being sent.
    since: AtomicU64,
    connection: Option<Connection>,
}

impl Deliveries {
    fn new(stall: Duration) -> Self {
        Self {
            began: Instant::now(),
            stall,
            numbers: AtomicU64::new(0),
            under_way: Mutex::default(),
            is_watched: AtomicBool::new(false),
        }
    }

    fn follow(all: &Arc<Self>, connection: Option<Connection>) -> DeliveryPlace {
        let number = all.numbers.fetch_add(1, Ordering::Relaxed);
        let delivery = Arc::new(Delivery {
            since: AtomicU64::new(0),
            connection,
        });
        all.lock().insert(number, Arc::clone(&delivery));
        if !all.is_watched.swap(true, Ordering::Relaxed) {
            tokio::spawn(close_connections_of_slow_readers(
                Arc::downgrade(all),
                all.stall,
            ));
        }
        DeliveryPlace {
            all: Arc::clone(all),
            number,
            delivery,
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<u64, Arc<Delivery>>> {
        self.under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> u64 {
        let milliseconds = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX - 1);
        milliseconds + 1
    }

    /// Milliseconds for which something has been on its way.
    fn age(&self, since: u64) -> Option<u64> {
        (since > 0).then(|| self.now().saturating_sub(since))
    }

    fn stall_milliseconds(&self) -> u64 {
        u64::try_from(self.stall.as_millis()).unwrap_or(u64::MAX)
    }

    /// Closes the connections of those who do not even take the end of their stream.
    fn close_stuck(&self) {
        let limit = self.stall_milliseconds().saturating_mul(2);
        for delivery in self.lock().values() {
            let age = self.age(delivery.since.load(Ordering::Relaxed));
            if let Some(connection) = &delivery.connection
                && age.is_some_and(|age| age > limit)
            {
                metrics::counter!("flagstaff_slow_readers_total", "end" => "connection")
                    .increment(1);
                connection.close();
            }
        }
    }
}

/// A reader that takes nothing at all hears of nothing on its stream: its connection is closed.
async fn close_connections_of_slow_readers(all: Weak<Deliveries>, stall: Duration) {
    let pause = (stall / 4).max(Duration::from_millis(50));
    loop {
        tokio::time::sleep(pause).await;
        match all.upgrade() {
            Some(all) => all.close_stuck(),
            None => return,
        }
    }
}

struct DeliveryPlace {
    all: Arc<Deliveries>,
    number: u64,
    delivery: Arc<Delivery>,
}

impl DeliveryPlace {
    fn sent(&self) {
        self.delivery.since.store(self.all.now(), Ordering::Relaxed);
    }

    fn was_too_slow(&self) -> bool {
        let age = self.all.age(self.delivery.since.swap(0, Ordering::Relaxed));
        let is_slow = age.is_some_and(|age| age > self.all.stall_milliseconds());
        if is_slow {
            metrics::counter!("flagstaff_slow_readers_total", "end" => "status").increment(1);
        }
        is_slow
    }
}

impl Drop for DeliveryPlace {
    fn drop(&mut self) {
        self.all.lock().remove(&self.number);
    }
}
