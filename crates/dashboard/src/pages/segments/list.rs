//! The segments of a project, with how much each overrides in the environment one is in.

use super::{list_path, path};
use crate::Dashboard;
use crate::answer::{PageResult, encoded};
use crate::fragments::{Moment, Pages};
use crate::navigation::Section;
use crate::rules::draft::RuleDraft;
use crate::shell::{Place, Shell};
use crate::visitor::SignedIn;
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use flagstaff_core::{ProjectPermission, Segment, Snapshot};
use flagstaff_service::{PageRequest, SegmentQuery};
use serde::Deserialize;

/// Segments on one page.
const SIZE: u32 = 50;

/// What is looked for.
#[derive(Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    q: String,
    page: Option<u32>,
}

#[derive(Template)]
#[template(path = "segments/list.html")]
struct SegmentsPage<'a> {
    shell: &'a Shell,
    list_path: String,
    environment: &'a str,
    query: &'a str,
    rows: Vec<Row>,
    pages: Pages,
    may_manage: bool,
}

struct Row {
    path: String,
    name: String,
    description: String,
    /// It belongs to one feature.
    is_specific: bool,
    rules: String,
    overrides: usize,
    changed: Moment,
}

/// `GET /environments/{client_key}/segments`
pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    Path(client_key): Path<String>,
    Query(asked): Query<Asked>,
    signed_in: SignedIn,
) -> PageResult {
    let place = Place::Environment(&client_key);
    let shell = dashboard
        .shell(&signed_in, place, Section::Segments)
        .await?;
    let (service, caller) = (&dashboard.service, &signed_in.caller);
    let query = SegmentQuery {
        search: Some(asked.q.trim().to_owned()).filter(|text| !text.is_empty()),
        include_feature_specific: true,
        identity: None,
    };
    let page = asked.page.unwrap_or(1).max(1);
    let request = PageRequest { page, size: SIZE };
    let project = shell.project()?.id;
    let found = service.segments(caller, project, query, request).await?;
    let published = service.environment_document(caller, &client_key).await?;
    let list_path = list_path(&client_key);
    let pages = Pages::new(page, SIZE, found.total, |page| {
        format!("{list_path}?q={}&page={page}", encoded(asked.q.trim()))
    });
    let rows = found.items.into_iter();
    let template = SegmentsPage {
        shell: &shell,
        environment: &shell.environment()?.name,
        query: &asked.q,
        rows: rows
            .map(|segment| row(segment, &client_key, &published.snapshot, &shell))
            .collect(),
        pages,
        may_manage: shell.may_in_project(ProjectPermission::ManageSegments),
        list_path,
    };
    Ok(shell.page(StatusCode::OK, &template))
}

fn row(segment: Segment, client_key: &str, snapshot: &Snapshot, shell: &Shell) -> Row {
    let index = snapshot.segment_index_by_id(segment.id);
    let part = index.and_then(|index| snapshot.segments.get(index));
    Row {
        path: path(client_key, segment.id),
        rules: size_words(&segment),
        overrides: part.map_or(0, |part| part.overrides.len()),
        changed: Moment::new(segment.updated_at, shell.now),
        is_specific: segment.feature_id.is_some(),
        description: segment.description.unwrap_or_default(),
        name: segment.name,
    }
}

fn size_words(segment: &Segment) -> String {
    let sizes = segment.rules.iter().map(|rule| RuleDraft::of(rule).size());
    let (rules, conditions) = sizes.fold((0, 0), |(rules, conditions), (more, also)| {
        (rules + more, conditions + also)
    });
    let plural = |count: usize, word: &str| {
        let ending = if count == 1 { "" } else { "s" };
        format!("{count} {word}{ending}")
    };
    format!(
        "{}, {}",
        plural(rules, "rule"),
        plural(conditions, "condition")
    )
}
