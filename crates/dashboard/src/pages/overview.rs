//! The start page: the sign-in form for visitors, environments and their keys for members.

use super::sign_in::form_page;
use crate::Dashboard;
use crate::answer::PageResult;
use crate::navigation::Section;
use crate::shell::{Place, Shell};
use crate::visitor::SignedIn;
use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use flagstaff_service::{Caller, Service, ServiceResult};
use serde::Deserialize;

/// The page for members.
#[derive(Template)]
#[template(path = "overview.html")]
struct OverviewPage<'a> {
    shell: &'a Shell,
    public_url: &'a str,
    organisations: Vec<OrganisationPart>,
}

struct OrganisationPart {
    id: i64,
    name: String,
    projects: Vec<ProjectPart>,
}

struct ProjectPart {
    id: i64,
    name: String,
    environments: Vec<EnvironmentPart>,
}

struct EnvironmentPart {
    name: String,
    client_key: String,
}

/// What the address may say.
#[derive(Default, Deserialize)]
pub(crate) struct Wish {
    /// Where to go after signing in.
    #[serde(default)]
    next: String,
}

/// `GET /`
pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    wish: Result<Query<Wish>, QueryRejection>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    let next = wish.map(|Query(wish)| wish.next).unwrap_or_default();
    match dashboard.signed_in(&headers, &uri).await {
        Ok(Some(signed_in)) => overview(&dashboard, &signed_in).await.into_response(),
        Ok(None) => form_page(&dashboard, &headers, StatusCode::OK, ("", &next), None).await,
        Err(response) => response,
    }
}

async fn overview(dashboard: &Dashboard, signed_in: &SignedIn) -> PageResult {
    let shell = dashboard
        .shell(signed_in, Place::Server, Section::Start)
        .await?;
    let template = OverviewPage {
        shell: &shell,
        public_url: &dashboard.config.public_url,
        organisations: organisations(&dashboard.service, &signed_in.caller).await?,
    };
    Ok(shell.page(StatusCode::OK, &template))
}

async fn organisations(service: &Service, caller: &Caller) -> ServiceResult<Vec<OrganisationPart>> {
    let mut parts = Vec::new();
    for view in service.organisations(caller).await? {
        let organisation = view.organisation;
        let mut projects = Vec::new();
        for project in service.projects(caller, Some(organisation.id)).await? {
            let environments = service.environments_of(caller, project.id).await?;
            projects.push(ProjectPart {
                id: project.id.get(),
                name: project.name,
                environments: environments
                    .into_iter()
                    .map(|environment| EnvironmentPart {
                        name: environment.name,
                        client_key: environment.api_key.to_string(),
                    })
                    .collect(),
            });
        }
        parts.push(OrganisationPart {
            id: organisation.id.get(),
            name: organisation.name,
            projects,
        });
    }
    Ok(parts)
}
