//! `MODULO`.

use crate::operand::Operand;
use crate::text::parse_float;

/// The value of a `MODULO` condition, `divisor|remainder`: both floats.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Modulo {
    /// What is divided by; never zero.
    pub divisor: f64,
    /// The rest that is asked for.
    pub remainder: f64,
}

impl Modulo {
    /// Reads `divisor|remainder`. A divisor of zero is an error in Python and refused here.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (divisor, remainder) = text.split_once('|')?;
        let modulo = Self {
            divisor: parse_float(divisor)?,
            remainder: parse_float(remainder)?,
        };
        (modulo.divisor != 0.0).then_some(modulo)
    }

    /// True where the rest has exactly the asked value. Booleans count as 1 and 0.
    pub(crate) fn holds(self, operand: Operand<'_>) -> bool {
        let number = match operand {
            Operand::Boolean(value) => Some(f64::from(u8::from(value))),
            Operand::Integer(number) => number.to_float(),
            Operand::Float(number) => Some(number),
            Operand::Unset | Operand::Text(_) | Operand::Unreadable => None,
        };
        number.is_some_and(|number| self.leaves(number))
    }

    /// True for a number whose rest has exactly the asked value.
    #[must_use]
    pub fn leaves(self, number: f64) -> bool {
        self.of(number) == self.remainder
    }

    /// The rest with the sign of the divisor: -1 modulo 3 is 2.
    fn of(self, number: f64) -> f64 {
        let rest = number % self.divisor;
        if rest != 0.0 && (rest < 0.0) != (self.divisor < 0.0) {
            rest + self.divisor
        } else {
            rest
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Modulo;
    use crate::Value;
    use crate::operand::Operand;

    #[track_caller]
    fn check(value: &str, seen: Value, expected: bool) {
        let modulo = Modulo::parse(value).unwrap();

        assert_eq!(
            modulo.holds(Operand::of(&seen)),
            expected,
            "{seen:?} MODULO {value:?}"
        );
    }

    #[test]
    fn the_rest_has_the_sign_of_the_divisor() {
        check("3|2", Value::Integer(-1), true);
        check("-3|-1", Value::Integer(-1), true);
        check("-3|-2", Value::Integer(1), true);
        check("-2|-0", Value::Integer(2), true);
    }

    #[test]
    fn numbers_booleans_and_numeric_text_have_a_rest() {
        check("2|1", Value::text("5"), true);
        check("2.5|0.5", Value::text("5.5"), true);
        check(" 2 | 1 ", Value::Boolean(true), true);
        check("2_0|1", Value::Integer(21), true);
        check("2|1", Value::text("x"), false);
        check("2|0", Value::Null, false);
    }

    #[test]
    fn infinities_and_nan_follow_python() {
        check("inf|inf", Value::Integer(-1), true);
        check("inf|1", Value::Integer(1), true);
        check("nan|1", Value::Integer(1), false);
        check("2|nan", Value::Integer(1), false);
        check("2|nan", Value::Float(f64::INFINITY), false);
    }

    #[test]
    fn an_integer_too_large_for_a_float_has_no_rest() {
        check(
            "2|0",
            Value::BigInteger(format!("1{}", "0".repeat(300)).into()),
            true,
        );
        check(
            "2|0",
            Value::BigInteger(format!("1{}", "0".repeat(400)).into()),
            false,
        );
    }

    #[test]
    fn anything_else_is_no_modulo() {
        for text in ["", "2", "2|1|0", "|", "2|", "x|1", "0|0", "-0.0|0", "None"] {
            assert_eq!(Modulo::parse(text), None, "{text:?}");
        }
    }
}
