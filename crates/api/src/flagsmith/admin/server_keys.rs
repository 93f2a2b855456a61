//! `environments/{environment_key}/api-keys/`: server-side keys.

use super::super::answer::Answer;
use super::super::call::Call;
use super::super::error::Failure;
use super::super::fields::{Fields, Need, Text};
use super::super::view::View;
use super::environments::environment_key;
use super::times;
use crate::auth::Member;
use crate::routes::Routes;
use axum::http::StatusCode;
use flagstaff_core::{ServerKey, ServerKeyId};
use flagstaff_service::{Caller, ServerKeyPatch, ServerKeyRequest};
use serde_json::{Value as Json, json};

const NAME: Text = Text::up_to(100);

/// Adds the routes.
pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .view(
            "/api/v1/environments/{environment_key}/api-keys/",
            View::new("Environment Api Key List")
                .get(Member, list)
                .post(Member, create),
        )
        .view(
            "/api/v1/environments/{environment_key}/api-keys/{server_key_id}/",
            View::new("Environment Api Key Instance")
                .put(Member, replace)
                .patch(Member, update)
                .delete(Member, delete),
        )
}

/// `GET /api/v1/environments/{environment_key}/api-keys/`
async fn list(call: Call<Caller>) -> Result<Answer, Failure> {
    let key = environment_key(&call)?;
    let keys = call.service().server_keys(&call.subject, key).await?;
    let keys: Vec<Json> = keys.iter().map(shape).collect();
    Ok(Answer::of(&keys))
}

/// `POST /api/v1/environments/{environment_key}/api-keys/`
pub(super) async fn create(mut call: Call<Caller>) -> Result<Answer, Failure> {
    let body = call.body().await?;
    let request = Fields::read(&body, |fields| ServerKeyRequest {
        name: fields.text("name", Need::Required, NAME).or_default(),
        active: fields.boolean("active", Need::Optional).value(),
        expires_at: times::read(fields, "expires_at").value(),
        key: None,
    })?;
    let environment = environment_key(&call)?;
    let service = call.service();
    let key = service
        .create_server_key(&call.subject, environment, request)
        .await?;
    Ok(Answer::of(&shape(&key)).with_status(StatusCode::CREATED))
}

/// `PUT /api/v1/environments/{environment_key}/api-keys/{server_key_id}/`
async fn replace(call: Call<Caller>) -> Result<Answer, Failure> {
    change(call, Need::Required).await
}

/// `PATCH /api/v1/environments/{environment_key}/api-keys/{server_key_id}/`
async fn update(call: Call<Caller>) -> Result<Answer, Failure> {
    change(call, Need::Optional).await
}

async fn change(mut call: Call<Caller>, name: Need) -> Result<Answer, Failure> {
    let id = server_key_id(&call)?;
    let body = call.body().await?;
    let patch = Fields::read(&body, |fields| ServerKeyPatch {
        name: fields.text("name", name, NAME).value(),
        active: fields.boolean("active", Need::Optional).value(),
        expires_at: times::read(fields, "expires_at").change(),
    })?;
    let environment = environment_key(&call)?;
    let service = call.service();
    let key = service
        .update_server_key(&call.subject, environment, id, patch)
        .await?;
    Ok(Answer::of(&shape(&key)))
}

/// `DELETE /api/v1/environments/{environment_key}/api-keys/{server_key_id}/`
async fn delete(call: Call<Caller>) -> Result<Answer, Failure> {
    let id = server_key_id(&call)?;
    let environment = environment_key(&call)?;
    let service = call.service();
    service
        .delete_server_key(&call.subject, environment, id)
        .await?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

fn server_key_id(call: &Call<Caller>) -> Result<ServerKeyId, Failure> {
    call.path_id("server_key_id").map(ServerKeyId::new)
}

fn shape(key: &ServerKey) -> Json {
    json!({
        "id": key.id.get(),
        "key": &*key.key,
        "active": key.active,
        "created_at": times::shown(key.created_at),
        "name": key.name,
        "expires_at": times::shown_optional(key.expires_at),
    })
}
