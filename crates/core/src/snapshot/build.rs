//! From rows to a snapshot, reusing the parts of an earlier one that did not change.

use super::identities::{IdentityOverrides, Shard};
use super::{Snapshot, SnapshotFeature, SnapshotIdentity, SnapshotRows, SnapshotSegment};
use crate::ruleset::{FeatureRules, FlagState, Ruleset, SegmentOverride, SegmentRules, StateIds};
use crate::text::python_text;
use crate::{
    CompileWarning, Feature, FeatureId, FeatureState, MultivariateOption, PatternBudget, Segment,
    SegmentId, StateOwner, Value, Variant,
};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

impl Snapshot {
    /// Compiles rows. Parts of `previous` that would come out the same are shared with it.
    ///
    /// A feature without a live default in the environment is left out, and so is whatever overrides it.
    #[must_use]
    pub fn build(
        rows: SnapshotRows,
        identities: IdentityOverrides,
        previous: Option<&Self>,
    ) -> Self {
        let states = LiveStates::sort(rows.states);
        let features = feature_parts(rows.features, rows.options, states.defaults, previous);
        let catalogue = Catalogue::of(&features.parts, previous);
        let segments = segment_parts(rows.segments, states.overrides, &catalogue, previous);
        let identities = resolve_identities(identities, &catalogue, previous);

        let rules = ruleset(
            &rows.environment.api_key,
            &rows.environment.name,
            features.rules,
            segments.rules,
            previous,
        );
        Self {
            revision: rows
                .project
                .revision
                .saturating_add(rows.environment.revision),
            updated_at: rows.environment.updated_at,
            organisation: shared(previous.map(|part| &part.organisation), rows.organisation),
            project: shared(previous.map(|part| &part.project), rows.project),
            environment: shared(previous.map(|part| &part.environment), rows.environment),
            features: features.parts,
            segments: segments.parts,
            identities,
            warnings: segments.warnings,
            rules,
        }
    }
}

fn shared<T: PartialEq>(known: Option<&Arc<T>>, new: T) -> Arc<T> {
    match known {
        Some(known) if **known == new => Arc::clone(known),
        Some(_) | None => Arc::new(new),
    }
}

/// The live states by whom they belong to.
struct LiveStates {
    defaults: HashMap<FeatureId, FeatureState>,
    overrides: HashMap<SegmentId, Vec<FeatureState>>,
}

impl LiveStates {
    fn sort(states: Vec<FeatureState>) -> Self {
        let mut sorted = Self {
            defaults: HashMap::new(),
            overrides: HashMap::new(),
        };
        for state in states {
            match &state.owner {
                StateOwner::Environment => {
                    sorted.defaults.insert(state.feature_id, state);
                }
                StateOwner::Segment(link) => {
                    let overrides = sorted.overrides.entry(link.segment_id).or_default();
                    overrides.push(state);
                }
                // Those come as `IdentityOverrides`.
                StateOwner::Identity { .. } => {}
            }
        }
        sorted
    }
}

#[derive(Default)]
struct FeatureParts {
    parts: Vec<Arc<SnapshotFeature>>,
    rules: Vec<Arc<FeatureRules>>,
}

fn feature_parts(
    features: Vec<Feature>,
    options: Vec<MultivariateOption>,
    mut defaults: HashMap<FeatureId, FeatureState>,
    previous: Option<&Snapshot>,
) -> FeatureParts {
    let mut options_by_feature: HashMap<FeatureId, Vec<MultivariateOption>> = HashMap::new();
    for option in options {
        let of_feature = options_by_feature.entry(option.feature_id).or_default();
        of_feature.push(option);
    }

    let mut built = FeatureParts::default();
    for feature in features {
        let id = feature.id;
        let Some(state) = defaults.remove(&id) else {
            continue;
        };
        let options = options_by_feature.remove(&id).unwrap_or_default();
        let (part, rules) = feature_part(feature, options, state, previous);
        built.parts.push(part);
        built.rules.push(rules);
    }
    built
}

