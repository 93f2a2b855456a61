//! Priorities as they are ordered: exactly, however many digits they have.
//!
//! SDKs use a UUID read as a 128-bit number where an option has no id, so doubles are too coarse.

use serde_json::Number;
use std::cmp::Ordering;

/// A priority read from JSON; a missing one comes after all others.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Priority {
    /// A whole number: its sign and its digits without leading zeros.
    Whole { negative: bool, digits: String },
    /// A number with a fraction or an exponent; may be infinite.
    Float(f64),
    /// None was given.
    Missing,
}

impl Priority {
    pub(crate) fn of(number: &Number) -> Self {
        let text = number.as_str();
        if text.contains(['.', 'e', 'E']) {
            return text.parse().map_or(Self::Missing, Self::Float);
        }
        let digits = text.trim_start_matches('-').trim_start_matches('0');
        Self::Whole {
            negative: text.starts_with('-') && !digits.is_empty(),
            digits: digits.to_owned(),
        }
    }

    /// This priority as a double; `None` when it is missing.
    pub(crate) fn approximate(&self) -> Option<f64> {
        match self {
            Self::Whole { negative, digits } => {
                let size: f64 = if digits.is_empty() {
                    0.0
                } else {
                    digits.parse().unwrap_or(f64::INFINITY)
                };
                Some(if *negative { -size } else { size })
            }
            Self::Float(float) => Some(*float),
            Self::Missing => None,
        }
    }

    /// True where a double may stand for this priority without meeting another one.
    pub(crate) fn is_exact_as_double(&self) -> bool {
        match self {
            Self::Whole { digits, .. } => digits.len() <= 15,
            Self::Float(_) | Self::Missing => true,
        }
    }

    /// Orders as Python orders numbers of any type; missing last.
    pub(crate) fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Missing, Self::Missing) => Ordering::Equal,
            (Self::Missing, _) => Ordering::Greater,
            (_, Self::Missing) => Ordering::Less,
            (
                Self::Whole { negative, digits },
                Self::Whole {
                    negative: other_negative,
                    digits: other_digits,
                },
            ) => compare_whole(*negative, digits, *other_negative, other_digits),
            (Self::Float(float), Self::Float(other)) => {
                float.partial_cmp(other).unwrap_or(Ordering::Equal)
            }
            (Self::Whole { negative, digits }, Self::Float(float)) => {
                compare_with_float(*negative, digits, *float)
            }
            (Self::Float(float), Self::Whole { negative, digits }) => {
                compare_with_float(*negative, digits, *float).reverse()
            }
        }
    }
}

fn compare_whole(negative: bool, digits: &str, other_negative: bool, other: &str) -> Ordering {
    let size = digits
        .len()
        .cmp(&other.len())
        .then_with(|| digits.cmp(other));
    match (negative, other_negative) {
        (false, false) => size,
        (true, true) => size.reverse(),
        (false, true) => Ordering::Greater,
        (true, false) => Ordering::Less,
    }
}

fn compare_with_float(negative: bool, digits: &str, float: f64) -> Ordering {
    if !float.is_finite() {
        return 0.0.partial_cmp(&float).unwrap_or(Ordering::Equal);
    }
    // The shortest way to a double's exact whole part is its decimal text.
    let whole = format!("{:.0}", float.trunc());
    let whole_digits = whole.trim_start_matches('-').trim_start_matches('0');
    let whole_negative = whole.starts_with('-') && !whole_digits.is_empty();
    compare_whole(negative, digits, whole_negative, whole_digits)
        .then_with(|| 0.0.partial_cmp(&float.fract()).unwrap_or(Ordering::Equal))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn priority(text: &str) -> Priority {
        Priority::of(&serde_json::from_str(text).unwrap())
    }

    fn check(low: &str, high: &str) {
        assert_eq!(
            priority(low).compare(&priority(high)),
            Ordering::Less,
            "{low} < {high}"
        );
        assert_eq!(
            priority(high).compare(&priority(low)),
            Ordering::Greater,
            "{high} > {low}"
        );
    }

    #[test]
    fn whole_numbers_of_any_size_are_told_apart() {
        check(
            "340282366920938463463374607431768211454",
            "340282366920938463463374607431768211455",
        );
        check("9007199254740993", "9007199254740994");
        check("-2", "-1");
        check("-1", "0");
        check("9", "10");
    }

    #[test]
    fn floats_and_whole_numbers_are_compared_exactly() {
        check("1", "1.5");
        check("-1.5", "-1");
        check("9007199254740992.0", "9007199254740993");
        check("99999999999999999999999", "1e400");
        check("-1e400", "-99999999999999999999999");
        assert_eq!(priority("2").compare(&priority("2.0")), Ordering::Equal);
        assert_eq!(priority("-0").compare(&priority("0")), Ordering::Equal);
    }

    #[test]
    fn a_missing_priority_comes_last() {
        assert_eq!(
            Priority::Missing.compare(&priority("1e400")),
            Ordering::Greater
        );
    }

    proptest! {
        #[test]
        fn whole_numbers_are_ordered_as_numbers(left: i64, right: i64) {
            prop_assert_eq!(
                priority(&left.to_string()).compare(&priority(&right.to_string())),
                left.cmp(&right)
            );
        }
    }
}
