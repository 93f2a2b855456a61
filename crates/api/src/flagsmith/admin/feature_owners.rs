//! `projects/{project_id}/features/{feature_id}/add-owners/` and its siblings

use super::super::answer::Answer;
use super::super::call::Call;
use super::super::error::Failure;
use super::super::fields::{Fields, Need};
use super::super::view::View;
use super::feature_body::shape_with_owners;
use super::features::feature_id;
use super::projects::project_id;
use crate::auth::Member;
use crate::routes::Routes;
use flagstaff_core::MemberId;
use flagstaff_service::{Caller, Problem, ServiceError};

/// Owners in one body.
const OWNER_LIMIT: usize = 100;

/// Adds the routes.
pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .view(
            "/api/v1/projects/{project_id}/features/{feature_id}/add-owners/",
            View::new("Add owners").post(Member, add),
        )
        .view(
            "/api/v1/projects/{project_id}/features/{feature_id}/remove-owners/",
            View::new("Remove owners").post(Member, remove),
        )
        .view(
            "/api/v1/projects/{project_id}/features/{feature_id}/add-group-owners/",
            View::new("Add group owners").post(Member, change_groups),
        )
        .view(
            "/api/v1/projects/{project_id}/features/{feature_id}/remove-group-owners/",
            View::new("Remove group owners").post(Member, change_groups),
        )
}

/// `POST /api/v1/projects/{project_id}/features/{feature_id}/add-owners/`
async fn add(mut call: Call<Caller>) -> Result<Answer, Failure> {
    let (project, feature) = (project_id(&call)?, feature_id(&call)?);
    let members = read_members(&mut call).await?;
    let service = call.service();
    let changed = service
        .add_feature_owners(&call.subject, project, feature, &members)
        .await;
    Ok(Answer::of(&shape_with_owners(&changed.map_err(refusal)?)))
}

/// `POST /api/v1/projects/{project_id}/features/{feature_id}/remove-owners/`
async fn remove(mut call: Call<Caller>) -> Result<Answer, Failure> {
    let (project, feature) = (project_id(&call)?, feature_id(&call)?);
    let members = read_members(&mut call).await?;
    let service = call.service();
    let changed = service
        .remove_feature_owners(&call.subject, project, feature, &members)
        .await;
    Ok(Answer::of(&shape_with_owners(&changed.map_err(refusal)?)))
}

/// There are no groups, so any id is one of a group that is not there.
async fn change_groups(mut call: Call<Caller>) -> Result<Answer, Failure> {
    let (project, feature) = (project_id(&call)?, feature_id(&call)?);
    let body = call.body().await?;
    let groups = Fields::read(&body, |fields| {
        fields.integers("group_ids", Need::Required, OWNER_LIMIT)
    })?;
    let service = call.service();
    let feature = service.feature(&call.subject, project, feature).await?;
    if groups.or_default().is_empty() {
        return Ok(Answer::of(&shape_with_owners(&feature)));
    }
    Err(Failure::of_no_field("Some groups not found"))
}

async fn read_members(call: &mut Call<Caller>) -> Result<Vec<MemberId>, Failure> {
    let body = call.body().await?;
    let ids = Fields::read(&body, |fields| {
        fields.integers("user_ids", Need::Required, OWNER_LIMIT)
    })?;
    Ok(ids.or_default().into_iter().map(MemberId::new).collect())
}

fn refusal(error: ServiceError) -> Failure {
    match error {
        ServiceError::Invalid {
            problem: Problem::UnknownId(_),
            ..
        } => Failure::of_no_field("Some users not found"),
        other => other.into(),
    }
}
