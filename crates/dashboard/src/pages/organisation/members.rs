//! Who belongs to an organisation, as what, and who is invited.

use crate::Dashboard;
use crate::answer::PageResult;
use crate::fields::{FieldProblems, Fields};
use crate::fragments::Moment;
use crate::fragments::dates::{day_after, parse_day};
use crate::navigation::{Link, Section};
use crate::notices::Notice;
use crate::pages::question::Question;
use crate::pages::{around, asking};
use crate::shell::{Place, Shell};
use crate::visitor::SignedIn;
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use flagstaff_core::{InviteLink, InviteLinkId, Member, MemberId, OrganisationId, Role};
use flagstaff_service::{Noun, ServiceError, ServiceResult};

/// The page.
#[derive(Template)]
#[template(path = "members.html")]
struct MembersPage<'a> {
    shell: &'a Shell,
    path: String,
    name: String,
    tabs: Vec<Link>,
    members: Vec<MemberRow>,
    links: Vec<LinkRow>,
    /// The link that was made just now: it is shown this once.
    new_link: Option<String>,
    problems: &'a FieldProblems,
    may_change: bool,
}

struct MemberRow {
    id: i64,
    email: String,
    /// Where it is asked whether they are to go.
    ask: String,
    name: String,
    is_admin: bool,
    is_self: bool,
    joined: Moment,
    last_login: Option<Moment>,
}

struct LinkRow {
    id: i64,
    role: &'static str,
    made: Moment,
    expires: Option<Moment>,
    has_expired: bool,
}

/// `GET /organisations/{organisation_id}/members`; `?remove=3` asks whether that is meant.
pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    Path(organisation_id): Path<i64>,
    Query(sent): Query<Vec<(String, String)>>,
    signed_in: SignedIn,
) -> PageResult {
    let id = OrganisationId::new(organisation_id);
    let shell = shell(&dashboard, &signed_in, id).await?;
    let sent: Fields = sent.into_iter().collect();
    if let Some(member) = sent.parsed("remove").map(MemberId::new) {
        let member = member_of(&dashboard, &shell, id, member).await?;
        return Ok(removal(&shell, &path(&shell, id), &member).asked());
    }
    let problems = FieldProblems::default();
    Ok(answer(&dashboard, &shell, id, None, (StatusCode::OK, &problems)).await?)
}

async fn shell(
    dashboard: &Dashboard,
    signed_in: &SignedIn,
    id: OrganisationId,
) -> ServiceResult<Shell> {
    let place = Place::Organisation(id);
    dashboard
        .shell(signed_in, place, Section::Organisation)
        .await
}

fn path(shell: &Shell, id: OrganisationId) -> String {
    around(shell, &format!("/organisations/{}/members", id.get()))
}

async fn member_of(
    dashboard: &Dashboard,
    shell: &Shell,
    id: OrganisationId,
    member: MemberId,
) -> ServiceResult<Member> {
    let members = dashboard.service.members_of(&shell.caller, id).await?;
    let mut members = members.into_iter().map(|(member, _)| member);
    let noun = Noun::Member;
    members
        .find(|each| each.id == member)
        .ok_or(ServiceError::NotFound { noun })
}

/// Whether somebody is to belong to the organisation no longer.
fn removal<'a>(shell: &'a Shell, path: &'a str, member: &'a Member) -> Question<'a> {
    Question {
        shell,
        from: (path, "Members"),
        heading: format!("Remove {}", member.email),
        text: "They see nothing of this organisation any more. What they did stays in the audit log.",
        name: &member.email,
        button: "Remove from the organisation",
        action: path,
        fields: vec![
            ("action", "remove".to_owned()),
            ("member_id", member.id.get().to_string()),
        ],
    }
}

