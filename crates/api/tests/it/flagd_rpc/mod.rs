//! Remote evaluation for flagd's clients, over gRPC, gRPC-Web and Connect, through the whole router.

mod agreement;
mod bad_input;
mod cases;
mod connect;
mod contexts;
mod events;
mod metrics;
pub mod shop;
mod web;

use crate::face::{Ask, Face, SERVER_KEY};
use axum::Router;
use flagstaff_proto::flagd::evaluation::v1::service_client::ServiceClient as ClientV1;
use flagstaff_proto::flagd::evaluation::v2::service_client::ServiceClient as ClientV2;
use prost_types::value::Kind;
use prost_types::{ListValue, Struct, Value};
use serde_json::Value as Json;
use tonic::Request;

pub fn v1(face: &Face) -> ClientV1<Router> {
    ClientV1::new(face.router())
}

pub fn v2(face: &Face) -> ClientV2<Router> {
    ClientV2::new(face.router())
}

/// A call with the server-side key.
pub fn keyed<M>(message: M) -> Request<M> {
    crate::flagd_grpc::with(message, &[("x-environment-key", SERVER_KEY)])
}

/// A context of JSON.
pub fn context(json: Json) -> Option<Struct> {
    match value(json).kind {
        Some(Kind::StructValue(object)) => Some(object),
        _ => None,
    }
}

fn value(json: Json) -> Value {
    let kind = match json {
        Json::Null => Kind::NullValue(0),
        Json::Bool(value) => Kind::BoolValue(value),
        Json::Number(number) => Kind::NumberValue(number.as_f64().unwrap()),
        Json::String(text) => Kind::StringValue(text),
        Json::Array(values) => Kind::ListValue(ListValue {
            values: values.into_iter().map(value).collect(),
        }),
        Json::Object(members) => Kind::StructValue(Struct {
            fields: members
                .into_iter()
                .map(|(name, member)| (name, value(member)))
                .collect(),
        }),
    };
    Value { kind: Some(kind) }
}

/// A struct as JSON.
pub fn json(object: &Struct) -> Json {
    let member = |value: &Value| json_value(value);
    let members = object.fields.iter();
    Json::Object(
        members
            .map(|(name, value)| (name.clone(), member(value)))
            .collect(),
    )
}

fn json_value(value: &Value) -> Json {
    match value.kind.as_ref().unwrap() {
        Kind::NullValue(_) => Json::Null,
        Kind::BoolValue(value) => (*value).into(),
        Kind::NumberValue(number) => (*number).into(),
        Kind::StringValue(text) => text.as_str().into(),
        Kind::ListValue(list) => list.values.iter().map(json_value).collect(),
        Kind::StructValue(object) => json(object),
    }
}

/// A call of Connect with the server-side key.
pub fn connect<'a>(face: &'a Face, method: &str) -> Ask<'a> {
    face.keyless("POST", method)
        .header("x-environment-key", SERVER_KEY)
        .header("content-type", "application/json")
        .header("connect-protocol-version", "1")
}
