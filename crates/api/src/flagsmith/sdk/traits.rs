//! `traits/`: traits set without asking for flags.

use super::super::answer::Answer;
use super::super::call::Call;
use super::super::error::Failure;
use super::super::field_errors::FieldErrors;
use super::super::fields::{Fields, Need, Text, read_items};
use super::super::words;
use flagstaff_core::{Identifier, Value};
use flagstaff_service::{
    OpenEnvironment, RequestKind, TRAIT_KEY_LIMIT, TRAIT_VALUE_LIMIT, TraitRequest,
};
use flagstaff_wire::flagsmith::identity::{write_incremented_trait, write_set_trait};
use flagstaff_wire::json::json_to_trait;
use serde_json::Value as Json;
use std::sync::Arc;

/// `POST /api/v1/traits/`
pub(super) async fn set_trait(mut call: Call<OpenEnvironment>) -> Result<Answer, Failure> {
    let body = call.body().await?;
    let request = Fields::read(&body, |fields| read_request(fields, Need::Required))?;
    let request = request.ok_or(Failure::NoSuchPath)?;
    count(&call);
    let service = call.service();
    service
        .set_traits(&call.subject, vec![request.clone()])
        .await?;
    let mut out = Vec::new();
    write_request(&request, &mut out);
    Ok(Answer::json(out))
}

/// `PUT /api/v1/traits/bulk/`
pub(super) async fn set_traits(mut call: Call<OpenEnvironment>) -> Result<Answer, Failure> {
    let body = call.body().await?;
    let broken = || Failure::Refused("Invalid request data".into());
    let Json::Array(items) = &body else {
        return Err(broken());
    };
    if !items.iter().all(Json::is_object) {
        return Err(broken());
    }
    let read = |fields: &mut Fields<'_>| read_request(fields, Need::RequiredOrNull);
    let requests = read_items(items, call.config().traits, read).map_err(Failure::Invalid)?;
    let requests: Vec<TraitRequest> = requests.into_iter().flatten().collect();
    count(&call);
    let service = call.service();
    service.set_traits(&call.subject, requests.clone()).await?;
    let mut out = vec![b'['];
    let set = requests.iter().filter(|request| !request.value.is_null());
    for (position, request) in set.enumerate() {
        if position > 0 {
            out.push(b',');
        }
        write_request(request, &mut out);
    }
    out.push(b']');
    Ok(Answer::json(out))
}

/// `POST /api/v1/traits/increment-value/`
pub(super) async fn increment(mut call: Call<OpenEnvironment>) -> Result<Answer, Failure> {
    let body = call.body().await?;
    let (key, by, identifier) = Fields::read(&body, |fields| {
        let key = read_trait_key(fields);
        let by = fields.integer("increment_by", Need::Required, i64::MIN, i64::MAX);
        (key, by.or_default(), read_identifier(fields))
    })?;
    let identifier = identifier.ok_or(Failure::NoSuchPath)?;
    count(&call);
    let service = call.service();
    let sum = service
        .increment_trait(&call.subject, identifier.clone(), Arc::clone(&key), by)
        .await?;
    let mut out = Vec::new();
    write_incremented_trait(identifier.as_str(), &key, sum, &mut out);
    Ok(Answer::json(out))
}

fn count(call: &Call<OpenEnvironment>) {
    let labels = call.sdk_labels();
    call.service()
        .count_request(&call.subject, RequestKind::Traits, &labels);
}

fn read_request(fields: &mut Fields<'_>, value: Need) -> Option<TraitRequest> {
    let identifier = fields.object("identity", Need::Required, read_identifier);
    let value = read_trait_value(fields, value);
    let key = read_trait_key(fields);
    Some(TraitRequest {
        identifier: identifier.value().flatten()?,
        key,
        value: value?,
    })
}

fn read_identifier(fields: &mut Fields<'_>) -> Option<Identifier> {
    let rule = Text::up_to(Identifier::LIMIT);
    let text = fields.text("identifier", Need::Required, rule).value()?;
    let identifier = Identifier::parse(&text);
    if identifier.is_err() {
        fields.fail("identifier", words::NOT_TEXT);
    }
    identifier.ok()
}

/// The name of a trait.
pub(super) fn read_trait_key(fields: &mut Fields<'_>) -> Arc<str> {
    let rule = Text::up_to(TRAIT_KEY_LIMIT);
    let key = fields.text("trait_key", Need::Required, rule);
    key.or_default().into()
}

/// The value of a trait: a scalar, or the text form of anything else; null where that is allowed.
pub(super) fn read_trait_value(fields: &mut Fields<'_>, need: Need) -> Option<Value> {
    let sent = fields.any("trait_value", need).change()?;
    let value = sent.map_or(Value::Null, json_to_trait);
    match check_value(&value) {
        Ok(()) => Some(value),
        Err(problem) => {
            fields.fail("trait_value", problem);
            None
        }
    }
}

/// What is wrong with the value of a trait.
pub(super) fn check_value(value: &Value) -> Result<(), &'static str> {
    match value {
        Value::Text(text)
            if text.len() > TRAIT_VALUE_LIMIT && text.chars().count() > TRAIT_VALUE_LIMIT =>
        {
            Err(words::VALUE_TOO_LONG)
        }
        Value::BigInteger(digits) if digits.len() > TRAIT_VALUE_LIMIT => Err(words::VALUE_TOO_LONG),
        Value::Text(text) if text.contains('\0') => Err(words::NUL),
        // No answer could carry it.
        Value::Float(float) if !float.is_finite() => Err(words::NOT_NUMBER),
        Value::Null
        | Value::Boolean(_)
        | Value::Integer(_)
        | Value::BigInteger(_)
        | Value::Float(_)
        | Value::Text(_) => Ok(()),
    }
}

/// One message about a trait's value.
pub(super) fn value_failure(problem: &'static str) -> Failure {
    Failure::Invalid(FieldErrors::of_field("trait_value", problem))
}

fn write_request(request: &TraitRequest, out: &mut Vec<u8>) {
    let identifier = request.identifier.as_str();
    write_set_trait(identifier, &request.key, &request.value, out);
}