async fn answer(
    dashboard: &Dashboard,
    shell: &Shell,
    id: OrganisationId,
    new_link: Option<&InviteLink>,
    (status, problems): (StatusCode, &FieldProblems),
) -> ServiceResult<Response> {
    let (service, caller) = (&dashboard.service, &*shell.caller);
    let may_change = shell.administers_organisation();
    let links = if may_change {
        service.invite_links(caller, id).await?
    } else {
        Vec::new()
    };
    let members = service.members_of(caller, id).await?;
    let organisation = shell.organisation.as_ref();
    let public_url = &dashboard.config.public_url;
    let template = MembersPage {
        path: path(shell, id),
        name: organisation.map_or_else(String::new, |found| found.name.clone()),
        tabs: super::tabs(shell, id, "members"),
        members: members
            .into_iter()
            .map(|(member, role)| member_row(shell, id, member, role))
            .collect(),
        links: links.iter().map(|link| link_row(shell, link)).collect(),
        new_link: new_link.map(|link| format!("{public_url}/invite/{}", link.token)),
        problems,
        may_change,
        shell,
    };
    Ok(shell.page(status, &template))
}

fn member_row(shell: &Shell, id: OrganisationId, member: Member, role: Role) -> MemberRow {
    let number = member.id.get().to_string();
    MemberRow {
        ask: asking(&path(shell, id), &[("remove", &number)]),
        id: member.id.get(),
        is_self: shell.caller.member().is_some_and(|own| own.id == member.id),
        name: format!("{} {}", member.first_name, member.last_name)
            .trim()
            .to_owned(),
        is_admin: role == Role::Admin,
        joined: Moment::new(member.created_at, shell.now),
        last_login: member.last_login.map(|at| Moment::new(at, shell.now)),
        email: member.email,
    }
}

fn link_row(shell: &Shell, link: &InviteLink) -> LinkRow {
    LinkRow {
        id: link.id.get(),
        role: match link.role {
            Role::Admin => "admin",
            Role::User => "member",
        },
        made: Moment::new(link.created_at, shell.now),
        expires: link.expires_at.map(|at| Moment::new(at, shell.now)),
        has_expired: link.has_expired(shell.now),
    }
}

/// `POST /organisations/{organisation_id}/members`
pub(crate) async fn change(
    State(dashboard): State<Dashboard>,
    Path(organisation_id): Path<i64>,
    signed_in: SignedIn,
    fields: Fields,
) -> PageResult {
    let id = OrganisationId::new(organisation_id);
    let shell = shell(&dashboard, &signed_in, id).await?;
    let (service, caller) = (&dashboard.service, &*shell.caller);
    let member = MemberId::new(fields.parsed("member_id").unwrap_or(0));
    let role = match fields.text("role") {
        "admin" => Role::Admin,
        _ => Role::User,
    };
    let done = match fields.text("action") {
        "invite" => {
            let expires_at = fields.filled("expires").and_then(parse_day).map(day_after);
            let made = service
                .create_invite_link(caller, id, role, expires_at)
                .await;
            match made {
                Ok(link) => {
                    let problems = FieldProblems::default();
                    let status = (StatusCode::CREATED, &problems);
                    return Ok(answer(&dashboard, &shell, id, Some(&link), status).await?);
                }
                Err(error) => Err(error),
            }
        }
        "delete_link" => {
            let link = InviteLinkId::new(fields.parsed("link_id").unwrap_or(0));
            let deleted = service.delete_invite_link(caller, id, link).await;
            deleted.map(|()| "The link is void.".to_owned())
        }
        "remove" => {
            let found = member_of(&dashboard, &shell, id, member).await?;
            removal(&shell, &path(&shell, id), &found).answered(&fields)?;
            let removed = service.remove_members(caller, id, &[member]).await;
            removed.map(|()| "They belong to the organisation no longer.".to_owned())
        }
        _ => {
            let changed = service.update_role(caller, id, member, role).await;
            changed.map(|member| match role {
                Role::Admin => format!("{} is an admin.", member.email),
                Role::User => format!("{} is a member.", member.email),
            })
        }
    };
    match done {
        Ok(text) => {
            let path = path(&shell, id);
            Ok(Notice::done(text).on(&path, &dashboard, &signed_in))
        }
        Err(error) => {
            let problems = FieldProblems::from_refusal(error)?;
            let status = (StatusCode::UNPROCESSABLE_ENTITY, &problems);
            Ok(answer(&dashboard, &shell, id, None, status).await?)
        }
    }
}
