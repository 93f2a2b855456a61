//! `organisations/{organisation_id}/master-api-keys/`: keys of programs.

use super::super::answer::Answer;
use super::super::call::Call;
use super::super::error::Failure;
use super::super::fields::{Fields, Need, Text};
use super::super::view::View;
use super::organisations::organisation_id;
use super::{lists, times};
use crate::auth::Member;
use crate::routes::Routes;
use axum::http::StatusCode;
use flagstaff_core::{ApiKey, MemberId, Timestamp};
use flagstaff_service::{ApiKeyPatch, ApiKeyRequest, Caller};
use secrecy::ExposeSecret as _;
use serde_json::{Value as Json, json};

const NAME: Text = Text::up_to(50);

/// Adds the routes.
pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .view(
            "/api/v1/organisations/{organisation_id}/master-api-keys/",
            View::new("Master Api Key List")
                .get(Member, list)
                .post(Member, create),
        )
        .view(
            "/api/v1/organisations/{organisation_id}/master-api-keys/{prefix}/",
            View::new("Master Api Key Instance")
                .get(Member, get)
                .put(Member, replace)
                .patch(Member, update)
                .delete(Member, delete),
        )
}

/// `GET /api/v1/organisations/{organisation_id}/master-api-keys/`
async fn list(call: Call<Caller>) -> Result<Answer, Failure> {
    let paging = lists::paging(&call.query())?;
    let organisation = organisation_id(&call)?;
    let service = call.service();
    let keys = service.api_keys(&call.subject, organisation).await?;
    let now = service.clock().now();
    lists::answer_part(&call, paging, &keys, |key| shape(key, None, now))
}

/// `POST /api/v1/organisations/{organisation_id}/master-api-keys/`
async fn create(mut call: Call<Caller>) -> Result<Answer, Failure> {
    let organisation = organisation_id(&call)?;
    let body = call.body().await?;
    let request = Fields::read(&body, |fields| ApiKeyRequest {
        name: fields.text("name", Need::Required, NAME).or_default(),
        is_admin: fields.boolean("is_admin", Need::Optional).value(),
        expires_at: times::read(fields, "expiry_date").value(),
    })?;
    let service = call.service();
    let (key, text) = service
        .create_api_key(&call.subject, organisation, request)
        .await?;
    let now = service.clock().now();
    let json = shape(&key, Some(text.expose_secret()), now);
    Ok(Answer::of(&json).with_status(StatusCode::CREATED))
}

/// `GET /api/v1/organisations/{organisation_id}/master-api-keys/{prefix}/`
async fn get(call: Call<Caller>) -> Result<Answer, Failure> {
    let (organisation, prefix) = (organisation_id(&call)?, call.path_text("prefix")?);
    let service = call.service();
    let key = service.api_key(&call.subject, organisation, prefix).await?;
    Ok(Answer::of(&shape(&key, None, service.clock().now())))
}

/// `PUT /api/v1/organisations/{organisation_id}/master-api-keys/{prefix}/`
async fn replace(call: Call<Caller>) -> Result<Answer, Failure> {
    change(call, Need::Required).await
}

/// `PATCH /api/v1/organisations/{organisation_id}/master-api-keys/{prefix}/`
async fn update(call: Call<Caller>) -> Result<Answer, Failure> {
    change(call, Need::Optional).await
}

async fn change(mut call: Call<Caller>, name: Need) -> Result<Answer, Failure> {
    let organisation = organisation_id(&call)?;
    let body = call.body().await?;
    let patch = Fields::read(&body, |fields| ApiKeyPatch {
        name: fields.text("name", name, NAME).value(),
        is_admin: fields.boolean("is_admin", Need::Optional).value(),
        revoked: fields.boolean("revoked", Need::Optional).value(),
        expires_at: times::read(fields, "expiry_date").change(),
    })?;
    let service = call.service();
    let prefix = call.path_text("prefix")?;
    let key = service
        .update_api_key(&call.subject, organisation, prefix, patch)
        .await?;
    Ok(Answer::of(&shape(&key, None, service.clock().now())))
}

/// `DELETE /api/v1/organisations/{organisation_id}/master-api-keys/{prefix}/`
async fn delete(call: Call<Caller>) -> Result<Answer, Failure> {
    let (organisation, prefix) = (organisation_id(&call)?, call.path_text("prefix")?);
    let service = call.service();
    service
        .delete_api_key(&call.subject, organisation, prefix)
        .await?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

/// A key; its text is in the answer that makes it, and in no other.
fn shape(key: &ApiKey, text: Option<&str>, now: Timestamp) -> Json {
    let mut json = json!({
        // The original's id holds the stored hash. Clients ask by the prefix.
        "id": key.prefix,
        "prefix": key.prefix,
        "created": times::shown(key.created_at),
        "name": key.name,
        "revoked": key.revoked,
        "expiry_date": times::shown_optional(key.expires_at),
    });
    if let Some(text) = text {
        json["key"] = text.into();
    }
    json["is_admin"] = key.is_admin.into();
    json["has_expired"] = key.has_expired(now).into();
    json["created_by"] = key.created_by.map(MemberId::get).into();
    json
}
