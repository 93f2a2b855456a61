//! JSON as protobuf has it.

use crate::config::SyncContext;
use prost_types::value::Kind;
use prost_types::{ListValue, Struct, Value};
use serde_json::Value as Json;

impl SyncContext {
    /// The object as a message. Numbers become what protobuf has for them: doubles.
    pub(super) fn to_struct(&self) -> Struct {
        struct_of(&self.0)
    }
}

fn struct_of(members: &serde_json::Map<String, Json>) -> Struct {
    let members = members.iter();
    Struct {
        fields: members
            .map(|(name, value)| (name.clone(), value_of(value)))
            .collect(),
    }
}

fn value_of(value: &Json) -> Value {
    let kind = match value {
        Json::Null => Kind::NullValue(0),
        Json::Bool(value) => Kind::BoolValue(*value),
        Json::Number(number) => Kind::NumberValue(number.as_f64().unwrap_or_default()),
        Json::String(text) => Kind::StringValue(text.clone()),
        Json::Array(values) => Kind::ListValue(ListValue {
            values: values.iter().map(value_of).collect(),
        }),
        Json::Object(members) => Kind::StructValue(struct_of(members)),
    };
    Value { kind: Some(kind) }
}
