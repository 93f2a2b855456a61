//! The environments this process holds compiled: loaded on first use, replaced whole after each change.

use crate::Service;
use crate::environment_access::OpenEnvironment;
use crate::error::{Noun, ServiceError, ServiceResult};
use crate::published::Published;
use flagstaff_core::{
    EnvironmentId, IdentityOverrides, Snapshot, SnapshotIdentity, SnapshotRows, Timestamp,
};
use flagstaff_store::TouchedIdentities;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::{Mutex, broadcast, watch};
use tokio::time::Instant;

/// Publications that a slow listener may be behind.
const PUBLICATIONS: usize = 1024;

/// A place for one environment. It stays when the snapshot in it is evicted.
#[derive(Debug)]
struct Slot {
    /// What is served; `None` until loaded, or evicted.
    published: arc_swap::ArcSwapOption<Published>,
    /// One load at a time. Whoever holds it sees every commit that ended before.
    loading: Mutex<()>,
    /// When the database was last asked for a newer revision on behalf of who heard of one. One asks at a time.
    asked: Mutex<Option<Instant>>,
    changes: watch::Sender<Timestamp>,
    publications: broadcast::Sender<Timestamp>,
    used: AtomicU64,
}

/// All places, and the clock by which the least recently used is found.
#[derive(Debug)]
pub(crate) struct Environments {
    slots: RwLock<HashMap<EnvironmentId, Arc<Slot>>>,
    uses: AtomicU64,
    weight_limit: u64,
    /// Tells of each change of any environment that is held, with the time of its commit.
    publications: broadcast::Sender<Timestamp>,
}

impl Environments {
    pub(crate) fn new(weight_limit: u64) -> Self {
        Self {
            slots: RwLock::default(),
            uses: AtomicU64::new(0),
            weight_limit,
            publications: broadcast::Sender::new(PUBLICATIONS),
        }
    }

    fn existing(&self, id: EnvironmentId) -> Option<Arc<Slot>> {
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        slots.get(&id).map(Arc::clone)
    }

    fn slot(&self, id: EnvironmentId) -> Arc<Slot> {
        if let Some(slot) = self.existing(id) {
            return slot;
        }
        let mut slots = self.slots.write().unwrap_or_else(PoisonError::into_inner);
        let slot = slots.entry(id).or_insert_with(|| {
            Arc::new(Slot {
                published: arc_swap::ArcSwapOption::empty(),
                loading: Mutex::new(()),
                asked: Mutex::new(None),
                changes: watch::Sender::new(Timestamp::default()),
                publications: self.publications.clone(),
                used: AtomicU64::new(0),
            })
        });
        Arc::clone(slot)
    }

    /// The environment as it is served now, where it is held.
    pub(crate) fn resident_one(&self, id: EnvironmentId) -> Option<Arc<Published>> {
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        let slot = slots.get(&id)?;
        let published = slot.published.load_full()?;
        self.mark_used(slot);
        Some(published)
    }

