//! What is said about the server.

use crate::Dashboard;
use crate::answer::PageResult;
use crate::navigation::Section;
use crate::shell::{Place, Shell};
use crate::visitor::SignedIn;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use flagstaff_service::{DatabaseFacts, Facts};

/// The page.
#[derive(Template)]
#[template(path = "about.html")]
struct AboutPage<'a> {
    shell: &'a Shell,
    version: &'static str,
    public_url: &'a str,
    database: DatabaseFacts,
    is_answering: bool,
    facts: Facts,
    revision: Option<i64>,
    is_superuser: bool,
}

/// `GET /about`
pub(crate) async fn show(State(dashboard): State<Dashboard>, signed_in: SignedIn) -> PageResult {
    let shell = dashboard
        .shell(&signed_in, Place::Server, Section::About)
        .await?;
    let service = &dashboard.service;
    // The revision of the environment that one comes from, as SDKs are answered with it now.
    let revision = match &shell.environment {
        Some(found) => {
            let environment = service.environment(&shell.caller, &found.api_key).await?;
            let project = service
                .project(&shell.caller, environment.project_id)
                .await?;
            Some(environment.revision + project.project.revision)
        }
        None => None,
    };
    let template = AboutPage {
        version: env!("CARGO_PKG_VERSION"),
        public_url: &dashboard.config.public_url,
        database: service.database_facts(&shell.caller).await?,
        is_answering: service.readiness().await.database,
        facts: service.facts(),
        revision,
        is_superuser: shell.is_superuser(),
        shell: &shell,
    };
    Ok(shell.page(StatusCode::OK, &template))
}
