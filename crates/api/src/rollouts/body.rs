//! Bodies and parameters of rollouts.

use crate::flagsmith::admin::times;
use crate::flagsmith::fields::{Fields, Need, Sent, Text};
use crate::flagsmith::scalar::{self, Integer};
use flagstaff_core::rollout::{HOLD_LIMIT_SECONDS, STEP_LIMIT};
use flagstaff_core::{
    FeatureId, OptionId, Percentage, ProjectId, RolloutState, RolloutStep, SegmentId,
};
use flagstaff_service::{
    FeatureReference, RolloutPatch, RolloutQuery, RolloutRequest, VariantReference,
};
use serde_json::Value as Json;

const KEY: Text = Text::up_to(100);
const TEXT: Text = Text::up_to(2000).or_blank();
const STATES: [(&str, RolloutState); 6] = [
    (RolloutState::Scheduled.as_str(), RolloutState::Scheduled),
    (RolloutState::Running.as_str(), RolloutState::Running),
    (RolloutState::Held.as_str(), RolloutState::Held),
    (RolloutState::Promoted.as_str(), RolloutState::Promoted),
    (RolloutState::Aborted.as_str(), RolloutState::Aborted),
    (RolloutState::RolledBack.as_str(), RolloutState::RolledBack),
];

/// A rollout to be made, and the client key of its environment.
pub(super) fn read_request(fields: &mut Fields<'_>) -> (String, RolloutRequest) {
    let environment = fields.text("environment", Need::Required, KEY).or_default();
    let feature = match fields.any("feature", Need::Required) {
        Sent::Given(json) => read_reference(json, FeatureReference::Name, |id| {
            FeatureReference::Id(FeatureId::new(id))
        }),
        Sent::Null | Sent::Absent => None,
    };
    let variant = read_variant(fields);
    let segment = fields.row_id("segment", Need::OptionalOrNull).value();
    let request = RolloutRequest {
        feature: feature.unwrap_or(FeatureReference::Name(String::new())),
        variant,
        segment_id: segment.map(SegmentId::new),
        description: fields
            .text("description", Need::OptionalOrNull, TEXT)
            .value(),
        steps: fields
            .list("steps", Need::Required, STEP_LIMIT, read_step)
            .value()
            .unwrap_or_default(),
    };
    (environment, request)
}

/// The option that is raised, if the body names one.
pub(super) fn read_variant(fields: &mut Fields<'_>) -> Option<VariantReference> {
    match fields.any("variant", Need::OptionalOrNull) {
        Sent::Given(json) => read_reference(json, VariantReference::Key, |id| {
            VariantReference::Id(OptionId::new(id))
        }),
        Sent::Null | Sent::Absent => None,
    }
}

/// What of a rollout is to be changed.
pub(super) fn read_patch(fields: &mut Fields<'_>) -> RolloutPatch {
    RolloutPatch {
        description: fields
            .text("description", Need::OptionalOrNull, TEXT)
            .change(),
        steps: fields
            .list("steps", Need::Optional, STEP_LIMIT, read_step)
            .value(),
    }
}

/// Why something is asked of a rollout.
pub(super) fn read_reason(fields: &mut Fields<'_>) -> Option<String> {
    let reason = fields.text("reason", Need::OptionalOrNull, TEXT).value();
    reason.filter(|reason| !reason.is_empty())
}

/// Which rollouts are asked for.
pub(super) fn read_query(fields: &mut Fields<'_>) -> RolloutQuery {
    let environment = fields.text("environment", Need::Optional, KEY).value();
    let project = fields.integer("project", Need::Optional, 0, i64::MAX);
    if environment.is_none() && project == Sent::Absent {
        fields.fail("environment", "Name an environment or a project.");
    }
    let feature = fields.integer("feature", Need::Optional, 0, i64::MAX);
    RolloutQuery {
        client_key: environment,
        project: project.value().map(ProjectId::new),
        feature: feature.value().map(FeatureId::new),
        state: fields.choice("state", Need::Optional, &STATES).value(),
        live_only: fields.boolean("live", Need::Optional).or_default(),
    }
}

fn read_step(fields: &mut Fields<'_>) -> RolloutStep {
    let percent = fields.number("percentage", Need::Required).value();
    let percentage = match percent.map(Percentage::from_percent) {
        Some(Ok(percentage)) => percentage,
        Some(Err(problem)) => {
            fields.fail("percentage", format!("The percentage {problem}."));
            Percentage::NONE
        }
        None => Percentage::NONE,
    };
    RolloutStep {
        percentage,
        starts_at: times::read(fields, "starts_at").value(),
        hold_seconds: fields
            .integer("hold_seconds", Need::Optional, 0, HOLD_LIMIT_SECONDS)
            .or_default(),
        needs_approval: fields
            .boolean("needs_approval", Need::Optional)
            .or_default(),
    }
}

/// A name, or the id of a row.
fn read_reference<T>(
    json: &Json,
    by_name: impl FnOnce(String) -> T,
    by_id: impl FnOnce(i64) -> T,
) -> Option<T> {
    match json {
        Json::String(name) => Some(by_name(name.clone())),
        other => match scalar::integer(other) {
            Some(Integer::Fits(id)) => Some(by_id(id)),
            // Nothing has such a name either.
            Some(Integer::TooLow | Integer::TooHigh) | None => Some(by_name(other.to_string())),
        },
    }
}
