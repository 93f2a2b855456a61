//! `environments/`

use super::super::answer::Answer;
use super::super::call::Call;
use super::super::error::Failure;
use super::super::field_errors::FieldErrors;
use super::super::fields::{Fields, Need, Text};
use super::super::scalar::{self, Integer};
use super::super::sdk::forms::Document;
use super::super::view::View;
use super::{lists, times, words_of_ours};
use crate::auth::{Member, Open};
use crate::routes::Routes;
use axum::http::StatusCode;
use flagstaff_core::{Environment, ProjectId};
use flagstaff_service::{Caller, EnvironmentPatch, Noun, ServiceError};
use serde_json::{Value as Json, json};

const NAME: Text = Text::up_to(2000);
const DESCRIPTION: Text = Text::up_to(20_000).or_blank();
const BANNER_TEXT: Text = Text::up_to(255).or_blank();
const BANNER_COLOUR: Text = Text::up_to(7).or_blank();
/// The most approvals.
const COUNT_LIMIT: i64 = 32_767;

/// Adds the routes.
pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .view(
            "/api/v1/environments/",
            View::new("Environment List")
                .get(Member, list)
                .post(Member, create),
        )
        .view(
            "/api/v1/environments/{environment_key}/",
            View::new("Environment Instance")
                .get(Member, get)
                .put(Member, replace)
                .patch(Member, update)
                .delete(Member, delete),
        )
        .view(
            "/api/v1/environments/{environment_key}/document/",
            View::new("Get document").get(Member, document),
        )
        .view(
            "/api/v1/environments/{environment_key}/clone/",
            View::new("Clone").post(Member, copy),
        )
        .view(
            "/api/v1/environments/get-by-uuid/{uuid}/",
            View::new("Get by uuid").get(Member, get_by_uuid),
        )
        .view(
            "/api/v1/environments/{environment_key}/metrics/",
            View::new("Environment Metrics").get(Member, metrics),
        )
        .view(
            "/api/v1/environments/{environment_key}/onboarding-status/",
            View::new("Environment Onboarding Status").get(Open, onboarding_status),
        )
}

/// `GET /api/v1/environments/?project=…`
async fn list(call: Call<Caller>) -> Result<Answer, Failure> {
    let query = call.query();
    let project = query.last("project").and_then(|id| id.parse().ok());
    let project = project.map(ProjectId::new).ok_or_else(|| {
        let text = "Invalid or missing value for project parameter.";
        Failure::Invalid(FieldErrors::message(text))
    })?;
    let paging = lists::paging(&query)?;
    let service = call.service();
    let environments = service.environments_of(&call.subject, project).await?;
    lists::answer_part(&call, paging, &environments, shape)
}

/// `POST /api/v1/environments/`
pub(super) async fn create(mut call: Call<Caller>) -> Result<Answer, Failure> {
    let body = call.body().await?;
    // Recorded: whether the caller may is looked at first, and nobody may in a project that is not there.
    let project = match body.get("project").and_then(scalar::integer) {
        Some(Integer::Fits(id)) => ProjectId::new(id),
        Some(Integer::TooLow | Integer::TooHigh) | None => {
            return Err(ServiceError::Forbidden.into());
        }
    };
    let patch = Fields::read(&body, |fields| read_patch(fields, Need::Required))?;
    let service = call.service();
    let environment = service
        .create_environment(&call.subject, project, patch)
        .await
        .map_err(|error| match error {
            ServiceError::NotFound {
                noun: Noun::Project,
            } => ServiceError::Forbidden.into(),
            other => refusal(other),
        })?;
    Ok(Answer::of(&shape(&environment)).with_status(StatusCode::CREATED))
}

/// `GET /api/v1/environments/{environment_key}/`
async fn get(call: Call<Caller>) -> Result<Answer, Failure> {
    let key = environment_key(&call)?;
    let (environment, overrides) = call
        .service()
        .environment_with_overrides(&call.subject, key)
        .await?;
    let mut json = shape(&environment);
    json["total_segment_overrides"] = overrides.into();
    Ok(Answer::of(&json))
}

/// `GET /api/v1/environments/{environment_key}/metrics/`
async fn metrics(call: Call<Caller>) -> Result<Answer, Failure> {
    let key = environment_key(&call)?;
    let service = call.service();
    let metrics = service.environment_metrics(&call.subject, key).await?;
    let figures = [
        (
            metrics.features,
            "Total features",
            "total_features",
            "features",
        ),
        (
            metrics.enabled_features,
            "Features enabled",
            "enabled_features",
            "features",
        ),
        (
            metrics.segment_overrides,
            "Segment overrides",
            "segment_overrides",
            "segments",
        ),
        (
            metrics.identity_overrides,
            "Identity overrides",
            "identity_overrides",
            "identities",
        ),
    ];
    let shape = |(rank, (value, description, name, entity))| {
        json!({
            "value": value, "description": description, "name": name, "entity": entity, "rank": rank,
        })
    };
    let metrics: Vec<Json> = (1..).zip(figures).map(shape).collect();
    Ok(Answer::of(&json!({ "metrics": metrics })))
}

/// `GET /api/v1/environments/{environment_key}/onboarding-status/`: open to everybody, as the client key is.
async fn onboarding_status(call: Call<()>) -> Result<Answer, Failure> {
    let key = call.path_text("environment_key")?;
    let first = call.service().first_evaluation(key).await?;
    Ok(Answer::of(&json!({
        "first_evaluated_at": first.as_ref().map(|first| times::shown(first.at)),
        "first_evaluated_sdk_label": first.and_then(|first| first.sdk_label),
    })))
}

