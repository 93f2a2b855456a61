//! `organisations/{organisation_id}/users/`: who belongs to an organisation.

use super::super::answer::Answer;
use super::super::call::Call;
use super::super::error::Failure;
use super::super::fields::{self, Fields, Need};
use super::super::view::View;
use super::organisations::{ROLES, organisation_id, role_text};
use super::times;
use crate::auth::Member as SignedIn;
use crate::routes::Routes;
use flagstaff_core::{Member, MemberId, Role};
use flagstaff_service::Caller;
use serde_json::{Value as Json, json};

/// Members removed at once.
const REMOVAL_LIMIT: usize = 1000;

/// Adds the routes.
pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .view(
            "/api/v1/organisations/{organisation_id}/users/",
            View::new("FF Admin User List").get(SignedIn, list),
        )
        .view(
            "/api/v1/organisations/{organisation_id}/users/{member_id}/update-role/",
            View::new("Update role").post(SignedIn, update_role),
        )
        .view(
            "/api/v1/organisations/{organisation_id}/remove-users/",
            View::new("Remove users").post(SignedIn, remove),
        )
}

/// `GET /api/v1/organisations/{organisation_id}/users/`
async fn list(call: Call<Caller>) -> Result<Answer, Failure> {
    let organisation = organisation_id(&call)?;
    let service = call.service();
    let members = service.members_of(&call.subject, organisation).await?;
    let shapes: Vec<Json> = members
        .iter()
        .map(|(member, role)| shape_in_organisation(member, *role))
        .collect();
    Ok(Answer::of(&shapes))
}

/// `POST /api/v1/organisations/{organisation_id}/users/{member_id}/update-role/`
async fn update_role(mut call: Call<Caller>) -> Result<Answer, Failure> {
    let organisation = organisation_id(&call)?;
    let id = call.path_id("member_id").map(MemberId::new)?;
    let body = call.body().await?;
    let role = Fields::read(&body, |fields| {
        fields.choice("role", Need::Required, &ROLES).value()
    })?;
    let role = role.unwrap_or(Role::User);
    let service = call.service();
    service
        .update_role(&call.subject, organisation, id, role)
        .await?;
    let view = service.organisation(&call.subject, organisation).await?;
    Ok(Answer::of(&json!({
        "role": role_text(role),
        "organisation": { "id": organisation.get(), "name": view.organisation.name },
    })))
}

/// `POST /api/v1/organisations/{organisation_id}/remove-users/`: a list of `{"id": …}`, or one of them.
async fn remove(mut call: Call<Caller>) -> Result<Answer, Failure> {
    let organisation = organisation_id(&call)?;
    let body = call.body().await?;
    let items = match body {
        Json::Array(items) => items,
        other => vec![other],
    };
    let ids = fields::read_items(&items, REMOVAL_LIMIT, |fields| {
        MemberId::new(fields.row_id("id", Need::Required).or_default())
    });
    let ids = ids.map_err(Failure::Invalid)?;
    let service = call.service();
    service
        .remove_members(&call.subject, organisation, &ids)
        .await?;
    let removed: Vec<Json> = ids.iter().map(|id| json!({ "id": id.get() })).collect();
    Ok(Answer::of(&removed))
}

/// A member as lists of others show them.
pub(super) fn shape(member: &Member) -> Json {
    json!({
        "id": member.id.get(),
        "email": member.email,
        "first_name": member.first_name,
        "last_name": member.last_name,
        "last_login": times::shown_optional(member.last_login),
        "uuid": member.uuid.to_string(),
    })
}

fn shape_in_organisation(member: &Member, role: Role) -> Json {
    let mut json = shape(member);
    json["role"] = role_text(role).into();
    json["date_joined"] = times::shown(member.created_at).into();
    json
}
