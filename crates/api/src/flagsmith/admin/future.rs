//! `/api/__future__/environments/{environment_key}/features/{feature_id}/`: what a feature serves in an environment, read
//! and written as a whole, however the environment is versioned.

use super::super::answer::Answer;
use super::super::call::Call;
use super::super::error::Failure;
use super::super::field_errors::FieldErrors;
use super::super::fields::{Fields, Need};
use super::super::problem_text::problem_text;
use super::super::view::View;
use super::environments::environment_key;
use super::features::feature_id;
use super::flag_values::{read_value, shape_value};
use super::segment_overrides::PRIORITY_LIMIT;
use super::state_values::{WEIGHT_LIMIT, read_percentage};
use crate::auth::Member;
use crate::routes::Routes;
use axum::http::StatusCode;
use flagstaff_core::{FeatureState, OptionId, SegmentId};
use flagstaff_service::{
    Caller, Noun, OVERRIDE_LIMIT, OverrideChange, Part, Problem, ServedChanges, ServedFeature,
    ServiceError, StatePatch, WeightChange, WriteMode,
};
use serde_json::{Value as Json, json};
use std::collections::HashSet;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .view(
            "/api/__future__/environments/{environment_key}/features/{feature_id}/",
            View::new("Flag API")
                .get(Member, get)
                .put(Member, replace)
                .patch(Member, update),
        )
        .view(
            "/api/__future__/environments/{environment_key}/features/{feature_id}/segment-overrides/{segment_id}/",
            View::new("Segment Override API").delete(Member, delete_override),
        )
}

/// `GET …/features/{feature_id}/`
async fn get(call: Call<Caller>) -> Result<Answer, Failure> {
    let (key, feature) = (environment_key(&call)?, feature_id(&call)?);
    let service = call.service();
    let served = service.served_feature(&call.subject, key, feature).await;
    Ok(Answer::of(&shape(&served.map_err(unfound)?)))
}

/// `PUT …/features/{feature_id}/`: what is named is written anew, without what the body leaves out of it.
async fn replace(call: Call<Caller>) -> Result<Answer, Failure> {
    change(call, WriteMode::Replace).await
}

/// `PATCH …/features/{feature_id}/`
async fn update(call: Call<Caller>) -> Result<Answer, Failure> {
    change(call, WriteMode::Update).await
}

async fn change(mut call: Call<Caller>, mode: WriteMode) -> Result<Answer, Failure> {
    let (key, feature) = (environment_key(&call)?.to_owned(), feature_id(&call)?);
    let body = call.body().await?;
    if !body.is_object() {
        return Err(Failure::Invalid(FieldErrors::message(
            "Expected an object.",
        )));
    }
    let changes = Fields::read(&body, |fields| ServedChanges {
        default: fields
            .object("environment_default", Need::Optional, read_state)
            .value(),
        overrides: fields
            .list(
                "segment_overrides",
                Need::Optional,
                OVERRIDE_LIMIT,
                read_override,
            )
            .value(),
        seen: None,
    })?;
    let overrides = changes.overrides.iter().flatten();
    let segments: Vec<SegmentId> = overrides.map(|each| each.segment_id).collect();
    let mut seen = HashSet::new();
    if let Some(again) = segments.iter().find(|id| !seen.insert(**id)) {
        let text = format!("Duplicate segment: {again}.");
        return Err(Failure::of_field("segment_overrides", text));
    }
    let service = call.service();
    let served = service
        .change_served_feature(&call.subject, &key, feature, changes, mode)
        .await;
    answer(served, segments.len())
}

/// `DELETE …/features/{feature_id}/segment-overrides/{segment_id}/`
async fn delete_override(call: Call<Caller>) -> Result<Answer, Failure> {
    let (key, feature) = (environment_key(&call)?, feature_id(&call)?);
    let segment = call.path_id("segment_id").map(SegmentId::new)?;
    let service = call.service();
    let served = service
        .delete_served_override(&call.subject, key, feature, segment)
        .await;
    answer(served, 0)
}

