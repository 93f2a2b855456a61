//! Messages read from JSON as protobuf has it: both spellings of a name count, unknown members are passed over.
//!
//! A member that is there twice is refused, because nobody can say which one counts.

use crate::config::ApiConfig;
use crate::flagsmith::json_limits::{self, JsonLimits};
use prost_types::value::Kind;
use prost_types::{ListValue, Struct, Value};
use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

/// How serde_json names a number that comes with all its digits.
const NUMBER: &str = "$serde_json::private::Number";

/// What a request says, whichever method it is for.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Question {
    pub(super) flag_key: String,
    pub(super) context: Option<Struct>,
}

/// Reads a request within the limits on nesting and size.
///
/// # Errors
/// What is no JSON object of the expected shape, or over a limit, in words for the caller.
pub(super) fn read_question(body: &[u8], config: &ApiConfig) -> Result<Question, String> {
    let limits = JsonLimits {
        depth: config.json_depth,
        values: config.json_values,
    };
    json_limits::check(body, limits).map_err(|limit| limit.to_string())?;
    serde_json::from_slice(body).map_err(|error| format!("the message is not valid: {error}"))
}

/// Reads the text of a JSON object.
///
/// # Errors
/// What is none, or holds a number beyond what a double can.
pub(super) fn read_object(text: &str) -> Result<Struct, String> {
    let read = serde_json::from_str(text).map(|ReadStruct(object)| object);
    read.map_err(|error| error.to_string())
}

impl<'de> Deserialize<'de> for Question {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(QuestionVisitor)
    }
}

struct QuestionVisitor;

impl<'de> Visitor<'de> for QuestionVisitor {
    type Value = Question;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Question, A::Error> {
        let mut flag_key: Option<Option<String>> = None;
        let mut context: Option<Option<ReadStruct>> = None;
        while let Some(name) = members.next_key::<String>()? {
            match &*name {
                "flagKey" | "flag_key" if flag_key.is_none() => {
                    flag_key = Some(members.next_value()?);
                }
                "context" if context.is_none() => context = Some(members.next_value()?),
                "flagKey" | "flag_key" | "context" => return Err(twice(&name)),
                _ => drop(members.next_value::<IgnoredAny>()?),
            }
        }
        Ok(Question {
            flag_key: flag_key.flatten().unwrap_or_default(),
            context: context.flatten().map(|ReadStruct(context)| context),
        })
    }
}

struct ReadStruct(Struct);

impl<'de> Deserialize<'de> for ReadStruct {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let ReadValue(value) = ReadValue::deserialize(deserializer)?;
        match value.kind {
            Some(Kind::StructValue(object)) => Ok(Self(object)),
            _ => Err(de::Error::custom("expected an object")),
        }
    }
}

struct ReadValue(Value);

impl<'de> Deserialize<'de> for ReadValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let kind = deserializer.deserialize_any(ValueVisitor)?;
        Ok(Self(Value { kind: Some(kind) }))
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Kind;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Kind, E> {
        Ok(Kind::NullValue(0))
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Kind, E> {
        Ok(Kind::BoolValue(value))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Kind, E> {
        Ok(Kind::NumberValue(number as f64))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Kind, E> {
        Ok(Kind::NumberValue(number as f64))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Kind, E> {
        Ok(Kind::NumberValue(number))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Kind, E> {
        Ok(Kind::StringValue(text.to_owned()))
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<Kind, E> {
        Ok(Kind::StringValue(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Kind, A::Error> {
        let mut values = Vec::new();
        while let Some(ReadValue(value)) = items.next_element()? {
            values.push(value);
        }
        Ok(Kind::ListValue(ListValue { values }))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Kind, A::Error> {
        let mut fields = BTreeMap::new();
        while let Some(name) = members.next_key::<String>()? {
            if name == NUMBER {
                return number(&members.next_value::<String>()?);
            }
            match fields.entry(name) {
                Entry::Vacant(place) => {
                    let ReadValue(value) = members.next_value()?;
                    place.insert(value);
                }
                Entry::Occupied(known) => return Err(twice(known.key())),
            }
        }
        Ok(Kind::StructValue(Struct { fields }))
    }
}

fn number<E: de::Error>(digits: &str) -> Result<Kind, E> {
    match digits.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(Kind::NumberValue(number)),
        Ok(_) | Err(_) => Err(E::custom(format_args!("`{digits}` is no finite number"))),
    }
}

fn twice<E: de::Error>(name: &str) -> E {
    E::custom(format_args!("`{name}` is given twice"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<Question, String> {
        read_question(body.as_bytes(), &ApiConfig::default())
    }

    #[test]
    fn both_spellings_are_read_and_unknown_members_passed_over() {
        for body in [
            r#"{"flagKey": "one", "context": {"a": [1, "x", null, {"b": true}]}}"#,
            r#"{"other": [{}], "flag_key": "one", "context": {"a": [1, "x", null, {"b": true}]}}"#,
        ] {
            let question = read(body).unwrap();

            assert_eq!(question.flag_key, "one");
            let context = super::super::json_write::object_json(&question.context.unwrap());
            assert_eq!(context.to_string(), r#"{"a":[1,"x",null,{"b":true}]}"#);
        }
        assert_eq!(read("{}").unwrap(), Question::default());
        let nulls = r#"{"flagKey": null, "context": null}"#;
        assert_eq!(read(nulls).unwrap(), Question::default());
    }

    #[test]
    fn what_is_over_a_limit_or_of_another_shape_is_refused() {
        let refuse = |body: &str, part: &str| {
            let problem = read(body).unwrap_err();
            assert!(problem.contains(part), "{problem}");
        };

        refuse("[]", "expected an object");
        refuse("", "EOF");
        refuse(r#"{"flagKey": 7}"#, "expected a string");
        refuse(r#"{"context": []}"#, "expected an object");
        refuse(r#"{"context": 7}"#, "expected an object");
        refuse(
            r#"{"flagKey": "a", "flag_key": "a"}"#,
            "`flag_key` is given twice",
        );
        refuse(r#"{"context": {"a": 1, "a": 1}}"#, "`a` is given twice");
        refuse(
            r#"{"context": {"a": {"b": 1, "b": 1}}}"#,
            "`b` is given twice",
        );
        refuse(r#"{"context": {"a": 1e400}}"#, "is no finite number");
        refuse(r#"{"context": {"a": NaN}}"#, "expected value");
        let deep = format!(
            r#"{{"context": {}1{}}}"#,
            r#"{"a":"#.repeat(64),
            "}".repeat(64)
        );
        refuse(&deep, "more than 64 levels deep");
        let problem = read_question(b"{\"flagKey\": \"\xff\"}", &ApiConfig::default());
        assert!(problem.is_err());
    }
}
