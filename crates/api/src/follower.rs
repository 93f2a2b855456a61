//! Whoever stays to hear of changes of one environment, by whatever protocol.
//!
//! Nothing is queued: a follower that was away for a while is given what is published now, so what one stream costs
//! does not depend on how much changes.

use crate::auth::KeyedEnvironment;
use crate::listener::Connection;
use crate::state::ApiState;
use crate::streams::{Protocol, StreamPlace};
use flagstaff_core::{EnvironmentId, Snapshot, Timestamp};
use flagstaff_service::{KeyValidity, Published, ServiceError};
use secrecy::{ExposeSecret as _, SecretString};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// How long a key that expired goes unnoticed. Withdrawing or changing one wakes its followers, so that those whose key
/// lasts need not look.
const KEY_CHECK: Duration = Duration::from_millis(1500);

/// Follows what is published of one environment for as long as the key that opened it does.
pub(crate) struct Follower {
    state: ApiState,
    /// What was opened by which key. The snapshot itself is not held: it would outlive its successors.
    environment: EnvironmentId,
    key: SecretString,
    changes: watch::Receiver<Timestamp>,
    has_begun: bool,
    has_a_document: bool,
    place: StreamPlace,
}

/// What a follower hears.
pub(crate) enum News {
    /// What was changed last was changed then: at the beginning, and after changes.
    Changed(Timestamp),
    /// Nothing for as long as was asked.
    Silence,
    /// Nothing more.
    Ended(End),
}

/// Why a stream ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The server stops.
    Stopping,
    /// The key was withdrawn, switched off or has expired.
    KeyWithdrawn,
    /// What was followed is served no more by this protocol.
    SwitchedOff,
    /// The environment was deleted.
    Deleted,
    /// The reader takes too long to take what it is sent.
    TooSlow,
    /// It could not be found out what is published.
    Failed,
}

impl Follower {
    /// Begins to follow; `None` when as many do as may.
    pub(crate) fn open(
        state: ApiState,
        keyed: KeyedEnvironment,
        protocol: Protocol,
        connection: Option<Connection>,
    ) -> Option<Self> {
        let place = state.streams().open(protocol, connection)?;
        Some(Self {
            changes: state.service().subscribe(&keyed.open),
            environment: keyed.open.snapshot().environment.id,
            key: keyed.key,
            has_begun: false,
            has_a_document: false,
            place,
            state,
        })
    }

    /// Waits for news, for `patience` at most where there is any limit to it.
    pub(crate) async fn next(&mut self, patience: Option<Duration>) -> News {
        let deadline = patience.map(|patience| Instant::now() + patience);
        loop {
            if self.state.streams().is_closed() {
                return News::Ended(End::Stopping);
            }
            let look = match self.validity() {
                KeyValidity::Over => return News::Ended(End::KeyWithdrawn),
                KeyValidity::Passing => {
                    let check = Instant::now() + KEY_CHECK;
                    Some(deadline.map_or(check, |deadline| deadline.min(check)))
                }
                KeyValidity::UntilChanged => deadline,
            };
            if !self.has_begun || self.changes.has_changed().unwrap_or(false) {
                self.has_begun = true;
                return News::Changed(*self.changes.borrow_and_update());
            }
            // Whoever stops the server, or changes a key, wakes by the same way as changes do: a stream waits for one thing.
            tokio::select! {
                changed = self.changes.changed() => {
                    if changed.is_err() {
                        return News::Ended(End::Deleted);
                    }
                    self.changes.mark_changed();
                }
                () = until(look) => {
                    if look == deadline {
                        return News::Silence;
                    }
                }
            }
        }
    }

    /// What is published now, as long as it is such that the protocol `serves` it. Whoever asks for the first time
    /// waits for their turn.
    ///
    /// # Errors
    /// Why the stream ends.
    pub(crate) async fn published(
        &mut self,
        serves: fn(&Snapshot) -> bool,
    ) -> Result<Arc<Published>, End> {
        if !self.has_a_document {
            self.has_a_document = true;
            self.state.streams().first_document().await;
        }
        self.changes.borrow_and_update();
        // Boxed: those who wait for their turn hold no room for asking the database.
        let published = Box::pin(self.state.service().published(self.environment));
        match published.await {
            Ok(published) if serves(&published.snapshot) => Ok(published),
            Ok(_) => Err(End::SwitchedOff),
            Err(ServiceError::NotFound { .. }) => Err(End::Deleted),
            Err(error) => {
                tracing::error!(%error, cause = error.causes(), "a stream cannot go on");
                Err(End::Failed)
            }
        }
    }

    /// Something is given out to be sent.
    pub(crate) fn sent(&self) {
        self.place.sent();
    }

    /// What was given out is on its way: called when more is asked for. True where that took longer than it may.
    pub(crate) fn was_too_slow(&self) -> bool {
        self.place.was_too_slow()
    }

    pub(crate) fn state(&self) -> &ApiState {
        &self.state
    }

    fn validity(&self) -> KeyValidity {
        let key = self.key.expose_secret();
        self.state.service().key_validity(key, self.environment)
    }
}

/// Waits for a time, or for ever. The timer is boxed: most streams have none.
async fn until(time: Option<Instant>) {
    match time {
        Some(time) => Box::pin(tokio::time::sleep_until(time)).await,
        None => std::future::pending().await,
    }
}
