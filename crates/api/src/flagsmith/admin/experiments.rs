//! `/api/experiments/environments/{environment_key}/`: what a feature serves is changed in one request, however the
//! environment is versioned.

use super::super::answer::Answer;
use super::super::call::Call;
use super::super::error::Failure;
use super::super::field_errors::{FieldErrors, NON_FIELD};
use super::super::fields::{Fields, Need, Text};
use super::super::view::View;
use super::environments::environment_key;
use super::flag_values::read_value;
use super::segment_overrides::PRIORITY_LIMIT;
use super::state_values::{WEIGHT_LIMIT, read_percentage};
use crate::auth::Member;
use crate::routes::Routes;
use axum::http::StatusCode;
use flagstaff_core::{FeatureId, OptionId, SegmentId};
use flagstaff_service::{
    Caller, FeatureReference, Noun, OVERRIDE_LIMIT, OverrideChange, Problem, ServiceError,
    StatePatch, WeightChange,
};
use flagstaff_wire::python;
use serde_json::json;
use std::collections::HashSet;

const NAME: Text = Text::up_to(2000);

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .view(
            "/api/experiments/environments/{environment_key}/update-flag-v1/",
            View::new("Update Flag V1")
                .as_function()
                .post(Member, update_one),
        )
        .view(
            "/api/experiments/environments/{environment_key}/update-flag-v2/",
            View::new("Update Flag V2")
                .as_function()
                .post(Member, update_all),
        )
        .view(
            "/api/experiments/environments/{environment_key}/delete-segment-override/",
            View::new("Delete Segment Override")
                .as_function()
                .post(Member, delete_override),
        )
}

/// `POST …/update-flag-v1/`: the default, or the override for one segment.
async fn update_one(mut call: Call<Caller>) -> Result<Answer, Failure> {
    let body = call.body().await?;
    let (feature, segment, patch) = Fields::read(&body, |fields| {
        let feature = read_feature(fields);
        let segment = fields.object("segment", Need::Optional, |fields| {
            let id = fields.integer("id", Need::Required, i64::MIN, i64::MAX);
            let priority = fields.integer("priority", Need::OptionalOrNull, 0, PRIORITY_LIMIT);
            (SegmentId::new(id.or_default()), priority.value())
        });
        (feature, segment.value(), read_state(fields))
    })?;
    let (default, overrides) = match segment {
        None => (Some(patch), Vec::new()),
        Some((segment_id, priority)) => {
            let change = OverrideChange {
                segment_id,
                priority,
                patch,
            };
            (None, vec![change])
        }
    };
    update(&call, &feature, default, overrides, "segment").await
}

/// `POST …/update-flag-v2/`: the default and any overrides.
async fn update_all(mut call: Call<Caller>) -> Result<Answer, Failure> {
    let body = call.body().await?;
    let (feature, default, overrides) = Fields::read(&body, |fields| {
        let feature = read_feature(fields);
        let default = fields.object("environment_default", Need::Required, read_state);
        let overrides = fields.list(
            "segment_overrides",
            Need::Optional,
            OVERRIDE_LIMIT,
            read_override,
        );
        (feature, default.value(), overrides.value())
    })?;
    let overrides = overrides.unwrap_or_default();
    let mut segments = HashSet::new();
    if !overrides
        .iter()
        .all(|each| segments.insert(each.segment_id))
    {
        let text = "Duplicate segment_id values are not allowed";
        return Err(Failure::of_field("segment_overrides", text));
    }
    for weights in overrides
        .iter()
        .filter_map(|each| each.patch.weights.as_ref())
    {
        let mut options = HashSet::new();
        if !weights.iter().all(|each| options.insert(each.option_id)) {
            return Err(Failure::of_no_field("Multivariate options must be unique"));
        }
    }
    update(&call, &feature, default, overrides, "segment_overrides").await
}

