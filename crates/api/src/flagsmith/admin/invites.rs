//! `organisations/{organisation_id}/invites/`, `…/invite-links/`, and `users/join/`.

use super::super::answer::Answer;
use super::super::call::Call;
use super::super::error::Failure;
use super::super::fields::{Fields, Need, Text};
use super::super::view::View;
use super::super::words;
use super::organisations::{self, ROLES, organisation_id, role_text};
use super::{lists, organisation_members, times};
use crate::auth::Member as SignedIn;
use crate::config::ApiConfig;
use crate::routes::Routes;
use axum::http::StatusCode;
use flagstaff_core::{Invite, InviteId, InviteLink, InviteLinkId, Member, Role};
use flagstaff_service::{Caller, InviteRequest, NewlyInvited};
use secrecy::ExposeSecret as _;
use serde_json::{Value as Json, json};

const EMAIL: Text = Text::up_to(254);
/// People invited at once.
const INVITE_LIMIT: usize = 100;

/// Adds the routes.
pub(super) fn routes(routes: Routes) -> Routes {
    let routes = invite_routes(routes);
    routes
        .view(
            "/api/v1/organisations/{organisation_id}/invite-links/",
            View::new("Invite Link List")
                .get(SignedIn, list_links)
                .post(SignedIn, create_link),
        )
        .view(
            "/api/v1/organisations/{organisation_id}/invite-links/{link_id}/",
            View::new("Invite Link Instance").delete(SignedIn, delete_link),
        )
        .view(
            "/api/v1/users/join/{hash}/",
            View::new("Join Organisation From Email")
                .as_function()
                .post(SignedIn, join_by_invite),
        )
        .view(
            "/api/v1/users/join/link/{hash}/",
            View::new("Join Organisation From Link")
                .as_function()
                .post(SignedIn, join_by_link),
        )
}

fn invite_routes(routes: Routes) -> Routes {
    routes
        .view(
            "/api/v1/organisations/{organisation_id}/invites/",
            View::new("Invite List")
                .get(SignedIn, list)
                .post(SignedIn, create),
        )
        .view(
            "/api/v1/organisations/{organisation_id}/invite/",
            View::new("Invite").post(SignedIn, create_many),
        )
        .view(
            "/api/v1/organisations/{organisation_id}/invites/{invite_id}/",
            View::new("Invite Instance")
                .get(SignedIn, get)
                .delete(SignedIn, delete),
        )
        .view(
            "/api/v1/organisations/{organisation_id}/invites/{invite_id}/resend/",
            View::new("Resend").post(SignedIn, renew),
        )
}

/// `GET /api/v1/organisations/{organisation_id}/invites/`
async fn list(call: Call<Caller>) -> Result<Answer, Failure> {
    let paging = lists::paging(&call.query())?;
    let organisation = organisation_id(&call)?;
    let service = call.service();
    let invites = service.invites(&call.subject, organisation).await?;
    let members = service.members_of(&call.subject, organisation).await?;
    lists::answer_part(&call, paging, &invites, |invite| {
        listed_shape(invite, &members)
    })
}

/// `GET /api/v1/organisations/{organisation_id}/invites/{invite_id}/`
async fn get(call: Call<Caller>) -> Result<Answer, Failure> {
    let (organisation, id) = (organisation_id(&call)?, invite_id(&call)?);
    let service = call.service();
    let invite = service.invite(&call.subject, organisation, id).await?;
    let members = service.members_of(&call.subject, organisation).await?;
    Ok(Answer::of(&listed_shape(&invite, &members)))
}

/// `POST /api/v1/organisations/{organisation_id}/invites/`
async fn create(mut call: Call<Caller>) -> Result<Answer, Failure> {
    let body = call.body().await?;
    let request = Fields::read(&body, read_invite)?;
    let mut invited = invite(&call, vec![request]).await?;
    let json = invited.pop().unwrap_or_default();
    Ok(Answer::of(&json).with_status(StatusCode::CREATED))
}

/// `POST /api/v1/organisations/{organisation_id}/invite/`
async fn create_many(mut call: Call<Caller>) -> Result<Answer, Failure> {
    let body = call.body().await?;
    let requests = Fields::read(&body, |fields| {
        fields
            .list("invites", Need::Required, INVITE_LIMIT, read_invite)
            .or_default()
    })?;
    let invited = invite(&call, requests).await?;
    Ok(Answer::of(&invited).with_status(StatusCode::CREATED))
}

async fn invite(call: &Call<Caller>, requests: Vec<InviteRequest>) -> Result<Vec<Json>, Failure> {
    let organisation = organisation_id(call)?;
    let service = call.service();
    let invited = service
        .create_invites(&call.subject, organisation, requests)
        .await?;
    let shapes = invited.iter().map(|each| new_shape(each, call.config()));
    Ok(shapes.collect())
}

