//! `environments/{environment_key}/identities/{identity_id}/featurestates/`: overrides for one identity.

use super::super::answer::Answer;
use super::super::call::Call;
use super::super::error::Failure;
use super::super::fields::{Fields, Need};
use super::super::view::View;
use super::environments::environment_key;
use super::feature_body::feature_kind_text;
use super::feature_states::state_id;
use super::identities::identity_id;
use super::{lists, state_bodies, state_values};
use crate::auth::Member;
use crate::routes::Routes;
use axum::http::StatusCode;
use flagstaff_core::{FeatureId, Flag, IdentityId, Origin, Snapshot, SnapshotFeature, Variant};
use flagstaff_service::{Caller, IdentityOverrideRequest, ServiceError, StatePatch};
use flagstaff_wire::json::value_to_json;
use serde_json::{Value as Json, json};

/// Adds the routes.
pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .view(
            "/api/v1/environments/{environment_key}/identities/{identity_id}/featurestates/",
            View::new("Identity Feature State List")
                .get(Member, list)
                .post(Member, create),
        )
        .view(
            "/api/v1/environments/{environment_key}/identities/{identity_id}/featurestates/all/",
            View::new("All").get(Member, all),
        )
        .view(
            "/api/v1/environments/{environment_key}/identities/{identity_id}/featurestates/clone-from-given-identity/",
            View::new("Clone from given identity").post(Member, copy),
        )
        .view(
            "/api/v1/environments/{environment_key}/identities/{identity_id}/featurestates/{state_id}/",
            View::new("Identity Feature State Instance")
                .get(Member, get)
                .put(Member, replace)
                .patch(Member, update)
                .delete(Member, delete),
        )
}

/// `GET …/featurestates/`
async fn list(call: Call<Caller>) -> Result<Answer, Failure> {
    let paging = lists::paging(&call.query())?;
    let (key, identity) = (environment_key(&call)?, identity_id(&call)?);
    let service = call.service();
    let (_, states) = service
        .identity_overrides(&call.subject, key, identity)
        .await?;
    lists::answer_part(&call, paging, &states, state_bodies::list_item)
}

/// `POST …/featurestates/`
async fn create(mut call: Call<Caller>) -> Result<Answer, Failure> {
    let body = call.body().await?;
    if body.is_object() && body.get("feature").is_none_or(Json::is_null) {
        // Recorded: the permission on the feature is looked for first.
        return Err(ServiceError::Forbidden.into());
    }
    let request = Fields::read(&body, |fields| {
        let feature = fields.row_id("feature", Need::Required);
        IdentityOverrideRequest {
            feature_id: FeatureId::new(feature.or_default()),
            enabled: fields.boolean("enabled", Need::Optional).or_default(),
            value: state_values::read_bare(fields),
            weights: state_values::read_weights(fields).unwrap_or_default(),
        }
    })?;
    let weights = request.weights.clone();
    let (key, identity) = (environment_key(&call)?, identity_id(&call)?);
    let state = call
        .service()
        .create_identity_override(&call.subject, key, identity, request)
        .await
        .map_err(|error| state_values::refusal(error, &weights))?;
    Ok(Answer::of(&state_bodies::row(&state)).with_status(StatusCode::CREATED))
}

/// `GET …/featurestates/{state_id}/`
async fn get(call: Call<Caller>) -> Result<Answer, Failure> {
    let (key, identity) = (environment_key(&call)?, identity_id(&call)?);
    let id = state_id(&call)?;
    let service = call.service();
    let state = service
        .identity_override(&call.subject, key, identity, id)
        .await?;
    Ok(Answer::of(&state_bodies::row(&state)))
}

