//! Who may do what in an organisation, a project or an environment.

use crate::Dashboard;
use crate::answer::{PageResult, encoded};
use crate::fields::{FieldProblems, Fields};
use crate::navigation::{Link, Section};
use crate::notices::Notice;
use crate::pages::{around, environment, organisation, project_settings};
use crate::shell::{Place, Shell};
use crate::visitor::SignedIn;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use flagstaff_core::{
    EnvironmentPermission, Grant, GrantId, Member, MemberId, OrganisationId,
    OrganisationPermission, ProjectId, ProjectPermission, Role,
};
use flagstaff_service::{GrantLevel, GrantPatch, GrantRequest, ServiceError, ServiceResult};

/// The page.
#[derive(Template)]
#[template(path = "permissions.html")]
struct PermissionsPage<'a> {
    shell: &'a Shell,
    path: String,
    heading: String,
    tabs: Vec<Link>,
    /// `None` for who may not see them.
    grants: Option<Vec<GrantPart>>,
    others: Vec<MemberChoice>,
    offered: Vec<Permission>,
    has_admins: bool,
    may_change: bool,
}

struct GrantPart {
    id: i64,
    email: String,
    is_admin: bool,
    permissions: Vec<Permission>,
}

struct MemberChoice {
    id: i64,
    email: String,
}

struct Permission {
    key: &'static str,
    description: &'static str,
    is_held: bool,
}

/// Where permissions are looked at.
#[derive(Clone, Copy)]
enum At<'a> {
    Organisation(OrganisationId),
    Project(ProjectId),
    Environment(&'a str),
}

impl<'a> At<'a> {
    const fn level(self) -> GrantLevel<'a> {
        match self {
            Self::Organisation(id) => GrantLevel::Organisation(id),
            Self::Project(id) => GrantLevel::Project(id),
            Self::Environment(key) => GrantLevel::Environment(key),
        }
    }

    const fn place(self) -> (Place<'a>, Section) {
        match self {
            Self::Organisation(id) => (Place::Organisation(id), Section::Organisation),
            Self::Project(id) => (Place::Project(id), Section::ProjectSettings),
            Self::Environment(key) => (Place::Environment(key), Section::EnvironmentSettings),
        }
    }

    fn path(self) -> String {
        match self {
            Self::Organisation(id) => format!("/organisations/{}/permissions", id.get()),
            Self::Project(id) => format!("/projects/{}/permissions", id.get()),
            Self::Environment(key) => format!("/environments/{}/permissions", encoded(key)),
        }
    }

    fn tabs(self, shell: &Shell) -> Vec<Link> {
        match self {
            Self::Organisation(id) => organisation::tabs(shell, id, "permissions"),
            Self::Project(id) => project_settings::tabs(shell, id, "permissions"),
            Self::Environment(key) => environment::tabs(key, "permissions"),
        }
    }

    fn heading(self, shell: &Shell) -> String {
        let organisation = shell.organisation.as_ref().map(|found| &found.name);
        let project = shell.project.as_ref().map(|found| &found.name);
        let environment = shell.environment.as_ref().map(|found| &found.name);
        let (noun, name) = match self {
            Self::Organisation(_) => ("Organisation", organisation),
            Self::Project(_) => ("Project", project),
            Self::Environment(_) => ("Environment", environment),
        };
        format!("{noun} {}", name.map_or("", String::as_str))
    }

    fn may_change(self, shell: &Shell) -> bool {
        match self {
            Self::Organisation(_) => shell.administers_organisation(),
            Self::Project(_) => shell.administers_project(),
            Self::Environment(_) => shell.administers_environment(),
        }
    }

    /// The permissions of this level, the held ones marked.
    fn permissions(self, held: &[String]) -> Vec<Permission> {
        let permission = |(key, description): (&'static str, &'static str)| Permission {
            is_held: held.iter().any(|word| word == key),
            key,
            description,
        };
        let pairs: Vec<(&str, &str)> = match self {
            Self::Organisation(_) => OrganisationPermission::ALL
                .iter()
                .map(|each| (each.key(), each.description()))
                .collect(),
            Self::Project(_) => ProjectPermission::ALL
                .iter()
                .map(|each| (each.key(), each.description()))
                .collect(),
            Self::Environment(_) => EnvironmentPermission::ALL
                .iter()
                .map(|each| (each.key(), each.description()))
                .collect(),
        };
        pairs.into_iter().map(permission).collect()
    }
}

/// `GET /organisations/{organisation_id}/permissions`
pub(crate) async fn of_organisation(
    State(dashboard): State<Dashboard>,
    Path(organisation_id): Path<i64>,
    signed_in: SignedIn,
) -> PageResult {
    let id = OrganisationId::new(organisation_id);
    show(&dashboard, &signed_in, At::Organisation(id)).await
}

/// `GET /projects/{project_id}/permissions`
pub(crate) async fn of_project(
    State(dashboard): State<Dashboard>,
    Path(project_id): Path<i64>,
    signed_in: SignedIn,
) -> PageResult {
    show(
        &dashboard,
        &signed_in,
        At::Project(ProjectId::new(project_id)),
    )
    .await
}

