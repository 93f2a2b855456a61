//! Values: what a flag carries, what a trait holds, what a condition compares.

use std::sync::Arc;

/// A scalar. Integers beyond `i64` keep their decimal text.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value {
    /// No value.
    #[default]
    Null,
    /// True or false.
    Boolean(bool),
    /// A whole number within `i64`.
    Integer(i64),
    /// A whole number outside `i64`: an optional `-` and decimal digits without leading zeros.
    BigInteger(Arc<str>),
    /// A floating-point number; may be infinite or NaN where the sender could say so.
    Float(f64),
    /// Text.
    Text(Arc<str>),
}

impl Value {
    /// A text value.
    #[must_use]
    pub fn text(text: impl Into<Arc<str>>) -> Self {
        Self::Text(text.into())
    }

    /// True for [`Value::Null`].
    #[must_use]
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}

/// Which of the three typed columns of a feature state counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ValueKind {
    /// `unicode` in the Flagsmith API.
    #[default]
    Text,
    /// `int` in the Flagsmith API.
    Integer,
    /// `bool` in the Flagsmith API.
    Boolean,
}

/// The stored value of a feature state or a multivariate option: three typed columns and the one that counts.
///
/// The columns that do not count keep what they held before; the Flagsmith API shows them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StateValue {
    /// The column that counts.
    pub kind: ValueKind,
    /// At most 20,000 characters.
    pub text: Option<String>,
    /// Within `i32`: 32 bits is the limit of the Flagsmith API.
    pub integer: Option<i64>,
    /// True or false.
    pub boolean: Option<bool>,
}

impl StateValue {
    /// The value that counts.
    #[must_use]
    pub fn effective(&self) -> Value {
        match self.kind {
            ValueKind::Text => self.text.as_deref().map_or(Value::Null, Value::text),
            ValueKind::Integer => self.integer.map_or(Value::Null, Value::Integer),
            ValueKind::Boolean => self.boolean.map_or(Value::Null, Value::Boolean),
        }
    }

    /// Types the initial value of a feature by its content: `42` is an integer, `True` a boolean.
    ///
    /// Numbers beyond 32 bits stay text, so that nothing is lost.
    #[must_use]
    pub fn typed_by_content(text: Option<&str>) -> Self {
        let Some(text) = text else {
            return Self::default();
        };
        if let Some(Value::Integer(integer)) = crate::text::parse_integer(text)
            && i32::try_from(integer).is_ok()
        {
            return Self::of_integer(integer);
        }
        match text.to_lowercase().as_str() {
            "true" => Self::of_boolean(true),
            "false" => Self::of_boolean(false),
            _ => Self::of_text(Some(text)),
        }
    }

    /// A text value, or no value.
    #[must_use]
    pub fn of_text(text: Option<&str>) -> Self {
        Self {
            text: text.map(str::to_owned),
            ..Self::default()
        }
    }

    /// An integer value.
    #[must_use]
    pub fn of_integer(integer: i64) -> Self {
        Self {
            kind: ValueKind::Integer,
            integer: Some(integer),
            ..Self::default()
        }
    }

    /// A boolean value.
    #[must_use]
    pub fn of_boolean(boolean: bool) -> Self {
        Self {
            kind: ValueKind::Boolean,
            boolean: Some(boolean),
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_initial_value_is_typed_by_its_content() {
        let check = |text, expected| {
            assert_eq!(StateValue::typed_by_content(Some(text)), expected, "{text}");
        };

        check("42", StateValue::of_integer(42));
        check("-7", StateValue::of_integer(-7));
        check("True", StateValue::of_boolean(true));
        check("false", StateValue::of_boolean(false));
        check("1.5", StateValue::of_text(Some("1.5")));
        check("3000000000", StateValue::of_text(Some("3000000000")));
        check("", StateValue::of_text(Some("")));
    }
}
