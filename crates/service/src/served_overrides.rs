//! The segment overrides that a feature serves, written as a whole.

use crate::error::{Problem, ServiceError, ServiceResult};
use crate::feature_states::{StatePatch, ValueChange};
use crate::live_changes::OverrideChange;
use crate::segment_overrides::SegmentOverrideRequest;
use crate::served_features::WriteMode;
use crate::version_edits::StateEdit;
use crate::weights::WeightChange;
use flagstaff_core::{FeatureState, StateValue};

/// An override that is written anew: as the default where nothing is said.
fn filled(patch: StatePatch, default: &FeatureState) -> StatePatch {
    let weights = default.weights.iter().map(|weight| WeightChange {
        option_id: weight.option_id,
        percentage_allocation: weight.percentage_allocation,
    });
    StatePatch {
        enabled: Some(patch.enabled.unwrap_or(default.enabled)),
        value: Some(
            patch
                .value
                .unwrap_or_else(|| ValueChange::exactly(&default.value)),
        ),
        weights: Some(patch.weights.unwrap_or_else(|| weights.collect())),
    }
}

/// A new override, behind the others.
pub(crate) fn request(change: OverrideChange) -> SegmentOverrideRequest {
    let empty = ValueChange::exactly(&StateValue::default());
    SegmentOverrideRequest {
        segment_id: change.segment_id,
        priority: None,
        enabled: change.patch.enabled.unwrap_or_default(),
        value: change.patch.value.unwrap_or(empty),
        weights: change.patch.weights.unwrap_or_default(),
    }
}

/// Makes the overrides what the changes say.
pub(crate) async fn write_overrides(
    edit: &mut StateEdit<'_>,
    changes: Vec<OverrideChange>,
    mode: WriteMode,
) -> ServiceResult<()> {
    if mode == WriteMode::Replace {
        for link in edit.links().to_vec() {
            let mut named = changes.iter().map(|change| change.segment_id);
            if !named.any(|id| id == link.segment_id) {
                edit.delete_override(link.segment_id).await?;
            }
        }
    }
    let default = edit.default_state()?;
    for (position, mut change) in (0..).zip(changes) {
        let found = edit.override_for(change.segment_id);
        if found.is_none() || mode == WriteMode::Replace {
            change.patch = filled(change.patch, &default);
        }
        let (segment, mut priority) = (change.segment_id, change.priority);
        match found {
            Some((state, _)) => edit.change(state, change.patch).await?,
            None => {
                priority = priority.or(Some(position));
                edit.insert_override(request(change)).await?
            }
        };
        if let (Some((_, link)), Some(priority)) = (edit.override_for(segment), priority) {
            edit.put_at(&link, priority).await?;
        }
    }
    // Which of two overrides with one priority counts would be anybody's guess.
    let mut priorities: Vec<i64> = edit
        .links()
        .iter()
        .filter_map(|link| link.priority)
        .collect();
    priorities.sort_unstable();
    let twice = priorities.windows(2).find(|pair| pair[0] == pair[1]);
    match twice {
        Some(pair) => Err(ServiceError::invalid(
            "priority",
            Problem::DuplicatePriority(pair[0]),
        )),
        None => Ok(()),
    }
}
