//! Background work: what the product does without being asked.

mod change_feed;
mod change_notices;
mod clean_up;
mod feature_files;
mod guards;
mod identity_writes;
mod leases;
mod mails;
mod own_flags;
mod propagation_probe;
mod rollouts;
mod schedule;
mod usage_flush;

pub(crate) use change_feed::News;
pub(crate) use identity_writes::{IdentityWrites, run as run_identity_writes};

use leases::LEASE_TRIED_EVERY;

use crate::Service;
use crate::error::ServiceResult;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::{error, warn};

/// The background work of a running service.
#[derive(Debug)]
pub struct Work {
    stopping: watch::Sender<bool>,
    tasks: JoinSet<()>,
    service: Service,
}

/// Tells a task when to end.
#[derive(Clone)]
pub(crate) struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Waits for a time; false when the work is to end.
    pub(crate) async fn sleep(&mut self, time: Duration) -> bool {
        tokio::select! {
            () = tokio::time::sleep(time) => true,
            _ = self.0.wait_for(|stopping| *stopping) => false,
        }
    }
}

impl Stop {
    /// Runs something to its end; `None` when the work is to end before.
    pub(crate) async fn unless_stopped<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            ended = work => Some(ended),
            _ = self.0.wait_for(|stopping| *stopping) => None,
        }
    }
}

impl Service {
    /// Reads all keys and begins the background work.
    ///
    /// # Errors
    /// When the keys cannot be read, or no mail can be sent with the settings.
    pub async fn start(&self) -> ServiceResult<Work> {
        self.prepare_mail()?;
        self.prepare_providers()?;
        // Made now, so that a mistake in the settings is told at once.
        self.metric_sources()?;
        self.keys().load(self).await?;
        // Made now, so that no request waits for a turn to write.
        if let Err(problem) = self.stream_secret().await {
            warn!(%problem, "no tokens for streams are given out yet");
        }
        let (stopping, receiver) = watch::channel(false);
        let stop = Stop(receiver);
        let mut tasks = JoinSet::new();
        tasks.spawn(change_feed::run(self.clone(), stop.clone()));
        if self.is_shared() {
            tasks.spawn(change_notices::run(self.clone(), stop.clone()));
        }
        tasks.spawn(clean_up::run(self.clone(), stop.clone()));
        tasks.spawn(schedule::run(self.clone(), stop.clone()));
        tasks.spawn(rollouts::run(self.clone(), stop.clone()));
        tasks.spawn(feature_files::run(self.clone(), stop.clone()));
        tasks.spawn(guards::run(self.clone(), stop.clone()));
        tasks.spawn(mails::run(self.clone(), stop.clone()));
        if self.has_distant_flags() {
            tasks.spawn(own_flags::run(self.clone(), stop.clone()));
        }
        tasks.spawn(propagation_probe::run(self.clone(), stop.clone()));
        tasks.spawn(usage_flush::run(self.clone(), stop));
        Ok(Work {
            stopping,
            tasks,
            service: self.clone(),
        })
    }
}

impl Work {
    /// Ends the work and writes what is still to be written.
    pub async fn stop(mut self) {
        // Nobody listens when all tasks have ended already.
        let _ = self.stopping.send(true);
        while let Some(ended) = self.tasks.join_next().await {
            if let Err(problem) = ended {
                warn!(%problem, "background work ended badly");
            }
        }
        if let Err(problem) = self.service.flush_usage().await {
            error!(%problem, "usage counts of the last seconds are lost");
        }
    }
}
