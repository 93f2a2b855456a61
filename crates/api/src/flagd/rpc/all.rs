//! All flags of one caller at once, which only version 1 can be asked for.

use super::answer::FlagType as _;
use super::json_write::{number_json, object_json};
use super::metadata::SetMetadata;
use flagstaff_core::{Resolution, TypedValue};
use flagstaff_proto::flagd::evaluation::v1::any_flag::Value;
use flagstaff_proto::flagd::evaluation::v1::{AnyFlag, ResolveAllResponse};
use prost::Message as _;
use prost_types::Struct;
use serde_json::{Map, Value as Json, json};
use std::collections::HashMap;

/// Flags that have a value for the caller: clients take a flag that is not there as one whose default is their own,
/// and one without a value as one of the wrong type.
pub(super) fn flags(resolutions: &[Resolution<'_>], set: &SetMetadata) -> HashMap<String, AnyFlag> {
    let flags = resolutions.iter().filter_map(|resolution| {
        let value = any_value(resolution.value.as_ref()?)?;
        let variant = resolution.variant.as_ref()?;
        let flag = AnyFlag {
            reason: resolution.reason.name().to_owned(),
            variant: variant.name().to_owned(),
            value: Some(value),
            metadata: Some(set.with(resolution)),
        };
        Some((resolution.key.to_owned(), flag))
    });
    flags.collect()
}

/// `None` for a stored object that no message can hold.
fn any_value(value: &TypedValue<'_>) -> Option<Value> {
    Some(match value {
        TypedValue::Boolean(value) => Value::BoolValue(*value),
        TypedValue::Integer(integer) => Value::DoubleValue(*integer as f64),
        TypedValue::Number(number) => Value::DoubleValue(*number),
        TypedValue::String(text) => Value::StringValue(text.clone().into_owned()),
        TypedValue::Json(_) => Value::ObjectValue(Struct::read(value).ok()?),
    })
}

pub(super) fn message(flags: HashMap<String, AnyFlag>, metadata: Struct) -> Vec<u8> {
    let metadata = Some(metadata);
    ResolveAllResponse { flags, metadata }.encode_to_vec()
}

pub(super) fn to_json(flags: &HashMap<String, AnyFlag>, metadata: &Json) -> Json {
    let flags = flags.iter();
    let flags: Map<_, _> = flags
        .map(|(name, flag)| (name.clone(), flag_json(flag)))
        .collect();
    json!({ "flags": flags, "metadata": metadata })
}

fn flag_json(flag: &AnyFlag) -> Json {
    let mut members = Map::new();
    members.insert("reason".to_owned(), flag.reason.as_str().into());
    members.insert("variant".to_owned(), flag.variant.as_str().into());
    if let Some(value) = &flag.value {
        let (name, value) = match value {
            Value::BoolValue(value) => ("boolValue", Json::Bool(*value)),
            Value::StringValue(text) => ("stringValue", text.as_str().into()),
            Value::DoubleValue(number) => ("doubleValue", number_json(*number)),
            Value::ObjectValue(object) => ("objectValue", object_json(object)),
        };
        members.insert(name.to_owned(), value);
    }
    let metadata = flag.metadata.as_ref().map_or(Json::Null, object_json);
    members.insert("metadata".to_owned(), metadata);
    Json::Object(members)
}
