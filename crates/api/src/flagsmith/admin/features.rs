//! `projects/{project_id}/features/`

use super::super::answer::Answer;
use super::super::call::Call;
use super::super::error::Failure;
use super::super::field_errors::FieldErrors;
use super::super::fields::{Fields, Need, Text};
use super::feature_body::{Shown, read_patch, read_request, shape};
use super::lists;
use super::projects::project_id;
use axum::http::StatusCode;
use flagstaff_core::{EnvironmentId, FeatureId};
use flagstaff_service::{Caller, FeatureQuery, FeatureSort, Noun, Problem, ServiceError};

const NO_ENVIRONMENT: &str =
    "Environment is required in order to filter by state search or by state enabled";
const SEARCH: Text = Text::up_to(lists::SEARCH_LIMIT).or_blank();

#[derive(Debug, Clone, Copy)]
enum SortField {
    Name,
    Created,
}

#[derive(Debug, Clone, Copy)]
enum Direction {
    Ascending,
    Descending,
}

/// `GET /api/v1/projects/{project_id}/features/`
pub(super) async fn list(call: Call<Caller>) -> Result<Answer, Failure> {
    let parameters = call.query();
    let query = lists::read_parameters(&parameters, read_query)?;
    let paging = lists::paging(&parameters)?;
    let project = project_id(&call)?;
    let service = call.service();
    let page = service
        .features(&call.subject, project, query, lists::page_request(paging))
        .await
        .map_err(|error| match error {
            ServiceError::Invalid {
                field: "environment",
                problem: Problem::Required,
            } => Failure::Invalid(FieldErrors::message(NO_ENVIRONMENT)),
            other => other.into(),
        })?;
    lists::answer_page(&call, paging, &page, |view| shape(view, Shown::Whole))
}

fn read_query(fields: &mut Fields<'_>) -> FeatureQuery {
    let by = [
        ("created_date", SortField::Created),
        ("name", SortField::Name),
    ];
    let directions = [
        ("ASC", Direction::Ascending),
        ("DESC", Direction::Descending),
    ];
    let environment = fields.integer("environment", Need::Optional, i64::MIN, i64::MAX);
    let search = fields.text("search", Need::Optional, SEARCH).value();
    let value = fields.text("value_search", Need::Optional, SEARCH).value();
    let field = fields.choice("sort_field", Need::Optional, &by).value();
    let direction = fields.choice("sort_direction", Need::Optional, &directions);
    FeatureQuery {
        environment: environment.value().map(EnvironmentId::new),
        search: search.filter(|text| !text.is_empty()),
        is_archived: fields.boolean("is_archived", Need::Optional).value(),
        is_enabled: fields.boolean("is_enabled", Need::Optional).value(),
        value: value.filter(|text| !text.is_empty()),
        sort: match (field, direction.value()) {
            (None | Some(SortField::Created), None | Some(Direction::Ascending)) => {
                FeatureSort::Created
            }
            (None | Some(SortField::Created), Some(Direction::Descending)) => {
                FeatureSort::CreatedDescending
            }
            (Some(SortField::Name), None | Some(Direction::Ascending)) => FeatureSort::Name,
            (Some(SortField::Name), Some(Direction::Descending)) => FeatureSort::NameDescending,
        },
    }
}

/// `POST /api/v1/projects/{project_id}/features/`
pub(super) async fn create(mut call: Call<Caller>) -> Result<Answer, Failure> {
    let project = project_id(&call)?;
    let body = call.body().await?;
    let request = Fields::read(&body, read_request)?;
    let service = call.service();
    let feature = service
        .create_feature(&call.subject, project, request)
        .await
        .map_err(refusal)?;
    Ok(Answer::of(&shape(&feature, Shown::Created)).with_status(StatusCode::CREATED))
}

/// `GET /api/v1/projects/{project_id}/features/{feature_id}/`
pub(super) async fn get(call: Call<Caller>) -> Result<Answer, Failure> {
    let (project, id) = (project_id(&call)?, feature_id(&call)?);
    let feature = call.service().feature(&call.subject, project, id).await?;
    Ok(Answer::of(&shape(&feature, Shown::Whole)))
}

/// `PUT /api/v1/projects/{project_id}/features/{feature_id}/`: what the body leaves out stays.
pub(super) async fn replace(call: Call<Caller>) -> Result<Answer, Failure> {
    change(call, Shown::Whole).await
}

/// `PATCH /api/v1/projects/{project_id}/features/{feature_id}/`
pub(super) async fn update(call: Call<Caller>) -> Result<Answer, Failure> {
    change(call, Shown::Patched).await
}

async fn change(mut call: Call<Caller>, shown: Shown) -> Result<Answer, Failure> {
    let (project, id) = (project_id(&call)?, feature_id(&call)?);
    let body = call.body().await?;
    let patch = Fields::read(&body, read_patch)?;
    let service = call.service();
    let feature = service
        .update_feature(&call.subject, project, id, patch)
        .await?;
    Ok(Answer::of(&shape(&feature, shown)))
}

/// `DELETE /api/v1/projects/{project_id}/features/{feature_id}/`
pub(super) async fn delete(call: Call<Caller>) -> Result<Answer, Failure> {
    let (project, id) = (project_id(&call)?, feature_id(&call)?);
    let service = call.service();
    service.delete_feature(&call.subject, project, id).await?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

/// The feature that the path names.
pub(super) fn feature_id(call: &Call<Caller>) -> Result<FeatureId, Failure> {
    call.path_id("feature_id").map(FeatureId::new)
}

fn refusal(error: ServiceError) -> Failure {
    match error {
        ServiceError::Conflict {
            noun: Noun::Feature,
        } => Failure::of_field(
            "name",
            "Feature with that name already exists for this project. \
             Note that feature names are case insensitive.",
        ),
        other => other.into(),
    }
}
