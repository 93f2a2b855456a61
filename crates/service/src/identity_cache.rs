//! Stored identities in memory.
//!
//! On SQLite this process is the only writer, so the cache is exact. On Postgres another node may have written in
//! between: what is cached serves reads for one second, and a write compares with the stored rows. Older entries stay
//! for the time when the database is away: then they are better than no answer.
//!
//! That there is no such identity is remembered as well: some protocols ask again and again for people whom they never
//! store.

use flagstaff_core::EnvironmentId;
use flagstaff_store::StoredIdentity;
use moka::sync::Cache;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a cached identity is read where others write too.
const SHARED_LIFE: Duration = Duration::from_secs(1);
/// Counters of writes, so that a read that raced a write is not kept.
const SHARDS: usize = 256;

/// Bytes of an identifier that weigh as much as a trait, where there is nothing but the identifier.
const BYTES_OF_A_TRAIT: usize = 64;

type Key = (EnvironmentId, Arc<str>);
/// What is stored of an identity; `None` where there is none.
pub(crate) type Known = Option<Arc<StoredIdentity>>;

/// An identity as it was stored at a time.
#[derive(Clone)]
struct Entry {
    stored: Known,
    as_of: Instant,
}

/// The cache: identities weigh one and one more for each trait.
pub(crate) struct IdentityCache {
    entries: Cache<Key, Entry>,
    is_shared: bool,
    writes: Box<[Mutex<u64>]>,
    /// Identities forgotten so far.
    forgotten: AtomicU64,
    hasher: RandomState,
}

impl IdentityCache {
    pub(crate) fn new(weight: u64, is_shared: bool) -> Self {
        let weigh = |key: &Key, entry: &Entry| {
            let parts = match &entry.stored {
                Some(stored) => stored.traits.len(),
                None => key.1.len() / BYTES_OF_A_TRAIT,
            };
            u32::try_from(parts + 1).unwrap_or(u32::MAX)
        };
        let entries = Cache::builder().max_capacity(weight).weigher(weigh);
        Self {
            entries: entries.build(),
            is_shared,
            writes: (0..SHARDS).map(|_| Mutex::new(0)).collect(),
            forgotten: AtomicU64::new(0),
            hasher: RandomState::new(),
        }
    }

    /// What is stored, where this process can say so without asking.
    pub(crate) fn find(&self, key: &Key) -> Option<Known> {
        let entry = self.entries.get(key)?;
        let is_fresh = !self.is_shared || entry.as_of.elapsed() < SHARED_LIFE;
        is_fresh.then_some(entry.stored)
    }

    /// What was stored when it was last looked at, however long ago.
    pub(crate) fn find_old(&self, key: &Key) -> Option<Known> {
        Some(self.entries.get(key)?.stored)
    }

    /// How many writes this part of the cache has seen: to be asked before a read.
    pub(crate) fn writes(&self, key: &Key) -> u64 {
        *self.shard(key)
    }

    /// Keeps what a read that began at a time found, unless a write came in between: the read may have seen the row before it.
    pub(crate) fn keep_read(&self, key: Key, stored: Known, as_of: Instant, writes_before: u64) {
        let writes = self.shard(&key);
        if *writes == writes_before {
            self.entries.insert(key, Entry { stored, as_of });
        }
    }

    /// How many identities were forgotten so far: to be asked before a write.
    pub(crate) fn forgotten(&self) -> u64 {
        self.forgotten.load(Ordering::SeqCst)
    }

    /// Keeps what is stored after a write, unless something was forgotten since before it: that change may have come
    /// after this write, and nobody knows of it any more.
    pub(crate) fn keep_written(&self, stored: Arc<StoredIdentity>, forgotten_before: u64) {
        let identity = &stored.identity;
        let key = (identity.environment_id, Arc::clone(&identity.identifier));
        let mut writes = self.shard(&key);
        *writes += 1;
        if self.forgotten() != forgotten_before {
            self.entries.invalidate(&key);
            return;
        }
        let entry = Entry {
            stored: Some(stored),
            as_of: Instant::now(),
        };
        self.entries.insert(key, entry);
    }

    /// Forgets an identity that was changed or deleted in another way.
    pub(crate) fn forget(&self, key: &Key) {
        let mut writes = self.shard(key);
        *writes += 1;
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        self.entries.invalidate(key);
    }

    /// Identities held.
    pub(crate) fn len(&self) -> u64 {
        self.entries.entry_count()
    }

    fn shard(&self, key: &Key) -> MutexGuard<'_, u64> {
        let index = usize::try_from(self.hasher.hash_one(key) % SHARDS as u64).unwrap_or(0);
        self.writes[index]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flagstaff_core::{Identity, IdentityId, Timestamp};

    fn bob() -> (Key, Arc<StoredIdentity>) {
        let identity = Identity {
            id: IdentityId::new(1),
            environment_id: EnvironmentId::new(1),
            identifier: "bob".into(),
            created_at: Timestamp::default(),
        };
        let key = (identity.environment_id, Arc::clone(&identity.identifier));
        let traits = Vec::new();
        (key, Arc::new(StoredIdentity { identity, traits }))
    }

    #[test]
    fn a_write_that_ended_before_the_identity_was_forgotten_is_not_kept() {
        let cache = IdentityCache::new(100, false);
        let (key, stored) = bob();

        let before = cache.forgotten();
        cache.forget(&key);
        cache.keep_written(Arc::clone(&stored), before);
        let raced = cache.find(&key);
        cache.keep_written(stored, cache.forgotten());

        assert!(raced.is_none());
        assert!(cache.find(&key).is_some());
    }

    #[test]
    fn somebody_who_is_not_stored_is_remembered_until_they_are() {
        let cache = IdentityCache::new(100, false);
        let (key, stored) = bob();

        let before = cache.writes(&key);
        cache.keep_read(key.clone(), None, Instant::now(), before);
        let absent = cache.find(&key);
        cache.keep_written(stored, cache.forgotten());
        let written = cache.find(&key);

        assert_eq!(absent, Some(None));
        assert!(written.is_some_and(|known| known.is_some()));
    }

    #[test]
    fn a_read_that_found_nobody_is_not_kept_when_a_write_came_in_between() {
        let cache = IdentityCache::new(100, false);
        let (key, stored) = bob();

        let before = cache.writes(&key);
        cache.keep_written(stored, cache.forgotten());
        cache.keep_read(key.clone(), None, Instant::now(), before);

        assert!(cache.find(&key).is_some_and(|known| known.is_some()));
    }
}
