//! `projects/{project_id}/integrations/flagd/`: whether and how a project is served to flagd.

use super::super::answer::Answer;
use super::super::call::Call;
use super::super::error::Failure;
use super::super::field_errors::FieldErrors;
use super::super::fields::{Fields, Need};
use super::super::view::View;
use super::projects::project_id;
use super::times;
use crate::auth::Member;
use crate::routes::Routes;
use axum::http::StatusCode;
use flagstaff_core::{FlagdEvaluators, FlagdForm, FlagdIntegration, FlagdIntegrationId};
use flagstaff_service::{Caller, FlagdIntegrationPatch, Noun, ServiceError};
use serde_json::{Value as Json, json};

const EVALUATORS: [(&str, FlagdEvaluators); 2] = [
    (FlagdEvaluators::Inline.as_str(), FlagdEvaluators::Inline),
    (FlagdEvaluators::Shared.as_str(), FlagdEvaluators::Shared),
];
const FORMS: [(&str, FlagdForm); 2] = [
    (FlagdForm::Typed.as_str(), FlagdForm::Typed),
    (FlagdForm::Lean.as_str(), FlagdForm::Lean),
];

/// Adds the routes.
pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .view(
            "/api/v1/projects/{project_id}/integrations/flagd/",
            View::new("Flagd Integration List")
                .get(Member, list)
                .post(Member, create)
                .patch(Member, set),
        )
        .view(
            "/api/v1/projects/{project_id}/integrations/flagd/{integration_id}/",
            View::new("Flagd Integration Instance")
                .get(Member, get)
                .put(Member, replace)
                .patch(Member, update)
                .delete(Member, delete),
        )
}

/// `GET /api/v1/projects/{project_id}/integrations/flagd/`
async fn list(call: Call<Caller>) -> Result<Answer, Failure> {
    let project = project_id(&call)?;
    let integration = call
        .service()
        .flagd_integration(&call.subject, project)
        .await?;
    let integrations: Vec<Json> = integration.iter().map(shape).collect();
    Ok(Answer::of(&integrations))
}

/// `POST /api/v1/projects/{project_id}/integrations/flagd/`
async fn create(mut call: Call<Caller>) -> Result<Answer, Failure> {
    let project = project_id(&call)?;
    let body = call.body().await?;
    let patch = Fields::read(&body, read_patch)?;
    let made = call
        .service()
        .create_flagd_integration(&call.subject, project, patch)
        .await
        .map_err(refusal)?;
    Ok(Answer::of(&shape(&made)).with_status(StatusCode::CREATED))
}

/// The original words it for each integration, as a list of its own.
fn refusal(error: ServiceError) -> Failure {
    match error {
        ServiceError::Conflict {
            noun: Noun::FlagdIntegration,
        } => Failure::Invalid(FieldErrors::message(
            "FlagdIntegration for project already exist.",
        )),
        other => other.into(),
    }
}

/// `PATCH /api/v1/projects/{project_id}/integrations/flagd/`: makes the integration where there is none, so that a
/// script need not know its id.
async fn set(mut call: Call<Caller>) -> Result<Answer, Failure> {
    change(&mut call, None).await
}

/// `GET /api/v1/projects/{project_id}/integrations/flagd/{integration_id}/`
async fn get(call: Call<Caller>) -> Result<Answer, Failure> {
    let (project, id) = (project_id(&call)?, integration_id(&call)?);
    let known = call
        .service()
        .flagd_integration(&call.subject, project)
        .await?;
    match known.filter(|integration| integration.id == id) {
        Some(integration) => Ok(Answer::of(&shape(&integration))),
        None => Err(Failure::no_match(Noun::FlagdIntegration)),
    }
}

/// `PUT /api/v1/projects/{project_id}/integrations/flagd/{integration_id}/`
async fn replace(call: Call<Caller>) -> Result<Answer, Failure> {
    // No field is required, so what a body leaves out stays, as with the original.
    update(call).await
}

/// `PATCH /api/v1/projects/{project_id}/integrations/flagd/{integration_id}/`
async fn update(mut call: Call<Caller>) -> Result<Answer, Failure> {
    let id = integration_id(&call)?;
    change(&mut call, Some(id)).await
}

async fn change(
    call: &mut Call<Caller>,
    id: Option<FlagdIntegrationId>,
) -> Result<Answer, Failure> {
    let project = project_id(call)?;
    let body = call.body().await?;
    let patch = Fields::read(&body, read_patch)?;
    let changed = call
        .service()
        .update_flagd_integration(&call.subject, project, id, patch)
        .await?;
    Ok(Answer::of(&shape(&changed)))
}

/// `DELETE /api/v1/projects/{project_id}/integrations/flagd/{integration_id}/`
async fn delete(call: Call<Caller>) -> Result<Answer, Failure> {
    let (project, id) = (project_id(&call)?, integration_id(&call)?);
    call.service()
        .delete_flagd_integration(&call.subject, project, id)
        .await?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

fn integration_id(call: &Call<Caller>) -> Result<FlagdIntegrationId, Failure> {
    call.path_id("integration_id").map(FlagdIntegrationId::new)
}

fn read_patch(fields: &mut Fields<'_>) -> FlagdIntegrationPatch {
    FlagdIntegrationPatch {
        enabled: fields.boolean("enabled", Need::Optional).value(),
        evaluators: fields
            .choice("evaluators", Need::Optional, &EVALUATORS)
            .value(),
        form: fields.choice("form", Need::Optional, &FORMS).value(),
    }
}

fn shape(integration: &FlagdIntegration) -> Json {
    json!({
        "id": integration.id.get(),
        "uuid": integration.uuid.to_string(),
        "enabled": integration.enabled,
        "evaluators": integration.evaluators.as_str(),
        "form": integration.form.as_str(),
        "created_at": times::shown(integration.created_at),
        "updated_at": times::shown(integration.updated_at),
    })
}
