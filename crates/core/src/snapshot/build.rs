//! From rows to a snapshot, reusing the parts of an earlier one that did not change.

use super::identities::{self, IdentityOverrides};
use super::states::{Catalogue, LiveStates, flag_state, segment_overrides};
use super::{Snapshot, SnapshotFeature, SnapshotRows, SnapshotSegment};
use crate::ruleset::{FeatureRules, Ruleset, SegmentRules};
use crate::{
    CompileWarning, Feature, FeatureId, FeatureState, Hash, MultivariateOption, PatternBudget,
    Segment, SegmentId, segment_membership,
};
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

impl Snapshot {
    /// Compiles rows. Parts of `previous` that would come out the same are shared with it.
    ///
    /// A feature without a live default in the environment is left out, and so is whatever overrides it.
    #[must_use]
    pub fn build(
        mut rows: SnapshotRows,
        identities: IdentityOverrides,
        previous: Option<&Self>,
    ) -> Self {
        // Parts are found again by their ids.
        rows.features.sort_by_key(|feature| feature.id);
        rows.segments.sort_by_key(|segment| segment.id);
        segment_membership::expand(&mut rows.segments);
        let states = LiveStates::sort(rows.states);
        let hash = rows.environment.hash;
        let features = feature_parts(
            rows.features,
            rows.options,
            states.defaults,
            (hash, previous),
        );
        let catalogue = Catalogue::of(&features.parts, previous);
        let segments = segment_parts(
            rows.segments,
            states.overrides,
            &catalogue,
            (hash, previous),
        );
        let identities = identities::resolve_identities(identities, &catalogue, previous);

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
            flagd: rows
                .flagd
                .map(|flagd| shared(previous.and_then(|part| part.flagd.as_ref()), flagd)),
            known_variants: features.parts.iter().map(|_| OnceLock::new()).collect(),
            features: features.parts,
            segments: segments.parts,
            identities,
            warnings: segments.warnings,
            rules,
        }
    }
}

/// The hash of the environment, and the snapshot whose parts may be used again.
type Context<'a> = (Hash, Option<&'a Snapshot>);

fn shared<T: PartialEq>(known: Option<&Arc<T>>, new: T) -> Arc<T> {
    match known {
        Some(known) if **known == new => Arc::clone(known),
        Some(_) | None => Arc::new(new),
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
    context: Context<'_>,
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
        let (part, rules) = feature_part(feature, options, state, context);
        built.parts.push(part);
        built.rules.push(rules);
    }
    built
}

fn feature_part(
    feature: Feature,
    options: Vec<MultivariateOption>,
    state: FeatureState,
    (environment_hash, previous): Context<'_>,
) -> (Arc<SnapshotFeature>, Arc<FeatureRules>) {
    let hash = feature.hash.unwrap_or(environment_hash);
    let known = previous.and_then(|previous| {
        let index = previous.feature_index_by_id(feature.id)?;
        let rules = previous.rules.features().get(index)?;
        Some((&previous.features[index], rules))
    });
    if let Some((part, rules)) = known
        && *part.feature == feature
        && part.options == options
        && part.state == state
        && rules.hash == hash
    {
        return (Arc::clone(part), Arc::clone(rules));
    }

    let rules = FeatureRules {
        name: feature.name.shared(),
        hash,
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
    context: Context<'_>,
) -> SegmentParts {
    let mut budget = PatternBudget::new();
    let mut built = SegmentParts::default();
    for segment in segments {
        let mut states = overrides.remove(&segment.id).unwrap_or_default();
        states.retain(|state| catalogue.features.contains_key(&state.feature_id));
        let (part, rules, warnings) =
            segment_part(segment, states, catalogue, &mut budget, context);
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
    (environment_hash, previous): Context<'_>,
) -> SegmentPart {
    let hash = segment.hash.unwrap_or(environment_hash);
    let known = previous.and_then(|previous| {
        let index = previous.segment_index_by_id(segment.id)?;
        let rules = previous.rules.segments().get(index)?;
        let warnings = previous.warnings.get(index)?;
        Some((&previous.segments[index], rules, warnings))
    });
    let Some((part, rules, warnings)) = known else {
        return new_segment_part(Arc::new(segment), hash, states, catalogue, budget);
    };
    if *part.segment != segment {
        return new_segment_part(Arc::new(segment), hash, states, catalogue, budget);
    }
    if !rules.claim_patterns(budget) {
        return new_segment_part(Arc::clone(&part.segment), hash, states, catalogue, budget);
    }
    if part.overrides == states && !catalogue.touches(&states) && rules.hash() == hash {
        return (Arc::clone(part), Arc::clone(rules), Arc::clone(warnings));
    }

    let rules = rules
        .with_overrides(segment_overrides(&states, catalogue))
        .with_hash(hash);
    let part = SnapshotSegment {
        segment: Arc::clone(&part.segment),
        overrides: states,
    };
    (Arc::new(part), Arc::new(rules), Arc::clone(warnings))
}

fn new_segment_part(
    segment: Arc<Segment>,
    hash: Hash,
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
    let rules = rules.with_hash(hash);
    (Arc::new(part), Arc::new(rules), warnings.into())
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