fn feature_part(
    feature: Feature,
    options: Vec<MultivariateOption>,
    state: FeatureState,
    previous: Option<&Snapshot>,
) -> (Arc<SnapshotFeature>, Arc<FeatureRules>) {
    let known = previous.and_then(|previous| {
        let index = previous.feature_index_by_id(feature.id)?;
        let rules = previous.rules.features().get(index)?;
        Some((&previous.features[index], rules))
    });
    if let Some((part, rules)) = known
        && *part.feature == feature
        && part.options == options
        && part.state == state
    {
        return (Arc::clone(part), Arc::clone(rules));
    }

    let rules = FeatureRules {
        name: feature.name.shared(),
        state: flag_state(&state, &options),
    };
    let definition = match known {
        Some((part, _)) if *part.feature == feature => Arc::clone(&part.feature),
        _ => Arc::new(feature),
    };
    let part = SnapshotFeature {
        feature: definition,
        options,
        state,
    };
    (Arc::new(part), Arc::new(rules))
}

/// What overrides need to know of features, and which features changed in a way they would notice.
struct Catalogue<'a> {
    features: HashMap<FeatureId, &'a SnapshotFeature>,
    changed: HashSet<FeatureId>,
}

impl<'a> Catalogue<'a> {
    fn of(parts: &'a [Arc<SnapshotFeature>], previous: Option<&Snapshot>) -> Self {
        let features: HashMap<_, _> = parts
            .iter()
            .map(|part| (part.feature.id, &**part))
            .collect();
        let mut changed: HashSet<_> = features.keys().copied().collect();
        for known in previous.map_or(&[][..], |previous| &previous.features) {
            let id = known.feature.id;
            let same = features.get(&id).is_some_and(|part| {
                part.feature.name == known.feature.name && part.options == known.options
            });
            if same {
                changed.remove(&id);
            } else {
                changed.insert(id);
            }
        }
        Self { features, changed }
    }

    fn flag(&self, state: &FeatureState) -> Option<(Arc<str>, FlagState)> {
        let part = self.features.get(&state.feature_id)?;
        Some((part.feature.name.shared(), flag_state(state, &part.options)))
    }

    fn touches(&self, states: &[FeatureState]) -> bool {
        !self.changed.is_empty()
            && states
                .iter()
                .any(|state| self.changed.contains(&state.feature_id))
    }
}

#[derive(Default)]
struct SegmentParts {
    parts: Vec<Arc<SnapshotSegment>>,
    rules: Vec<Arc<SegmentRules>>,
    warnings: Vec<Arc<[CompileWarning]>>,
}

fn segment_parts(
    segments: Vec<Segment>,
    mut overrides: HashMap<SegmentId, Vec<FeatureState>>,
    catalogue: &Catalogue<'_>,
    previous: Option<&Snapshot>,
) -> SegmentParts {
    let mut budget = PatternBudget::new();
    let mut built = SegmentParts::default();
    for segment in segments {
        let mut states = overrides.remove(&segment.id).unwrap_or_default();
        states.retain(|state| catalogue.features.contains_key(&state.feature_id));
        let (part, rules, warnings) =
            segment_part(segment, states, catalogue, &mut budget, previous);
        built.parts.push(part);
        built.rules.push(rules);
        built.warnings.push(warnings);
    }
    built
}

type SegmentPart = (
    Arc<SnapshotSegment>,
    Arc<SegmentRules>,
    Arc<[CompileWarning]>,
);

fn segment_part(
    segment: Segment,
    states: Vec<FeatureState>,
    catalogue: &Catalogue<'_>,
    budget: &mut PatternBudget,
    previous: Option<&Snapshot>,
) -> SegmentPart {
    let known = previous.and_then(|previous| {
        let index = previous.segment_index_by_id(segment.id)?;
        let rules = previous.rules.segments().get(index)?;
        let warnings = previous.warnings.get(index)?;
        Some((&previous.segments[index], rules, warnings))
    });
    let Some((part, rules, warnings)) = known else {
        return new_segment_part(Arc::new(segment), states, catalogue, budget);
    };
    if *part.segment != segment {
        return new_segment_part(Arc::new(segment), states, catalogue, budget);
    }
    if !rules.claim_patterns(budget) {
        return new_segment_part(Arc::clone(&part.segment), states, catalogue, budget);
    }
    if part.overrides == states && !catalogue.touches(&states) {
        return (Arc::clone(part), Arc::clone(rules), Arc::clone(warnings));
    }

    let rules = rules.with_overrides(segment_overrides(&states, catalogue));
    let part = SnapshotSegment {
        segment: Arc::clone(&part.segment),
        overrides: states,
    };
    (Arc::new(part), Arc::new(rules), Arc::clone(warnings))
}

