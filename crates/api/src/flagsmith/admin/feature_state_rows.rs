//! `features/featurestates/`: feature states by their own ids, with values as objects of columns.

use super::super::answer::Answer;
use super::super::call::Call;
use super::super::error::Failure;
use super::super::fields::{Fields, Need, Text};
use super::super::view::View;
use super::super::words;
use super::feature_states::state_id;
use super::{lists, state_bodies, state_values};
use crate::auth::Member;
use crate::routes::Routes;
use axum::http::StatusCode;
use flagstaff_core::{EnvironmentId, FeatureId, FeatureSegmentId, IdentityId};
use flagstaff_service::{
    Caller, NewStateRequest, Problem, ServiceError, StateIdentity, StateOwners, StatePatch,
    StatePlaces, StateQuery, WeightChange,
};
use serde_json::Value as Json;

const IDENTIFIER: Text = Text::up_to(2000);

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .view(
            "/api/v1/features/featurestates/",
            View::new("Simple Feature State List")
                .get(Member, list)
                .post(Member, create),
        )
        .view(
            "/api/v1/features/featurestates/{state_id}/",
            View::new("Simple Feature State Instance")
                .put(Member, replace)
                .patch(Member, update),
        )
        .view(
            "/api/v1/features/featurestates/get-by-uuid/{uuid}/",
            View::new("Get Feature State By Uuid")
                .as_function()
                .get(Member, get_by_uuid),
        )
}

/// `GET /api/v1/features/featurestates/?environment=…`
async fn list(call: Call<Caller>) -> Result<Answer, Failure> {
    let parameters = call.query();
    // Recorded: whether the caller may is looked at first, and nobody may in an environment that is not there.
    let environment = parameters.last("environment").and_then(environment_of_text);
    let environment = environment.ok_or(ServiceError::Forbidden)?;
    let paging = lists::paging(&parameters)?;
    let query = lists::read_parameters(&parameters, |fields| {
        let feature = fields.integer("feature", Need::Optional, i64::MIN, i64::MAX);
        let link = fields.integer("feature_segment", Need::Optional, i64::MIN, i64::MAX);
        StateQuery {
            feature: feature.value().map(FeatureId::new),
            feature_name: None,
            owners: StateOwners::All,
            feature_segment: link.value().map(FeatureSegmentId::new),
        }
    })?;
    let page = call
        .service()
        .feature_states_of(
            &call.subject,
            environment,
            query,
            lists::page_request(paging),
        )
        .await?;
    lists::answer_page(&call, paging, &page, state_bodies::row_with_columns)
}

/// `POST /api/v1/features/featurestates/`
async fn create(mut call: Call<Caller>) -> Result<Answer, Failure> {
    let body = call.body().await?;
    let named = match body.get("environment").filter(|json| !json.is_null()) {
        Some(json) => environment_of(json),
        None => call
            .query()
            .last("environment")
            .and_then(environment_of_text),
    };
    let environment = named.ok_or(ServiceError::Forbidden)?;
    let request = Fields::read(&body, |fields| {
        let value = state_values::read_columns_if_sent(fields);
        let request = read_request(fields);
        fields.row_id("environment", Need::Required);
        NewStateRequest { value, ..request }
    })?;
    let weights = request.weights.clone();
    let state = call
        .service()
        .create_feature_state(&call.subject, environment, request)
        .await
        .map_err(|error| refusal(error, &weights))?;
    let answer = Answer::of(&state_bodies::row_with_columns(&state));
    Ok(answer.with_status(StatusCode::CREATED))
}

/// `PUT /api/v1/features/featurestates/{state_id}/`: what the body leaves out stays.
async fn replace(call: Call<Caller>) -> Result<Answer, Failure> {
    change(call, Need::Required).await
}

/// `PATCH /api/v1/features/featurestates/{state_id}/`
async fn update(call: Call<Caller>) -> Result<Answer, Failure> {
    change(call, Need::Optional).await
}

