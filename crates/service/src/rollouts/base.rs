//! What a rollout begins from: the state that those have whom it has not reached yet.

use crate::Service;
use crate::environments::EnvironmentPlace;
use crate::error::{BoxError, Noun, ServiceError, ServiceResult};
use crate::feature_states::{StatePatch, ValueChange};
use crate::weights::WeightChange;
use flagstaff_core::{
    Feature, FeatureSegment, FeatureState, OptionId, Rollout, SegmentId, StateOwner, StateValue,
    ValueKind,
};
use serde::{Deserialize, Serialize};

/// Whose state a rollout begins from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BaseOwner {
    /// The environment's default.
    Environment,
    /// The override for the segment that the rollout is inside of.
    Segment,
    /// The environment's default, for a rollout inside of a segment without an override: promoted, it makes one.
    NewSegment,
}

/// The state that a rollout begins from, as it is remembered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct StateBefore {
    pub(crate) owner: BaseOwner,
    pub(crate) enabled: bool,
    /// `unicode`, `int` or `bool`: the column that counts.
    kind: String,
    text: Option<String>,
    integer: Option<i64>,
    boolean: Option<bool>,
    /// Options with their percentages.
    weights: Vec<(i64, f64)>,
    /// Percent of people who have what is raised already.
    pub(crate) already: f64,
}

/// What is served beside a rollout.
pub(crate) struct Base {
    pub(crate) owner: BaseOwner,
    /// The default, or the override for the segment that the rollout is inside of.
    pub(crate) state: FeatureState,
    /// The override that the rollout has made.
    pub(crate) managed: Option<FeatureSegment>,
}

impl Base {
    /// Percent of people who have what is raised without a rollout.
    pub(crate) fn already(&self, option: Option<OptionId>) -> f64 {
        match option {
            _ if !self.state.enabled => 0.0,
            None => 100.0,
            Some(option) => self.state.weight_of(option),
        }
    }

    /// The link of the override for the segment.
    pub(crate) fn link(&self) -> Option<&FeatureSegment> {
        match &self.state.owner {
            StateOwner::Segment(link) => Some(link),
            StateOwner::Environment | StateOwner::Identity { .. } => None,
        }
    }

    /// To be remembered.
    pub(crate) fn remembered(&self, option: Option<OptionId>) -> StateBefore {
        let value = &self.state.value;
        let weights = self.state.weights.iter();
        StateBefore {
            owner: self.owner,
            enabled: self.state.enabled,
            kind: kind_text(value.kind).to_owned(),
            text: value.text.clone(),
            integer: value.integer,
            boolean: value.boolean,
            weights: weights
                .map(|weight| (weight.option_id.get(), weight.percentage_allocation))
                .collect(),
            already: self.already(option),
        }
    }
}

impl StateBefore {
    /// What a rollout remembers; `None` before its first step.
    pub(crate) fn of(rollout: &Rollout) -> ServiceResult<Option<Self>> {
        let Some(text) = &rollout.state_before else {
            return Ok(None);
        };
        let before = serde_json::from_str(text);
        let before = before.map_err(|error| ServiceError::Internal(BoxError::from(error)))?;
        Ok(Some(before))
    }

    /// As it is stored.
    pub(crate) fn to_text(&self) -> ServiceResult<String> {
        let text = serde_json::to_string(self);
        text.map_err(|error| ServiceError::Internal(BoxError::from(error)))
    }

    pub(crate) fn value(&self) -> StateValue {
        let kind = match self.kind.as_str() {
            "int" => ValueKind::Integer,
            "bool" => ValueKind::Boolean,
            _ => ValueKind::Text,
        };
        StateValue {
            kind,
            text: self.text.clone(),
            integer: self.integer,
            boolean: self.boolean,
        }
    }

    /// The change that brings it back.
    pub(crate) fn patch(&self) -> StatePatch {
        let weights = self
            .weights
            .iter()
            .map(|(option, percentage)| WeightChange {
                option_id: OptionId::new(*option),
                percentage_allocation: *percentage,
            });
        StatePatch {
            enabled: Some(self.enabled),
            value: Some(ValueChange::exactly(&self.value())),
            weights: Some(weights.collect()),
        }
    }

    /// True where a state is the same, in all that rollouts and people change.
    pub(crate) fn is_kept_by(&self, state: &FeatureState) -> bool {
        let known = |(option, percentage): &(i64, f64)| {
            same(state.weight_of(OptionId::new(*option)), *percentage)
        };
        state.enabled == self.enabled
            && state.value == self.value()
            && self.weights.iter().all(known)
    }
}

/// True for percentages that are the same, as they are stored.
pub(crate) fn same(one: f64, other: f64) -> bool {
    one.to_bits() == other.to_bits()
}

const fn kind_text(kind: ValueKind) -> &'static str {
    match kind {
        ValueKind::Text => "unicode",
        ValueKind::Integer => "int",
        ValueKind::Boolean => "bool",
    }
}

impl Service {
    /// What is served of a feature beside a rollout.
    pub(crate) async fn base_of(
        &self,
        place: &EnvironmentPlace,
        feature: &Feature,
        segment: Option<SegmentId>,
        managed: Option<SegmentId>,
    ) -> ServiceResult<Base> {
        let (store, now) = (self.store(), self.now_in(place));
        let environment = place.environment.id;
        let overrides = store.segment_states(environment, feature.id, now).await?;
        let of = |wanted: SegmentId| {
            let of_segment = overrides.iter().filter_map(|state| match &state.owner {
                StateOwner::Segment(link) if link.segment_id == wanted => Some((state, link)),
                StateOwner::Segment(_) | StateOwner::Environment | StateOwner::Identity { .. } => {
                    None
                }
            });
            // Of two the stronger one.
            of_segment.min_by_key(|(_, link)| (link.priority.is_none(), link.priority))
        };
        let managed = managed.and_then(of).map(|(_, link)| link.clone());
        if let Some((state, _)) = segment.and_then(of) {
            return Ok(Base {
                owner: BaseOwner::Segment,
                state: state.clone(),
                managed,
            });
        }
        let default = store.default_state(environment, feature.id, now).await?;
        Ok(Base {
            owner: match segment {
                Some(_) => BaseOwner::NewSegment,
                None => BaseOwner::Environment,
            },
            state: default.ok_or(ServiceError::NotFound {
                noun: Noun::FeatureState,
            })?,
            managed,
        })
    }
}
