//! The start page: the sign-in form for visitors, environments and their keys for members.

use super::sign_in::form_page;
use crate::Dashboard;
use crate::answer::{page, refusal};
use crate::visitor::SignedIn;
use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use flagstaff_service::{Caller, Service, ServiceResult};

/// The page for members.
#[derive(Template)]
#[template(path = "overview.html")]
struct OverviewPage<'a> {
    email: &'a str,
    form_token: &'a str,
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

/// `GET /`
pub(crate) async fn show(State(dashboard): State<Dashboard>, headers: HeaderMap) -> Response {
    match dashboard.signed_in(&headers).await {
        Ok(Some(signed_in)) => overview(&dashboard, &signed_in).await,
        Ok(None) => form_page(&dashboard, &headers, StatusCode::OK, "", None),
        Err(response) => response,
    }
}

async fn overview(dashboard: &Dashboard, signed_in: &SignedIn) -> Response {
    match organisations(&dashboard.service, &signed_in.caller).await {
        Ok(organisations) => {
            let template = OverviewPage {
                email: signed_in.caller.name(),
                form_token: &signed_in.form_token(),
                public_url: &dashboard.config.public_url,
                organisations,
            };
            page(StatusCode::OK, &template)
        }
        Err(error) => refusal(&error),
    }
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
