//! What a condition asks of a context value.

use super::comparison::{Comparand, Comparison};
use super::containment::Containment;
use super::membership::Membership;
use super::modulo::Modulo;
use super::pattern::{Pattern, PatternBudget};
use super::percentage::PercentageSplit;
use crate::CompileWarning;
use crate::operand::Operand;
use crate::seen::Seen;

/// An operator with its value, parsed once for all evaluations to come.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Test {
    /// Never true: what was written cannot be true, or cannot be read.
    Never,
    IsSet,
    IsNotSet,
    Compare(Comparison, Box<Comparand>),
    Contains(Box<Containment>),
    NotContains(Box<str>),
    Regex(Pattern),
    Modulo(Modulo),
    In(Membership),
    PercentageSplit(PercentageSplit),
}

impl Test {
    /// Parses a condition. `None` as value is what Python makes of it: the text `None`, but not for `IN`.
    pub(crate) fn compile(
        operator: &str,
        value: Option<&str>,
        budget: &mut PatternBudget,
    ) -> Result<Self, CompileWarning> {
        let text = value.unwrap_or("None");
        let comparison = |comparison| Self::Compare(comparison, Box::new(Comparand::parse(text)));
        let test = match operator {
            "EQUAL" => comparison(Comparison::Equal),
            "NOT_EQUAL" => comparison(Comparison::NotEqual),
            "GREATER_THAN" => comparison(Comparison::Greater),
            "GREATER_THAN_INCLUSIVE" => comparison(Comparison::GreaterOrEqual),
            "LESS_THAN" => comparison(Comparison::Less),
            "LESS_THAN_INCLUSIVE" => comparison(Comparison::LessOrEqual),
            "CONTAINS" => Self::Contains(Box::new(Containment::parse(text))),
            "NOT_CONTAINS" => Self::NotContains(text.into()),
            "REGEX" => Self::Regex(Pattern::compile(text, budget)?),
            "MODULO" => Modulo::parse(text).map_or(Self::Never, Self::Modulo),
            "IN" => value
                .and_then(Membership::parse)
                .map_or(Self::Never, Self::In),
            "PERCENTAGE_SPLIT" => {
                PercentageSplit::parse(text).map_or(Self::Never, Self::PercentageSplit)
            }
            "IS_SET" => Self::IsSet,
            "IS_NOT_SET" => Self::IsNotSet,
            _ => {
                return Err(CompileWarning::UnknownOperator {
                    operator: operator.into(),
                });
            }
        };
        Ok(test)
    }

