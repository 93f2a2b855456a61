//! Text forms of values as Python writes them.

use crate::Value;
use std::borrow::Cow;

/// A value as Python's `str` writes it: `True`, `1.5`, `1e+16`; `None` for no value.
#[must_use]
pub fn python_text(value: &Value) -> Cow<'_, str> {
    match value {
        Value::Null => Cow::Borrowed("None"),
        Value::Boolean(true) => Cow::Borrowed("True"),
        Value::Boolean(false) => Cow::Borrowed("False"),
        Value::Integer(number) => Cow::Owned(number.to_string()),
        Value::BigInteger(text) | Value::Text(text) => Cow::Borrowed(text),
        Value::Float(number) => Cow::Owned(format!("{number:?}")),
    }
}
