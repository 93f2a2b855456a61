//! The end of a feature: the page that asks for its name, and what happens then.

use super::frame::{Frame, Tab};
use crate::Dashboard;
use crate::answer::PageResult;
use crate::fields::{FieldProblems, Fields};
use crate::notices::Notice;
use crate::shell::Shell;
use crate::visitor::SignedIn;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use flagstaff_core::ProjectPermission;
use flagstaff_service::ServiceError;

/// The page that asks for the name before a feature goes.
#[derive(Template)]
#[template(path = "features/delete.html")]
struct DeletionPage<'a> {
    shell: &'a Shell,
    frame: &'a Frame,
    problems: &'a FieldProblems,
}

type Place = Path<(String, i64)>;

/// `GET /environments/{client_key}/features/{feature_id}/delete`
pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    Path((client_key, feature_id)): Place,
    signed_in: SignedIn,
) -> PageResult {
    let frame = dashboard
        .feature_frame(&signed_in, &client_key, feature_id, Tab::Settings)
        .await?;
    if !frame.shell.may_in_project(ProjectPermission::DeleteFeature) {
        return Err(ServiceError::Forbidden.into());
    }
    Ok(page(&frame, &FieldProblems::default(), StatusCode::OK))
}

fn page(frame: &Frame, problems: &FieldProblems, status: StatusCode) -> Response {
    let template = DeletionPage {
        shell: &frame.shell,
        frame,
        problems,
    };
    frame.shell.page(status, &template)
}

/// `POST /environments/{client_key}/features/{feature_id}/delete`: with its name, typed.
pub(crate) async fn submit(
    State(dashboard): State<Dashboard>,
    Path((client_key, feature_id)): Place,
    signed_in: SignedIn,
    fields: Fields,
) -> PageResult {
    let frame = dashboard
        .feature_frame(&signed_in, &client_key, feature_id, Tab::Settings)
        .await?;
    let feature = frame.feature();
    if fields.text("confirmed_name") != feature.name.as_str() {
        let mut problems = FieldProblems::default();
        problems.add("confirmed_name", "This is not the feature's name.");
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return Ok(page(&frame, &problems, status));
    }
    dashboard
        .service
        .delete_feature(&signed_in.caller, feature.project_id, feature.id)
        .await?;
    let notice = Notice::done(format!("{} was deleted.", feature.name));
    Ok(notice.on(&frame.list_path, &dashboard, &signed_in))
}
