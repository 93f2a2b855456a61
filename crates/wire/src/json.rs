//! Writing JSON straight into a buffer, and the JSON forms of core values.

use flagstaff_core::{Value, text};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value as Json;
use std::fmt;
use std::io::Write as _;

/// Writes a text in quotes.
pub(crate) fn write_text(out: &mut Vec<u8>, text: &str) {
    // Writing to memory cannot fail.
    let _ = serde_json::to_writer(out, text);
}

/// Writes a text in quotes, or `null`.
pub(crate) fn write_optional_text(out: &mut Vec<u8>, text: Option<&str>) {
    match text {
        Some(text) => write_text(out, text),
        None => out.extend_from_slice(b"null"),
    }
}

/// Writes `true` or `false`.
pub(crate) fn write_boolean(out: &mut Vec<u8>, boolean: bool) {
    out.extend_from_slice(if boolean { b"true" } else { b"false" });
}

/// Writes a whole number.
pub(crate) fn write_integer(out: &mut Vec<u8>, integer: i64) {
    let _ = write!(out, "{integer}");
}

/// Writes a whole number, or `null`.
pub(crate) fn write_optional_integer(out: &mut Vec<u8>, integer: Option<i64>) {
    match integer {
        Some(integer) => write_integer(out, integer),
        None => out.extend_from_slice(b"null"),
    }
}

/// Writes a float as Python does (`30.0`, `1e+16`); `null` where JSON has no number for it.
pub(crate) fn write_float(out: &mut Vec<u8>, float: f64) {
    if float.is_finite() {
        out.extend_from_slice(text::python_text(&Value::Float(float)).as_bytes());
    } else {
        out.extend_from_slice(b"null");
    }
}

/// Writes the value of a flag or a trait.
pub(crate) fn write_value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Boolean(boolean) => write_boolean(out, *boolean),
        Value::Integer(integer) => write_integer(out, *integer),
        Value::BigInteger(digits) => out.extend_from_slice(digits.as_bytes()),
        Value::Float(float) => write_float(out, *float),
        Value::Text(text) => write_text(out, text),
    }
}

/// Writes what was read before, unchanged.
pub(crate) fn write_json(out: &mut Vec<u8>, json: &Json) {
    let _ = serde_json::to_writer(out, json);
}

/// Writes a list: what `item` writes for each of `items`, between commas and brackets.
pub(crate) fn write_list<T>(
    out: &mut Vec<u8>,
    items: impl IntoIterator<Item = T>,
    mut item: impl FnMut(&mut Vec<u8>, T),
) {
    out.push(b'[');
    // Not a loop: what filters and maps large items would move each of them around to hand it out.
    items.into_iter().enumerate().for_each(|(position, each)| {
        if position > 0 {
            out.push(b',');
        }
        item(out, each);
    });
    out.push(b']');
}

/// The scalar that a JSON value is; `None` for lists and objects.
///
/// Whole numbers keep every digit; a number with a fraction or an exponent is a float and may be infinite.
#[must_use]
pub fn json_to_scalar(json: &Json) -> Option<Value> {
    Some(match json {
        Json::Null => Value::Null,
        Json::Bool(boolean) => Value::Boolean(*boolean),
        Json::Number(number) => number_to_value(number.as_str()),
        Json::String(text) => Value::text(text.as_str()),
        Json::Array(_) | Json::Object(_) => return None,
    })
}

/// A finite double as the number that JavaScript would write for it: whole ones without a fraction.
///
/// OpenFeature's contexts do not tell 5.0 from 5: some languages and flagd's messages have doubles only.
#[must_use]
pub fn double_to_value(number: f64) -> Value {
    // From here on a whole number is written with an exponent.
    const WHOLE_LIMIT: f64 = 1e21;

    if number.fract() != 0.0 || number.abs() >= WHOLE_LIMIT {
        return Value::Float(number);
    }
    let digits = format!("{number:.0}");
    match digits.parse() {
        Ok(integer) => Value::Integer(integer),
        Err(_) => Value::BigInteger(digits.into()),
    }
}

/// The value a sent trait takes: a scalar as it is, anything else its Python text (recorded: `[1, 2]`).
#[must_use]
pub fn json_to_trait(json: &Json) -> Value {
    json_to_scalar(json).unwrap_or_else(|| Value::text(crate::python::text(json)))
}