/// `PUT /api/v1/environments/{environment_key}/`
async fn replace(call: Call<Caller>) -> Result<Answer, Failure> {
    change(call, Need::Required).await
}

/// `PATCH /api/v1/environments/{environment_key}/`
async fn update(call: Call<Caller>) -> Result<Answer, Failure> {
    change(call, Need::Optional).await
}

async fn change(mut call: Call<Caller>, name: Need) -> Result<Answer, Failure> {
    let body = call.body().await?;
    let patch = Fields::read(&body, |fields| read_patch(fields, name))?;
    let key = environment_key(&call)?;
    let environment = call
        .service()
        .update_environment(&call.subject, key, patch)
        .await
        .map_err(refusal)?;
    Ok(Answer::of(&shape(&environment)))
}

/// `DELETE /api/v1/environments/{environment_key}/`
async fn delete(call: Call<Caller>) -> Result<Answer, Failure> {
    let key = environment_key(&call)?;
    call.service()
        .delete_environment(&call.subject, key)
        .await?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

/// `GET /api/v1/environments/{environment_key}/document/`
async fn document(call: Call<Caller>) -> Result<Answer, Failure> {
    let key = environment_key(&call)?;
    let service = call.service();
    let published = service.environment_document(&call.subject, key).await?;
    let document = published.form_off_thread::<Document>().await;
    Ok(Answer::json(document.rendered.bytes()))
}

/// `POST /api/v1/environments/{environment_key}/clone/`. All is copied before the answer, also where
/// `clone_feature_states_async` would let it wait.
async fn copy(mut call: Call<Caller>) -> Result<Answer, Failure> {
    let body = call.body().await?;
    let name = Fields::read(&body, |fields| {
        fields.boolean("clone_feature_states_async", Need::Optional);
        fields.text("name", Need::Required, NAME)
    })?;
    let key = environment_key(&call)?;
    let environment = call
        .service()
        .copy_environment(&call.subject, key, name.or_default())
        .await
        .map_err(refusal)?;
    Ok(Answer::of(&json!({
        "id": environment.id.get(),
        "name": environment.name,
        "api_key": &*environment.api_key,
        "project": environment.project_id.get(),
    })))
}

/// `GET /api/v1/environments/get-by-uuid/{uuid}/`
async fn get_by_uuid(call: Call<Caller>) -> Result<Answer, Failure> {
    let uuid = call.path_uuid("uuid")?;
    let service = call.service();
    let environment = service.environment_by_uuid(&call.subject, uuid).await?;
    Ok(Answer::of(&shape(&environment)))
}

/// The client key of the environment that the path names.
pub(super) fn environment_key(call: &Call<Caller>) -> Result<&str, Failure> {
    call.path_text("environment_key")
}

fn refusal(error: ServiceError) -> Failure {
    match error {
        ServiceError::Conflict {
            noun: Noun::Environment,
        } => Failure::of_field(
            "name",
            "Environment with that name already exists for this project.",
        ),
        other => other.into(),
    }
}

fn read_patch(fields: &mut Fields<'_>, name: Need) -> EnvironmentPatch {
    let name = fields.text("name", name, NAME).value();
    let mut text = |name, rule| fields.text(name, Need::OptionalOrNull, rule).change();
    let description = text("description", DESCRIPTION);
    let banner_text = text("banner_text", BANNER_TEXT);
    let banner_colour = text("banner_colour", BANNER_COLOUR);
    let approvals = fields.integer(
        "minimum_change_request_approvals",
        Need::OptionalOrNull,
        0,
        COUNT_LIMIT,
    );
    let hides = fields.boolean("hide_disabled_flags", Need::OptionalOrNull);
    let mut boolean = |name| fields.boolean(name, Need::Optional).value();
    EnvironmentPatch {
        name,
        description,
        minimum_change_request_approvals: approvals.change(),
        allow_client_traits: boolean("allow_client_traits"),
        banner_text,
        banner_colour,
        hide_disabled_flags: hides.change(),
        use_identity_composite_key_for_hashing: boolean("use_identity_composite_key_for_hashing"),
        hide_sensitive_data: boolean("hide_sensitive_data"),
        use_identity_overrides_in_local_eval: boolean("use_identity_overrides_in_local_eval"),
        hash: words_of_ours::read_hash(fields, Need::Optional).value(),
        disabled_as: words_of_ours::read_disabled_as(fields),
    }
}

pub(super) fn shape(environment: &Environment) -> Json {
    json!({
        "id": environment.id.get(),
        "uuid": environment.uuid.to_string(),
        "name": environment.name,
        "api_key": &*environment.api_key,
        "description": environment.description,
        "project": environment.project_id.get(),
        "minimum_change_request_approvals": environment.minimum_change_request_approvals,
        "allow_client_traits": environment.allow_client_traits,
        "banner_text": environment.banner_text,
        "banner_colour": environment.banner_colour,
        "hide_disabled_flags": environment.hide_disabled_flags,
        // The older name of the next one.
        "use_mv_v2_evaluation": environment.use_identity_composite_key_for_hashing,
        "use_identity_composite_key_for_hashing":
            environment.use_identity_composite_key_for_hashing,
        "hide_sensitive_data": environment.hide_sensitive_data,
        "use_v2_feature_versioning": environment.use_v2_feature_versioning,
        "use_identity_overrides_in_local_eval": environment.use_identity_overrides_in_local_eval,
        "is_creating": false,
        "metadata": [],
        "hash": environment.hash.name(),
        "disabled_as": environment.disabled_as.name(),
    })
}
