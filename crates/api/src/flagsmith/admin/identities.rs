//! `environments/{environment_key}/identities/`

use super::super::answer::Answer;
use super::super::call::Call;
use super::super::error::Failure;
use super::super::field_errors::FieldErrors;
use super::super::fields::{Fields, Need, Text};
use super::super::view::View;
use super::environments::environment_key;
use super::lists;
use crate::auth::Member;
use crate::routes::Routes;
use axum::http::StatusCode;
use flagstaff_core::{Identifier, Identity, IdentityId};
use flagstaff_service::{Caller, Noun, ServiceError};
use serde_json::{Value as Json, json};

const IDENTIFIER: Text = Text::up_to(Identifier::LIMIT);

/// Adds the routes.
pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .view(
            "/api/v1/environments/{environment_key}/identities/",
            View::new("Identity List")
                .get(Member, list)
                .post(Member, create),
        )
        .view(
            "/api/v1/environments/{environment_key}/identities/{identity_id}/",
            View::new("Identity Instance")
                .get(Member, get)
                .put(Member, replace)
                .patch(Member, update)
                .delete(Member, delete),
        )
}

/// `GET /api/v1/environments/{environment_key}/identities/`
async fn list(call: Call<Caller>) -> Result<Answer, Failure> {
    let parameters = call.query();
    let paging = lists::paging(&parameters)?;
    let key = environment_key(&call)?;
    let request = lists::page_request(paging);
    let service = call.service();
    let page = service
        .identities(&call.subject, key, parameters.last("q"), request)
        .await?;
    lists::answer_page(&call, paging, &page, shape)
}

/// `POST /api/v1/environments/{environment_key}/identities/`
async fn create(mut call: Call<Caller>) -> Result<Answer, Failure> {
    let body = call.body().await?;
    let identifier = Fields::read(&body, |fields| {
        fields.text("identifier", Need::Required, IDENTIFIER)
    })?;
    let identifier = identifier.or_default();
    let key = environment_key(&call)?;
    let identity = call
        .service()
        .create_identity(&call.subject, key, &identifier)
        .await
        .map_err(|error| refusal(error, &identifier))?;
    Ok(Answer::of(&shape(&identity)).with_status(StatusCode::CREATED))
}

/// `GET /api/v1/environments/{environment_key}/identities/{identity_id}/`
async fn get(call: Call<Caller>) -> Result<Answer, Failure> {
    let (key, id) = (environment_key(&call)?, identity_id(&call)?);
    let identity = call.service().identity(&call.subject, key, id).await?;
    Ok(Answer::of(&shape(&identity)))
}

/// `PUT /api/v1/environments/{environment_key}/identities/{identity_id}/`
async fn replace(call: Call<Caller>) -> Result<Answer, Failure> {
    change(call, Need::Required).await
}

/// `PATCH /api/v1/environments/{environment_key}/identities/{identity_id}/`
async fn update(call: Call<Caller>) -> Result<Answer, Failure> {
    change(call, Need::Optional).await
}

async fn change(mut call: Call<Caller>, need: Need) -> Result<Answer, Failure> {
    let body = call.body().await?;
    let identifier = Fields::read(&body, |fields| fields.text("identifier", need, IDENTIFIER))?;
    let (key, id) = (environment_key(&call)?, identity_id(&call)?);
    let service = call.service();
    let identity = match identifier.value() {
        Some(identifier) => service
            .rename_identity(&call.subject, key, id, &identifier)
            .await
            .map_err(|error| refusal(error, &identifier))?,
        None => service.identity(&call.subject, key, id).await?,
    };
    Ok(Answer::of(&shape(&identity)))
}

/// `DELETE /api/v1/environments/{environment_key}/identities/{identity_id}/`
async fn delete(call: Call<Caller>) -> Result<Answer, Failure> {
    let (key, id) = (environment_key(&call)?, identity_id(&call)?);
    let service = call.service();
    service.delete_identity(&call.subject, key, id).await?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

/// The identity that the path names.
pub(super) fn identity_id(call: &Call<Caller>) -> Result<IdentityId, Failure> {
    call.path_id("identity_id").map(IdentityId::new)
}

fn refusal(error: ServiceError, identifier: &str) -> Failure {
    match error {
        ServiceError::Conflict {
            noun: Noun::Identity,
        } => {
            let text = format!(
                "Identity with identifier '{identifier}' already exists in this environment"
            );
            Failure::Invalid(FieldErrors::Bare(text.into()).under("identifier"))
        }
        other => other.into(),
    }
}

fn shape(identity: &Identity) -> Json {
    json!({
        "id": identity.id.get(),
        "identifier": &*identity.identifier,
        "environment": identity.environment_id.get(),
    })
}
