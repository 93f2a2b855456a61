//! What others changed: served here as soon as it is heard of, and found by comparing revisions where it was not.

use super::Stop;
use crate::Service;
use crate::error::ServiceResult;
use flagstaff_core::EnvironmentId;
use flagstaff_store::{ChangeNotice, TouchedIdentities};
use futures::stream::{self, StreamExt as _};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;
use tracing::{error, warn};

/// From the beginning of one comparison to that of the next. A change that nobody was told of has to be served two
/// seconds after its commit: that leaves half a second for the comparison and for loading what it found.
const INTERVAL: Duration = Duration::from_millis(1500);
/// Environments brought up to date at once.
const AT_ONCE: usize = 4;

/// What was heard of changes and not followed yet. Several of one environment become one.
#[derive(Debug, Default)]
pub(crate) struct News {
    waiting: Mutex<Waiting>,
    arrived: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    steps: HashMap<EnvironmentId, Step>,
    compare_everything: bool,
}

/// How far an environment has come, by what was heard.
#[derive(Debug)]
struct Step {
    revision: i64,
    identities: TouchedIdentities,
    keys_changed: bool,
}

impl News {
    /// Keeps what another node said.
    pub(super) fn add(&self, notice: ChangeNotice) {
        let Some(environments) = notice.environments else {
            return self.compare_everything();
        };
        let mut waiting = self.lock();
        for environment in environments {
            let step = Step {
                revision: environment.revision,
                identities: notice.identities.clone(),
                keys_changed: notice.keys_changed,
            };
            let entry = waiting.steps.entry(environment.id);
            entry
                .and_modify(|earlier| earlier.join(&step))
                .or_insert(step);
        }
        drop(waiting);
        self.arrived.notify_one();
    }

    /// Something may have been missed.
    pub(super) fn compare_everything(&self) {
        self.lock().compare_everything = true;
        self.arrived.notify_one();
    }

    fn take(&self) -> Waiting {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Step {
    fn join(&mut self, other: &Self) {
        self.revision = self.revision.max(other.revision);
        // Over two changes, whose overrides are touched is found by reading all.
        self.identities = TouchedIdentities::All;
        self.keys_changed |= other.keys_changed;
    }
}

pub(super) async fn run(service: Service, mut stop: Stop) {
    let mut was_away = false;
    let mut compared = Instant::now();
    loop {
        let until = (compared + INTERVAL).saturating_duration_since(Instant::now());
        let goes_on = tokio::select! {
            goes_on = stop.sleep(until) => goes_on,
            () = service.news().arrived.notified() => true,
        };
        if !goes_on {
            return;
        }
        let news = service.news().take();
        let is_time = compared.elapsed() >= INTERVAL;
        service.follow_steps(news.steps).await;
        if !is_time && !news.compare_everything {
            continue;
        }
        // What is committed while it runs is left to the next one, which must not come later for it.
        compared = Instant::now();
        match service.follow_changes().await {
            Ok(()) => was_away = false,
            // Once, not with every comparison of an outage.
            Err(problem) if !was_away => {
                was_away = true;
                warn!(%problem, "cannot compare revisions; what is in memory is served on");
            }
            Err(_) => {}
        }
    }
}

impl Service {
    /// Brings every resident environment up to the database.
    ///
    /// # Errors
    /// Failures of the database.
    pub async fn follow_changes(&self) -> ServiceResult<()> {
        let resident = self.environments().resident();
        if resident.is_empty() {
            return Ok(());
        }
        let ids: Vec<_> = resident.iter().map(|(id, _)| *id).collect();
        let stored: HashMap<_, _> = self
            .ask(self.store().revisions(&ids))
            .await?
            .into_iter()
            .map(|stored| (stored.id, stored.revision))
            .collect();
        for (id, revision) in resident {
            match stored.get(&id) {
                Some(newer) if *newer > revision => {
                    metrics::counter!("flagstaff_changes_followed_total", "by" => "comparison")
                        .increment(1);
                    // Keys are changed in the same step as revisions.
                    self.keys().reload(self, id).await?;
                    self.refresh(id, *newer, TouchedIdentities::All).await?;
                }
                Some(_) => {}
                None => self.forget_environment(id).await?,
            }
        }
        Ok(())
    }

    /// Brings environments as far as was heard. What fails is left to the next comparison.
    async fn follow_steps(&self, steps: HashMap<EnvironmentId, Step>) {
        let following = stream::iter(steps).for_each_concurrent(AT_ONCE, |(id, step)| async move {
            if let Err(problem) = self.follow_step(id, step).await {
                error!(environment.id = id.get(), %problem, "cannot follow a change of another node yet");
            }
        });
        following.await;
    }

    async fn follow_step(&self, id: EnvironmentId, step: Step) -> ServiceResult<()> {
        if step.keys_changed {
            self.keys().reload(self, id).await?;
        }
        let known = self.environments().revision(id);
        if known.is_none_or(|known| known >= step.revision) {
            return Ok(());
        }
        metrics::counter!("flagstaff_changes_followed_total", "by" => "notice").increment(1);
        self.refresh(id, step.revision, step.identities).await
    }
}
