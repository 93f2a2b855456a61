//! `permissions/`: what can be granted; `my-permissions/` and its relatives: what somebody may do.

use super::super::answer::Answer;
use super::super::call::Call;
use super::super::error::Failure;
use super::super::view::View;
use super::environments::environment_key;
use super::organisations::organisation_id;
use super::projects::project_id;
use crate::auth::Member;
use crate::routes::Routes;
use flagstaff_core::{EnvironmentPermission, MemberId, OrganisationPermission, ProjectPermission};
use flagstaff_service::{Caller, GrantLevel, Held};
use serde_json::{Value as Json, json};

/// Adds the routes.
pub(super) fn routes(routes: Routes) -> Routes {
    let routes = own_routes(catalogue_routes(routes));
    routes
        .view(
            "/api/v1/organisations/{organisation_id}/user-detailed-permissions/{member_id}/",
            View::new("User detailed permissions").get(Member, detailed_in_organisation),
        )
        .view(
            "/api/v1/projects/{project_id}/user-detailed-permissions/{member_id}/",
            View::new("User detailed permissions").get(Member, detailed_in_project),
        )
        .view(
            "/api/v1/projects/{project_id}/all-user-permissions/{member_id}/",
            View::new("Get user project permissions")
                .as_function()
                .get(Member, of_another_in_project),
        )
        .view(
            "/api/v1/environments/{environment_key}/user-detailed-permissions/{member_id}/",
            View::new("User detailed permissions").get(Member, detailed_in_environment),
        )
}

fn catalogue_routes(routes: Routes) -> Routes {
    routes
        .view(
            "/api/v1/organisations/permissions/",
            View::new("Permissions").get(Member, of_organisations),
        )
        .view(
            "/api/v1/projects/permissions/",
            View::new("Permissions").get(Member, of_projects),
        )
        .view(
            "/api/v1/environments/permissions/",
            View::new("Permissions").get(Member, of_environments),
        )
}

fn own_routes(routes: Routes) -> Routes {
    routes
        .view(
            "/api/v1/organisations/{organisation_id}/my-permissions/",
            View::new("My permissions").get(Member, own_in_organisation),
        )
        .view(
            "/api/v1/projects/{project_id}/my-permissions/",
            View::new("My permissions").get(Member, own_in_project),
        )
        .view(
            "/api/v1/environments/{environment_key}/my-permissions/",
            View::new("My permissions").get(Member, own_in_environment),
        )
}

/// `GET /api/v1/organisations/permissions/`
async fn of_organisations(_: Call<Caller>) -> Result<Answer, Failure> {
    let all = OrganisationPermission::ALL.iter();
    let shapes: Vec<Json> = all
        .map(|each| shape(each.key(), each.description(), each.supports_tag()))
        .collect();
    Ok(Answer::of(&shapes))
}

/// `GET /api/v1/projects/permissions/`
async fn of_projects(_: Call<Caller>) -> Result<Answer, Failure> {
    let all = ProjectPermission::ALL.iter();
    let shapes: Vec<Json> = all
        .map(|each| shape(each.key(), each.description(), each.supports_tag()))
        .collect();
    Ok(Answer::of(&shapes))
}

/// `GET /api/v1/environments/permissions/`
async fn of_environments(_: Call<Caller>) -> Result<Answer, Failure> {
    let all = EnvironmentPermission::ALL.iter();
    let shapes: Vec<Json> = all
        .map(|each| shape(each.key(), each.description(), each.supports_tag()))
        .collect();
    Ok(Answer::of(&shapes))
}

/// `GET /api/v1/organisations/{organisation_id}/my-permissions/`
async fn own_in_organisation(call: Call<Caller>) -> Result<Answer, Failure> {
    own(&call, GrantLevel::Organisation(organisation_id(&call)?)).await
}

/// `GET /api/v1/projects/{project_id}/my-permissions/`
async fn own_in_project(call: Call<Caller>) -> Result<Answer, Failure> {
    own(&call, GrantLevel::Project(project_id(&call)?)).await
}

/// `GET /api/v1/environments/{environment_key}/my-permissions/`
async fn own_in_environment(call: Call<Caller>) -> Result<Answer, Failure> {
    own(&call, GrantLevel::Environment(environment_key(&call)?)).await
}

/// `GET /api/v1/organisations/{organisation_id}/user-detailed-permissions/{member_id}/`
async fn detailed_in_organisation(call: Call<Caller>) -> Result<Answer, Failure> {
    detailed(&call, GrantLevel::Organisation(organisation_id(&call)?)).await
}

/// `GET /api/v1/projects/{project_id}/user-detailed-permissions/{member_id}/`
async fn detailed_in_project(call: Call<Caller>) -> Result<Answer, Failure> {
    detailed(&call, GrantLevel::Project(project_id(&call)?)).await
}

/// `GET /api/v1/environments/{environment_key}/user-detailed-permissions/{member_id}/`
async fn detailed_in_environment(call: Call<Caller>) -> Result<Answer, Failure> {
    detailed(&call, GrantLevel::Environment(environment_key(&call)?)).await
}

/// `GET /api/v1/projects/{project_id}/all-user-permissions/{member_id}/`
async fn of_another_in_project(call: Call<Caller>) -> Result<Answer, Failure> {
    let held = held_by(&call, GrantLevel::Project(project_id(&call)?)).await?;
    Ok(Answer::of(&held_shape(&held)))
}

async fn own(call: &Call<Caller>, level: GrantLevel<'_>) -> Result<Answer, Failure> {
    let held = call.service().held(&call.subject, level).await?;
    Ok(Answer::of(&held_shape(&held)))
}

async fn held_by(call: &Call<Caller>, level: GrantLevel<'_>) -> Result<Held, Failure> {
    let member = call.path_id("member_id").map(MemberId::new)?;
    let service = call.service();
    Ok(service.held_by(&call.subject, level, member).await?)
}

async fn detailed(call: &Call<Caller>, level: GrantLevel<'_>) -> Result<Answer, Failure> {
    let held = held_by(call, level).await?;
    // There are neither groups nor roles that anything could come from.
    let derived_from = json!({ "groups": [], "roles": [] });
    let permission = |word: &String| {
        json!({
            "permission_key": word,
            "is_directly_granted": true,
            "derived_from": derived_from,
        })
    };
    let permissions: Vec<Json> = held.permissions.iter().map(permission).collect();
    Ok(Answer::of(&json!({
        "admin": held.is_admin,
        "permissions": permissions,
        "is_directly_granted": held.is_admin,
        "derived_from": derived_from,
    })))
}

fn shape(key: &str, description: &str, supports_tag: bool) -> Json {
    json!({ "key": key, "description": description, "supports_tag": supports_tag })
}

fn held_shape(held: &Held) -> Json {
    json!({
        "permissions": held.permissions,
        "admin": held.is_admin,
        "tag_based_permissions": [],
    })
}
