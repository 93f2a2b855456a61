//! Values as protocols with types get them.

use crate::json_text;
use crate::text::python_text;
use crate::{Value, ValueType};
use std::borrow::Cow;

/// A value with the type that a caller of OpenFeature sees.
#[derive(Debug, Clone, PartialEq)]
pub enum TypedValue<'a> {
    /// True or false.
    Boolean(bool),
    /// A whole number of 64 bits.
    Integer(i64),
    /// A finite number.
    Number(f64),
    /// Text.
    String(Cow<'a, str>),
    /// The text of a JSON object, checked.
    Json(Cow<'a, str>),
}

/// What a value was not, where a feature's type asks for it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be {}", wanted(*.0))]
pub struct WrongType(pub ValueType);

const fn wanted(value_type: ValueType) -> &'static str {
    match value_type {
        ValueType::Auto => "any value",
        ValueType::Boolean => "true or false",
        ValueType::Integer => "a whole number of 64 bits",
        ValueType::Number => "a finite number",
        ValueType::String => "text",
        ValueType::Json => "a JSON object nested at most 64 levels deep",
    }
}

impl ValueType {
    /// Checks that a value can be served with this type; no value can be served with every type.
    ///
    /// Numbers, booleans and JSON may be written as text: Flagsmith's API knows neither floats nor objects.
    ///
    /// # Errors
    /// When it cannot.
    pub fn check(self, value: &Value) -> Result<(), WrongType> {
        if value.is_null() || self.read(value).is_some() {
            return Ok(());
        }
        Err(WrongType(self))
    }

    fn read(self, value: &Value) -> Option<Reading> {
        match self {
            Self::Auto => Reading::as_flagsmith(value),
            Self::Boolean => match value {
                Value::Boolean(value) => Some(Reading::Boolean(*value)),
                Value::Text(text) => boolean(text).map(Reading::Boolean),
                Value::Null | Value::Integer(_) | Value::BigInteger(_) | Value::Float(_) => None,
            },
            Self::Integer => match value {
                Value::Integer(number) => Some(Reading::Integer(*number)),
                Value::Text(text) => text.parse().ok().map(Reading::Integer),
                Value::Null | Value::Boolean(_) | Value::BigInteger(_) | Value::Float(_) => None,
            },
            Self::Number => number(value).map(Reading::Number),
            Self::String => (!value.is_null()).then_some(Reading::Text),
            Self::Json => match value {
                Value::Text(text) => json_text::is_object(text).then_some(Reading::Json),
                Value::Null
                | Value::Boolean(_)
                | Value::Integer(_)
                | Value::BigInteger(_)
                | Value::Float(_) => None,
            },
        }
    }
}

/// How a value is read, without its text: what is kept with a snapshot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Reading {
    Boolean(bool),
    Integer(i64),
    Number(f64),
    Text,
    Json,
}

impl Reading {
    /// Reads a value with the type of its feature; no value is `missing`.
    pub(crate) fn of(value: &Value, value_type: ValueType, missing: bool) -> Self {
        value_type
            .read(value)
            .or_else(|| Self::as_flagsmith(value))
            .unwrap_or(Self::Boolean(missing))
    }

    fn as_flagsmith(value: &Value) -> Option<Self> {
        Some(match value {
            Value::Null => return None,
            Value::Boolean(value) => Self::Boolean(*value),
            Value::Integer(number) => Self::Integer(*number),
            Value::Float(number) if number.is_finite() => Self::Number(*number),
            Value::Float(_) | Value::BigInteger(_) | Value::Text(_) => Self::Text,
        })
    }

    /// The value that was read, with its text.
    pub(crate) fn value(self, value: &Value) -> TypedValue<'_> {
        match self {
            Self::Boolean(value) => TypedValue::Boolean(value),
            Self::Integer(number) => TypedValue::Integer(number),
            Self::Number(number) => TypedValue::Number(number),
            Self::Text => TypedValue::String(match value {
                // As JSON spells them, not as Python does.
                Value::Boolean(true) => Cow::Borrowed("true"),
                Value::Boolean(false) => Cow::Borrowed("false"),
                Value::Null
                | Value::Integer(_)
                | Value::BigInteger(_)
                | Value::Float(_)
                | Value::Text(_) => python_text(value),
            }),
            Self::Json => TypedValue::Json(python_text(value)),
        }
    }
}

impl<'a> TypedValue<'a> {
    /// A stored value with the type of its feature; no value is `missing`.
    ///
    /// A value that cannot have the type, because it was there before the type, is typed as Flagsmith types it.
    #[must_use]
    pub fn with_type(value: &'a Value, value_type: ValueType, missing: bool) -> Self {
        Reading::of(value, value_type, missing).value(value)
    }

