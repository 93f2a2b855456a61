//! `EQUAL`, `NOT_EQUAL` and the four orderings.
//!
//! The context value's type decides how the condition's value is read; where it cannot be read so, the
//! condition is false, `NOT_EQUAL` too.

use super::version::VersionSuffix;
use crate::Value;
use crate::operand::{Integer, Operand};
use crate::seen::Seen;
use crate::text::{parse_float, parse_integer};
use std::cmp::Ordering;

/// Which ordering a condition asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

/// A condition's value in each of the types a context value can have.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Comparand {
    text: Box<str>,
    /// Everything but `False` and `false` is true.
    boolean: bool,
    integer: Option<Value>,
    float: Option<f64>,
    version: VersionSuffix,
}

impl Comparand {
    pub(crate) fn parse(text: &str) -> Self {
        Self {
            text: text.into(),
            boolean: !matches!(text, "False" | "false"),
            integer: parse_integer(text),
            float: parse_float(text),
            version: VersionSuffix::parse(text),
        }
    }

    /// How a context value stands to this value; `None` where they cannot be compared.
    ///
    /// `Some(None)` is Python's answer for NaN: comparable, and unequal to everything.
    fn ordering(&self, seen: &Seen<'_>) -> Option<Option<Ordering>> {
        match seen.operand() {
            Operand::Unset | Operand::Unreadable => None,
            Operand::Boolean(value) => Some(Some(value.cmp(&self.boolean))),
            Operand::Integer(number) => {
                let integer = Integer::of_value(self.integer.as_ref()?)?;
                Some(Some(number.cmp(&integer)))
            }
            Operand::Float(number) => Some(number.partial_cmp(&self.float?)),
            Operand::Text(text) => match &self.version {
                VersionSuffix::Absent => Some(Some(text.cmp(&self.text))),
                VersionSuffix::Invalid(_) => None,
                VersionSuffix::Version { version, .. } => {
                    Some(Some(seen.version()?.precedence(version)))
                }
            },
        }
    }
}

impl Comparison {
    pub(crate) fn holds(self, seen: &Seen<'_>, comparand: &Comparand) -> bool {
        let Some(ordering) = comparand.ordering(seen) else {
            return false;
        };
        match self {
            Self::Equal => ordering == Some(Ordering::Equal),
            Self::NotEqual => ordering != Some(Ordering::Equal),
            Self::Greater => ordering.is_some_and(Ordering::is_gt),
            Self::GreaterOrEqual => ordering.is_some_and(Ordering::is_ge),
            Self::Less => ordering.is_some_and(Ordering::is_lt),
            Self::LessOrEqual => ordering.is_some_and(Ordering::is_le),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Comparand, Comparison};
    use crate::Value;
    use crate::operand::Operand;
    use crate::seen::Seen;
    use Comparison::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};

    #[track_caller]
    fn check(comparison: Comparison, value: &str, seen: Value, expected: bool) {
        let holds = comparison.holds(&Seen::new(Operand::of(&seen)), &Comparand::parse(value));

        assert_eq!(holds, expected, "{seen:?} {comparison:?} {value:?}");
    }

    fn text(text: &str) -> Value {
        Value::text(text)
    }

    #[test]
    fn text_is_compared_by_code_points() {
        check(Equal, "a", text("a"), true);
        check(Equal, "", text(""), true);
        check(Equal, "A", text("a"), false);
        check(Less, "b", text("a"), true);
        check(Less, "a", text("Z"), true);
        // By UTF-16 units it would be the other way round.
        check(Greater, "\u{ffff}", text("\u{10000}"), true);
    }

    #[test]
    fn the_value_of_an_integer_is_read_as_integer() {
        check(Equal, "10", Value::Integer(10), true);
        check(Equal, " 010 ", Value::Integer(10), true);
        check(Equal, "1_0", Value::Integer(10), true);
        check(Equal, "1.0", text("1"), false);
        check(NotEqual, "1.0", Value::Integer(2), false);
        check(NotEqual, "x", Value::Integer(2), false);
        check(Equal, "", Value::Integer(0), false);
        check(Equal, "1:semver", Value::Integer(1), false);
        check(LessOrEqual, "18", text("18"), true);
        check(GreaterOrEqual, "18", text("017"), false);
    }

    #[test]
    fn integers_of_any_size_are_compared_exactly() {
        let big = |digits: &str| Value::BigInteger(digits.into());
        check(
            Equal,
            "9007199254740993",
            Value::Integer(9_007_199_254_740_992),
            false,
        );
        check(
            Greater,
            "99999999999999999998",
            big("99999999999999999999"),
            true,
        );
        check(
            Equal,
            "099999999999999999999",
            text("99999999999999999999"),
            true,
        );
        check(Less, "0", big("-99999999999999999999"), true);
        check(
            Less,
            "-99999999999999999999",
            Value::Integer(i64::MIN),
            false,
        );
    }

    #[test]
    fn the_value_of_a_float_is_read_as_float() {
        check(Equal, "1", text("1.0"), true);
        check(Equal, "1e3", Value::Float(1000.0), true);
        check(Equal, "-0.0", text("0.0"), true);
        check(Equal, "inf", Value::Float(f64::INFINITY), true);
        check(NotEqual, "x", Value::Float(1.5), false);
        check(Greater, "1.5:semver", Value::Float(2.0), false);
    }

    #[test]
    fn nan_is_unequal_to_everything_and_in_no_order() {
        check(Equal, "nan", Value::Float(f64::NAN), false);
        check(NotEqual, "nan", Value::Float(f64::NAN), true);
        check(NotEqual, "nan", Value::Float(1.5), true);
        check(LessOrEqual, "nan", Value::Float(1.5), false);
        check(GreaterOrEqual, "nan", Value::Float(1.5), false);
    }

    #[test]
    fn a_boolean_is_compared_with_everything_but_false() {
        check(Equal, "true", Value::Boolean(true), true);
        check(Equal, "foo", Value::Boolean(true), true);
        check(Equal, "", Value::Boolean(true), true);
        check(Equal, "False", Value::Boolean(false), true);
        check(Equal, "0", Value::Boolean(false), false);
        check(Equal, "FALSE", Value::Boolean(false), false);
        check(Equal, "false:semver", Value::Boolean(false), false);
        check(Greater, "false", Value::Boolean(true), true);
        check(Less, "true", Value::Boolean(false), true);
    }

    #[test]
    fn versions_are_compared_by_precedence() {
        check(Equal, "1.2.3:semver", text("1.2.3+build"), true);
        check(Greater, "1.0.0-rc.9:semver", text("1.0.0-rc.10"), true);
        check(Greater, "1.0.0-rc:semver", text("1.0.0"), true);
        check(NotEqual, "x:semver", text("1.2.3"), false);
        check(NotEqual, "1.2.3:semver", text("x"), false);
        check(Equal, "1.0:semver", text("1.0"), false);
    }

    #[test]
    fn nothing_compares_with_null() {
        for comparison in [Equal, NotEqual, Greater, GreaterOrEqual, Less, LessOrEqual] {
            check(comparison, "None", Value::Null, false);
        }
    }
}
