//! `projects/{project_id}/features/{feature_id}/mv-options/`

use super::super::answer::Answer;
use super::super::call::Call;
use super::super::error::Failure;
use super::super::fields::{Fields, Need};
use super::super::view::View;
use super::super::words;
use super::features::feature_id;
use super::lists;
use super::option_body::{read_patch, read_request, shape_alone};
use super::projects::project_id;
use crate::auth::Member;
use crate::routes::Routes;
use axum::http::StatusCode;
use flagstaff_core::{FeatureId, OptionId};
use flagstaff_service::Caller;

/// Adds the routes.
pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .view(
            "/api/v1/projects/{project_id}/features/{feature_id}/mv-options/",
            View::new("Multivariate Feature Option List")
                .get(Member, list)
                .post(Member, create),
        )
        .view(
            "/api/v1/projects/{project_id}/features/{feature_id}/mv-options/{option_id}/",
            View::new("Multivariate Feature Option Instance")
                .get(Member, get)
                .put(Member, replace)
                .patch(Member, update)
                .delete(Member, delete),
        )
        .view(
            "/api/v1/multivariate/options/get-by-uuid/{uuid}/",
            View::new("Get Mv Feature Option By Uuid")
                .as_function()
                .get(Member, get_by_uuid),
        )
}

/// `GET /api/v1/projects/{project_id}/features/{feature_id}/mv-options/`
async fn list(call: Call<Caller>) -> Result<Answer, Failure> {
    let paging = lists::paging(&call.query())?;
    let (project, feature) = (project_id(&call)?, feature_id(&call)?);
    let service = call.service();
    let options = service.options(&call.subject, project, feature).await?;
    lists::answer_part(&call, paging, &options, shape_alone)
}

/// `POST /api/v1/projects/{project_id}/features/{feature_id}/mv-options/`
async fn create(mut call: Call<Caller>) -> Result<Answer, Failure> {
    let (project, feature) = (project_id(&call)?, feature_id(&call)?);
    let body = call.body().await?;
    let request = Fields::read(&body, |fields| {
        read_feature(fields, Need::Required, feature);
        read_request(fields)
    })?;
    let service = call.service();
    let option = service
        .create_option(&call.subject, project, feature, request)
        .await?;
    Ok(Answer::of(&shape_alone(&option)).with_status(StatusCode::CREATED))
}

/// `GET /api/v1/projects/{project_id}/features/{feature_id}/mv-options/{option_id}/`
async fn get(call: Call<Caller>) -> Result<Answer, Failure> {
    let (project, feature) = (project_id(&call)?, feature_id(&call)?);
    let id = option_id(&call)?;
    let service = call.service();
    let option = service.option(&call.subject, project, feature, id).await?;
    Ok(Answer::of(&shape_alone(&option)))
}

/// `GET /api/v1/multivariate/options/get-by-uuid/{uuid}/`
async fn get_by_uuid(call: Call<Caller>) -> Result<Answer, Failure> {
    let uuid = call.path_uuid("uuid")?;
    let option = call.service().option_by_uuid(&call.subject, uuid).await?;
    Ok(Answer::of(&shape_alone(&option)))
}

/// `PUT /api/v1/projects/{project_id}/features/{feature_id}/mv-options/{option_id}/`: what the body leaves out stays.
async fn replace(call: Call<Caller>) -> Result<Answer, Failure> {
    change(call, Need::Required).await
}

/// `PATCH /api/v1/projects/{project_id}/features/{feature_id}/mv-options/{option_id}/`
async fn update(call: Call<Caller>) -> Result<Answer, Failure> {
    change(call, Need::Optional).await
}

async fn change(mut call: Call<Caller>, need: Need) -> Result<Answer, Failure> {
    let (project, feature) = (project_id(&call)?, feature_id(&call)?);
    let id = option_id(&call)?;
    let body = call.body().await?;
    let patch = Fields::read(&body, |fields| {
        read_feature(fields, need, feature);
        read_patch(fields)
    })?;
    let service = call.service();
    let option = service
        .update_option(&call.subject, project, feature, id, patch)
        .await?;
    Ok(Answer::of(&shape_alone(&option)))
}

/// `DELETE /api/v1/projects/{project_id}/features/{feature_id}/mv-options/{option_id}/`
async fn delete(call: Call<Caller>) -> Result<Answer, Failure> {
    let (project, feature) = (project_id(&call)?, feature_id(&call)?);
    let id = option_id(&call)?;
    call.service()
        .delete_option(&call.subject, project, feature, id)
        .await?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

fn option_id(call: &Call<Caller>) -> Result<OptionId, Failure> {
    call.path_id("option_id").map(OptionId::new)
}

/// The body repeats the feature of the path; another one is none of its.
fn read_feature(fields: &mut Fields<'_>, need: Need, feature: FeatureId) {
    let named = fields.row_id("feature", need).value();
    if let Some(named) = named.filter(|named| *named != feature.get()) {
        fields.fail("feature", words::no_such_row(named));
    }
}
