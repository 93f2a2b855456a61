//! `environments/{environment_key}/features/{feature_id}/create-segment-override/`

use super::super::answer::Answer;
use super::super::call::Call;
use super::super::error::Failure;
use super::super::field_errors::FieldErrors;
use super::super::fields::{Fields, Need};
use super::super::view::View;
use super::super::words;
use super::environments::environment_key;
use super::features::feature_id;
use super::{state_bodies, state_values};
use crate::auth::Member;
use crate::routes::Routes;
use axum::http::StatusCode;
use flagstaff_core::SegmentId;
use flagstaff_service::{Caller, Problem, SegmentOverrideRequest, ServiceError, ValueChange};

/// The weakest priority that can be asked for.
pub(super) const PRIORITY_LIMIT: i64 = (1 << 31) - 1;

/// Adds the routes.
pub(super) fn routes(routes: Routes) -> Routes {
    routes.view(
        "/api/v1/environments/{environment_key}/features/{feature_id}/create-segment-override/",
        View::new("Create Segment Override")
            .as_function()
            .post(Member, create),
    )
}

/// `POST /api/v1/environments/{environment_key}/features/{feature_id}/create-segment-override/`
pub(super) async fn create(mut call: Call<Caller>) -> Result<Answer, Failure> {
    let body = call.body().await?;
    let request = Fields::read(&body, read_request)?;
    // Recorded: that the segment is missing is told only where nothing else is.
    let request = request.ok_or_else(|| Failure::of_field("feature_segment", words::REQUIRED))?;
    let weights = request.weights.clone();
    let (key, feature) = (environment_key(&call)?, feature_id(&call)?);
    let service = call.service();
    let state = service
        .create_segment_override(&call.subject, key, feature, request)
        .await
        .map_err(|error| match error {
            ServiceError::Invalid {
                field: "segment",
                problem: Problem::UnknownId(id),
            } => {
                let errors = FieldErrors::of_field("segment", words::no_such_row(id));
                Failure::Invalid(errors.under("feature_segment"))
            }
            other => state_values::refusal(other, &weights),
        })?;
    Ok(Answer::of(&state_bodies::segment_override(&state)).with_status(StatusCode::CREATED))
}

fn read_request(fields: &mut Fields<'_>) -> Option<SegmentOverrideRequest> {
    let enabled = fields.boolean("enabled", Need::Optional).or_default();
    let value = state_values::read_columns(fields).value();
    let link = fields.object("feature_segment", Need::Optional, |fields| {
        let segment = fields.row_id("segment", Need::Required).or_default();
        let priority = fields.integer("priority", Need::OptionalOrNull, 0, PRIORITY_LIMIT);
        (SegmentId::new(segment), priority.value())
    });
    let weights = state_values::read_weights(fields).unwrap_or_default();
    let (segment_id, priority) = link.value()?;
    Some(SegmentOverrideRequest {
        segment_id,
        priority,
        enabled,
        value: value.unwrap_or(ValueChange::Text(None)),
        weights,
    })
}