    /// The same value, borrowed from this one.
    #[must_use]
    pub fn borrowed(&self) -> TypedValue<'_> {
        match self {
            Self::Boolean(value) => TypedValue::Boolean(*value),
            Self::Integer(number) => TypedValue::Integer(*number),
            Self::Number(number) => TypedValue::Number(*number),
            Self::String(text) => TypedValue::String(Cow::Borrowed(text)),
            Self::Json(text) => TypedValue::Json(Cow::Borrowed(text)),
        }
    }

    /// The same value, owned.
    #[must_use]
    pub fn into_owned(self) -> TypedValue<'static> {
        match self {
            Self::Boolean(value) => TypedValue::Boolean(value),
            Self::Integer(number) => TypedValue::Integer(number),
            Self::Number(number) => TypedValue::Number(number),
            Self::String(text) => TypedValue::String(Cow::Owned(text.into_owned())),
            Self::Json(text) => TypedValue::Json(Cow::Owned(text.into_owned())),
        }
    }

    /// The word for its type in warnings of flagd documents: a whole number is a `number` too.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Boolean(_) => "boolean",
            Self::Integer(_) | Self::Number(_) => "number",
            Self::String(_) => "string",
            Self::Json(_) => "object",
        }
    }
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "True" => Some(true),
        "false" | "False" => Some(false),
        _ => None,
    }
}

fn number(value: &Value) -> Option<f64> {
    let number = match value {
        // Beyond 53 bits a float is only near: the type says that it is one.
        Value::Integer(number) => *number as f64,
        Value::Float(number) => *number,
        Value::Text(text) if is_plain_number(text) => text.parse().ok()?,
        Value::Null | Value::Boolean(_) | Value::BigInteger(_) | Value::Text(_) => return None,
    };
    number.is_finite().then_some(number)
}

/// Keeps out what Rust reads as a float and nobody means by a number: `inf`, `nan`, `infinity`.
fn is_plain_number(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E'))
}

#[cfg(test)]
mod tests {
    use super::{TypedValue, WrongType};
    use crate::{Value, ValueType};

    #[track_caller]
    fn check(value_type: ValueType, value: Value, expected: Option<TypedValue<'_>>) {
        assert_eq!(
            value_type.read(&value).map(|reading| reading.value(&value)),
            expected,
            "{value_type:?} {value:?}"
        );
        let is_good = value_type.check(&value).is_ok();
        assert_eq!(is_good, expected.is_some() || value.is_null());
    }

    fn text(text: &str) -> Option<TypedValue<'_>> {
        Some(TypedValue::String(text.into()))
    }

    #[test]
    fn auto_is_flagsmiths_typing() {
        let auto = |value, expected| check(ValueType::Auto, value, expected);
        auto(Value::Boolean(true), Some(TypedValue::Boolean(true)));
        auto(Value::Integer(5), Some(TypedValue::Integer(5)));
        auto(Value::text("5"), text("5"));
        auto(Value::text("{}"), text("{}"));
        auto(Value::Null, None);
    }

    #[test]
    fn declared_types_are_read_from_text_too() {
        let yes = Some(TypedValue::Boolean(true));
        check(ValueType::Boolean, Value::text("true"), yes);
        check(ValueType::Boolean, Value::text("yes"), None);
        check(ValueType::Boolean, Value::Integer(1), None);
        let big = Some(TypedValue::Integer(3_000_000_000));
        check(ValueType::Integer, Value::text("3000000000"), big);
        check(ValueType::Integer, Value::text("1.5"), None);
        check(ValueType::Integer, Value::Boolean(true), None);
        let half = Some(TypedValue::Number(0.5));
        check(ValueType::Number, Value::text("5e-1"), half);
        let five = Some(TypedValue::Number(5.0));
        check(ValueType::Number, Value::Integer(5), five);
        for refused in ["inf", "nan", "", "1e999", "five"] {
            check(ValueType::Number, Value::text(refused), None);
        }
        check(ValueType::String, Value::Integer(42), text("42"));
        check(ValueType::String, Value::Boolean(true), text("true"));
        let object = Some(TypedValue::Json("{\"a\":1}".into()));
        check(ValueType::Json, Value::text("{\"a\":1}"), object);
        check(ValueType::Json, Value::text("[1]"), None);
        check(ValueType::Json, Value::Boolean(true), None);
    }

    #[test]
    fn no_value_is_a_boolean_whatever_the_type() {
        for value_type in ValueType::ALL {
            let typed = TypedValue::with_type(&Value::Null, value_type, false);
            assert_eq!(typed, TypedValue::Boolean(false));
            assert_eq!(value_type.check(&Value::Null), Ok(()));
        }
    }

    #[test]
    fn a_value_older_than_its_type_keeps_flagsmiths_typing() {
        let value = Value::text("five");

        let typed = TypedValue::with_type(&value, ValueType::Integer, true);

        assert_eq!(typed, TypedValue::String("five".into()));
        let refused = ValueType::Integer.check(&value);
        assert_eq!(refused, Err(WrongType(ValueType::Integer)));
        assert_eq!(
            WrongType(ValueType::Integer).to_string(),
            "must be a whole number of 64 bits"
        );
    }
}
