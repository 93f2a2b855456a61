//! `environments/{environment_key}/featurestates/`

use super::super::answer::Answer;
use super::super::call::Call;
use super::super::error::Failure;
use super::super::fields::{Fields, Need, Text};
use super::super::view::View;
use super::environments::environment_key;
use super::feature_state_rows::read_request;
use super::{lists, state_bodies, state_values};
use crate::auth::Member;
use crate::routes::Routes;
use axum::http::StatusCode;
use flagstaff_core::{FeatureId, FeatureStateId};
use flagstaff_service::{
    Caller, NewStateRequest, ServiceError, StateOwners, StatePatch, StateQuery,
};
use serde_json::Value as Json;

const NAME: Text = Text::up_to(lists::SEARCH_LIMIT).or_blank().untrimmed();

/// Adds the routes.
pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .view(
            "/api/v1/environments/{environment_key}/featurestates/",
            View::new("Environment Feature State List")
                .get(Member, list)
                .post(Member, create),
        )
        .view(
            "/api/v1/environments/{environment_key}/featurestates/{state_id}/",
            View::new("Environment Feature State Instance")
                .get(Member, get)
                .put(Member, replace)
                .patch(Member, update)
                .delete(Member, delete),
        )
}

/// `GET /api/v1/environments/{environment_key}/featurestates/`
async fn list(call: Call<Caller>) -> Result<Answer, Failure> {
    let parameters = call.query();
    let paging = lists::paging(&parameters)?;
    // That it is there counts, whatever it says.
    let owners = match parameters.last("anyIdentity") {
        Some(_) => StateOwners::Identities,
        None => StateOwners::Environment,
    };
    let query = lists::read_parameters(&parameters, |fields| {
        let feature = fields.integer("feature", Need::Optional, i64::MIN, i64::MAX);
        let name = fields.text("feature_name", Need::Optional, NAME).value();
        StateQuery {
            feature: feature.value().map(FeatureId::new),
            feature_name: name.filter(|name| !name.is_empty()),
            owners,
            feature_segment: None,
        }
    })?;
    let key = environment_key(&call)?;
    let service = call.service();
    let page = service
        .feature_states(&call.subject, key, query, lists::page_request(paging))
        .await?;
    lists::answer_page(&call, paging, &page, state_bodies::list_item)
}

/// `POST /api/v1/environments/{environment_key}/featurestates/`
pub(super) async fn create(mut call: Call<Caller>) -> Result<Answer, Failure> {
    let body = call.body().await?;
    if body.is_object() && body.get("feature").is_none_or(Json::is_null) {
        // Recorded on overrides: the permission on the feature is looked for first.
        return Err(ServiceError::Forbidden.into());
    }
    let request = Fields::read(&body, |fields| NewStateRequest {
        value: state_values::read_bare(fields),
        ..read_request(fields)
    })?;
    let weights = request.weights.clone();
    let key = environment_key(&call)?;
    let state = call
        .service()
        .create_environment_state(&call.subject, key, request)
        .await
        .map_err(|error| state_values::refusal(error, &weights))?;
    Ok(Answer::of(&state_bodies::row(&state)).with_status(StatusCode::CREATED))
}

/// `GET /api/v1/environments/{environment_key}/featurestates/{state_id}/`
async fn get(call: Call<Caller>) -> Result<Answer, Failure> {
    let (key, id) = (environment_key(&call)?, state_id(&call)?);
    let state = call.service().feature_state(&call.subject, key, id).await?;
    Ok(Answer::of(&state_bodies::row(&state)))
}

/// `PUT /api/v1/environments/{environment_key}/featurestates/{state_id}/`: what the body leaves out stays.
pub(super) async fn replace(mut call: Call<Caller>) -> Result<Answer, Failure> {
    let body = call.body().await?;
    let patch = Fields::read(&body, |fields| StatePatch {
        weights: state_values::read_weights(fields),
        ..state_values::read_patch(fields)
    })?;
    let weights = patch.weights.clone().unwrap_or_default();
    let (key, id) = (environment_key(&call)?, state_id(&call)?);
    let state = call
        .service()
        .update_feature_state(&call.subject, key, id, patch)
        .await
        .map_err(|error| state_values::refusal(error, &weights))?;
    Ok(Answer::of(&state_bodies::row(&state)))
}

/// `PATCH /api/v1/environments/{environment_key}/featurestates/{state_id}/`: passes over weights, as recorded.
pub(super) async fn update(mut call: Call<Caller>) -> Result<Answer, Failure> {
    let body = call.body().await?;
    let patch = Fields::read(&body, state_values::read_patch)?;
    let (key, id) = (environment_key(&call)?, state_id(&call)?);
    let service = call.service();
    let state = service
        .update_feature_state(&call.subject, key, id, patch)
        .await?;
    Ok(Answer::of(&state_bodies::patched(&state)))
}

/// `DELETE /api/v1/environments/{environment_key}/featurestates/{state_id}/`
async fn delete(call: Call<Caller>) -> Result<Answer, Failure> {
    let (key, id) = (environment_key(&call)?, state_id(&call)?);
    let service = call.service();
    service.delete_feature_state(&call.subject, key, id).await?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

/// The feature state that the path names.
pub(super) fn state_id(call: &Call<Caller>) -> Result<FeatureStateId, Failure> {
    call.path_id("state_id").map(FeatureStateId::new)
}
