//! JSON as protobuf has it.

use crate::config::SyncContext;
use bytes::{Bytes, BytesMut};
use prost::encoding::message;
use prost_types::value::Kind;
use prost_types::{ListValue, Struct, Value};
use serde_json::Value as Json;

/// The field of an answer that holds the context.
const SYNC_CONTEXT: u32 = 2;

impl SyncContext {
    /// The object as a message. Numbers become what protobuf has for them: doubles.
    pub(super) fn to_struct(&self) -> Struct {
        struct_of(&self.members)
    }

    /// The object as the field of a message; no bytes where there is nothing to say.
    pub(super) fn as_field(&self) -> Bytes {
        let field = self.field.get_or_init(|| {
            if self.members.is_empty() {
                return Bytes::new();
            }
            let mut field = BytesMut::new();
            message::encode(SYNC_CONTEXT, &self.to_struct(), &mut field);
            field.freeze()
        });
        field.clone()
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
