//! Which flags two snapshots of one environment serve differently.
//!
//! Parts that both snapshots share are not looked at again, so the cost is that of the change. What nobody is
//! served (row ids, descriptions, times) does not count.

use super::{Snapshot, SnapshotFeature};
use crate::compile::CompiledRule;
use crate::ruleset::{FlagState, SegmentRules, StateIds};
use crate::{DisabledAs, Environment, Feature, Hash, Timestamp};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use uuid::Uuid;

/// What became of a flag between two snapshots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlagChange {
    /// It was not there before.
    Write,
    /// Somebody may be served something else than before.
    Update,
    /// It is no longer there.
    Delete,
}

/// Flags by name, each with what became of it.
pub type FlagChanges = BTreeMap<Arc<str>, FlagChange>;

impl Snapshot {
    /// The flags that may be served differently than by an earlier snapshot of the same environment.
    ///
    /// A change of an audience counts for every flag it decides about, also where conditions read other flags.
    #[must_use]
    pub fn flag_changes_since(&self, earlier: &Self) -> FlagChanges {
        let mut comparison = Comparison {
            before: earlier,
            after: self,
            changes: FlagChanges::new(),
        };
        comparison.compare_features();
        comparison.compare_segments();
        comparison.compare_identities();
        comparison.compare_settings();
        comparison.follow_readers();
        comparison.changes
    }
}

struct Comparison<'a> {
    before: &'a Snapshot,
    after: &'a Snapshot,
    changes: FlagChanges,
}

impl Comparison<'_> {
    /// Notes that a flag is served differently; coming and going weigh more and stay.
    fn update(&mut self, name: &Arc<str>) {
        if self.after.rules.feature_index(name).is_some() {
            let change = self.changes.entry(Arc::clone(name));
            change.or_insert(FlagChange::Update);
        }
    }

    fn compare_features(&mut self) {
        let (before, after) = (self.before, self.after);
        for (index, rules) in after.rules.features().iter().enumerate() {
            let Some(known) = before.rules.feature_index(&rules.name) else {
                self.changes
                    .insert(Arc::clone(&rules.name), FlagChange::Write);
                continue;
            };
            let known_rules = &before.rules.features()[known];
            let parts = (&before.features[known], &after.features[index]);
            let is_same = Arc::ptr_eq(parts.0, parts.1) && Arc::ptr_eq(known_rules, rules);
            if !is_same
                && (!serve_alike(&known_rules.state, &rules.state)
                    || !are_defined_alike(parts.0, parts.1))
            {
                self.update(&rules.name);
            }
        }
        for rules in before.rules.features() {
            if after.rules.feature_index(&rules.name).is_none() {
                self.changes
                    .insert(Arc::clone(&rules.name), FlagChange::Delete);
            }
        }
    }

    fn compare_segments(&mut self) {
        let (before, after) = (self.before, self.after);
        for (index, part) in after.segments.iter().enumerate() {
            let rules = &after.rules.segments()[index];
            let Some(known) = before.segment_index_by_id(part.segment.id) else {
                self.update_overridden(rules);
                continue;
            };
            let known_rules = &before.rules.segments()[known];
            let known_part = &before.segments[known];
            if Arc::ptr_eq(known_part, part) && Arc::ptr_eq(known_rules, rules) {
                continue;
            }
            let is_same_audience = known_part.segment.hash_key == part.segment.hash_key
                && known_part.segment.hash == part.segment.hash
                && known_part.segment.name == part.segment.name
                && are_same_rules(&known_rules.compiled().rules, &rules.compiled().rules);
            if is_same_audience {
                self.compare_overrides(known_rules, rules);
            } else {
                self.update_overridden(known_rules);
                self.update_overridden(rules);
            }
        }
        for (index, part) in before.segments.iter().enumerate() {
            if after.segment_index_by_id(part.segment.id).is_none() {
                self.update_overridden(&before.rules.segments()[index]);
            }
        }
    }

    fn update_overridden(&mut self, segment: &SegmentRules) {
        for part in segment.overrides() {
            self.update(&part.feature);
        }
    }

    /// Two sets of overrides for one audience.
    fn compare_overrides(&mut self, before: &SegmentRules, after: &SegmentRules) {
        let mut known: HashMap<&Arc<str>, _> = HashMap::new();
        for part in before.overrides() {
            known.insert(&part.feature, (part.priority, &part.state));
        }
        for part in after.overrides() {
            let is_same = known
                .remove(&part.feature)
                .is_some_and(|(priority, state)| {
                    priority == part.priority && serve_alike(state, &part.state)
                });
            if !is_same {
                self.update(&part.feature);
            }
        }
        for name in known.into_keys() {
            self.update(name);
        }
    }

    fn compare_identities(&mut self) {
        let (before, after) = (&self.before.identities, &self.after.identities);
        let mut changed = HashSet::new();
        before.for_each_difference(after, |known, now| {
            let flags = |identity: Option<&super::SnapshotIdentity>| {
                let flags = identity.map(|identity| identity.flags.clone());
                flags.unwrap_or_default()
            };
            let (known, now) = (flags(known), flags(now));
            let differs = |name: &Arc<str>| {
                let state = |flags: &[(Arc<str>, FlagState)]| {
                    let found = flags.iter().find(|(each, _)| each == name);
                    found.map(|(_, state)| without_ids(state))
                };
                state(&known) != state(&now)
            };
            let names = known.iter().chain(&now).map(|(name, _)| name);
            changed.extend(names.filter(|name| differs(name)).cloned());
        });
        for name in &changed {
            self.update(name);
        }
    }

    /// What the environment and the project say of all their flags.
    fn compare_settings(&mut self) {
        let (before, after) = (Settings::of(self.before), Settings::of(self.after));
        if before == after {
            return;
        }
        let after_rules = Arc::clone(&self.after.rules);
        for (index, rules) in after_rules.features().iter().enumerate() {
            let is_overridden = !after_rules.candidates(index).is_empty();
            let is_split = !rules.state.variants.is_empty();
            let is_touched = before.names != after.names
                || before.off != after.off
                || (before.hashing != after.hashing && (is_overridden || is_split));
            if is_touched {
                self.update(&rules.name);
            }
        }
    }

    /// Flags that are decided about by reading flags that changed.
    fn follow_readers(&mut self) {
        let after = Arc::clone(&self.after.rules);
        let readers: Vec<_> = after
            .segments()
            .iter()
            .filter(|segment| !segment.compiled().reads.is_empty())
            .collect();
        let mut seen = 0;
        // Each round finds at least one more flag or is the last one.
        while !readers.is_empty() && self.changes.len() > seen {
            seen = self.changes.len();
            for segment in &readers {
                let reads = &segment.compiled().reads;
                if reads.iter().any(|name| self.changes.contains_key(name)) {
                    self.update_overridden(segment);
                }
            }
        }
    }
}