/// `PUT …/featurestates/{state_id}/`: what the body leaves out stays.
async fn replace(mut call: Call<Caller>) -> Result<Answer, Failure> {
    let body = call.body().await?;
    let patch = Fields::read(&body, |fields| StatePatch {
        weights: state_values::read_weights(fields),
        ..state_values::read_patch(fields)
    })?;
    let weights = patch.weights.clone().unwrap_or_default();
    let (key, identity) = (environment_key(&call)?, identity_id(&call)?);
    let id = state_id(&call)?;
    let state = call
        .service()
        .update_identity_override(&call.subject, key, identity, id, patch)
        .await
        .map_err(|error| state_values::refusal(error, &weights))?;
    Ok(Answer::of(&state_bodies::row(&state)))
}

/// `PATCH …/featurestates/{state_id}/`: passes over weights, as the environment's states do.
async fn update(mut call: Call<Caller>) -> Result<Answer, Failure> {
    let body = call.body().await?;
    let patch = Fields::read(&body, state_values::read_patch)?;
    let (key, identity) = (environment_key(&call)?, identity_id(&call)?);
    let id = state_id(&call)?;
    let service = call.service();
    let state = service
        .update_identity_override(&call.subject, key, identity, id, patch)
        .await?;
    Ok(Answer::of(&state_bodies::patched(&state)))
}

/// `DELETE …/featurestates/{state_id}/`
async fn delete(call: Call<Caller>) -> Result<Answer, Failure> {
    let (key, identity) = (environment_key(&call)?, identity_id(&call)?);
    let id = state_id(&call)?;
    let service = call.service();
    service
        .delete_identity_override(&call.subject, key, identity, id)
        .await?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

/// `POST …/featurestates/clone-from-given-identity/`: answers every flag as the identity gets it from now on.
async fn copy(mut call: Call<Caller>) -> Result<Answer, Failure> {
    let body = call.body().await?;
    let from = Fields::read(&body, |fields| {
        fields.integer("source_identity_id", Need::Required, i64::MIN, i64::MAX)
    })?;
    let (key, identity) = (environment_key(&call)?, identity_id(&call)?);
    let from = IdentityId::new(from.or_default());
    let service = call.service();
    service
        .copy_identity_overrides(&call.subject, key, identity, from)
        .await?;
    answer_flags(&call).await
}

/// `GET …/featurestates/all/`: every flag as the identity gets it.
async fn all(call: Call<Caller>) -> Result<Answer, Failure> {
    answer_flags(&call).await
}

async fn answer_flags(call: &Call<Caller>) -> Result<Answer, Failure> {
    let (key, identity) = (environment_key(call)?, identity_id(call)?);
    let service = call.service();
    let (open, identified) = service
        .identity_to_evaluate(&call.subject, key, identity)
        .await?;
    let snapshot = open.snapshot();
    let context = identified.context();
    let mut evaluator = snapshot.rules.evaluator(&context);
    let features = snapshot.features.iter().enumerate();
    let flags: Vec<Json> = features
        .map(|(index, part)| shape_flag(snapshot, part, &evaluator.flag(index)))
        .collect();
    Ok(Answer::of(&flags))
}

fn shape_flag(snapshot: &Snapshot, part: &SnapshotFeature, flag: &Flag<'_>) -> Json {
    let (overridden_by, segment) = match flag.origin {
        Origin::Environment => (None, None),
        Origin::Identity => (Some("IDENTITY"), None),
        Origin::Segment { segment, .. } => (Some("SEGMENT"), snapshot.segments.get(segment)),
    };
    let segment =
        segment.map(|part| json!({ "id": part.segment.id.get(), "name": part.segment.name }));
    json!({
        "feature": {
            "id": part.feature.id.get(),
            "name": part.feature.name.as_str(),
            "type": feature_kind_text(part.feature.kind),
        },
        "enabled": flag.enabled,
        "feature_state_value": value_to_json(flag.value),
        "overridden_by": overridden_by,
        "segment": segment,
        "multivariate_feature_state_values":
            flag.state.variants.iter().map(shape_variant).collect::<Json>(),
    })
}

fn shape_variant(variant: &Variant) -> Json {
    json!({
        "multivariate_feature_option": { "value": value_to_json(&variant.value) },
        "percentage_allocation": variant.weight,
    })
}