async fn change(mut call: Call<Caller>, need: Need) -> Result<Answer, Failure> {
    let id = state_id(&call)?;
    let body = call.body().await?;
    let (places, patch) = Fields::read(&body, |fields| {
        let value = state_values::read_columns_if_sent(fields);
        let weights = state_values::read_weights(fields);
        let enabled = fields.boolean("enabled", Need::Optional).value();
        let patch = StatePatch {
            enabled,
            value,
            weights,
        };
        (read_places(fields, need), patch)
    })?;
    if places.environment.is_none() {
        return Err(Failure::of_field("environment", words::REQUIRED));
    }
    let weights = patch.weights.clone().unwrap_or_default();
    let state = call
        .service()
        .update_feature_state_row(&call.subject, id, places, patch)
        .await
        .map_err(|error| refusal(error, &weights))?;
    Ok(Answer::of(&state_bodies::row_with_columns(&state)))
}

/// `GET /api/v1/features/featurestates/get-by-uuid/{uuid}/`
async fn get_by_uuid(call: Call<Caller>) -> Result<Answer, Failure> {
    let uuid = call.path_uuid("uuid")?;
    let service = call.service();
    let state = service.feature_state_by_uuid(&call.subject, uuid).await?;
    Ok(Answer::of(&state_bodies::row_with_columns(&state)))
}

/// Reads what a new state is to be, without its value: that has two forms.
pub(super) fn read_request(fields: &mut Fields<'_>) -> NewStateRequest {
    let weights = state_values::read_weights(fields).unwrap_or_default();
    let identifier = fields.text("identifier", Need::Optional, IDENTIFIER);
    let enabled = fields.boolean("enabled", Need::Optional).or_default();
    let feature = fields.row_id("feature", Need::Required).or_default();
    let identity = fields.row_id("identity", Need::OptionalOrNull);
    let link = fields.row_id("feature_segment", Need::OptionalOrNull);
    let by_id = |id| StateIdentity::Id(IdentityId::new(id));
    NewStateRequest {
        feature_id: FeatureId::new(feature),
        feature_segment: link.value().map(FeatureSegmentId::new),
        identity: identifier
            .value()
            .map(StateIdentity::Identifier)
            .or(identity.value().map(by_id)),
        enabled,
        value: None,
        weights,
    }
}

fn read_places(fields: &mut Fields<'_>, need: Need) -> StatePlaces {
    let feature = fields.row_id("feature", need).value();
    // A body without it is refused where nothing else is wrong with it, as recorded.
    let environment = fields.row_id("environment", need).value();
    let identity = fields.row_id("identity", Need::OptionalOrNull).change();
    let link = fields
        .row_id("feature_segment", Need::OptionalOrNull)
        .change();
    StatePlaces {
        feature: feature.map(FeatureId::new),
        environment: environment.map(EnvironmentId::new),
        feature_segment: link.map(|link| link.map(FeatureSegmentId::new)),
        identity: identity.map(|identity| identity.map(IdentityId::new)),
    }
}

/// An environment's id in a body, as a number or as digits.
pub(super) fn environment_of(json: &Json) -> Option<EnvironmentId> {
    match json {
        Json::Number(number) => number.as_str().parse().ok().map(EnvironmentId::new),
        Json::String(text) => environment_of_text(text),
        Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => None,
    }
}

fn environment_of_text(text: &str) -> Option<EnvironmentId> {
    text.parse().ok().map(EnvironmentId::new)
}

/// What the product refuses, in the words of this family.
pub(super) fn refusal(error: ServiceError, weights: &[WeightChange]) -> Failure {
    match error {
        ServiceError::Invalid {
            field,
            problem: Problem::Fixed,
        } => Failure::of_field(
            field,
            format!("Cannot change the {field} of a feature state"),
        ),
        other => state_values::refusal(other, weights),
    }
}
