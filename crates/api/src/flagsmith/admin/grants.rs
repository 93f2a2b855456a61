//! `user-permissions/` of organisations, projects and environments: what members are granted there.

use super::super::answer::Answer;
use super::super::call::Call;
use super::super::error::Failure;
use super::super::field_errors::FieldErrors;
use super::super::fields::{Fields, Need, Sent};
use super::super::scalar;
use super::super::view::View;
use super::super::words;
use super::environments::environment_key;
use super::organisation_members;
use super::organisations::organisation_id;
use super::projects::project_id;
use crate::auth::Member as SignedIn;
use crate::routes::Routes;
use axum::http::StatusCode;
use flagstaff_core::{Grant, GrantId, Member, MemberId};
use flagstaff_service::{Caller, GrantLevel, GrantPatch, GrantRequest};
use serde_json::{Value as Json, json};

/// Words of permissions in one grant; there are not nearly as many.
const WORD_LIMIT: usize = 100;

/// Adds the routes.
pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .view(
            "/api/v1/organisations/{organisation_id}/user-permissions/",
            list_view("User Organisation Permission List"),
        )
        .view(
            "/api/v1/organisations/{organisation_id}/user-permissions/{grant_id}/",
            View::new("User Organisation Permission Instance")
                .put(SignedIn, replace)
                .patch(SignedIn, update)
                .delete(SignedIn, delete),
        )
        .view(
            "/api/v1/projects/{project_id}/user-permissions/",
            list_view("User Project Permissions List"),
        )
        .view(
            "/api/v1/projects/{project_id}/user-permissions/{grant_id}/",
            instance_view("User Project Permissions Instance"),
        )
        .view(
            "/api/v1/environments/{environment_key}/user-permissions/",
            list_view("User Environment Permissions List"),
        )
        .view(
            "/api/v1/environments/{environment_key}/user-permissions/{grant_id}/",
            instance_view("User Environment Permissions Instance"),
        )
}

fn list_view(name: &'static str) -> View {
    View::new(name).get(SignedIn, list).post(SignedIn, create)
}

fn instance_view(name: &'static str) -> View {
    View::new(name)
        .get(SignedIn, get)
        .put(SignedIn, replace)
        .patch(SignedIn, update)
        .delete(SignedIn, delete)
}

/// `GET …/user-permissions/`
async fn list(call: Call<Caller>) -> Result<Answer, Failure> {
    let level = level(&call)?;
    let grants = call.service().grants(&call.subject, level).await?;
    let query = call.query();
    let user = query.last("user").and_then(|id| id.parse::<i64>().ok());
    let is_asked = |member: &Member| user.is_none_or(|id| member.id.get() == id);
    let shapes: Vec<Json> = grants
        .iter()
        .filter(|(_, member)| is_asked(member))
        .map(|(grant, member)| shape(grant, organisation_members::shape(member), level))
        .collect();
    Ok(Answer::of(&shapes))
}

/// `POST …/user-permissions/`
async fn create(mut call: Call<Caller>) -> Result<Answer, Failure> {
    let body = call.body().await?;
    let level = level(&call)?;
    let request = Fields::read(&body, |fields| GrantRequest {
        member: MemberId::new(fields.row_id("user", Need::Required).or_default()),
        is_admin: read_admin(fields, level).unwrap_or_default(),
        permissions: read_words(fields).unwrap_or_default(),
    })?;
    let service = call.service();
    let grant = service.create_grant(&call.subject, level, request).await?;
    let json = shape(&grant, grant.member_id.get().into(), level);
    Ok(Answer::of(&json).with_status(StatusCode::CREATED))
}

/// `GET …/user-permissions/{grant_id}/`
async fn get(call: Call<Caller>) -> Result<Answer, Failure> {
    let (level, id) = (level(&call)?, grant_id(&call)?);
    let service = call.service();
    let (grant, _) = service.grant(&call.subject, level, id).await?;
    answer(&grant, level)
}

/// `PUT …/user-permissions/{grant_id}/`: the member stays who they are.
async fn replace(call: Call<Caller>) -> Result<Answer, Failure> {
    change(call).await
}

/// `PATCH …/user-permissions/{grant_id}/`
async fn update(call: Call<Caller>) -> Result<Answer, Failure> {
    change(call).await
}

async fn change(mut call: Call<Caller>) -> Result<Answer, Failure> {
    let body = call.body().await?;
    let (level, id) = (level(&call)?, grant_id(&call)?);
    let patch = Fields::read(&body, |fields| GrantPatch {
        is_admin: read_admin(fields, level),
        permissions: read_words(fields),
    })?;
    let service = call.service();
    let grant = service
        .update_grant(&call.subject, level, id, patch)
        .await?;
    answer(&grant, level)
}

/// `DELETE …/user-permissions/{grant_id}/`
async fn delete(call: Call<Caller>) -> Result<Answer, Failure> {
    let (level, id) = (level(&call)?, grant_id(&call)?);
    call.service()
        .delete_grant(&call.subject, level, id)
        .await?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

/// The place that the path names.
fn level(call: &Call<Caller>) -> Result<GrantLevel<'_>, Failure> {
    if call.path_text("organisation_id").is_ok() {
        return organisation_id(call).map(GrantLevel::Organisation);
    }
    if call.path_text("project_id").is_ok() {
        return project_id(call).map(GrantLevel::Project);
    }
    environment_key(call).map(GrantLevel::Environment)
}

fn grant_id(call: &Call<Caller>) -> Result<GrantId, Failure> {
    call.path_id("grant_id").map(GrantId::new)
}

/// Nobody is made admin of an organisation here: that is a role.
fn read_admin(fields: &mut Fields<'_>, level: GrantLevel<'_>) -> Option<bool> {
    match level {
        GrantLevel::Organisation(_) => None,
        GrantLevel::Project(_) | GrantLevel::Environment(_) => {
            fields.boolean("admin", Need::Optional).value()
        }
    }
}

fn read_words(fields: &mut Fields<'_>) -> Option<Vec<String>> {
    let Sent::Given(json) = fields.any("permissions", Need::Optional) else {
        return None;
    };
    let Json::Array(items) = json else {
        let text = words::no_list(scalar::kind(json));
        fields.fail("permissions", text);
        return None;
    };
    if items.len() > WORD_LIMIT {
        fields.fail("permissions", words::too_many(WORD_LIMIT));
        return None;
    }
    let mut read = Vec::new();
    for item in items {
        match item {
            Json::String(word) => read.push(word.clone()),
            other => {
                let text = words::no_row_id(scalar::kind(other));
                fields.fail_with("permissions", FieldErrors::message(text));
                return None;
            }
        }
    }
    Some(read)
}

fn answer(grant: &Grant, level: GrantLevel<'_>) -> Result<Answer, Failure> {
    let member = grant.member_id.get().into();
    Ok(Answer::of(&shape(grant, member, level)))
}

fn shape(grant: &Grant, user: Json, level: GrantLevel<'_>) -> Json {
    match level {
        GrantLevel::Organisation(_) => json!({
            "id": grant.id.get(),
            "user": user,
            "permissions": grant.permissions,
        }),
        GrantLevel::Project(_) | GrantLevel::Environment(_) => json!({
            "id": grant.id.get(),
            "permissions": grant.permissions,
            "admin": grant.is_admin,
            "user": user,
        }),
    }
}
