//! `environments/{environment_id}/features/{feature_id}/versions/`, `environment-feature-versions/` and the switch
//! between versions and direct changes

use super::super::answer::Answer;
use super::super::call::Call;
use super::super::error::Failure;
use super::super::fields::{Fields, Need, Text};
use super::super::view::View;
use super::environments::environment_key;
use super::features::feature_id;
use super::version_states::{VersionState, read_state, refusal};
use super::{lists, times};
use crate::auth::Member;
use crate::routes::Routes;
use axum::http::StatusCode;
use flagstaff_core::{EnvironmentId, SegmentId};
use flagstaff_service::{
    Caller, ServiceError, VersionFilter, VersionPlace, VersionPlan, VersionUpdate, VersionView,
    VersioningProblem,
};
use serde_json::{Value as Json, json};
use uuid::Uuid;

const DESCRIPTION: Text = Text::up_to(20_000).or_blank();
/// States that one body may change.
const STATE_LIMIT: usize = 1000;

/// Adds the routes.
pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .view(
            "/api/v1/environments/{environment_key}/enable-v2-versioning/",
            View::new("Enable v2 versioning").post(Member, enable),
        )
        .view(
            "/api/v1/environments/{environment_key}/disable-v2-versioning/",
            View::new("Disable v2 versioning").post(Member, disable),
        )
        .view(
            "/api/v1/environments/{environment_id}/features/{feature_id}/versions/",
            View::new("Environment Feature Version List")
                .get(Member, list)
                .post(Member, create),
        )
        .view(
            "/api/v1/environments/{environment_id}/features/{feature_id}/versions/{version_uuid}/",
            View::new("Environment Feature Version Instance").delete(Member, delete),
        )
        .view(
            "/api/v1/environments/{environment_id}/features/{feature_id}/versions/{version_uuid}/publish/",
            View::new("Publish").post(Member, publish),
        )
        .view(
            "/api/v1/environment-feature-versions/{version_uuid}/",
            View::new("Environment Feature Version Retrieve").get(Member, get),
        )
}

/// `POST /api/v1/environments/{environment_key}/enable-v2-versioning/`
async fn enable(call: Call<Caller>) -> Result<Answer, Failure> {
    let key = environment_key(&call)?;
    call.service().enable_versions(&call.subject, key).await?;
    Ok(Answer::empty(StatusCode::ACCEPTED))
}

/// `POST /api/v1/environments/{environment_key}/disable-v2-versioning/`
async fn disable(call: Call<Caller>) -> Result<Answer, Failure> {
    let key = environment_key(&call)?;
    call.service().disable_versions(&call.subject, key).await?;
    Ok(Answer::empty(StatusCode::ACCEPTED))
}

/// `GET /api/v1/environments/{environment_id}/features/{feature_id}/versions/`
async fn list(call: Call<Caller>) -> Result<Answer, Failure> {
    let parameters = call.query();
    let paging = lists::paging(&parameters)?;
    let filter = lists::read_parameters(&parameters, |fields| VersionFilter {
        is_live: fields.boolean("is_live", Need::OptionalOrNull).value(),
    })?;
    let place = version_place(&call)?;
    let page = call
        .service()
        .feature_versions(&call.subject, place, filter, lists::page_request(paging))
        .await?;
    lists::answer_page(&call, paging, &page, shape)
}

/// `POST /api/v1/environments/{environment_id}/features/{feature_id}/versions/`
async fn create(mut call: Call<Caller>) -> Result<Answer, Failure> {
    let body = call.body().await?;
    let (plan, stray) = Fields::read(&body, read_plan)?;
    if let Some(problem) = stray {
        return Err(ServiceError::Versioning(problem).into());
    }
    let place = version_place(&call)?;
    let service = call.service();
    let view = service
        .create_feature_version(&call.subject, place, plan)
        .await
        .map_err(|error| refusal(error, &[]))?;
    Ok(Answer::of(&shape(&view)).with_status(StatusCode::CREATED))
}