/// `POST /api/v1/organisations/{organisation_id}/invites/{invite_id}/resend/`
async fn renew(call: Call<Caller>) -> Result<Answer, Failure> {
    let (organisation, id) = (organisation_id(&call)?, invite_id(&call)?);
    let service = call.service();
    let renewed = service
        .renew_invite(&call.subject, organisation, id)
        .await?;
    Ok(Answer::of(&new_shape(&renewed, call.config())))
}

/// `DELETE /api/v1/organisations/{organisation_id}/invites/{invite_id}/`
async fn delete(call: Call<Caller>) -> Result<Answer, Failure> {
    let (organisation, id) = (organisation_id(&call)?, invite_id(&call)?);
    let service = call.service();
    service
        .delete_invite(&call.subject, organisation, id)
        .await?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

/// `GET /api/v1/organisations/{organisation_id}/invite-links/`
async fn list_links(call: Call<Caller>) -> Result<Answer, Failure> {
    let organisation = organisation_id(&call)?;
    let service = call.service();
    let links = service.invite_links(&call.subject, organisation).await?;
    let shapes: Vec<Json> = links.iter().map(link_shape).collect();
    Ok(Answer::of(&shapes))
}

/// `POST /api/v1/organisations/{organisation_id}/invite-links/`
async fn create_link(mut call: Call<Caller>) -> Result<Answer, Failure> {
    let organisation = organisation_id(&call)?;
    let body = call.body().await?;
    let (role, expires_at) = Fields::read(&body, |fields| {
        let role = fields.choice("role", Need::Optional, &ROLES);
        (role.value(), times::read(fields, "expires_at").value())
    })?;
    let role = role.unwrap_or(Role::User);
    let service = call.service();
    let link = service
        .create_invite_link(&call.subject, organisation, role, expires_at)
        .await?;
    Ok(Answer::of(&link_shape(&link)).with_status(StatusCode::CREATED))
}

/// `DELETE /api/v1/organisations/{organisation_id}/invite-links/{link_id}/`
async fn delete_link(call: Call<Caller>) -> Result<Answer, Failure> {
    let organisation = organisation_id(&call)?;
    let id = call.path_id("link_id").map(InviteLinkId::new)?;
    let service = call.service();
    service
        .delete_invite_link(&call.subject, organisation, id)
        .await?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

/// `POST /api/v1/users/join/{hash}/`
async fn join_by_invite(call: Call<Caller>) -> Result<Answer, Failure> {
    let hash = call.path_text("hash")?;
    let view = call.service().join_by_invite(&call.subject, hash).await?;
    Ok(Answer::of(&organisations::shape(&view)))
}

/// `POST /api/v1/users/join/link/{hash}/`
async fn join_by_link(call: Call<Caller>) -> Result<Answer, Failure> {
    let hash = call.path_text("hash")?;
    let view = call.service().join_by_link(&call.subject, hash).await?;
    Ok(Answer::of(&organisations::shape(&view)))
}

fn invite_id(call: &Call<Caller>) -> Result<InviteId, Failure> {
    call.path_id("invite_id").map(InviteId::new)
}

fn read_invite(fields: &mut Fields<'_>) -> InviteRequest {
    // There are no groups that anybody could be put into.
    if let Some(Json::Array(groups)) = fields.json("permission_groups")
        && let Some(group) = groups.first()
    {
        fields.fail("permission_groups", words::no_such_row(group));
    }
    let role = fields.choice("role", Need::Optional, &ROLES).value();
    InviteRequest {
        email: fields.text("email", Need::Required, EMAIL).or_default(),
        role: role.unwrap_or(Role::User),
    }
}

/// An invitation with its link: nothing is mailed, so whoever invites hands it over.
fn new_shape(invited: &NewlyInvited, config: &ApiConfig) -> Json {
    let invite = &invited.invite;
    let hash = invited.token.expose_secret();
    json!({
        "id": invite.id.get(),
        "email": invite.email,
        "role": role_text(invite.role),
        "date_created": times::shown(invite.created_at),
        "permission_groups": [],
        "hash": hash,
        "link": format!("{}/api/v1/users/join/{hash}/", config.public_url),
    })
}

fn listed_shape(invite: &Invite, members: &[(Member, Role)]) -> Json {
    let is_inviter = |member: &Member| Some(member.id) == invite.invited_by;
    let inviter = members.iter().find(|(member, _)| is_inviter(member));
    json!({
        "id": invite.id.get(),
        "email": invite.email,
        "date_created": times::shown(invite.created_at),
        "invited_by": inviter.map(|(member, _)| organisation_members::shape(member)),
        "permission_groups": [],
        "role": role_text(invite.role),
    })
}

fn link_shape(link: &InviteLink) -> Json {
    json!({
        "id": link.id.get(),
        "hash": &*link.token,
        "date_created": times::shown(link.created_at),
        "role": role_text(link.role),
        "expires_at": times::shown_optional(link.expires_at),
    })
}
