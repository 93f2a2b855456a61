//! Rollouts in answers.

use crate::flagsmith::admin::times;
use flagstaff_core::{RolloutEvent, RolloutStep, SegmentId};
use flagstaff_service::RolloutView;
use serde_json::{Value as Json, json};

/// A rollout.
pub(super) fn rollout(view: &RolloutView) -> Json {
    let rollout = &view.rollout;
    json!({
        "id": rollout.id.get(),
        "uuid": rollout.uuid.to_string(),
        "project": rollout.project_id.get(),
        "environment": view.client_key,
        "environment_name": view.environment,
        "feature": rollout.feature_id.get(),
        "feature_name": view.feature.as_str(),
        "variant": view.variant,
        "segment": rollout.segment_id.map(SegmentId::get),
        "segment_name": view.segment,
        "description": rollout.description,
        "driver": rollout.driver,
        "state": rollout.state.as_str(),
        "percentage": rollout.percentage.percent(),
        "step": rollout.step.map(|step| step + 1),
        "steps": rollout.steps.iter().map(step).collect::<Vec<_>>(),
        "waits_for_approval": rollout.waits_for_approval(),
        "reached_at": times::shown_optional(rollout.reached_at),
        "due_at": times::shown_optional(rollout.due_at),
        "reason": rollout.reason,
        "created_by": rollout.created_by,
        "created_at": times::shown(rollout.created_at),
        "updated_at": times::shown(rollout.updated_at),
        "ended_at": times::shown_optional(rollout.ended_at),
    })
}

/// A rollout with its timeline.
pub(super) fn rollout_with_events(view: &RolloutView, events: &[RolloutEvent]) -> Json {
    let mut json = rollout(view);
    if let Json::Object(members) = &mut json {
        let events = events.iter().map(event).collect();
        members.insert("timeline".to_owned(), Json::Array(events));
    }
    json
}

fn step(step: &RolloutStep) -> Json {
    json!({
        "percentage": step.percentage.percent(),
        "starts_at": times::shown_optional(step.starts_at),
        "hold_seconds": step.hold_seconds,
        "needs_approval": step.needs_approval,
    })
}

fn event(event: &RolloutEvent) -> Json {
    json!({
        "id": event.id.get(),
        "kind": event.kind.as_str(),
        "at": times::shown(event.at),
        "step": event.step.map(|step| step + 1),
        "percentage": event.percentage.percent(),
        "actor": event.actor,
        "is_system": event.is_system,
        "reason": event.reason,
    })
}