    fn mark_used(&self, slot: &Slot) {
        // Exact order does not matter; an increment a request would be one more contended line.
        slot.used
            .store(self.uses.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    /// The environments that are resident, with the revision each is at.
    pub(crate) fn resident(&self) -> Vec<(EnvironmentId, i64)> {
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        let slots = slots.iter();
        slots
            .filter_map(|(id, slot)| Some((*id, slot.revision()?)))
            .collect()
    }

    /// The revision an environment is held at; `None` when it is not resident.
    pub(crate) fn revision(&self, id: EnvironmentId) -> Option<i64> {
        self.existing(id)?.revision()
    }

    /// True while the environment is held compiled.
    pub(crate) fn is_resident(&self, id: EnvironmentId) -> bool {
        self.revision(id).is_some()
    }

    /// Streams that follow an environment of this process.
    pub(crate) fn followers(&self) -> usize {
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        slots
            .values()
            .map(|slot| slot.changes.receiver_count())
            .sum()
    }

    /// Hears of changes of all environments that are held, in the order they are published.
    pub(crate) fn publications(&self) -> broadcast::Receiver<Timestamp> {
        self.publications.subscribe()
    }

    pub(crate) fn subscribe(&self, published: &Published) -> watch::Receiver<Timestamp> {
        let snapshot = &published.snapshot;
        let slot = self.slot(snapshot.environment.id);
        slot.changes.send_if_modified(|latest| {
            let is_newer = snapshot.updated_at > *latest;
            if is_newer {
                *latest = snapshot.updated_at;
            }
            is_newer
        });
        slot.changes.subscribe()
    }

    /// Has everybody who follows any environment look again whether they still may.
    pub(crate) fn wake_all_followers(&self) {
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        for slot in slots.values() {
            slot.changes.send_modify(|_| {});
        }
    }

    /// The same for one environment.
    pub(crate) fn wake_followers(&self, id: EnvironmentId) {
        if let Some(slot) = self.existing(id) {
            slot.changes.send_modify(|_| {});
        }
    }

    /// Ends every stream that follows the environment and forgets it: it was deleted.
    pub(crate) fn forget(&self, id: EnvironmentId) {
        let mut slots = self.slots.write().unwrap_or_else(PoisonError::into_inner);
        slots.remove(&id);
    }

    /// Drops the least recently used snapshots while all together weigh too much.
    fn evict(&self, keep: EnvironmentId) {
        self.uses.fetch_add(1, Ordering::Relaxed);
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        let mut resident: Vec<_> = slots
            .iter()
            .filter_map(|(id, slot)| {
                let published = slot.published.load_full()?;
                Some((
                    slot.used.load(Ordering::Relaxed),
                    *id,
                    slot,
                    weight(&published.snapshot),
                ))
            })
            .collect();
        let mut total: u64 = resident.iter().map(|(_, _, _, weight)| weight).sum();
        resident.sort_by_key(|(used, id, _, _)| (*used, *id));
        for (_, id, slot, weight) in resident {
            if total <= self.weight_limit {
                break;
            }
            // A followed environment has to stay, or its streams would fall silent.
            if id != keep && slot.changes.receiver_count() == 0 {
                slot.published.store(None);
                total -= weight;
            }
        }
    }
}

fn weight(snapshot: &Snapshot) -> u64 {
    let parts = snapshot.features.len() + snapshot.segments.len() + snapshot.identities.len();
    parts as u64 + 1
}

impl Slot {
    fn revision(&self) -> Option<i64> {
        let published = self.published.load();
        Some(published.as_ref()?.snapshot.revision)
    }

    /// Keeps a snapshot unless the slot holds a newer one already.
    fn publish(&self, snapshot: Snapshot) -> Arc<Published> {
        let previous = self.published.load_full();
        if let Some(current) = &previous
            && current.snapshot.revision > snapshot.revision
        {
            return Arc::clone(current);
        }
        let updated_at = snapshot.updated_at;
        // What is loaded for the first time may have changed long ago.
        let is_change = previous.is_some_and(|previous| previous.snapshot.updated_at < updated_at);
        let published = Arc::new(Published::new(snapshot));
        self.published.store(Some(Arc::clone(&published)));
        self.changes.send_if_modified(|latest| {
            let is_newer = updated_at > *latest;
            if is_newer {
                *latest = updated_at;
            }
            is_newer
        });
        if is_change {
            // Nobody has to listen.
            let _ = self.publications.send(updated_at);
        }
        published
    }
}

impl Service {
    /// The environment as it is served now, loaded when this process does not hold it yet.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] when there is no such environment, and failures of the database.
    pub async fn published(&self, id: EnvironmentId) -> ServiceResult<Arc<Published>> {
        let slot = self.environments().slot(id);
        if let Some(published) = slot.published.load_full() {
            self.environments().mark_used(&slot);
            return Ok(published);
        }
        let _loading = slot.loading.lock().await;
        if let Some(published) = slot.published.load_full() {
            return Ok(published);
        }
        let published = self.load(id, &slot, TouchedIdentities::All).await?;
        self.environments().mark_used(&slot);
        self.environments().evict(id);
        Ok(published)
    }

    /// Brings a resident environment to at least a revision. One that is not resident is left alone.
    pub(crate) async fn refresh(
        &self,
        id: EnvironmentId,
        revision: i64,
        touched: TouchedIdentities,
    ) -> ServiceResult<()> {
        let Some(slot) = self.environments().existing(id) else {
            return Ok(());
        };
        // Waits for a load under way: it may have read the rows as they were before the change.
        let _loading = slot.loading.lock().await;
        match slot.published.load_full() {
            Some(published) if published.snapshot.revision < revision => {
                match self.load(id, &slot, touched).await {
                    Err(ServiceError::NotFound { .. }) => {
                        self.environments().forget(id);
                        Ok(())
                    }
                    other => other.map(drop),
                }
            }
            Some(_) | None => Ok(()),
        }
    }

    /// An environment as of a time at least, for who heard of a change that this process may not have heard of yet.
    /// What cannot be found out is no reason to answer nothing: then it is served as it is.
    pub async fn caught_up(&self, open: OpenEnvironment, at_least: Timestamp) -> OpenEnvironment {
        // Whatever a process that is the only writer has told of, it serves.
        if !self.is_shared() || open.snapshot().updated_at >= at_least {
            return open;
        }
        let id = open.snapshot().environment.id;
        let published = match Box::pin(self.ask_for_newer(id, at_least)).await {
            Ok(()) => self.published(id).await,
            Err(problem) => Err(problem),
        };
        match published {
            Ok(published) => OpenEnvironment { published, ..open },
            Err(_) => open,
        }
    }

    /// Follows a change of another node now; several that wait for one share the question.
    async fn ask_for_newer(&self, id: EnvironmentId, at_least: Timestamp) -> ServiceResult<()> {
        let slot = self.environments().slot(id);
        let arrived = Instant::now();
        let mut asked = slot.asked.lock().await;
        let is_there = |published: &Published| published.snapshot.updated_at >= at_least;
        let was_asked = asked.is_some_and(|begun| begun >= arrived);
        if was_asked || slot.published.load().as_deref().is_some_and(is_there) {
            return Ok(());
        }
        *asked = Some(Instant::now());
        let stored = self.ask(self.store().revisions(&[id])).await?;
        for newer in stored {
            self.refresh(id, newer.revision, TouchedIdentities::All)
                .await?;
        }
        Ok(())
    }

    /// Reads the rows and publishes them. The caller holds `slot.loading`.
    async fn load(
        &self,
        id: EnvironmentId,
        slot: &Slot,
        touched: TouchedIdentities,
    ) -> ServiceResult<Arc<Published>> {
        let previous = slot.published.load_full();
        let revision = previous
            .as_ref()
            .map(|published| published.snapshot.revision);
        let mut touched = match revision {
            Some(_) => touched,
            None => TouchedIdentities::All,
        };
        let (rows, identities) = loop {
            let rows = self.rows(id, &touched).await?;
            // Over a step of more than one, somebody else's change hides: their identities are not known.
            let is_single_step =
                revision.is_some_and(|revision| revision_of(&rows.0) == revision + 1);
            if is_single_step || touched == TouchedIdentities::All {
                break rows;
            }
            touched = TouchedIdentities::All;
        };
        let previous_snapshot = previous
            .as_ref()
            .map(|published| Arc::clone(&published.snapshot));
        let build = move || {
            let previous = previous_snapshot.as_deref();
            let overrides = identity_overrides(previous, identities, &touched);
            Snapshot::build(rows, overrides, previous)
        };
        // Compiling hundreds of segments takes milliseconds: not on an async thread.
        let snapshot = tokio::task::spawn_blocking(build)
            .await
            .map_err(|error| ServiceError::Internal(error.into()))?;
        Ok(slot.publish(snapshot))
    }

    async fn rows(
        &self,
        id: EnvironmentId,
        touched: &TouchedIdentities,
    ) -> ServiceResult<(SnapshotRows, Vec<SnapshotIdentity>)> {
        let only = match touched {
            TouchedIdentities::None => Some(&[][..]),
            TouchedIdentities::These(identifiers) => Some(identifiers.as_slice()),
            TouchedIdentities::All => None,
        };
        let rows = self
            .ask(self.store().snapshot(id, only, self.clock().now()))
            .await?;
        rows.ok_or(ServiceError::NotFound {
            noun: Noun::Environment,
        })
    }
}

/// The overrides of all identities: those just read laid over the ones of before.
fn identity_overrides(
    previous: Option<&Snapshot>,
    read: Vec<SnapshotIdentity>,
    touched: &TouchedIdentities,
) -> IdentityOverrides {
    let mut overrides = match (previous, touched) {
        (_, TouchedIdentities::All) | (None, _) => IdentityOverrides::default(),
        (Some(previous), TouchedIdentities::None | TouchedIdentities::These(_)) => {
            previous.identities.clone()
        }
    };
    if let TouchedIdentities::These(identifiers) = touched {
        for identifier in identifiers {
            overrides = overrides.with(identifier, None);
        }
    }
    for identity in read {
        let identifier = Arc::clone(&identity.identity.identifier);
        overrides = overrides.with(&identifier, Some(Arc::new(identity)));
    }
    overrides
}

fn revision_of(rows: &SnapshotRows) -> i64 {
    rows.project.revision + rows.environment.revision
}