    /// True where the test holds for a context value.
    pub(crate) fn matches(&self, seen: &Seen<'_>, segment_key: &str) -> bool {
        let operand = seen.operand();
        match self {
            Self::Never => false,
            Self::IsSet => !matches!(operand, Operand::Unset | Operand::Unreadable),
            Self::IsNotSet => operand == Operand::Unset,
            Self::Compare(comparison, comparand) => comparison.holds(seen, comparand),
            Self::Contains(containment) => containment.holds(seen),
            // A number, a boolean or nothing does not "not contain": only text does.
            Self::NotContains(part) => match operand {
                Operand::Text(text) => !text.contains(&**part),
                Operand::Unset
                | Operand::Boolean(_)
                | Operand::Integer(_)
                | Operand::Float(_)
                | Operand::Unreadable => false,
            },
            Self::Regex(pattern) => pattern.matches(operand),
            Self::Modulo(modulo) => modulo.holds(operand),
            Self::In(membership) => membership.contains(operand),
            Self::PercentageSplit(split) => split.includes(operand, segment_key),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Test;
    use crate::operand::Operand;
    use crate::operator::PatternBudget;
    use crate::seen::Seen;
    use crate::{CompileWarning, Value};
    use proptest::prelude::*;

    #[track_caller]
    fn check(operator: &str, value: Option<&str>, seen: Value, expected: bool) {
        let test = Test::compile(operator, value, &mut PatternBudget::new()).unwrap();

        let matches = test.matches(&Seen::new(Operand::of(&seen)), "1");

        assert_eq!(matches, expected, "{operator} {value:?} {seen:?}");
    }

    #[test]
    fn empty_text_is_set_and_null_is_not() {
        check("IS_SET", None, Value::text(""), true);
        check("IS_SET", None, Value::Boolean(false), true);
        check("IS_SET", None, Value::Null, false);
        check("IS_NOT_SET", None, Value::Null, true);
        check("IS_NOT_SET", None, Value::text(""), false);
    }

    #[test]
    fn nothing_is_true_of_more_digits_than_python_reads() {
        let digits = "1".repeat(4301);
        let operators = [
            ("IS_SET", ""),
            ("IS_NOT_SET", ""),
            ("NOT_EQUAL", "1"),
            ("NOT_CONTAINS", "x"),
            ("REGEX", ""),
            ("MODULO", "1|0"),
            ("IN", digits.as_str()),
            ("PERCENTAGE_SPLIT", "100"),
        ];
        for (operator, value) in operators {
            check(operator, Some(value), Value::text(digits.as_str()), false);
        }
    }

    #[test]
    fn only_text_can_not_contain_something() {
        check("NOT_CONTAINS", Some("x"), Value::text("abc"), true);
        check("NOT_CONTAINS", Some("b"), Value::text("abc"), false);
        check("NOT_CONTAINS", Some(""), Value::text("abc"), false);
        check("NOT_CONTAINS", Some("9"), Value::text("123"), false);
        check("NOT_CONTAINS", Some("9"), Value::Boolean(true), false);
        check("NOT_CONTAINS", Some("9"), Value::Null, false);
    }

    #[test]
    fn a_missing_value_is_the_text_none_as_in_python() {
        check("EQUAL", None, Value::text("None"), true);
        check("EQUAL", None, Value::Boolean(true), true);
        check("EQUAL", None, Value::Integer(1), false);
        check("CONTAINS", None, Value::text("xNonex"), true);
        check("NOT_CONTAINS", None, Value::text("abc"), true);
        check("REGEX", None, Value::text("None"), true);
        check("MODULO", None, Value::Integer(1), false);
        check("IN", None, Value::text("None"), false);
        check("PERCENTAGE_SPLIT", None, Value::text("None"), false);
    }

    #[test]
    fn an_unknown_operator_is_reported() {
        let unknown = Test::compile("LIKE", Some("x"), &mut PatternBudget::new());

        let operator = "LIKE".into();
        assert_eq!(unknown, Err(CompileWarning::UnknownOperator { operator }));
    }

    fn any_value() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Boolean),
            any::<i64>().prop_map(Value::Integer),
            "-?[1-9][0-9]{19,40}".prop_map(|digits| Value::BigInteger(digits.into())),
            any::<f64>().prop_map(Value::Float),
            any::<String>().prop_map(Value::text),
            "-?[0-9]{1,4}(\\.[0-9]{1,4})?".prop_map(Value::text),
        ]
    }

    proptest! {
        #[test]
        fn any_operator_value_and_attribute_can_be_tried(
            operator in prop::sample::select(&[
                "EQUAL", "NOT_EQUAL", "GREATER_THAN", "GREATER_THAN_INCLUSIVE", "LESS_THAN",
                "LESS_THAN_INCLUSIVE", "CONTAINS", "NOT_CONTAINS", "REGEX", "MODULO", "IN",
                "PERCENTAGE_SPLIT", "IS_SET", "IS_NOT_SET", "other",
            ][..]),
            value in prop_oneof![
                any::<Option<String>>(),
                "\\[[\\[\\]\"a1,.{}:\\\\u]{0,12}".prop_map(Some),
                "[0-9.|_e-]{0,8}(:semver)?".prop_map(Some),
            ],
            seen in any_value(),
        ) {
            if let Ok(test) = Test::compile(operator, value.as_deref(), &mut PatternBudget::new()) {
                test.matches(&Seen::new(Operand::of(&seen)), "1");
            }
        }

        /// Raising a percentage never takes anyone out of the audience.
        #[test]
        fn a_growing_percentage_keeps_everyone_in(
            key: String,
            before in 0.0..100.0f64,
            raise in 0.0..100.0f64,
        ) {
            let seen = Value::text(key);
            let matches = |percentage: f64| {
                let value = percentage.to_string();
                Test::compile("PERCENTAGE_SPLIT", Some(&value), &mut PatternBudget::new())
                    .unwrap()
                    .matches(&Seen::new(Operand::of(&seen)), "1")
            };
            prop_assert!(!matches(before) || matches((before + raise).min(100.0)));
        }
    }
}