/// `GET /environments/{client_key}/permissions`
pub(crate) async fn of_environment(
    State(dashboard): State<Dashboard>,
    Path(client_key): Path<String>,
    signed_in: SignedIn,
) -> PageResult {
    show(&dashboard, &signed_in, At::Environment(&client_key)).await
}

async fn show(dashboard: &Dashboard, signed_in: &SignedIn, at: At<'_>) -> PageResult {
    let (place, section) = at.place();
    let shell = dashboard.shell(signed_in, place, section).await?;
    Ok(answer(dashboard, &shell, at).await?)
}

async fn answer(dashboard: &Dashboard, shell: &Shell, at: At<'_>) -> ServiceResult<Response> {
    let grants = match dashboard.service.grants(&shell.caller, at.level()).await {
        Ok(grants) => Some(grants),
        Err(ServiceError::Forbidden) => None,
        Err(error) => return Err(error),
    };
    let template = PermissionsPage {
        path: around(shell, &at.path()),
        heading: at.heading(shell),
        tabs: at.tabs(shell),
        others: others(dashboard, shell, grants.as_deref()).await?,
        offered: at.permissions(&[]),
        grants: grants.map(|grants| grants.into_iter().map(|grant| part(at, grant)).collect()),
        // Nobody is admin of an organisation by a grant.
        has_admins: !matches!(at, At::Organisation(_)),
        may_change: at.may_change(shell),
        shell,
    };
    Ok(shell.page(StatusCode::OK, &template))
}

fn part(at: At<'_>, (grant, member): (Grant, Member)) -> GrantPart {
    GrantPart {
        id: grant.id.get(),
        email: member.email,
        is_admin: grant.is_admin,
        permissions: at.permissions(&grant.permissions),
    }
}

/// Members who were granted nothing here and are not admins of everything.
async fn others(
    dashboard: &Dashboard,
    shell: &Shell,
    grants: Option<&[(Grant, Member)]>,
) -> ServiceResult<Vec<MemberChoice>> {
    let (Some(grants), Some(organisation)) = (grants, &shell.organisation) else {
        return Ok(Vec::new());
    };
    let members = dashboard
        .service
        .members_of(&shell.caller, organisation.id)
        .await?;
    let is_other = |(member, role): &(Member, Role)| {
        *role == Role::User && !grants.iter().any(|(grant, _)| grant.member_id == member.id)
    };
    let others = members.into_iter().filter(is_other);
    let choice = |(member, _): (Member, Role)| MemberChoice {
        id: member.id.get(),
        email: member.email,
    };
    Ok(others.map(choice).collect())
}

/// `POST /organisations/{organisation_id}/permissions`
pub(crate) async fn change_in_organisation(
    State(dashboard): State<Dashboard>,
    Path(organisation_id): Path<i64>,
    signed_in: SignedIn,
    fields: Fields,
) -> PageResult {
    let id = OrganisationId::new(organisation_id);
    change(&dashboard, &signed_in, At::Organisation(id), &fields).await
}

/// `POST /projects/{project_id}/permissions`
pub(crate) async fn change_in_project(
    State(dashboard): State<Dashboard>,
    Path(project_id): Path<i64>,
    signed_in: SignedIn,
    fields: Fields,
) -> PageResult {
    let at = At::Project(ProjectId::new(project_id));
    change(&dashboard, &signed_in, at, &fields).await
}

/// `POST /environments/{client_key}/permissions`
pub(crate) async fn change_in_environment(
    State(dashboard): State<Dashboard>,
    Path(client_key): Path<String>,
    signed_in: SignedIn,
    fields: Fields,
) -> PageResult {
    change(
        &dashboard,
        &signed_in,
        At::Environment(&client_key),
        &fields,
    )
    .await
}

async fn change(
    dashboard: &Dashboard,
    signed_in: &SignedIn,
    at: At<'_>,
    fields: &Fields,
) -> PageResult {
    let (service, caller) = (&dashboard.service, &*signed_in.caller);
    let permissions: Vec<String> = fields.all("permission").map(str::to_owned).collect();
    let is_admin = fields.is_on("is_admin");
    let id = GrantId::new(fields.parsed("grant_id").unwrap_or(0));
    let done = match fields.text("action") {
        "create" => {
            let request = GrantRequest {
                member: MemberId::new(fields.parsed("member_id").unwrap_or(0)),
                is_admin,
                permissions,
            };
            let made = service.create_grant(caller, at.level(), request).await;
            made.map(|_| "Granted.")
        }
        "delete" => {
            let deleted = service.delete_grant(caller, at.level(), id).await;
            deleted.map(|()| "Everything granted here was taken away.")
        }
        _ => {
            let patch = GrantPatch {
                is_admin: Some(is_admin),
                permissions: Some(permissions),
            };
            let changed = service.update_grant(caller, at.level(), id, patch).await;
            changed.map(|_| "Permissions saved.")
        }
    };
    let notice = match done {
        Ok(text) => Notice::done(text),
        Err(error) => {
            let problems = FieldProblems::from_refusal(error)?;
            Notice::problem(problems.elsewhere([]).join(" "))
        }
    };
    Ok(notice.on(&at.path(), dashboard, signed_in))
}
