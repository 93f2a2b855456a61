//! An organisation: its projects, its name, its end.

use crate::Dashboard;
use crate::answer::PageResult;
use crate::fields::{FieldProblems, Fields};
use crate::navigation::{Link, Section};
use crate::notices::Notice;
use crate::pages::around;
use crate::shell::{Place, Shell};
use crate::visitor::SignedIn;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use flagstaff_core::{Organisation, OrganisationId, OrganisationPermission};
use flagstaff_service::{OrganisationPatch, ProjectPatch, ServiceResult};

/// The page.
#[derive(Template)]
#[template(path = "organisation.html")]
struct OrganisationPage<'a> {
    shell: &'a Shell,
    path: String,
    tabs: Vec<Link>,
    organisation: &'a Organisation,
    members: i64,
    projects: Vec<ProjectRow>,
    organisation_name: String,
    project_name: String,
    problems: &'a FieldProblems,
    may_change: bool,
    may_create: bool,
}

struct ProjectRow {
    id: i64,
    name: String,
    environments: usize,
    features: i64,
    segments: i64,
}

/// `GET /organisations/{organisation_id}`
pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    Path(organisation_id): Path<i64>,
    signed_in: SignedIn,
) -> PageResult {
    let shell = shell(&dashboard, &signed_in, organisation_id).await?;
    let problems = FieldProblems::default();
    Ok(answer(&dashboard, &shell, StatusCode::OK, None, &problems).await?)
}

async fn shell(dashboard: &Dashboard, signed_in: &SignedIn, id: i64) -> ServiceResult<Shell> {
    let place = Place::Organisation(OrganisationId::new(id));
    dashboard
        .shell(signed_in, place, Section::Organisation)
        .await
}

fn organisation(shell: &Shell) -> ServiceResult<&Organisation> {
    let noun = flagstaff_service::Noun::Organisation;
    let found = shell.organisation.as_ref();
    found.ok_or(flagstaff_service::ServiceError::NotFound { noun })
}

async fn answer(
    dashboard: &Dashboard,
    shell: &Shell,
    status: StatusCode,
    sent: Option<&Fields>,
    problems: &FieldProblems,
) -> ServiceResult<Response> {
    let organisation = organisation(shell)?;
    let (service, caller) = (&dashboard.service, &*shell.caller);
    let view = service.organisation(caller, organisation.id).await?;
    let mut projects = Vec::new();
    for project in service.projects(caller, Some(organisation.id)).await? {
        let view = service.project(caller, project.id).await?;
        let environments = service.environments_of(caller, project.id).await?;
        projects.push(ProjectRow {
            id: project.id.get(),
            name: project.name,
            environments: environments.len(),
            features: view.total_features,
            segments: view.total_segments,
        });
    }
    let may_change = shell.administers_organisation();
    let creating = OrganisationPermission::CreateProject;
    let may_create = caller.may_in_organisation(organisation.id, creating)
        && !organisation.restrict_project_create_to_admin;
    let sent_text = |name: &str| sent.map(|fields| fields.text(name).to_owned());
    let template = OrganisationPage {
        path: around(shell, &format!("/organisations/{}", organisation.id.get())),
        tabs: super::tabs(shell, organisation.id, ""),
        members: view.members,
        projects,
        organisation_name: sent_text("name")
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| organisation.name.clone()),
        project_name: sent_text("project_name").unwrap_or_default(),
        problems,
        may_change,
        may_create: may_change || may_create,
        organisation,
        shell,
    };
    Ok(shell.page(status, &template))
}

/// `POST /organisations/{organisation_id}`
pub(crate) async fn change(
    State(dashboard): State<Dashboard>,
    Path(organisation_id): Path<i64>,
    signed_in: SignedIn,
    fields: Fields,
) -> PageResult {
    let shell = shell(&dashboard, &signed_in, organisation_id).await?;
    let organisation = organisation(&shell)?;
    let (service, caller) = (&dashboard.service, &*shell.caller);
    let path = around(&shell, &format!("/organisations/{organisation_id}"));
    let done = match fields.text("action") {
        "project" => {
            let patch = ProjectPatch {
                name: Some(fields.text("project_name").trim().to_owned()),
                ..ProjectPatch::default()
            };
            let made = service.create_project(caller, organisation.id, patch).await;
            made.map(|made| {
                let text = format!("{} is there. Make its first environment.", made.name);
                (
                    Notice::done(text),
                    format!("/projects/{}/settings", made.id.get()),
                )
            })
        }
        "delete" if fields.text("confirmed_name").trim() != organisation.name => {
            let mut problems = FieldProblems::default();
            problems.add("confirmed_name", "This is not its name.");
            return refused(&dashboard, &shell, &fields, &problems).await;
        }
        "delete" => {
            let deleted = service.delete_organisation(caller, organisation.id).await;
            let text = format!("{} is gone, with everything in it.", organisation.name);
            deleted.map(|()| (Notice::done(text), "/".to_owned()))
        }
        _ => {
            let patch = OrganisationPatch {
                name: Some(fields.text("name").trim().to_owned()),
                persist_trait_data: Some(fields.is_on("persist_trait_data")),
                restrict_project_create_to_admin: Some(fields.is_on("restrict")),
                ..OrganisationPatch::default()
            };
            let changed = service
                .update_organisation(caller, organisation.id, patch)
                .await;
            changed.map(|_| (Notice::done("Settings saved."), path))
        }
    };
    match done {
        Ok((notice, to)) => Ok(notice.on(&to, &dashboard, &signed_in)),
        Err(error) => {
            let mut problems = FieldProblems::from_refusal(error)?;
            if fields.text("action") == "project" {
                let sentence = problems.elsewhere([]).join(" ");
                problems = FieldProblems::default();
                problems.add("project_name", sentence);
            }
            refused(&dashboard, &shell, &fields, &problems).await
        }
    }
}

async fn refused(
    dashboard: &Dashboard,
    shell: &Shell,
    fields: &Fields,
    problems: &FieldProblems,
) -> PageResult {
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    Ok(answer(dashboard, shell, status, Some(fields), problems).await?)
}
