//! All rollouts of an environment, the newest first.

use super::list_path;
use super::words::RolloutRow;
use crate::Dashboard;
use crate::answer::PageResult;
use crate::fields::Fields;
use crate::fragments::Pages;
use crate::navigation::Section;
use crate::shell::{Place, Shell};
use crate::visitor::SignedIn;
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use flagstaff_service::{PageRequest, RolloutQuery};

/// Rollouts on a page.
const PAGE: u32 = 30;

#[derive(Template)]
#[template(path = "rollouts/list.html")]
struct ListPage<'a> {
    shell: &'a Shell,
    environment: &'a str,
    features_path: String,
    list_path: String,
    rows: Vec<RolloutRow>,
    pages: Pages,
    live_only: bool,
}

/// `GET /environments/{client_key}/rollouts`
pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    Path(client_key): Path<String>,
    Query(sent): Query<Vec<(String, String)>>,
    signed_in: SignedIn,
) -> PageResult {
    let place = Place::Environment(&client_key);
    let shell = dashboard
        .shell(&signed_in, place, Section::Rollouts)
        .await?;
    let sent: Fields = sent.into_iter().collect();
    let live_only = sent.is_on("live");
    let here = sent.parsed("page").unwrap_or(1).max(1);
    let query = RolloutQuery {
        client_key: Some(client_key.clone()),
        live_only,
        ..RolloutQuery::default()
    };
    let page = PageRequest {
        page: here,
        size: PAGE,
    };
    let found = dashboard
        .service
        .rollouts(&shell.caller, query, page)
        .await?;
    let list = list_path(&client_key);
    let live = if live_only { "&live=on" } else { "" };
    let row = |view| RolloutRow::new(view, &client_key, shell.now);
    let template = ListPage {
        environment: &shell.environment()?.name,
        features_path: crate::pages::features::list_path(&client_key),
        pages: Pages::new(here, PAGE, found.total, |page| {
            format!("{list}?page={page}{live}")
        }),
        rows: found.items.into_iter().map(row).collect(),
        list_path: list,
        shell: &shell,
        live_only,
    };
    Ok(shell.page(StatusCode::OK, &template))
}