async fn update(
    call: &Call<Caller>,
    feature: &FeatureReference,
    default: Option<StatePatch>,
    overrides: Vec<OverrideChange>,
    segment_field: &'static str,
) -> Result<Answer, Failure> {
    let key = environment_key(call)?;
    call.service()
        .update_flag(&call.subject, key, feature, default, overrides)
        .await
        .map_err(|error| refusal(error, feature, segment_field))?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

/// `POST …/delete-segment-override/`
async fn delete_override(mut call: Call<Caller>) -> Result<Answer, Failure> {
    let body = call.body().await?;
    let (feature, segment) = Fields::read(&body, |fields| {
        let feature = read_feature(fields);
        let segment = fields.object("segment", Need::Required, |fields| {
            let id = fields.integer("id", Need::Required, i64::MIN, i64::MAX);
            SegmentId::new(id.or_default())
        });
        (feature, segment.or_default())
    })?;
    let key = environment_key(&call)?;
    call.service()
        .delete_flag_override(&call.subject, key, &feature, segment)
        .await
        .map_err(|error| match error {
            ServiceError::NotFound {
                noun: Noun::FeatureSegment,
            } => {
                let text = format!("Segment override for segment {segment} does not exist");
                Failure::Missing(text.into())
            }
            other => refusal(other, &feature, "segment"),
        })?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

fn read_feature(fields: &mut Fields<'_>) -> FeatureReference {
    let feature = fields.object("feature", Need::Required, |fields| {
        let name = fields.text("name", Need::Optional, NAME).value();
        let id = fields.integer("id", Need::Optional, i64::MIN, i64::MAX);
        let problem = match (name, id.value()) {
            (Some(name), None) => return FeatureReference::Name(name),
            (None, Some(id)) => return FeatureReference::Id(FeatureId::new(id)),
            (Some(_), Some(_)) => "Provide either 'name' or 'id', not both",
            (None, None) => "Either 'name' or 'id' is required for feature identification",
        };
        fields.fail(NON_FIELD, problem);
        FeatureReference::Id(FeatureId::default())
    });
    feature
        .value()
        .unwrap_or(FeatureReference::Id(FeatureId::default()))
}

fn read_state(fields: &mut Fields<'_>) -> StatePatch {
    let enabled = fields.boolean("enabled", Need::Required).value();
    let value = match read_value(fields, Need::Required) {
        Some(Err(problem)) => {
            fields.fail_with("value", FieldErrors::of_no_field(problem));
            None
        }
        Some(Ok(value)) => Some(value),
        None => None,
    };
    StatePatch {
        enabled,
        value,
        weights: None,
    }
}

fn read_override(fields: &mut Fields<'_>) -> OverrideChange {
    let segment = fields.integer("segment_id", Need::Required, i64::MIN, i64::MAX);
    let priority = fields.integer("priority", Need::OptionalOrNull, 0, PRIORITY_LIMIT);
    let patch = read_state(fields);
    let weights = fields.list(
        "multivariate_feature_state_values",
        Need::Optional,
        WEIGHT_LIMIT,
        |fields| {
            let name = "multivariate_feature_option";
            let option = fields.integer(name, Need::Required, i64::MIN, i64::MAX);
            let percentage = read_percentage(fields, "percentage_allocation", Need::Required);
            WeightChange {
                option_id: OptionId::new(option.or_default()),
                percentage_allocation: percentage.or_default(),
            }
        },
    );
    OverrideChange {
        segment_id: SegmentId::new(segment.or_default()),
        priority: priority.value(),
        patch: StatePatch {
            weights: weights.value(),
            ..patch
        },
    }
}

/// What the product refuses, in the words of these routes.
fn refusal(
    error: ServiceError,
    feature: &FeatureReference,
    segment_field: &'static str,
) -> Failure {
    match error {
        ServiceError::NotFound {
            noun: Noun::Feature,
        } => {
            let named = match feature {
                FeatureReference::Id(id) => json!({ "id": id.get() }),
                FeatureReference::Name(name) => json!({ "name": name }),
            };
            let named = python::text(&named);
            let text = format!("Feature '{named}' not found in project");
            Failure::Invalid(FieldErrors::message(text))
        }
        ServiceError::Invalid {
            field: "segment",
            problem: Problem::UnknownId(id),
        } => {
            let text = format!("Segment with id {id} not found in project");
            Failure::of_field(segment_field, text)
        }
        ServiceError::Invalid {
            problem: Problem::ForeignOption(id),
            ..
        } => {
            let text = format!("Multivariate options [{id}] do not belong to the feature");
            Failure::of_no_field(text)
        }
        ServiceError::Invalid {
            problem: Problem::PercentagesExceed,
            ..
        } => {
            let text = "Multivariate allocations for the feature state must not exceed 100%.";
            Failure::Invalid(FieldErrors::message(text))
        }
        other => other.into(),
    }
}
