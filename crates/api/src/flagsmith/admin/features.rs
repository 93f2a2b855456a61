//! `projects/{project_id}/features/`

use super::super::answer::Answer;
use super::super::call::Call;
use super::super::error::Failure;
use super::super::field_errors::FieldErrors;
use super::super::fields::{Fields, Need, Text};
use super::super::view::View;
use super::feature_body::{KINDS_OF_FEATURE, Shown, read_patch, read_request, shape};
use super::lists;
use super::projects::project_id;
use crate::auth::Member;
use crate::routes::Routes;
use axum::http::StatusCode;
use flagstaff_core::{EnvironmentId, FeatureId, IdentityId, MemberId, SegmentId, TagId};
use flagstaff_service::{
    Caller, FeatureQuery, FeatureSort, Noun, Problem, ServiceError, TagFilter,
};

const NO_ENVIRONMENT: &str =
    "Environment is required in order to filter by state search or by state enabled";
/// Ids in one parameter.
const ID_LIMIT: usize = 100;
const SEARCH: Text = Text::up_to(lists::SEARCH_LIMIT).or_blank();

/// Adds the routes.
pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .view(
            "/api/v1/projects/{project_id}/features/",
            View::new("Feature List")
                .get(Member, list)
                .post(Member, create),
        )
        .view(
            "/api/v1/projects/{project_id}/features/{feature_id}/",
            View::new("Feature Instance")
                .get(Member, get)
                .put(Member, replace)
                .patch(Member, update)
                .delete(Member, delete),
        )
        .view(
            "/api/v1/features/get-by-uuid/{uuid}/",
            View::new("Get Feature By Uuid")
                .as_function()
                .get(Member, get_by_uuid),
        )
}

#[derive(Debug, Clone, Copy)]
enum SortField {
    Name,
    Created,
}

#[derive(Debug, Clone, Copy)]
enum TagStrategy {
    Union,
    Intersection,
}

#[derive(Debug, Clone, Copy)]
enum Direction {
    Ascending,
    Descending,
}

/// `GET /api/v1/projects/{project_id}/features/`
async fn list(call: Call<Caller>) -> Result<Answer, Failure> {
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
    let segment = fields.integer("segment", Need::Optional, i64::MIN, i64::MAX);
    let identity = fields.integer("identity", Need::Optional, i64::MIN, i64::MAX);
    let search = fields.text("search", Need::Optional, SEARCH).value();
    let value = fields.text("value_search", Need::Optional, SEARCH).value();
    let kind = fields.choice("type", Need::Optional, &KINDS_OF_FEATURE);
    let field = fields.choice("sort_field", Need::Optional, &by).value();
    let direction = fields.choice("sort_direction", Need::Optional, &directions);
    FeatureQuery {
        environment: environment.value().map(EnvironmentId::new),
        segment: segment.value().map(SegmentId::new),
        identity: identity.value().map(IdentityId::new),
        search: search.filter(|text| !text.is_empty()),
        is_archived: fields.boolean("is_archived", Need::Optional).value(),
        is_enabled: fields.boolean("is_enabled", Need::Optional).value(),
        value: value.filter(|text| !text.is_empty()),
        kind: kind.value(),
        tags: read_tags(fields),
        owners: read_owners(fields),
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

/// Tags that are asked for; an empty text asks for features without any.
fn read_tags(fields: &mut Fields<'_>) -> Option<TagFilter> {
    let strategies = [
        ("UNION", TagStrategy::Union),
        ("INTERSECTION", TagStrategy::Intersection),
    ];
    let strategy = fields.choice("tag_strategy", Need::Optional, &strategies);
    let tags = fields.numbers_in_text("tags", ID_LIMIT, "Tag IDs must be integers.")?;
    if tags.is_empty() {
        return Some(TagFilter::Untagged);
    }
    let tags = tags.into_iter().map(TagId::new).collect();
    Some(match strategy.value() {
        Some(TagStrategy::Union) => TagFilter::Any(tags),
        Some(TagStrategy::Intersection) | None => TagFilter::All(tags),
    })
}

/// Owners that are asked for. A group looks after nothing, because there are no groups.
fn read_owners(fields: &mut Fields<'_>) -> Option<Vec<MemberId>> {
    let problem = "Group owner IDs must be integers.";
    let groups = fields.numbers_in_text("group_owners", ID_LIMIT, problem);
    let problem = "Owner IDs must be integers.";
    let members = fields.numbers_in_text("owners", ID_LIMIT, problem);
    let asked_for = |ids: Option<Vec<i64>>| ids.filter(|ids| !ids.is_empty());
    let owners = match (asked_for(members), asked_for(groups)) {
        (None, None) => return None,
        (members, _) => members.unwrap_or_default(),
    };
    Some(owners.into_iter().map(MemberId::new).collect())
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
async fn get(call: Call<Caller>) -> Result<Answer, Failure> {
    let (project, id) = (project_id(&call)?, feature_id(&call)?);
    let feature = call.service().feature(&call.subject, project, id).await?;
    Ok(Answer::of(&shape(&feature, Shown::Whole)))
}

/// `GET /api/v1/features/get-by-uuid/{uuid}/`
async fn get_by_uuid(call: Call<Caller>) -> Result<Answer, Failure> {
    let uuid = call.path_uuid("uuid")?;
    let feature = call.service().feature_by_uuid(&call.subject, uuid).await?;
    Ok(Answer::of(&shape(&feature, Shown::Found)))
}

/// `PUT /api/v1/projects/{project_id}/features/{feature_id}/`: what the body leaves out stays.
async fn replace(call: Call<Caller>) -> Result<Answer, Failure> {
    change(call, Shown::Whole).await
}

/// `PATCH /api/v1/projects/{project_id}/features/{feature_id}/`
async fn update(call: Call<Caller>) -> Result<Answer, Failure> {
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
async fn delete(call: Call<Caller>) -> Result<Answer, Failure> {
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
