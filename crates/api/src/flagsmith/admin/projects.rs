//! `projects/`

use super::super::answer::Answer;
use super::super::call::Call;
use super::super::error::Failure;
use super::super::fields::{Fields, Need, Text};
use super::super::view::View;
use super::lists;
use crate::auth::Member;
use crate::routes::Routes;
use axum::http::StatusCode;
use flagstaff_core::{OrganisationId, Project, ProjectId};
use flagstaff_service::{
    Caller, FEATURE_LIMIT, OVERRIDE_LIMIT, ProjectPatch, ProjectView, SEGMENT_LIMIT,
};
use serde_json::{Value as Json, json};

const NAME: Text = Text::up_to(2000);
const PATTERN: Text = Text::up_to(255).or_blank();
/// The most days or approvals.
const COUNT_LIMIT: i64 = 32_767;

/// Adds the routes.
pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .view(
            "/api/v1/projects/",
            View::new("Project List")
                .get(Member, list)
                .post(Member, create),
        )
        .view(
            "/api/v1/projects/{project_id}/",
            View::new("Project Instance")
                .get(Member, get)
                .put(Member, replace)
                .patch(Member, update)
                .delete(Member, delete),
        )
        .view(
            "/api/v1/projects/get-by-uuid/{uuid}/",
            View::new("Get by uuid").get(Member, get_by_uuid),
        )
}

/// `GET /api/v1/projects/`
async fn list(call: Call<Caller>) -> Result<Answer, Failure> {
    let organisation = lists::read_parameters(&call.query(), |fields| {
        let id = fields.integer("organisation", Need::Optional, i64::MIN, i64::MAX);
        id.value().map(OrganisationId::new)
    })?;
    let service = call.service();
    let projects = service.projects(&call.subject, organisation).await?;
    let projects: Vec<Json> = projects.iter().map(shape).collect();
    Ok(Answer::of(&projects))
}

/// `POST /api/v1/projects/`
pub(super) async fn create(mut call: Call<Caller>) -> Result<Answer, Failure> {
    let body = call.body().await?;
    let (patch, organisation) = Fields::read(&body, |fields| {
        let patch = read_patch(fields, Need::Required);
        (patch, fields.row_id("organisation", Need::Required))
    })?;
    let organisation = OrganisationId::new(organisation.or_default());
    let service = call.service();
    let project = service
        .create_project(&call.subject, organisation, patch)
        .await?;
    Ok(Answer::of(&shape(&project)).with_status(StatusCode::CREATED))
}

/// `GET /api/v1/projects/{project_id}/`
async fn get(call: Call<Caller>) -> Result<Answer, Failure> {
    let view = call
        .service()
        .project(&call.subject, project_id(&call)?)
        .await?;
    Ok(Answer::of(&shape_with_totals(&view)))
}

/// `GET /api/v1/projects/get-by-uuid/{uuid}/`
async fn get_by_uuid(call: Call<Caller>) -> Result<Answer, Failure> {
    let uuid = call.path_uuid("uuid")?;
    let project = call.service().project_by_uuid(&call.subject, uuid).await?;
    Ok(Answer::of(&shape(&project)))
}

/// `PUT /api/v1/projects/{project_id}/`
async fn replace(call: Call<Caller>) -> Result<Answer, Failure> {
    change(call, Need::Required).await
}

/// `PATCH /api/v1/projects/{project_id}/`
async fn update(call: Call<Caller>) -> Result<Answer, Failure> {
    change(call, Need::Optional).await
}

async fn change(mut call: Call<Caller>, name: Need) -> Result<Answer, Failure> {
    let id = project_id(&call)?;
    let body = call.body().await?;
    let patch = Fields::read(&body, |fields| read_patch(fields, name))?;
    let service = call.service();
    let project = service.update_project(&call.subject, id, patch).await?;
    Ok(Answer::of(&shape(&project)))
}

/// `DELETE /api/v1/projects/{project_id}/`
async fn delete(call: Call<Caller>) -> Result<Answer, Failure> {
    let id = project_id(&call)?;
    call.service().delete_project(&call.subject, id).await?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

/// The project that the path names.
pub(super) fn project_id(call: &Call<Caller>) -> Result<ProjectId, Failure> {
    call.path_id("project_id").map(ProjectId::new)
}

fn read_patch(fields: &mut Fields<'_>, name: Need) -> ProjectPatch {
    let name = fields.text("name", name, NAME).value();
    let mut boolean = |name| fields.boolean(name, Need::Optional).value();
    let mut patch = ProjectPatch {
        name,
        hide_disabled_flags: boolean("hide_disabled_flags"),
        prevent_flag_defaults: boolean("prevent_flag_defaults"),
        only_allow_lower_case_feature_names: boolean("only_allow_lower_case_feature_names"),
        enforce_feature_owners: boolean("enforce_feature_owners"),
        enable_realtime_updates: boolean("enable_realtime_updates"),
        show_edge_identity_overrides_for_feature: boolean(
            "show_edge_identity_overrides_for_feature",
        ),
        ..ProjectPatch::default()
    };
    let pattern = fields.text("feature_name_regex", Need::OptionalOrNull, PATTERN);
    let pattern = pattern.change();
    // An empty pattern is none.
    patch.feature_name_regex = pattern.map(|text| text.filter(|text| !text.is_empty()));
    let mut count = |name, need| fields.integer(name, need, 0, COUNT_LIMIT);
    patch.stale_flags_limit_days = count("stale_flags_limit_days", Need::Optional).value();
    patch.minimum_change_request_approvals =
        count("minimum_change_request_approvals", Need::OptionalOrNull).change();
    patch
}

pub(super) fn shape(project: &Project) -> Json {
    json!({
        "id": project.id.get(),
        "uuid": project.uuid.to_string(),
        "name": project.name,
        "organisation": project.organisation_id.get(),
        "hide_disabled_flags": project.hide_disabled_flags,
        "enable_dynamo_db": false,
        "migration_status": "NOT_APPLICABLE",
        // Dashboards would ask `edge-identities/` for identities.
        "use_edge_identities": false,
        "prevent_flag_defaults": project.prevent_flag_defaults,
        "enable_realtime_updates": project.enable_realtime_updates,
        "only_allow_lower_case_feature_names": project.only_allow_lower_case_feature_names,
        "feature_name_regex": project.feature_name_regex,
        "show_edge_identity_overrides_for_feature":
            project.show_edge_identity_overrides_for_feature,
        "stale_flags_limit_days": project.stale_flags_limit_days,
        "edge_v2_migration_status": "NOT_STARTED",
        "minimum_change_request_approvals": project.minimum_change_request_approvals,
        "enforce_feature_owners": project.enforce_feature_owners,
    })
}

fn shape_with_totals(view: &ProjectView) -> Json {
    let mut json = shape(&view.project);
    json["max_segments_allowed"] = SEGMENT_LIMIT.into();
    json["max_features_allowed"] = FEATURE_LIMIT.into();
    json["max_segment_overrides_allowed"] = OVERRIDE_LIMIT.into();
    json["total_features"] = view.total_features.into();
    json["total_segments"] = view.total_segments.into();
    json
}
