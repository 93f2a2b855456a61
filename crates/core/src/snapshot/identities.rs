//! Identity overrides by identifier, made so that changing one does not copy the others.

use super::states::Catalogue;
use super::{Snapshot, SnapshotIdentity};
use crate::slug::{is_slug, slug};
use std::array;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, OnceLock};

/// Enough that copying one part of 200,000 entries takes well under a millisecond.
const SHARDS: usize = 64;

/// What [`slug`] makes of an identifier of which nothing is left.
pub(crate) const NAMELESS: &str = "identity";

type Entries = HashMap<Arc<str>, Arc<SnapshotIdentity>>;

/// One part of the identities, with what is found out about it when it is first asked for.
#[derive(Debug, Default)]
struct Shard {
    entries: Entries,
    effects: OnceLock<HashMap<Arc<str>, Effect>>,
    /// Identities whose identifier is not its own slug, by the hash of the slug.
    renamed: OnceLock<Box<[Renamed]>>,
}

/// An identity with the hash of its slug.
type Renamed = (u64, Arc<SnapshotIdentity>);

/// A copy is made to be changed: what was found out is left behind.
impl Clone for Shard {
    fn clone(&self) -> Self {
        Self::of(self.entries.clone())
    }
}

/// What overrides of identities do to a feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Effect {
    /// Somebody has an override.
    pub(crate) overrides: bool,
    /// Somebody has one that is on.
    pub(crate) enables: bool,
}

impl Shard {
    fn of(entries: Entries) -> Self {
        Self {
            entries,
            ..Self::default()
        }
    }

    fn effect(&self, feature: &str) -> Effect {
        let effects = self.effects.get_or_init(|| {
            let mut effects: HashMap<Arc<str>, Effect> = HashMap::new();
            for (name, state) in self.entries.values().flat_map(|identity| &identity.flags) {
                let effect = effects.entry(Arc::clone(name)).or_default();
                effect.overrides = true;
                effect.enables |= state.enabled;
            }
            effects
        });
        effects.get(feature).copied().unwrap_or_default()
    }

    /// Identities whose identifier has the slug with this hash, but is another text.
    fn renamed(&self, slug_hash: u64) -> impl Iterator<Item = &Arc<SnapshotIdentity>> {
        let renamed = self.renamed.get_or_init(|| {
            let identities = self.entries.values();
            let mut renamed: Vec<_> = identities
                .filter(|identity| !is_slug(&identity.identity.identifier))
                .map(|identity| {
                    (
                        hash_of(&slug(&identity.identity.identifier, NAMELESS)),
                        Arc::clone(identity),
                    )
                })
                .collect();
            renamed.sort_unstable_by_key(|(hash, _)| *hash);
            renamed.into()
        });
        let start = renamed.partition_point(|(hash, _)| *hash < slug_hash);
        let found = renamed[start..].iter();
        found
            .take_while(move |(hash, _)| *hash == slug_hash)
            .map(|(_, identity)| identity)
    }
}

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
        let empty = Arc::new(Shard::default());
        Self {
            shards: array::from_fn(|_| Arc::clone(&empty)),
        }
    }

    /// What holds for the identity with exactly this identifier.
    #[must_use]
    pub fn get(&self, identifier: &str) -> Option<&Arc<SnapshotIdentity>> {
        self.shards[shard_index(identifier)].entries.get(identifier)
    }

    /// The same overrides but for one identity; `None` takes its overrides away.
    #[must_use]
    pub fn with(&self, identifier: &str, identity: Option<Arc<SnapshotIdentity>>) -> Self {
        let mut changed = self.clone();
        let shard = Arc::make_mut(&mut changed.shards[shard_index(identifier)]);
        let mut entries = std::mem::take(&mut shard.entries);
        match identity {
            Some(identity) => entries.insert(identifier.into(), identity),
            None => entries.remove(identifier),
        };
        *shard = Shard::of(entries);
        changed
    }

    /// How many identities have overrides.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.entries.len()).sum()
    }

    /// True where no identity has overrides.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.shards.iter().all(|shard| shard.entries.is_empty())
    }

    /// All identities, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<SnapshotIdentity>> {
        self.shards.iter().flat_map(|shard| shard.entries.values())
    }

    /// What overrides of identities do to a feature.
    pub(crate) fn effect(&self, feature: &str) -> Effect {
        let effects = self.shards.iter().map(|shard| shard.effect(feature));
        effects.fold(Effect::default(), |all, one| Effect {
            overrides: all.overrides || one.overrides,
            enables: all.enables || one.enables,
        })
    }

    /// Every identity with this slug, in no order.
    pub(crate) fn with_slug<'a>(
        &'a self,
        wanted: &'a str,
    ) -> impl Iterator<Item = &'a Arc<SnapshotIdentity>> {
        let itself = self.get(wanted).filter(|_| is_slug(wanted));
        let hash = hash_of(wanted);
        let others = self
            .shards
            .iter()
            .flat_map(move |shard| shard.renamed(hash));
        let others = others
            .filter(move |identity| *slug(&identity.identity.identifier, NAMELESS) == *wanted);
        itself.into_iter().chain(others)
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
            for (identifier, identity) in &here.entries {
                match there.entries.get(identifier) {
                    Some(same) if Arc::ptr_eq(same, identity) => {}
                    found => show(Some(identity), found.map(|found| &**found)),
                }
            }
            for (identifier, identity) in &there.entries {
                if !here.entries.contains_key(identifier) {
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
        let mut shards: [Entries; SHARDS] = array::from_fn(|_| Entries::new());
        for identity in identities {
            let identifier = Arc::clone(&identity.identity.identifier);
            shards[shard_index(&identifier)].insert(identifier, Arc::new(identity));
        }
        Self {
            shards: shards.map(|entries| Arc::new(Shard::of(entries))),
        }
    }
}

fn shard_index(identifier: &str) -> usize {
    // Not `RandomState`: the same identifier must fall into the same part of every snapshot.
    (hash_of(identifier) % SHARDS as u64) as usize
}

fn hash_of(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
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
        let known = known.map(|known| &known.entries);
        let changes = stale_identities(&shard.entries, known, catalogue);
        if changes.is_empty() {
            continue;
        }
        let mut resolved = shard.entries.clone();
        resolved.extend(changes);
        *shard = Arc::new(Shard::of(resolved));
    }
    identities
}

fn stale_identities(
    shard: &Entries,
    known: Option<&Entries>,
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