/// What concerns more than one flag.
#[derive(PartialEq)]
struct Settings<'a> {
    /// Shown with every flag, and read by conditions.
    names: [&'a str; 4],
    /// What being off means.
    off: (bool, DisabledAs),
    /// How identities are placed.
    hashing: (bool, Hash),
}

impl<'a> Settings<'a> {
    fn of(snapshot: &'a Snapshot) -> Self {
        let environment: &Environment = &snapshot.environment;
        let hides_disabled = environment.hide_disabled_flags;
        Self {
            names: [
                &environment.name,
                &environment.slug,
                &environment.api_key,
                &snapshot.project.name,
            ],
            off: (
                hides_disabled.unwrap_or(snapshot.project.hide_disabled_flags),
                environment.disabled_as,
            ),
            hashing: (
                environment.use_identity_composite_key_for_hashing,
                environment.hash,
            ),
        }
    }
}

/// True where a caller cannot tell two states apart: they may be stored in different rows.
fn serve_alike(a: &FlagState, b: &FlagState) -> bool {
    a == b || without_ids(a) == without_ids(b)
}

fn without_ids(state: &FlagState) -> FlagState {
    FlagState {
        ids: StateIds::default(),
        ..state.clone()
    }
}

/// True where nothing that is served of the definitions differs.
fn are_defined_alike(a: &SnapshotFeature, b: &SnapshotFeature) -> bool {
    let options = |part: &SnapshotFeature| {
        let mut options = part.options.clone();
        for option in &mut options {
            option.uuid = Uuid::nil();
            option.default_percentage_allocation = 0.0;
        }
        options
    };
    served_of(&a.feature) == served_of(&b.feature) && options(a) == options(b)
}

fn served_of(feature: &Feature) -> Feature {
    Feature {
        uuid: Uuid::nil(),
        default_enabled: false,
        initial_value: None,
        description: None,
        is_archived: false,
        created_at: Timestamp::default(),
        ..feature.clone()
    }
}

/// True where the same callers match. Compiled rules are at most 64 levels deep.
fn are_same_rules(a: &[CompiledRule], b: &[CompiledRule]) -> bool {
    a.len() == b.len()
        && a.iter().zip(b).all(|(a, b)| {
            a.kind == b.kind
                && a.conditions.len() == b.conditions.len()
                && a.conditions.iter().zip(&b.conditions).all(|(a, b)| {
                    let (x, y) = (&a.source, &b.source);
                    let written = (&x.operator, &x.property, &x.value);
                    // A pattern may have been left out of one for want of room.
                    written == (&y.operator, &y.property, &y.value) && a.test == b.test
                })
                && are_same_rules(&a.rules, &b.rules)
        })
}
