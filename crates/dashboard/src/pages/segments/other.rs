//! A copy of a segment, and its end.

use super::uses::{Uses, uses};
use super::{list_path, path};
use crate::Dashboard;
use crate::answer::{PageResult, Refused};
use crate::fields::{FieldProblems, Fields};
use crate::navigation::Section;
use crate::notices::Notice;
use crate::shell::{Place, Shell};
use crate::visitor::SignedIn;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use flagstaff_core::{Segment, SegmentId};

#[derive(Template)]
#[template(path = "segments/copy.html")]
struct CopyPage<'a> {
    shell: &'a Shell,
    path: String,
    segment: &'a Segment,
    typed: &'a str,
    problems: FieldProblems,
}

#[derive(Template)]
#[template(path = "segments/delete.html")]
struct DeletePage<'a> {
    shell: &'a Shell,
    path: String,
    segment: &'a Segment,
    uses: Uses,
    problems: FieldProblems,
}

async fn find(
    dashboard: &Dashboard,
    signed_in: &SignedIn,
    client_key: &str,
    id: i64,
) -> Result<(Shell, Segment), Refused> {
    let place = Place::Environment(client_key);
    let shell = dashboard.shell(signed_in, place, Section::Segments).await?;
    let project = shell.project()?.id;
    let segment = dashboard
        .service
        .segment(&signed_in.caller, project, SegmentId::new(id))
        .await?;
    Ok((shell, segment))
}

/// `GET /environments/{client_key}/segments/{segment_id}/copy`
pub(crate) async fn copy_form(
    State(dashboard): State<Dashboard>,
    Path((client_key, id)): Path<(String, i64)>,
    signed_in: SignedIn,
) -> PageResult {
    let (shell, segment) = find(&dashboard, &signed_in, &client_key, id).await?;
    let template = CopyPage {
        shell: &shell,
        path: path(&client_key, segment.id),
        typed: &format!("{} (copy)", segment.name),
        segment: &segment,
        problems: FieldProblems::default(),
    };
    Ok(shell.page(StatusCode::OK, &template))
}

/// `POST /environments/{client_key}/segments/{segment_id}/copy`
pub(crate) async fn copy(
    State(dashboard): State<Dashboard>,
    Path((client_key, id)): Path<(String, i64)>,
    signed_in: SignedIn,
    fields: Fields,
) -> PageResult {
    let (shell, segment) = find(&dashboard, &signed_in, &client_key, id).await?;
    let name = fields.text("copy_name").trim();
    let copied = dashboard
        .service
        .copy_segment(
            &signed_in.caller,
            segment.project_id,
            segment.id,
            name.to_owned(),
        )
        .await;
    match copied {
        Ok(copy) => {
            let notice = Notice::done(format!("{} is a copy of {}.", copy.name, segment.name));
            Ok(notice.on(&path(&client_key, copy.id), &dashboard, &signed_in))
        }
        Err(error) => {
            let mut problems = FieldProblems::default();
            for (_, sentence) in FieldProblems::from_refusal(error)?.all() {
                problems.add("copy_name", sentence.as_str());
            }
            let template = CopyPage {
                shell: &shell,
                path: path(&client_key, segment.id),
                segment: &segment,
                typed: name,
                problems,
            };
            Ok(shell.page(StatusCode::UNPROCESSABLE_ENTITY, &template))
        }
    }
}

/// `GET /environments/{client_key}/segments/{segment_id}/delete`
pub(crate) async fn delete_form(
    State(dashboard): State<Dashboard>,
    Path((client_key, id)): Path<(String, i64)>,
    signed_in: SignedIn,
) -> PageResult {
    let (shell, segment) = find(&dashboard, &signed_in, &client_key, id).await?;
    let problems = FieldProblems::default();
    delete_page(&dashboard, &shell, &client_key, &segment, problems).await
}

async fn delete_page(
    dashboard: &Dashboard,
    shell: &Shell,
    client_key: &str,
    segment: &Segment,
    problems: FieldProblems,
) -> PageResult {
    let service = &dashboard.service;
    let published = service
        .environment_document(&shell.caller, client_key)
        .await?;
    let status = if problems.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let template = DeletePage {
        shell,
        path: path(client_key, segment.id),
        segment,
        uses: uses(dashboard, &shell.caller, segment, &published.snapshot).await?,
        problems,
    };
    Ok(shell.page(status, &template))
}

/// `POST /environments/{client_key}/segments/{segment_id}/delete`
pub(crate) async fn delete(
    State(dashboard): State<Dashboard>,
    Path((client_key, id)): Path<(String, i64)>,
    signed_in: SignedIn,
    fields: Fields,
) -> PageResult {
    let (shell, segment) = find(&dashboard, &signed_in, &client_key, id).await?;
    let mut problems = FieldProblems::default();
    // Browsers send a line of text without the newlines a name may hold.
    if fields.text("confirmed_name").trim() != segment.name.replace(['\r', '\n'], "").trim() {
        problems.add("confirmed_name", "This is not the segment's name.");
        return delete_page(&dashboard, &shell, &client_key, &segment, problems).await;
    }
    dashboard
        .service
        .delete_segment(&signed_in.caller, segment.project_id, segment.id)
        .await?;
    let notice = Notice::done(format!("Segment {} is deleted.", segment.name));
    Ok(notice.on(&list_path(&client_key), &dashboard, &signed_in))
}
