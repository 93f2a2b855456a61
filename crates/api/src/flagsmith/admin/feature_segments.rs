//! `features/feature-segments/`: for which segments a feature is overridden, and in which order they count.

use super::super::answer::Answer;
use super::super::call::Call;
use super::super::error::Failure;
use super::super::fields::{Fields, Need, read_items};
use super::super::view::View;
use super::super::{scalar, words};
use super::feature_state_rows::environment_of;
use super::lists;
use super::segment_overrides::PRIORITY_LIMIT;
use crate::auth::Member;
use crate::routes::Routes;
use axum::http::StatusCode;
use flagstaff_core::{EnvironmentId, FeatureId, FeatureSegment, FeatureSegmentId, SegmentId};
use flagstaff_service::{
    Caller, FeatureSegmentPatch, FeatureSegmentRequest, FeatureSegmentView, OVERRIDE_LIMIT,
    ServiceError,
};
use serde_json::{Value as Json, json};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .view(
            "/api/v1/features/feature-segments/",
            View::new("Feature Segment List")
                .get(Member, list)
                .post(Member, create),
        )
        .view(
            "/api/v1/features/feature-segments/{link_id}/",
            View::new("Feature Segment Instance")
                .get(Member, get)
                .put(Member, replace)
                .patch(Member, update)
                .delete(Member, delete),
        )
        .view(
            "/api/v1/features/feature-segments/get-by-uuid/{uuid}/",
            View::new("Get by uuid").get(Member, get_by_uuid),
        )
        .view(
            "/api/v1/features/feature-segments/update-priorities/",
            View::new("Update priorities").post(Member, update_priorities),
        )
}

/// `GET /api/v1/features/feature-segments/?environment=…&feature=…`
async fn list(call: Call<Caller>) -> Result<Answer, Failure> {
    let parameters = call.query();
    let (environment, feature) = lists::read_parameters(&parameters, |fields| {
        let mut id = |name| {
            let id = fields.integer(name, Need::Required, i64::MIN, i64::MAX);
            id.or_default()
        };
        let environment = EnvironmentId::new(id("environment"));
        (environment, FeatureId::new(id("feature")))
    })?;
    let paging = lists::paging(&parameters)?;
    let service = call.service();
    let links = service
        .feature_segments(&call.subject, environment, feature)
        .await?;
    lists::answer_part(&call, paging, &links, shape)
}

/// `POST /api/v1/features/feature-segments/`
async fn create(mut call: Call<Caller>) -> Result<Answer, Failure> {
    let body = call.body().await?;
    // Recorded: whether the caller may is looked at first, and nobody may in an environment that is not there.
    let environment = body.get("environment").and_then(environment_of);
    let environment = environment.ok_or(ServiceError::Forbidden)?;
    let request = Fields::read(&body, |fields| {
        let feature = fields.row_id("feature", Need::Required).or_default();
        let segment = fields.row_id("segment", Need::Required).or_default();
        FeatureSegmentRequest {
            feature_id: FeatureId::new(feature),
            segment_id: SegmentId::new(segment),
        }
    })?;
    let service = call.service();
    let link = service
        .create_feature_segment(&call.subject, environment, request)
        .await?;
    Ok(Answer::of(&shape_link(&link)).with_status(StatusCode::CREATED))
}

/// `GET /api/v1/features/feature-segments/{link_id}/`
async fn get(call: Call<Caller>) -> Result<Answer, Failure> {
    let id = link_id(&call)?;
    let link = call.service().feature_segment(&call.subject, id).await?;
    Ok(Answer::of(&shape(&link)))
}

/// `GET /api/v1/features/feature-segments/get-by-uuid/{uuid}/`
async fn get_by_uuid(call: Call<Caller>) -> Result<Answer, Failure> {
    let uuid = call.path_uuid("uuid")?;
    let service = call.service();
    let link = service.feature_segment_by_uuid(&call.subject, uuid).await?;
    Ok(Answer::of(&shape(&link)))
}

/// `PUT /api/v1/features/feature-segments/{link_id}/`
async fn replace(call: Call<Caller>) -> Result<Answer, Failure> {
    change(call, Need::Required).await
}

/// `PATCH /api/v1/features/feature-segments/{link_id}/`
async fn update(call: Call<Caller>) -> Result<Answer, Failure> {
    change(call, Need::Optional).await
}

async fn change(mut call: Call<Caller>, need: Need) -> Result<Answer, Failure> {
    let id = link_id(&call)?;
    let body = call.body().await?;
    let patch = Fields::read(&body, |fields| {
        let feature = fields.row_id("feature", need).value();
        let segment = fields.row_id("segment", need).value();
        let environment = fields.row_id("environment", need).value();
        FeatureSegmentPatch {
            feature_id: feature.map(FeatureId::new),
            segment_id: segment.map(SegmentId::new),
            environment_id: environment.map(EnvironmentId::new),
        }
    })?;
    let service = call.service();
    let link = service
        .update_feature_segment(&call.subject, id, patch)
        .await?;
    Ok(Answer::of(&shape_link(&link)))
}

/// `DELETE /api/v1/features/feature-segments/{link_id}/`
async fn delete(call: Call<Caller>) -> Result<Answer, Failure> {
    let id = link_id(&call)?;
    let service = call.service();
    service.delete_feature_segment(&call.subject, id).await?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

/// `POST /api/v1/features/feature-segments/update-priorities/`
async fn update_priorities(mut call: Call<Caller>) -> Result<Answer, Failure> {
    let body = call.body().await?;
    let Json::Array(items) = &body else {
        return Err(Failure::of_no_field(words::no_list(scalar::kind(&body))));
    };
    let priorities = read_items(items, OVERRIDE_LIMIT, |fields| {
        let priority = fields.integer("priority", Need::Required, 0, PRIORITY_LIMIT);
        let id = fields.integer("id", Need::Required, i64::MIN, i64::MAX);
        (
            FeatureSegmentId::new(id.or_default()),
            priority.or_default(),
        )
    })
    .map_err(Failure::Invalid)?;
    let service = call.service();
    let links = service
        .update_priorities(&call.subject, &priorities)
        .await?;
    Ok(Answer::of(&links.iter().map(shape).collect::<Json>()))
}

fn link_id(call: &Call<Caller>) -> Result<FeatureSegmentId, Failure> {
    call.path_id("link_id").map(FeatureSegmentId::new)
}

fn shape(view: &FeatureSegmentView) -> Json {
    let link = &view.link;
    json!({
        "id": link.id.get(),
        "uuid": link.uuid.to_string(),
        "segment": link.segment_id.get(),
        "priority": link.priority,
        "environment": link.environment_id.get(),
        "segment_name": view.segment_name,
        "is_feature_specific": view.is_feature_specific,
    })
}

fn shape_link(link: &FeatureSegment) -> Json {
    json!({
        "id": link.id.get(),
        "uuid": link.uuid.to_string(),
        "feature": link.feature_id.get(),
        "segment": link.segment_id.get(),
        "environment": link.environment_id.get(),
        "priority": link.priority,
    })
}
