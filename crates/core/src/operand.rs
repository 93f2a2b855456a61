//! A context value as a condition sees it.

use crate::Value;
use crate::text::{DIGIT_LIMIT, TextBuffer};
use std::borrow::Cow;
use std::cmp::Ordering;

/// What a condition compares with its own value. Borrowed: reading one allocates nothing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Operand<'a> {
    /// No such attribute, or a null one.
    Unset,
    /// True or false.
    Boolean(bool),
    /// A whole number of any size.
    Integer(Integer<'a>),
    /// A floating-point number.
    Float(f64),
    /// Text that is no number.
    Text(&'a str),
    /// More digits than Python reads: it raises an error there, so nothing is true of it here.
    Unreadable,
}

impl<'a> Operand<'a> {
    /// Reads a value as engines from 10 on do: text that is a plain decimal number is that number.
    pub(crate) fn of(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Unset,
            Value::Boolean(value) => Self::Boolean(*value),
            Value::Integer(number) => Self::Integer(Integer::Small(*number)),
            Value::BigInteger(digits) => Self::of_digits(digits),
            Value::Float(number) => Self::Float(*number),
            Value::Text(text) => Self::of_text(text),
        }
    }

    /// Reads text: `-?[0-9]+` is an integer, `-?[0-9]+\.[0-9]+` a float, with ASCII digits only.
    pub(crate) fn of_text(text: &'a str) -> Self {
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if is_number(unsigned) {
            return Self::of_digits(text);
        }
        if let Some((whole, fraction)) = unsigned.split_once('.')
            && is_number(whole)
            && is_number(fraction)
            && let Ok(number) = text.parse()
        {
            return Self::Float(number);
        }
        Self::Text(text)
    }

    fn of_digits(text: &'a str) -> Self {
        if text.trim_start_matches('-').len() > DIGIT_LIMIT {
            return Self::Unreadable;
        }
        Self::Integer(Integer::of_digits(text))
    }

    /// Python's `str` of it; a number is written into the buffer.
    pub(crate) fn text<'b>(self, buffer: &'b mut TextBuffer) -> Option<Cow<'b, str>>
    where
        'a: 'b,
    {
        let text = match self {
            Self::Unset | Self::Unreadable => return None,
            Self::Boolean(true) => Cow::Borrowed("True"),
            Self::Boolean(false) => Cow::Borrowed("False"),
            Self::Integer(Integer::Small(number)) => {
                buffer.integer(number);
                Cow::Borrowed(buffer.as_str())
            }
            Self::Integer(Integer::Big { negative, digits }) => {
                let sign = if negative { "-" } else { "" };
                Cow::Owned(format!("{sign}{digits}"))
            }
            Self::Float(number) => {
                buffer.float(number);
                Cow::Borrowed(buffer.as_str())
            }
            Self::Text(text) => Cow::Borrowed(text),
        };
        Some(text)
    }

    /// An owned copy for traces; `Unreadable` becomes null.
    pub(crate) fn to_value(self) -> Value {
        match self {
            Self::Unset | Self::Unreadable => Value::Null,
            Self::Boolean(value) => Value::Boolean(value),
            Self::Integer(Integer::Small(number)) => Value::Integer(number),
            Self::Integer(Integer::Big { negative, digits }) => {
                let sign = if negative { "-" } else { "" };
                Value::BigInteger(format!("{sign}{digits}").into())
            }
            Self::Float(number) => Value::Float(number),
            Self::Text(text) => Value::text(text),
        }
    }
}

/// A whole number of any size, compared exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Integer<'a> {
    /// Within `i64`.
    Small(i64),
    /// Outside `i64`.
    Big {
        /// Below zero.
        negative: bool,
        /// Without leading zeros.
        digits: &'a str,
    },
}

impl<'a> Integer<'a> {
    /// Reads an optional `-` and ASCII digits.
    pub(crate) fn of_digits(text: &'a str) -> Self {
        if let Ok(number) = text.parse() {
            return Self::Small(number);
        }
        let digits = text.strip_prefix('-').unwrap_or(text);
        Self::Big {
            negative: text.starts_with('-'),
            digits: digits.trim_start_matches('0'),
        }
    }

