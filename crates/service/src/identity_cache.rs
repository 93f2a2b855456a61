//! Stored identities in memory.
//!
//! On SQLite this process is the only writer, so the cache is exact. On Postgres another node may have written in
//! between: what is cached serves reads for one second, and a write compares with the stored rows.

use flagstaff_core::EnvironmentId;
use flagstaff_store::StoredIdentity;
use moka::sync::Cache;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a cached identity is read where others write too.
const SHARED_LIFE: Duration = Duration::from_secs(1);
/// Counters of writes, so that a read that raced a write is not kept.
const SHARDS: usize = 256;

type Key = (EnvironmentId, Arc<str>);

/// The cache: identities weigh one and one more for each trait.
pub(crate) struct IdentityCache {
    entries: Cache<Key, Arc<StoredIdentity>>,
    writes: Box<[Mutex<u64>]>,
    hasher: RandomState,
}

impl IdentityCache {
    pub(crate) fn new(weight: u64, is_shared: bool) -> Self {
        let mut entries =
            Cache::builder()
                .max_capacity(weight)
                .weigher(|_, stored: &Arc<StoredIdentity>| {
                    u32::try_from(stored.traits.len() + 1).unwrap_or(u32::MAX)
                });
        if is_shared {
            entries = entries.time_to_live(SHARED_LIFE);
        }
        Self {
            entries: entries.build(),
            writes: (0..SHARDS).map(|_| Mutex::new(0)).collect(),
            hasher: RandomState::new(),
        }
    }

    pub(crate) fn find(&self, key: &Key) -> Option<Arc<StoredIdentity>> {
        self.entries.get(key)
    }

    /// How many writes this part of the cache has seen: to be asked before a read.
    pub(crate) fn writes(&self, key: &Key) -> u64 {
        *self.shard(key)
    }

    /// Keeps what a read found, unless a write came in between: the read may have seen the row before it.
    pub(crate) fn keep_read(&self, key: Key, stored: Arc<StoredIdentity>, writes_before: u64) {
        let writes = self.shard(&key);
        if *writes == writes_before {
            self.entries.insert(key, stored);
        }
    }

    /// Keeps what is stored after a write.
    pub(crate) fn keep_written(&self, stored: Arc<StoredIdentity>) {
        let identity = &stored.identity;
        let key = (identity.environment_id, Arc::clone(&identity.identifier));
        let mut writes = self.shard(&key);
        *writes += 1;
        self.entries.insert(key, stored);
    }

    /// Forgets an identity that was changed or deleted in another way.
    pub(crate) fn forget(&self, key: &Key) {
        let mut writes = self.shard(key);
        *writes += 1;
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
