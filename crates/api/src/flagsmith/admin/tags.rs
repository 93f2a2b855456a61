//! `projects/{project_id}/tags/`

use super::super::answer::Answer;
use super::super::call::Call;
use super::super::error::Failure;
use super::super::fields::{Fields, Need, Text};
use super::super::view::View;
use super::lists;
use super::projects::project_id;
use crate::auth::Member;
use crate::routes::Routes;
use axum::http::StatusCode;
use flagstaff_core::{Tag, TagId};
use flagstaff_service::{Caller, TagPatch};
use serde_json::{Value as Json, json};

const LABEL: Text = Text::up_to(100);
const COLOUR: Text = Text::up_to(10);
const DESCRIPTION: Text = Text::up_to(20_000).or_blank();

/// Adds the routes.
pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .view(
            "/api/v1/projects/{project_id}/tags/",
            View::new("Tag List").get(Member, list).post(Member, create),
        )
        .view(
            "/api/v1/projects/{project_id}/tags/{tag_id}/",
            View::new("Tag Instance")
                .get(Member, get)
                .put(Member, replace)
                .patch(Member, update)
                .delete(Member, delete),
        )
        .view(
            "/api/v1/projects/{project_id}/tags/get-by-uuid/{uuid}/",
            View::new("Get by uuid").get(Member, get_by_uuid),
        )
}

/// `GET /api/v1/projects/{project_id}/tags/`
async fn list(call: Call<Caller>) -> Result<Answer, Failure> {
    let paging = lists::paging(&call.query())?;
    let project = project_id(&call)?;
    let request = lists::page_request(paging);
    let page = call.service().tags(&call.subject, project, request).await?;
    lists::answer_page(&call, paging, &page, shape)
}

/// `POST /api/v1/projects/{project_id}/tags/`
async fn create(mut call: Call<Caller>) -> Result<Answer, Failure> {
    let project = project_id(&call)?;
    let body = call.body().await?;
    let patch = Fields::read(&body, |fields| read_patch(fields, Need::Required))?;
    let service = call.service();
    let tag = service.create_tag(&call.subject, project, patch).await?;
    Ok(Answer::of(&shape(&tag)).with_status(StatusCode::CREATED))
}

/// `GET /api/v1/projects/{project_id}/tags/{tag_id}/`
async fn get(call: Call<Caller>) -> Result<Answer, Failure> {
    let (project, id) = (project_id(&call)?, tag_id(&call)?);
    let tag = call.service().tag(&call.subject, project, id).await?;
    Ok(Answer::of(&shape(&tag)))
}

/// `GET /api/v1/projects/{project_id}/tags/get-by-uuid/{uuid}/`
async fn get_by_uuid(call: Call<Caller>) -> Result<Answer, Failure> {
    let (project, uuid) = (project_id(&call)?, call.path_uuid("uuid")?);
    let service = call.service();
    let tag = service.tag_by_uuid(&call.subject, project, uuid).await?;
    Ok(Answer::of(&shape(&tag)))
}

/// `PUT /api/v1/projects/{project_id}/tags/{tag_id}/`
async fn replace(call: Call<Caller>) -> Result<Answer, Failure> {
    change(call, Need::Required).await
}

/// `PATCH /api/v1/projects/{project_id}/tags/{tag_id}/`
async fn update(call: Call<Caller>) -> Result<Answer, Failure> {
    change(call, Need::Optional).await
}

async fn change(mut call: Call<Caller>, label: Need) -> Result<Answer, Failure> {
    let (project, id) = (project_id(&call)?, tag_id(&call)?);
    let body = call.body().await?;
    let patch = Fields::read(&body, |fields| read_patch(fields, label))?;
    let service = call.service();
    let tag = service
        .update_tag(&call.subject, project, id, patch)
        .await?;
    Ok(Answer::of(&shape(&tag)))
}

/// `DELETE /api/v1/projects/{project_id}/tags/{tag_id}/`
async fn delete(call: Call<Caller>) -> Result<Answer, Failure> {
    let (project, id) = (project_id(&call)?, tag_id(&call)?);
    call.service()
        .delete_tag(&call.subject, project, id)
        .await?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

fn tag_id(call: &Call<Caller>) -> Result<TagId, Failure> {
    call.path_id("tag_id").map(TagId::new)
}

fn read_patch(fields: &mut Fields<'_>, label: Need) -> TagPatch {
    TagPatch {
        label: fields.text("label", label, LABEL).value(),
        colour: fields.text("color", Need::Optional, COLOUR).value(),
        description: fields
            .text("description", Need::OptionalOrNull, DESCRIPTION)
            .change(),
        is_permanent: fields.boolean("is_permanent", Need::Optional).value(),
    }
}

fn shape(tag: &Tag) -> Json {
    json!({
        "id": tag.id.get(),
        "label": tag.label,
        "color": tag.colour,
        "description": tag.description,
        "project": tag.project_id.get(),
        "uuid": tag.uuid.to_string(),
        "is_permanent": tag.is_permanent,
        // Tags of the original's background work and integrations; here people make all tags.
        "is_system_tag": false,
        "type": "NONE",
    })
}