fn read_state(fields: &mut Fields<'_>) -> StatePatch {
    let enabled = fields.boolean("enabled", Need::Optional).value();
    let value = match read_value(fields, Need::Optional) {
        Some(Err(problem)) => {
            fields.fail("value", problem);
            None
        }
        Some(Ok(value)) => Some(value),
        None => None,
    };
    let weights = fields.list("variants", Need::Optional, WEIGHT_LIMIT, |fields| {
        let option = fields.integer("id", Need::Required, i64::MIN, i64::MAX);
        let weight = read_percentage(fields, "weight", Need::Required);
        WeightChange {
            option_id: OptionId::new(option.or_default()),
            percentage_allocation: weight.or_default(),
        }
    });
    StatePatch {
        enabled,
        value,
        weights: weights.value(),
    }
}

fn read_override(fields: &mut Fields<'_>) -> OverrideChange {
    let patch = read_state(fields);
    let segment = fields.object("segment", Need::Required, |fields| {
        let id = fields.integer("id", Need::Required, i64::MIN, i64::MAX);
        SegmentId::new(id.or_default())
    });
    let priority = fields.integer("priority", Need::Optional, 0, PRIORITY_LIMIT);
    OverrideChange {
        segment_id: segment.or_default(),
        priority: priority.value(),
        patch,
    }
}

/// What came of a change; `overrides` is how many the body named.
fn answer(
    served: Result<ServedFeature, ServiceError>,
    overrides: usize,
) -> Result<Answer, Failure> {
    match served {
        Ok(served) => Ok(Answer::of(&shape(&served))),
        Err(ServiceError::ChangeRequestNeeded) => {
            let body = json!({
                "detail": "Cannot update flags in an environment with change requests enabled.",
                "code": "change_requests_enabled",
            });
            Ok(Answer::of(&body).with_status(StatusCode::CONFLICT))
        }
        Err(ServiceError::NotFound {
            noun: Noun::FeatureSegment,
        }) => Err(Failure::Missing("Segment override not found.".into())),
        Err(ServiceError::Invalid {
            problem: Problem::DuplicatePriority(priority),
            ..
        }) => Err(Failure::Refused(
            format!("Duplicate priority: {priority}.").into(),
        )),
        Err(ServiceError::InvalidPart {
            part,
            field,
            problem,
        }) => Err(Failure::Invalid(errors_of_part(
            part, field, &problem, overrides,
        ))),
        Err(other) => Err(unfound(other)),
    }
}

/// Errors laid out as the body is: those of an override stand in a list of all of them.
fn errors_of_part(
    part: Part,
    field: &'static str,
    problem: &Problem,
    overrides: usize,
) -> FieldErrors {
    let mut errors = FieldErrors::Messages(problem_text(problem));
    if field == "segment" {
        errors = FieldErrors::message("Segment not found.").under("id");
    }
    let errors = errors.under(field);
    match part {
        Part::Default => errors.under("environment_default"),
        Part::Override(position) => {
            let mut items = vec![FieldErrors::Fields(Vec::new()); overrides.max(position + 1)];
            items[position] = errors;
            FieldErrors::Items(items).under("segment_overrides")
        }
    }
}

/// What is not found has no name here, as in the original.
fn unfound(error: ServiceError) -> Failure {
    match error {
        ServiceError::NotFound { .. } => Failure::NoSuchPath,
        other => other.into(),
    }
}

fn shape(served: &ServedFeature) -> Json {
    let overrides = served.overrides.iter().map(|(link, state)| {
        json!({
            "segment": { "id": link.segment_id.get() },
            "priority": link.priority,
            "enabled": state.enabled,
            "value": shape_value(&state.value),
            "variants": shape_variants(state),
        })
    });
    json!({
        "environment_default": {
            "enabled": served.default.enabled,
            "value": shape_value(&served.default.value),
            "variants": shape_variants(&served.default),
        },
        "segment_overrides": overrides.collect::<Json>(),
    })
}

fn shape_variants(state: &FeatureState) -> Json {
    let mut weights: Vec<_> = state.weights.iter().collect();
    weights.sort_by_key(|weight| weight.option_id);
    let shape = |weight: &flagstaff_core::VariantWeight| json!({ "id": weight.option_id.get(), "weight": weight.percentage_allocation });
    weights.into_iter().map(shape).collect()
}
