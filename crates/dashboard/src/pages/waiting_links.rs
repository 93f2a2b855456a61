//! Links that members asked for and that could not be mailed: a superuser hands them over.

use crate::Dashboard;
use crate::answer::PageResult;
use crate::fields::Fields;
use crate::fragments::Moment;
use crate::navigation::Section;
use crate::shell::{Place, Shell};
use crate::visitor::SignedIn;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use flagstaff_service::{LinkPurpose, WaitingLink};
use secrecy::ExposeSecret as _;

/// The page.
#[derive(Template)]
#[template(path = "waiting_links.html")]
struct WaitingLinksPage<'a> {
    shell: &'a Shell,
    links: Vec<LinkRow>,
    sends_mail: bool,
    /// The one that is shown now, and never again.
    shown: Option<String>,
}

struct LinkRow {
    id: i64,
    email: String,
    purpose: &'static str,
    asked: Moment,
}

/// `GET /waiting-links`
pub(crate) async fn list(State(dashboard): State<Dashboard>, signed_in: SignedIn) -> PageResult {
    answer(&dashboard, &signed_in, None).await
}

/// `POST /waiting-links/{id}`
pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    Path(id): Path<i64>,
    signed_in: SignedIn,
    _: Fields,
) -> PageResult {
    let shown = dashboard
        .service
        .show_waiting_link(&signed_in.caller, id)
        .await?;
    // The address that the server is set up with, or listens on: never the one that the request names.
    let public_url = &dashboard.config.public_url;
    let url = format!("{public_url}{}", shown.expose_secret());
    answer(&dashboard, &signed_in, Some(url)).await
}

async fn answer(dashboard: &Dashboard, signed_in: &SignedIn, shown: Option<String>) -> PageResult {
    let service = &dashboard.service;
    let links = service.waiting_links(&signed_in.caller).await?;
    let shell = dashboard
        .shell(signed_in, Place::Server, Section::Start)
        .await?;
    let row = |link: WaitingLink| LinkRow {
        id: link.id,
        email: link.email,
        purpose: match link.purpose {
            LinkPurpose::Password => "Choose a new password",
            LinkPurpose::Activation => "Confirm the address",
            LinkPurpose::Email => "Choose another address",
        },
        asked: Moment::new(link.created_at, shell.now),
    };
    let template = WaitingLinksPage {
        links: links.into_iter().map(row).collect(),
        sends_mail: service.sends_mail(),
        shown,
        shell: &shell,
    };
    Ok(shell.page(StatusCode::OK, &template))
}
