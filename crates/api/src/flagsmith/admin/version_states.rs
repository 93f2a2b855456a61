//! `environments/{environment_id}/features/{feature_id}/versions/{version_uuid}/featurestates/`

use super::super::answer::Answer;
use super::super::call::Call;
use super::super::error::Failure;
use super::super::field_errors::FieldErrors;
use super::super::fields::{Fields, Need};
use super::super::view::View;
use super::super::words;
use super::feature_states::state_id;
use super::segment_overrides::PRIORITY_LIMIT;
use super::versions::{version_place, version_uuid};
use super::{state_bodies, state_values};
use crate::auth::Member;
use crate::routes::Routes;
use axum::http::StatusCode;
use flagstaff_core::SegmentId;
use flagstaff_service::{
    Caller, Problem, SegmentOverrideRequest, ServiceError, StatePatch, ValueChange,
    VersioningProblem, WeightChange,
};
use serde_json::Value as Json;

/// Adds the routes.
pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .view(
            "/api/v1/environments/{environment_id}/features/{feature_id}/versions/{version_uuid}/featurestates/",
            View::new("Environment Feature Version Feature States List")
                .get(Member, list)
                .post(Member, create),
        )
        .view(
            "/api/v1/environments/{environment_id}/features/{feature_id}/versions/{version_uuid}/featurestates/{state_id}/",
            View::new("Environment Feature Version Feature States Instance")
                .put(Member, replace)
                .patch(Member, update)
                .delete(Member, delete),
        )
}

/// A state as a body of versions says it.
pub(super) struct VersionState {
    /// The segment of an override with its priority; `None` is the environment's default.
    pub(super) link: Option<(SegmentId, Option<i64>)>,
    pub(super) patch: StatePatch,
}

impl VersionState {
    /// The state as an override to be made; `None` for a default.
    pub(super) fn into_override(self) -> Option<SegmentOverrideRequest> {
        let (segment_id, priority) = self.link?;
        Some(SegmentOverrideRequest {
            segment_id,
            priority,
            enabled: self.patch.enabled.unwrap_or_default(),
            value: self.patch.value.unwrap_or(ValueChange::Text(None)),
            weights: self.patch.weights.unwrap_or_default(),
        })
    }
}

/// `GET …/versions/{version_uuid}/featurestates/`
async fn list(call: Call<Caller>) -> Result<Answer, Failure> {
    let (place, version) = (version_place(&call)?, version_uuid(&call)?);
    let service = call.service();
    let states = service
        .feature_version_states(&call.subject, place, version)
        .await?;
    let states = states.iter().map(state_bodies::segment_override);
    Ok(Answer::of(&states.collect::<Json>()))
}

/// `POST …/versions/{version_uuid}/featurestates/`
async fn create(mut call: Call<Caller>) -> Result<Answer, Failure> {
    let body = call.body().await?;
    let state = Fields::read(&body, |fields| read_state(fields, Need::Required))?;
    let weights = state.patch.weights.clone().unwrap_or_default();
    let (place, version) = (version_place(&call)?, version_uuid(&call)?);
    let exists = || ServiceError::Versioning(VersioningProblem::DefaultExists);
    let request = state.into_override().ok_or_else(exists)?;
    let state = call
        .service()
        .create_version_override(&call.subject, place, version, request)
        .await
        .map_err(|error| refusal(error, &weights))?;
    Ok(Answer::of(&state_bodies::segment_override(&state)).with_status(StatusCode::CREATED))
}

/// `PUT …/versions/{version_uuid}/featurestates/{state_id}/`
async fn replace(call: Call<Caller>) -> Result<Answer, Failure> {
    change(call, Need::Required).await
}

/// `PATCH …/versions/{version_uuid}/featurestates/{state_id}/`
async fn update(call: Call<Caller>) -> Result<Answer, Failure> {
    change(call, Need::Optional).await
}

async fn change(mut call: Call<Caller>, value: Need) -> Result<Answer, Failure> {
    let body = call.body().await?;
    let sent = Fields::read(&body, |fields| read_state(fields, value))?;
    let weights = sent.patch.weights.clone().unwrap_or_default();
    let priority = sent.link.and_then(|(_, priority)| priority);
    let (place, version) = (version_place(&call)?, version_uuid(&call)?);
    let id = state_id(&call)?;
    let state = call
        .service()
        .update_version_state(&call.subject, place, (version, id), sent.patch, priority)
        .await
        .map_err(|error| refusal(error, &weights))?;
    Ok(Answer::of(&state_bodies::segment_override(&state)))
}

/// `DELETE …/versions/{version_uuid}/featurestates/{state_id}/`
async fn delete(call: Call<Caller>) -> Result<Answer, Failure> {
    let (place, version) = (version_place(&call)?, version_uuid(&call)?);
    let id = state_id(&call)?;
    call.service()
        .delete_version_state(&call.subject, place, (version, id))
        .await?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

/// Reads a state: its value is an object of columns, its segment one with a priority.
pub(super) fn read_state(fields: &mut Fields<'_>, value: Need) -> VersionState {
    let enabled = fields.boolean("enabled", Need::Optional).value();
    let value = match value {
        Need::Required | Need::RequiredOrNull => state_values::read_columns(fields).value(),
        Need::Optional | Need::OptionalOrNull => state_values::read_columns_if_sent(fields),
    };
    let link = fields.object("feature_segment", Need::OptionalOrNull, |fields| {
        let segment = fields.row_id("segment", Need::Required).or_default();
        let priority = fields.integer("priority", Need::OptionalOrNull, 0, PRIORITY_LIMIT);
        (SegmentId::new(segment), priority.value())
    });
    VersionState {
        link: link.value(),
        patch: StatePatch {
            enabled,
            value,
            weights: state_values::read_weights(fields),
        },
    }
}

/// What the product refuses about the states of a version, where the original says it.
pub(super) fn refusal(error: ServiceError, weights: &[WeightChange]) -> Failure {
    match error {
        ServiceError::Invalid {
            field: "segment",
            problem: Problem::UnknownId(id),
        } => {
            let errors = FieldErrors::of_field("segment", words::no_such_row(id));
            Failure::Invalid(errors.under("feature_segment"))
        }
        other => state_values::refusal(other, weights),
    }
}