fn new_segment_part(
    segment: Arc<Segment>,
    states: Vec<FeatureState>,
    catalogue: &Catalogue<'_>,
    budget: &mut PatternBudget,
) -> SegmentPart {
    let (rules, warnings) = SegmentRules::compile(
        Arc::clone(&segment.hash_key),
        segment.name.as_str().into(),
        &segment.rules,
        segment_overrides(&states, catalogue),
        budget,
    );
    let part = SnapshotSegment {
        segment,
        overrides: states,
    };
    (Arc::new(part), Arc::new(rules), warnings.into())
}

fn segment_overrides(states: &[FeatureState], catalogue: &Catalogue<'_>) -> Vec<SegmentOverride> {
    let mut overrides = Vec::with_capacity(states.len());
    for state in states {
        let priority = match &state.owner {
            // Priorities are small counting numbers: a float holds them exactly.
            StateOwner::Segment(link) => link.priority.map(|priority| priority as f64),
            StateOwner::Environment | StateOwner::Identity { .. } => None,
        };
        if let Some((feature, state)) = catalogue.flag(state) {
            overrides.push(SegmentOverride {
                feature,
                priority,
                state,
            });
        }
    }
    overrides
}

fn flag_state(state: &FeatureState, options: &[MultivariateOption]) -> FlagState {
    let mut weights: Vec<_> = state.weights.iter().collect();
    weights.sort_by_key(|weight| weight.id);
    let variants = weights
        .into_iter()
        .filter_map(|weight| {
            let option = options
                .iter()
                .find(|option| option.id == weight.option_id)?;
            let percent = weight.percentage_allocation;
            Some(Variant {
                key: option.key.as_deref().map(Into::into),
                value: option.value.effective(),
                weight: percent,
                weight_text: python_text(&Value::Float(percent)).into(),
            })
        })
        .collect();
    let (feature_segment, identity) = match &state.owner {
        StateOwner::Environment => (None, None),
        StateOwner::Segment(link) => (Some(link.id), None),
        StateOwner::Identity { id, .. } => (None, Some(*id)),
    };
    FlagState {
        ids: StateIds {
            state: Some(state.id),
            feature_segment,
            identity,
        },
        enabled: state.enabled,
        value: state.value.effective(),
        seed: Arc::clone(&state.hash_seed),
        variants,
    }
}

/// Fills in what holds for each identity, looking only at those that changed since `previous`.
fn resolve_identities(
    identities: IdentityOverrides,
    catalogue: &Catalogue<'_>,
    previous: Option<&Snapshot>,
) -> IdentityOverrides {
    identities.map_shards(|index, shard| {
        let known = previous.map(|previous| previous.identities.shard(index));
        if catalogue.changed.is_empty() && known.is_some_and(|known| Arc::ptr_eq(known, shard)) {
            return None;
        }
        let changes = stale_identities(shard, known.map(|known| &**known), catalogue);
        if changes.is_empty() {
            return None;
        }
        let mut resolved = (**shard).clone();
        resolved.extend(changes);
        Some(resolved)
    })
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

fn ruleset(
    environment_key: &Arc<str>,
    environment_name: &str,
    features: Vec<Arc<FeatureRules>>,
    segments: Vec<Arc<SegmentRules>>,
    previous: Option<&Snapshot>,
) -> Arc<Ruleset> {
    if let Some(Snapshot { rules, .. }) = previous
        && rules.environment_key() == &**environment_key
        && rules.environment_name() == environment_name
        && same_parts(rules.features(), &features)
        && same_parts(rules.segments(), &segments)
    {
        return Arc::clone(rules);
    }
    Arc::new(Ruleset::new(
        Arc::clone(environment_key),
        environment_name.into(),
        features,
        segments,
    ))
}

fn same_parts<T>(a: &[Arc<T>], b: &[Arc<T>]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| Arc::ptr_eq(a, b))
}
