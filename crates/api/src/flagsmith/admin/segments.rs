//! `projects/{project_id}/segments/`

use super::super::answer::Answer;
use super::super::call::Call;
use super::super::error::Failure;
use super::super::fields::{Fields, Need, Sent, Text};
use super::super::view::View;
use super::lists;
use super::projects::project_id;
use super::segment_body::{NAME, read_patch, read_request, shape};
use crate::auth::Member;
use crate::routes::Routes;
use axum::http::StatusCode;
use flagstaff_core::{EnvironmentId, IdentityId, SegmentId};
use flagstaff_service::{Caller, SegmentQuery};
use serde_json::json;

const SEARCH: Text = Text::up_to(lists::SEARCH_LIMIT).or_blank();

/// Adds the routes.
pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .view(
            "/api/v1/projects/{project_id}/segments/",
            View::new("Segment List")
                .get(Member, list)
                .post(Member, create),
        )
        .view(
            "/api/v1/projects/{project_id}/segments/{segment_id}/",
            View::new("Segment Instance")
                .get(Member, get)
                .put(Member, replace)
                .patch(Member, update)
                .delete(Member, delete),
        )
        .view(
            "/api/v1/projects/{project_id}/segments/{segment_id}/clone/",
            View::new("Clone").post(Member, copy),
        )
        .view(
            "/api/v1/projects/{project_id}/segments/{segment_id}/associated-features/",
            View::new("Associated features").get(Member, features),
        )
        .view(
            "/api/v1/segments/get-by-uuid/{uuid}/",
            View::new("Get Segment By Uuid")
                .as_function()
                .get(Member, get_by_uuid),
        )
}

/// `GET /api/v1/projects/{project_id}/segments/`
async fn list(call: Call<Caller>) -> Result<Answer, Failure> {
    let parameters = call.query();
    let of_identity = parameters.last("identity").is_some_and(|id| !id.is_empty());
    let query = lists::read_parameters(&parameters, |fields| {
        let identity = of_identity
            .then(|| fields.integer("identity", Need::Optional, i64::MIN, i64::MAX))
            .and_then(Sent::value);
        let search = fields.text("q", Need::Optional, SEARCH).value();
        let included = fields.boolean("include_feature_specific", Need::Optional);
        SegmentQuery {
            search: search.filter(|text| !text.is_empty()),
            include_feature_specific: included.value().unwrap_or(true),
            identity: identity.map(IdentityId::new),
        }
    })?;
    let paging = lists::paging(&parameters)?;
    let project = project_id(&call)?;
    let service = call.service();
    let page = service
        .segments(&call.subject, project, query, lists::page_request(paging))
        .await?;
    lists::answer_page(&call, paging, &page, shape)
}

/// `POST /api/v1/projects/{project_id}/segments/`
async fn create(mut call: Call<Caller>) -> Result<Answer, Failure> {
    let project = project_id(&call)?;
    let body = call.body().await?;
    let request = Fields::read(&body, read_request)?;
    let service = call.service();
    let segment = service
        .create_segment(&call.subject, project, request)
        .await?;
    Ok(Answer::of(&shape(&segment)).with_status(StatusCode::CREATED))
}

/// `GET /api/v1/projects/{project_id}/segments/{segment_id}/`
async fn get(call: Call<Caller>) -> Result<Answer, Failure> {
    let (project, id) = (project_id(&call)?, segment_id(&call)?);
    let segment = call.service().segment(&call.subject, project, id).await?;
    Ok(Answer::of(&shape(&segment)))
}

/// `PUT /api/v1/projects/{project_id}/segments/{segment_id}/`
async fn replace(call: Call<Caller>) -> Result<Answer, Failure> {
    change(call, Need::Required).await
}

/// `PATCH /api/v1/projects/{project_id}/segments/{segment_id}/`
async fn update(call: Call<Caller>) -> Result<Answer, Failure> {
    change(call, Need::Optional).await
}

async fn change(mut call: Call<Caller>, need: Need) -> Result<Answer, Failure> {
    let (project, id) = (project_id(&call)?, segment_id(&call)?);
    let body = call.body().await?;
    let patch = Fields::read(&body, |fields| read_patch(fields, need))?;
    let service = call.service();
    let segment = service
        .update_segment(&call.subject, project, id, patch)
        .await?;
    Ok(Answer::of(&shape(&segment)))
}

/// `DELETE /api/v1/projects/{project_id}/segments/{segment_id}/`
async fn delete(call: Call<Caller>) -> Result<Answer, Failure> {
    let (project, id) = (project_id(&call)?, segment_id(&call)?);
    let service = call.service();
    service.delete_segment(&call.subject, project, id).await?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

/// `POST /api/v1/projects/{project_id}/segments/{segment_id}/clone/`
async fn copy(mut call: Call<Caller>) -> Result<Answer, Failure> {
    let (project, id) = (project_id(&call)?, segment_id(&call)?);
    let body = call.body().await?;
    let name = Fields::read(&body, |fields| fields.text("name", Need::Required, NAME))?;
    let service = call.service();
    let segment = service
        .copy_segment(&call.subject, project, id, name.or_default())
        .await?;
    Ok(Answer::of(&shape(&segment)).with_status(StatusCode::CREATED))
}

/// `GET /api/v1/projects/{project_id}/segments/{segment_id}/associated-features/`
async fn features(call: Call<Caller>) -> Result<Answer, Failure> {
    let parameters = call.query();
    let paging = lists::paging(&parameters)?;
    let environment = lists::read_parameters(&parameters, |fields| {
        fields.integer("environment", Need::Optional, i64::MIN, i64::MAX)
    })?;
    let environment = environment.value().map(EnvironmentId::new);
    let (project, id) = (project_id(&call)?, segment_id(&call)?);
    let service = call.service();
    let states = service
        .segment_features(&call.subject, project, id, environment)
        .await?;
    lists::answer_part(&call, paging, &states, |state| {
        json!({
            "id": state.id.get(),
            "feature": state.feature_id.get(),
            "environment": state.environment_id.get(),
        })
    })
}

/// `GET /api/v1/segments/get-by-uuid/{uuid}/`
async fn get_by_uuid(call: Call<Caller>) -> Result<Answer, Failure> {
    let uuid = call.path_uuid("uuid")?;
    let segment = call.service().segment_by_uuid(&call.subject, uuid).await?;
    Ok(Answer::of(&shape(&segment)))
}

fn segment_id(call: &Call<Caller>) -> Result<SegmentId, Failure> {
    call.path_id("segment_id").map(SegmentId::new)
}
