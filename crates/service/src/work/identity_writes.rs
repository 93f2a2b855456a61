//! Traits of concurrent requests, written together.
//!
//! A transaction costs a write to the disk; a hundred requests that share one cost little more than one does. Each
//! request is answered after its group is durable.

use crate::error::{ServiceError, ServiceResult};
use crate::identity_traits::too_many_traits;
use crate::{Parts, Service};
use flagstaff_store::{TraitChange, TraitOutcome};
use std::sync::{Arc, Weak};
use tokio::sync::{mpsc, oneshot};

/// Changes in one transaction.
const GROUP: usize = 256;
/// Requests that may wait; more wait before they are queued.
const QUEUE: usize = 4096;

type Answer = oneshot::Sender<ServiceResult<TraitOutcome>>;
type Waiting = (TraitChange, Answer);

/// Where requests leave their changes.
pub(crate) struct IdentityWrites(mpsc::Sender<Waiting>);

impl IdentityWrites {
    /// The queue, and its other end for [`run`].
    pub(crate) fn new() -> (Self, mpsc::Receiver<Waiting>) {
        let (sender, receiver) = mpsc::channel(QUEUE);
        (Self(sender), receiver)
    }
}

/// Writes group after group until the service is gone.
pub(crate) async fn run(service: Weak<Parts>, mut receiver: mpsc::Receiver<Waiting>) {
    let mut group = Vec::with_capacity(GROUP);
    while receiver.recv_many(&mut group, GROUP).await > 0 {
        let Some(parts) = service.upgrade() else {
            return;
        };
        Service(parts).write_group(&mut group).await;
    }
}

impl Service {
    /// Writes a change in a group with others; returns when it is durable. Refused where an identity would gather more
    /// traits than it may.
    pub(crate) async fn write_traits(&self, change: TraitChange) -> ServiceResult<TraitOutcome> {
        self.require_database()?;
        let gone = || ServiceError::Unavailable("the writer of traits has stopped".into());
        let (sender, answer) = oneshot::channel();
        let waiting = (change, sender);
        self.0
            .identity_writes
            .0
            .send(waiting)
            .await
            .map_err(|_| gone())?;
        let outcome = answer.await.map_err(|_| gone())??;
        if outcome.is_over_limit {
            return Err(too_many_traits());
        }
        Ok(outcome)
    }

    async fn write_group(&self, group: &mut Vec<Waiting>) {
        let (changes, answers): (Vec<_>, Vec<_>) = group.drain(..).unzip();
        let (now, forgotten) = (self.clock().now(), self.identity_cache().forgotten());
        match self.ask(self.store().record_traits(&changes, now)).await {
            Ok(outcomes) => {
                for (outcome, answer) in outcomes.into_iter().zip(answers) {
                    self.answer(outcome, forgotten, answer);
                }
            }
            // One change that the database refuses must not take the others with it.
            Err(error) if changes.len() > 1 && !matches!(error, ServiceError::Unavailable(_)) => {
                for (change, answer) in changes.iter().zip(answers) {
                    self.write_alone(change, answer).await;
                }
            }
            Err(error) => {
                let is_away = matches!(error, ServiceError::Unavailable(_));
                let text = error.causes();
                for answer in answers {
                    let cause = text.clone().into();
                    let error = if is_away {
                        ServiceError::Unavailable(cause)
                    } else {
                        ServiceError::Internal(cause)
                    };
                    let _ = answer.send(Err(error));
                }
            }
        }
    }

    async fn write_alone(&self, change: &TraitChange, answer: Answer) {
        let (now, forgotten) = (self.clock().now(), self.identity_cache().forgotten());
        let written = self
            .store()
            .record_traits(std::slice::from_ref(change), now);
        match written.await {
            Ok(outcomes) => {
                if let Some(outcome) = outcomes.into_iter().next() {
                    self.answer(outcome, forgotten, answer);
                }
            }
            Err(error) => {
                let _ = answer.send(Err(error.into()));
            }
        }
    }

    /// Keeps what is stored now before anybody hears of it.
    fn answer(&self, outcome: TraitOutcome, forgotten_before: u64, answer: Answer) {
        let stored = Arc::clone(&outcome.stored);
        self.identity_cache().keep_written(stored, forgotten_before);
        // Whoever asked may have gone; what they sent is stored all the same.
        let _ = answer.send(Ok(outcome));
    }
}
