//! `my-permissions/`: what the caller may do.

use super::super::answer::Answer;
use super::super::call::Call;
use super::super::error::Failure;
use super::super::view::View;
use super::environments::environment_key;
use super::projects::project_id;
use crate::auth::Member;
use crate::routes::Routes;
use flagstaff_core::Role;
use flagstaff_service::Caller;
use serde_json::json;

/// What members who are no admins of the organisation may do in its projects.
const PROJECT_PERMISSIONS: [&str; 10] = [
    "VIEW_PROJECT",
    "CREATE_ENVIRONMENT",
    "DELETE_FEATURE",
    "CREATE_FEATURE",
    "EDIT_FEATURE",
    "MANAGE_SEGMENTS",
    "VIEW_AUDIT_LOG",
    "MANAGE_PROJECT_LEVEL_CHANGE_REQUESTS",
    "CREATE_PROJECT_LEVEL_CHANGE_REQUESTS",
    "MANAGE_TAGS",
];

/// Adds the routes.
pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .view(
            "/api/v1/projects/{project_id}/my-permissions/",
            View::new("My permissions").get(Member, of_project),
        )
        .view(
            "/api/v1/environments/{environment_key}/my-permissions/",
            View::new("My permissions").get(Member, of_environment),
        )
}

/// `GET /api/v1/projects/{project_id}/my-permissions/`
async fn of_project(call: Call<Caller>) -> Result<Answer, Failure> {
    let id = project_id(&call)?;
    let view = call.service().project(&call.subject, id).await?;
    let role = call.subject.role_in(view.project.organisation_id);
    Ok(match role {
        Some(Role::Admin) => answer(&[], true),
        // Only admins delete projects.
        Some(Role::User) | None => answer(&PROJECT_PERMISSIONS, false),
    })
}

/// `GET /api/v1/environments/{environment_key}/my-permissions/`
async fn of_environment(call: Call<Caller>) -> Result<Answer, Failure> {
    let key = environment_key(&call)?;
    // Who may see an environment may change everything in it.
    call.service().environment(&call.subject, key).await?;
    Ok(answer(&[], true))
}

fn answer(permissions: &[&str], admin: bool) -> Answer {
    Answer::of(&json!({
        "permissions": permissions,
        "admin": admin,
        "tag_based_permissions": [],
    }))
}