/// A scalar read as [`json_to_scalar`] has it, but without a tree of JSON. Lists and objects are refused.
#[derive(Debug, Clone, PartialEq)]
pub struct Scalar(Value);

impl From<Scalar> for Value {
    fn from(value: Scalar) -> Self {
        value.0
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a scalar")
    }

    fn visit_unit<E>(self) -> Result<Scalar, E> {
        Ok(Scalar(Value::Null))
    }

    fn visit_bool<E>(self, boolean: bool) -> Result<Scalar, E> {
        Ok(Scalar(Value::Boolean(boolean)))
    }

    fn visit_i64<E>(self, integer: i64) -> Result<Scalar, E> {
        Ok(Scalar(Value::Integer(integer)))
    }

    fn visit_u64<E>(self, integer: u64) -> Result<Scalar, E> {
        let value = i64::try_from(integer).map(Value::Integer);
        Ok(Scalar(value.unwrap_or_else(|_| {
            Value::BigInteger(integer.to_string().into())
        })))
    }

    fn visit_f64<E>(self, float: f64) -> Result<Scalar, E> {
        Ok(Scalar(Value::Float(float)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Scalar, E> {
        Ok(Scalar(Value::text(text)))
    }

    /// An object, or a number that fits into no integer: that is how those come with all their digits.
    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Scalar, A::Error> {
        let json = Json::deserialize(MapAccessDeserializer::new(members))?;
        let value = json_to_scalar(&json).ok_or_else(|| A::Error::custom("not a scalar"))?;
        Ok(Scalar(value))
    }
}

pub(crate) fn number_to_value(number: &str) -> Value {
    if number.contains(['.', 'e', 'E']) {
        return Value::Float(number.parse().unwrap_or(f64::NAN));
    }
    match number.parse() {
        Ok(integer) => Value::Integer(integer),
        Err(_) => Value::BigInteger(number.into()),
    }
}

/// The JSON of a value, for answers that are built as trees.
#[must_use]
pub fn value_to_json(value: &Value) -> Json {
    let mut bytes = Vec::new();
    write_value(&mut bytes, value);
    serde_json::from_slice(&bytes).unwrap_or(Json::Null)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn scalar(text: &str) -> Value {
        json_to_scalar(&serde_json::from_str(text).unwrap()).unwrap()
    }

    fn written(value: &Value) -> String {
        let mut out = Vec::new();
        write_value(&mut out, value);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_keep_what_they_are() {
        assert_eq!(scalar("30"), Value::Integer(30));
        assert_eq!(scalar("30.0"), Value::Float(30.0));
        assert_eq!(scalar("-0"), Value::Integer(0));
        assert_eq!(scalar("1e400"), Value::Float(f64::INFINITY));
        assert_eq!(
            scalar("9223372036854775808"),
            Value::BigInteger("9223372036854775808".into())
        );
    }

    #[test]
    fn values_are_written_as_python_writes_them() {
        assert_eq!(written(&Value::Float(30.0)), "30.0");
        assert_eq!(written(&Value::Float(1e16)), "1e+16");
        assert_eq!(written(&Value::Float(f64::NAN)), "null");
        assert_eq!(written(&Value::text("a\"\u{1}é")), "\"a\\\"\\u0001é\"");
        assert_eq!(
            written(&Value::BigInteger("-99999999999999999999".into())),
            "-99999999999999999999"
        );
    }

    #[test]
    fn lists_and_objects_become_python_text_as_traits() {
        let check = |text: &str| match json_to_trait(&serde_json::from_str(text).unwrap()) {
            Value::Text(text) => text.to_string(),
            other => panic!("not text: {other:?}"),
        };

        assert_eq!(check("[1, 2]"), "[1, 2]");
        assert_eq!(check(r#"{"a": 1}"#), "{'a': 1}");
    }

    proptest! {
        #[test]
        fn a_float_is_read_back_as_the_same_float(float: f64) {
            prop_assume!(float.is_finite());

            prop_assert_eq!(scalar(&written(&Value::Float(float))), Value::Float(float));
        }
    }
}
