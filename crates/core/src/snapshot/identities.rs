//! Identity overrides by identifier, made so that changing one does not copy the others.

use super::states::Catalogue;
use super::{Snapshot, SnapshotIdentity};
use std::array;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// Enough that copying one part of 200,000 entries takes well under a millisecond.
const SHARDS: usize = 64;

type Shard = HashMap<Arc<str>, Arc<SnapshotIdentity>>;

/// The identities of an environment for which something holds that does not hold for others.
///
/// Immutable: a change makes a new value that shares 63 of its 64 parts with the old one.
#[derive(Debug, Clone)]
pub struct IdentityOverrides {
    shards: [Arc<Shard>; SHARDS],
}

impl IdentityOverrides {
    /// No overrides.
    #[must_use]
    pub fn new() -> Self {
        let empty = Arc::new(Shard::new());
        Self {
            shards: array::from_fn(|_| Arc::clone(&empty)),
        }
    }

    /// What holds for the identity with exactly this identifier.
    #[must_use]
    pub fn get(&self, identifier: &str) -> Option<&Arc<SnapshotIdentity>> {
        self.shards[shard_index(identifier)].get(identifier)
    }

    /// The same overrides but for one identity; `None` takes its overrides away.
    #[must_use]
    pub fn with(&self, identifier: &str, identity: Option<Arc<SnapshotIdentity>>) -> Self {
        let mut changed = self.clone();
        let shard = Arc::make_mut(&mut changed.shards[shard_index(identifier)]);
        match identity {
            Some(identity) => shard.insert(identifier.into(), identity),
            None => shard.remove(identifier),
        };
        changed
    }

    /// How many identities have overrides.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.len()).sum()
    }

    /// True where no identity has overrides.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.shards.iter().all(|shard| shard.is_empty())
    }

    /// All identities, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<SnapshotIdentity>> {
        self.shards.iter().flat_map(|shard| shard.values())
    }

    /// Shows each identity for which something else holds in `other`, here and there; what is shared is passed over.
    pub(super) fn for_each_difference(
        &self,
        other: &Self,
        mut show: impl FnMut(Option<&SnapshotIdentity>, Option<&SnapshotIdentity>),
    ) {
        for (here, there) in self.shards.iter().zip(&other.shards) {
            if Arc::ptr_eq(here, there) {
                continue;
            }
            for (identifier, identity) in &**here {
                match there.get(identifier) {
                    Some(same) if Arc::ptr_eq(same, identity) => {}
                    found => show(Some(identity), found.map(|found| &**found)),
                }
            }
            for (identifier, identity) in &**there {
                if !here.contains_key(identifier) {
                    show(None, Some(identity));
                }
            }
        }
    }

    /// All identities in order of their row ids: the order of documents, the same for every build.
    #[must_use]
    pub fn in_order(&self) -> Vec<&Arc<SnapshotIdentity>> {
        let mut identities: Vec<_> = self.iter().collect();
        identities.sort_by(|a, b| {
            let key = |entry: &SnapshotIdentity| entry.identity.id;
            (key(a), &a.identity.identifier).cmp(&(key(b), &b.identity.identifier))
        });
        identities
    }
}

impl Default for IdentityOverrides {
    fn default() -> Self {
        Self::new()
    }
}

impl FromIterator<SnapshotIdentity> for IdentityOverrides {
    fn from_iter<I: IntoIterator<Item = SnapshotIdentity>>(identities: I) -> Self {
        let mut shards: [Shard; SHARDS] = array::from_fn(|_| Shard::new());
        for identity in identities {
            let identifier = Arc::clone(&identity.identity.identifier);
            shards[shard_index(&identifier)].insert(identifier, Arc::new(identity));
        }
        Self {
            shards: shards.map(Arc::new),
        }
    }
}

fn shard_index(identifier: &str) -> usize {
    // Not `RandomState`: the same identifier must fall into the same part of every snapshot.
    let mut hasher = DefaultHasher::new();
    identifier.hash(&mut hasher);
    (hasher.finish() % SHARDS as u64) as usize
}

/// Fills in what holds for each identity, looking only at those that changed since `previous`.
pub(super) fn resolve_identities(
    identities: IdentityOverrides,
    catalogue: &Catalogue<'_>,
    previous: Option<&Snapshot>,
) -> IdentityOverrides {
    let mut identities = identities;
    for (index, shard) in identities.shards.iter_mut().enumerate() {
        let known = previous.map(|previous| &previous.identities.shards[index]);
        if catalogue.changed.is_empty() && known.is_some_and(|known| Arc::ptr_eq(known, shard)) {
            continue;
        }
        let changes = stale_identities(shard, known.map(|known| &**known), catalogue);
        if changes.is_empty() {
            continue;
        }
        let mut resolved = (**shard).clone();
        resolved.extend(changes);
        *shard = Arc::new(resolved);
    }
    identities
}

fn stale_identities(
    shard: &Shard,
    known: Option<&Shard>,
    catalogue: &Catalogue<'_>,
) -> Vec<(Arc<str>, Arc<SnapshotIdentity>)> {
    let mut changes = Vec::new();
    for (identifier, entry) in shard {
        let seen = known
            .and_then(|known| known.get(identifier))
            .is_some_and(|known| Arc::ptr_eq(known, entry));
        if seen && !catalogue.touches(&entry.states) {
            continue;
        }
        let flags: Vec<_> = entry
            .states
            .iter()
            .filter_map(|state| catalogue.flag(state))
            .collect();
        if flags != entry.flags {
            let resolved = SnapshotIdentity {
                flags,
                ..(**entry).clone()
            };
            changes.push((Arc::clone(identifier), Arc::new(resolved)));
        }
    }
    changes
}
