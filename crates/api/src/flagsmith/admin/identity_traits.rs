//! `environments/{environment_key}/identities/{identity_id}/traits/`, and traits of a whole environment by their name.

use super::super::answer::Answer;
use super::super::call::Call;
use super::super::error::Failure;
use super::super::fields::{Fields, Need, Text};
use super::super::view::View;
use super::environments::environment_key;
use super::identities::identity_id;
use super::{lists, times};
use crate::auth::Member;
use crate::routes::Routes;
use axum::http::StatusCode;
use flagstaff_core::{IdentityTrait, TraitId, Value};
use flagstaff_service::{
    Caller, Noun, ServiceError, TRAIT_KEY_LIMIT, TRAIT_VALUE_LIMIT, TraitKind, TraitPatch,
};
use serde_json::{Value as Json, json};

const KEY: Text = Text::up_to(TRAIT_KEY_LIMIT);
const VALUE: Text = Text::up_to(TRAIT_VALUE_LIMIT).or_blank();
const KINDS: [(&str, TraitKind); 4] = [
    ("int", TraitKind::Integer),
    ("unicode", TraitKind::Text),
    ("bool", TraitKind::Boolean),
    ("float", TraitKind::Float),
];

/// Adds the routes.
pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .view(
            "/api/v1/environments/{environment_key}/identities/{identity_id}/traits/",
            View::new("Trait List")
                .get(Member, list)
                .post(Member, create),
        )
        .view(
            "/api/v1/environments/{environment_key}/identities/{identity_id}/traits/{trait_id}/",
            View::new("Trait Instance")
                .get(Member, get)
                .put(Member, replace)
                .patch(Member, update)
                .delete(Member, delete),
        )
        .view(
            "/api/v1/environments/{environment_key}/trait-keys/",
            View::new("Trait keys").get(Member, keys),
        )
        .view(
            "/api/v1/environments/{environment_key}/delete-traits/",
            View::new("Delete traits").post(Member, delete_key),
        )
}

/// `GET …/traits/`
async fn list(call: Call<Caller>) -> Result<Answer, Failure> {
    let paging = lists::paging(&call.query())?;
    let (key, identity) = (environment_key(&call)?, identity_id(&call)?);
    let request = lists::page_request(paging);
    let service = call.service();
    let page = service
        .identity_traits(&call.subject, key, identity, request)
        .await?;
    lists::answer_page(&call, paging, &page, shape)
}

/// `POST …/traits/`
async fn create(mut call: Call<Caller>) -> Result<Answer, Failure> {
    let body = call.body().await?;
    let new = Fields::read(&body, |fields| read_patch(fields, Need::Required))?;
    let (key, identity) = (environment_key(&call)?, identity_id(&call)?);
    let service = call.service();
    let made = service
        .create_identity_trait(&call.subject, key, identity, new)
        .await
        .map_err(refusal)?;
    Ok(Answer::of(&shape(&made)).with_status(StatusCode::CREATED))
}

/// `GET …/traits/{trait_id}/`
async fn get(call: Call<Caller>) -> Result<Answer, Failure> {
    let (key, identity) = (environment_key(&call)?, identity_id(&call)?);
    let id = trait_id(&call)?;
    let service = call.service();
    let found = service
        .identity_trait(&call.subject, key, identity, id)
        .await?;
    Ok(Answer::of(&shape(&found)))
}

/// `PUT …/traits/{trait_id}/`: what the body leaves out stays, save for the name, which it has to hold.
async fn replace(call: Call<Caller>) -> Result<Answer, Failure> {
    change(call, Need::Required).await
}

/// `PATCH …/traits/{trait_id}/`
async fn update(call: Call<Caller>) -> Result<Answer, Failure> {
    change(call, Need::Optional).await
}

async fn change(mut call: Call<Caller>, need: Need) -> Result<Answer, Failure> {
    let body = call.body().await?;
    let patch = Fields::read(&body, |fields| read_patch(fields, need))?;
    let (key, identity) = (environment_key(&call)?, identity_id(&call)?);
    let id = trait_id(&call)?;
    let service = call.service();
    let changed = service
        .update_identity_trait(&call.subject, key, identity, id, patch)
        .await
        .map_err(refusal)?;
    Ok(Answer::of(&shape(&changed)))
}

/// `DELETE …/traits/{trait_id}/`, with `?deleteAllMatchingTraits=true` those of this name of all identities.
async fn delete(call: Call<Caller>) -> Result<Answer, Failure> {
    let everywhere = lists::read_parameters(&call.query(), |fields| {
        fields.boolean("deleteAllMatchingTraits", Need::Optional)
    })?;
    let (key, identity) = (environment_key(&call)?, identity_id(&call)?);
    let id = trait_id(&call)?;
    let service = call.service();
    service
        .delete_identity_trait(&call.subject, key, identity, id, everywhere.or_default())
        .await?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

/// `GET /api/v1/environments/{environment_key}/trait-keys/`
async fn keys(call: Call<Caller>) -> Result<Answer, Failure> {
    let key = environment_key(&call)?;
    let keys = call.service().trait_keys(&call.subject, key).await?;
    Ok(Answer::of(&json!({ "keys": keys })))
}

/// `POST /api/v1/environments/{environment_key}/delete-traits/`
async fn delete_key(mut call: Call<Caller>) -> Result<Answer, Failure> {
    let body = call.body().await?;
    let name = Fields::read(&body, |fields| fields.text("key", Need::Required, KEY))?;
    let key = environment_key(&call)?;
    let service = call.service();
    service
        .delete_trait_key(&call.subject, key, &name.or_default())
        .await?;
    Ok(Answer::empty(StatusCode::OK))
}

fn trait_id(call: &Call<Caller>) -> Result<TraitId, Failure> {
    call.path_id("trait_id").map(TraitId::new)
}

fn refusal(error: ServiceError) -> Failure {
    match error {
        ServiceError::Conflict { noun: Noun::Trait } => Failure::of_field(
            "trait_key",
            "The identity has a trait with this key already.",
        ),
        other => other.into(),
    }
}

fn read_patch(fields: &mut Fields<'_>, key: Need) -> TraitPatch {
    let boolean = fields.boolean("boolean_value", Need::OptionalOrNull);
    TraitPatch {
        key: fields.text("trait_key", key, KEY).value(),
        kind: fields
            .choice("value_type", Need::OptionalOrNull, &KINDS)
            .value(),
        text: fields
            .text("string_value", Need::OptionalOrNull, VALUE)
            .value(),
        integer: fields
            .integer("integer_value", Need::OptionalOrNull, i64::MIN, i64::MAX)
            .value(),
        float: fields.number("float_value", Need::OptionalOrNull).value(),
        boolean: boolean.value(),
    }
}

fn shape(found: &IdentityTrait) -> Json {
    let value = &found.value;
    let kind = TraitKind::of(value);
    let word = KINDS.iter().find(|(_, each)| *each == kind);
    let text = |value: &Value| match value {
        Value::Text(text) | Value::BigInteger(text) => Some(text.to_string()),
        Value::Null | Value::Boolean(_) | Value::Integer(_) | Value::Float(_) => None,
    };
    json!({
        "id": found.id.get(),
        "trait_key": &*found.key,
        "value_type": word.map(|(word, _)| word),
        "integer_value": if let Value::Integer(integer) = value { Some(integer) } else { None },
        "string_value": text(value),
        "boolean_value": if let Value::Boolean(boolean) = value { Some(boolean) } else { None },
        "float_value": if let Value::Float(float) = value { Some(float) } else { None },
        "created_date": times::shown(found.created_at),
    })
}
