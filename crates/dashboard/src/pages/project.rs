//! The address of a project: leads to its first environment.

use crate::Dashboard;
use crate::answer::{PageResult, encoded, see_other};
use crate::visitor::SignedIn;
use axum::extract::{Path, State};
use flagstaff_core::ProjectId;

/// `GET /projects/{project_id}`
pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    Path(project_id): Path<i64>,
    signed_in: SignedIn,
) -> PageResult {
    let project = ProjectId::new(project_id);
    let environments = dashboard
        .service
        .environments_of(&signed_in.caller, project)
        .await?;
    let path = match environments.first() {
        Some(first) => format!("/environments/{}/features", encoded(&first.api_key)),
        // A project without environments is shown on the start page, which can make one.
        None => "/".to_owned(),
    };
    Ok(see_other(&path))
}
