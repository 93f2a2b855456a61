//! Stored states as evaluation reads them.

use super::{Snapshot, SnapshotFeature};
use crate::ruleset::{FlagState, SegmentOverride, StateIds};
use crate::text::python_text;
use crate::{FeatureId, FeatureState, MultivariateOption, SegmentId, StateOwner, Value, Variant};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The live states by whom they belong to.
pub(super) struct LiveStates {
    pub(super) defaults: HashMap<FeatureId, FeatureState>,
    pub(super) overrides: HashMap<SegmentId, Vec<FeatureState>>,
}

impl LiveStates {
    pub(super) fn sort(mut states: Vec<FeatureState>) -> Self {
        // Documents show the overrides of a segment the strongest first.
        states.sort_by_key(|state| match &state.owner {
            StateOwner::Segment(link) => (link.priority.unwrap_or(i64::MAX), link.id.get()),
            StateOwner::Environment | StateOwner::Identity { .. } => (0, 0),
        });
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

/// What overrides need to know of features, and which features changed in a way they would notice.
pub(super) struct Catalogue<'a> {
    pub(super) features: HashMap<FeatureId, &'a SnapshotFeature>,
    pub(super) changed: HashSet<FeatureId>,
}

impl<'a> Catalogue<'a> {
    pub(super) fn of(parts: &'a [Arc<SnapshotFeature>], previous: Option<&Snapshot>) -> Self {
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

    pub(super) fn flag(&self, state: &FeatureState) -> Option<(Arc<str>, FlagState)> {
        let part = self.features.get(&state.feature_id)?;
        Some((part.feature.name.shared(), flag_state(state, &part.options)))
    }

    pub(super) fn touches(&self, states: &[FeatureState]) -> bool {
        !self.changed.is_empty()
            && states
                .iter()
                .any(|state| self.changed.contains(&state.feature_id))
    }
}

pub(super) fn segment_overrides(
    states: &[FeatureState],
    catalogue: &Catalogue<'_>,
) -> Vec<SegmentOverride> {
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

pub(super) fn flag_state(state: &FeatureState, options: &[MultivariateOption]) -> FlagState {
    let mut weights: Vec<_> = state.weights.iter().collect();
    weights.sort_by_key(|weight| weight.id);
    let variants = weights
        .into_iter()
        .filter_map(|weight| {
            let position = options
                .iter()
                .position(|option| option.id == weight.option_id)?;
            let option = &options[position];
            let percent = weight.percentage_allocation;
            Some(Variant {
                key: option.key.as_deref().map(Into::into),
                option: position,
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