    /// The integer that a value holds, if it holds one.
    pub(crate) fn of_value(value: &'a Value) -> Option<Self> {
        match value {
            Value::Integer(number) => Some(Self::Small(*number)),
            Value::BigInteger(digits) => Some(Self::of_digits(digits)),
            Value::Null | Value::Boolean(_) | Value::Float(_) | Value::Text(_) => None,
        }
    }

    /// The nearest float; `None` beyond the range of floats, where Python raises an error.
    pub(crate) fn to_float(self) -> Option<f64> {
        match self {
            Self::Small(number) => Some(number as f64),
            Self::Big { negative, digits } => {
                let magnitude: f64 = digits.parse().ok()?;
                let number = if negative { -magnitude } else { magnitude };
                number.is_finite().then_some(number)
            }
        }
    }
}

impl Ord for Integer<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        // A big one lies beyond every small one, on the side of its sign.
        let side = |negative| match negative {
            true => Ordering::Less,
            false => Ordering::Greater,
        };
        match (*self, *other) {
            (Self::Small(a), Self::Small(b)) => a.cmp(&b),
            (Self::Big { negative, .. }, Self::Small(_)) => side(negative),
            (Self::Small(_), Self::Big { negative, .. }) => side(negative).reverse(),
            (
                Self::Big {
                    negative: a_negative,
                    digits: a,
                },
                Self::Big {
                    negative: b_negative,
                    digits: b,
                },
            ) => {
                let magnitudes = || a.len().cmp(&b.len()).then_with(|| a.cmp(b));
                match (a_negative, b_negative) {
                    (false, false) => magnitudes(),
                    (true, true) => magnitudes().reverse(),
                    (true, false) => Ordering::Less,
                    (false, true) => Ordering::Greater,
                }
            }
        }
    }
}

impl PartialOrd for Integer<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::{Integer, Operand};
    use crate::Value;
    use proptest::prelude::*;

    #[track_caller]
    fn check(value: Value, expected: Operand<'_>) {
        assert_eq!(Operand::of(&value), expected, "{value:?}");
    }

    #[test]
    fn plain_decimal_text_is_a_number() {
        let integer = |number| Operand::Integer(Integer::Small(number));
        check(Value::text("007"), integer(7));
        check(Value::text("-0"), integer(0));
        check(Value::text("1.50"), Operand::Float(1.5));
        check(Value::text("-0.0"), Operand::Float(-0.0));
        check(
            Value::text("-00099999999999999999999"),
            Operand::Integer(Integer::Big {
                negative: true,
                digits: "99999999999999999999",
            }),
        );
    }

    #[test]
    fn other_text_stays_text() {
        let texts = [
            "", "-", "+1", "1.", ".5", "1e3", " 1", "1\n", "1_0", "٣", "1.5.5", "--1", "inf",
            "-1.-5",
        ];
        for text in texts {
            check(Value::text(text), Operand::Text(text));
        }
    }

    #[test]
    fn more_digits_than_python_reads_are_unreadable() {
        check(Value::text("1".repeat(4301)), Operand::Unreadable);
        check(Value::text("0".repeat(4301)), Operand::Unreadable);
        check(
            Value::BigInteger("1".repeat(4301).into()),
            Operand::Unreadable,
        );
        let most = format!("-{}", "1".repeat(4300));
        assert_ne!(Operand::of_text(&most), Operand::Unreadable);
    }

    #[test]
    fn integers_beyond_the_range_of_floats_have_none() {
        let huge = "9".repeat(400);
        assert_eq!(Integer::of_digits(&huge).to_float(), None);
        assert_eq!(
            Integer::of_digits("10000000000000000000").to_float(),
            Some(1e19)
        );
    }

    proptest! {
        #[test]
        fn integers_are_ordered_by_their_value(a: i128, b: i128) {
            let (a_text, b_text) = (a.to_string(), b.to_string());
            let ordering = Integer::of_digits(&a_text).cmp(&Integer::of_digits(&b_text));
            prop_assert_eq!(ordering, a.cmp(&b));
        }
    }
}