/// `DELETE /api/v1/environments/{environment_id}/features/{feature_id}/versions/{version_uuid}/`
async fn delete(call: Call<Caller>) -> Result<Answer, Failure> {
    let (place, version) = (version_place(&call)?, version_uuid(&call)?);
    call.service()
        .delete_feature_version(&call.subject, place, version)
        .await?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

/// `POST /api/v1/environments/{environment_id}/features/{feature_id}/versions/{version_uuid}/publish/`
async fn publish(mut call: Call<Caller>) -> Result<Answer, Failure> {
    let body = call.body().await?;
    let live_from = Fields::read(&body, |fields| times::read(fields, "live_from").value())?;
    let (place, version) = (version_place(&call)?, version_uuid(&call)?);
    let view = call
        .service()
        .publish_feature_version(&call.subject, place, version, live_from)
        .await?;
    let live_from = times::shown_optional(view.version.live_from);
    Ok(Answer::of(&json!({ "live_from": live_from })))
}

/// `GET /api/v1/environment-feature-versions/{version_uuid}/`
async fn get(call: Call<Caller>) -> Result<Answer, Failure> {
    let version = version_uuid(&call)?;
    let service = call.service();
    let (view, previous) = service.feature_version(&call.subject, version).await?;
    let mut json = shape(&view);
    json["previous_version_uuid"] = previous.map(|uuid| uuid.to_string()).into();
    json["feature"] = view.version.feature_id.get().into();
    json["environment"] = view.version.environment_id.get().into();
    Ok(Answer::of(&json))
}

/// The environment and the feature that the path names.
pub(super) fn version_place(call: &Call<Caller>) -> Result<VersionPlace, Failure> {
    Ok(VersionPlace {
        environment_id: call.path_id("environment_id").map(EnvironmentId::new)?,
        feature_id: feature_id(call)?,
    })
}

/// The version that the path names.
pub(super) fn version_uuid(call: &Call<Caller>) -> Result<Uuid, Failure> {
    call.path_uuid("version_uuid")
}

/// Reads a version, and what is wrong with its states as a whole.
fn read_plan(fields: &mut Fields<'_>) -> (VersionPlan, Option<VersioningProblem>) {
    let states = |fields: &mut Fields<'_>, name| {
        let list = fields.list(name, Need::OptionalOrNull, STATE_LIMIT, |fields| {
            read_state(fields, Need::Required)
        });
        list.value().unwrap_or_default()
    };
    let created = states(fields, "feature_states_to_create");
    let updated = states(fields, "feature_states_to_update");
    // Recorded: segments without an override are passed over.
    let name = "segment_ids_to_delete_overrides";
    let deleted = fields.integers(name, Need::OptionalOrNull, STATE_LIMIT);
    let deleted = deleted.or_default();
    let has_default = created.iter().any(|state| state.link.is_none());
    let plan = VersionPlan {
        description: fields
            .text("description", Need::OptionalOrNull, DESCRIPTION)
            .value(),
        live_from: times::read(fields, "live_from").value(),
        created: created
            .into_iter()
            .filter_map(VersionState::into_override)
            .collect(),
        updated: updated.into_iter().map(into_update).collect(),
        deleted: deleted.into_iter().map(SegmentId::new).collect(),
        is_published: fields
            .boolean("publish_immediately", Need::Optional)
            .or_default(),
    };
    (
        plan,
        has_default.then_some(VersioningProblem::DefaultExists),
    )
}

fn into_update(state: VersionState) -> VersionUpdate {
    let (segment_id, priority) = state.link.unzip();
    VersionUpdate {
        segment_id,
        priority: priority.flatten(),
        patch: state.patch,
    }
}

fn shape(view: &VersionView) -> Json {
    let version = &view.version;
    json!({
        "created_at": times::shown(version.created_at),
        "updated_at": times::shown(version.updated_at),
        "published": version.is_published(),
        "live_from": times::shown_optional(version.live_from),
        "uuid": version.uuid.to_string(),
        "is_live": view.is_live,
        "published_by": version.published_by.map(|member| member.get()),
        "created_by": version.created_by.map(|member| member.get()),
        "description": version.description,
    })
}
