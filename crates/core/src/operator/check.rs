//! What keeps a condition from ever holding, said to whoever writes it.

use super::percentage::PercentageSplit;
use super::{Modulo, PatternBudget, Test, VersionEnding, list_items, version_ending};
use crate::property::{Path, Property};
use crate::{CompileWarning, Condition, OPERATORS};

/// Why a condition holds for nobody, whatever is known about them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConditionProblem {
    /// No operator has this name.
    #[error("is not an operator")]
    UnknownOperator,
    /// Only a percentage split does without a property.
    #[error("names no property")]
    PropertyMissing,
    /// A path that leads to nothing that can be read.
    #[error("is a path that is never set")]
    UnreadablePath,
    /// The pattern cannot be read; what the parser says.
    #[error("is not a pattern: {0}")]
    InvalidPattern(String),
    /// The pattern takes more memory than one may.
    #[error("is a pattern that takes more than 2 MiB when compiled")]
    PatternTooLarge,
    /// Not `divisor|remainder`, or a divisor of zero.
    #[error("is not a divisor and a remainder")]
    NotModulo,
    /// No number from 0 to 100.
    #[error("is not between 0 and 100")]
    NotAPercentage,
    /// Something else than a version stands before `:semver`.
    #[error("is not a semantic version")]
    NotAVersion,
    /// A list that cannot be read.
    #[error("is not a list")]
    NotAList,
}

impl Condition {
    /// What keeps the condition from ever holding; nothing where somebody can be found for whom it does.
    ///
    /// Nothing here is refused when a condition is stored: documents from elsewhere hold all of it.
    #[must_use]
    pub fn problems(&self) -> Vec<ConditionProblem> {
        if !OPERATORS.contains(&self.operator.as_str()) {
            return vec![ConditionProblem::UnknownOperator];
        }
        let problems = [self.property_problem(), self.value_problem()];
        problems.into_iter().flatten().collect()
    }

    fn property_problem(&self) -> Option<ConditionProblem> {
        let property = self.property.as_deref().unwrap_or_default();
        if property.is_empty() {
            let is_split = self.operator == "PERCENTAGE_SPLIT";
            return (!is_split).then_some(ConditionProblem::PropertyMissing);
        }
        match Property::parse(property) {
            Property::Path {
                path: Path::Other, ..
            } => Some(ConditionProblem::UnreadablePath),
            Property::Path { .. } | Property::Attribute(_) | Property::HashKey => None,
        }
    }

    fn value_problem(&self) -> Option<ConditionProblem> {
        let text = self.value.as_deref().unwrap_or_default();
        let is_never = match self.operator.as_str() {
            "MODULO" => return missing(Modulo::parse(text), ConditionProblem::NotModulo),
            "IN" => return missing(list_items(text), ConditionProblem::NotAList),
            "PERCENTAGE_SPLIT" => {
                let split = PercentageSplit::parse(text).filter(|split| split.is_percentage());
                return missing(split, ConditionProblem::NotAPercentage);
            }
            "REGEX" => Test::compile("REGEX", Some(text), &mut PatternBudget::new()).err(),
            "EQUAL"
            | "NOT_EQUAL"
            | "GREATER_THAN"
            | "GREATER_THAN_INCLUSIVE"
            | "LESS_THAN"
            | "LESS_THAN_INCLUSIVE" => {
                let is_invalid = version_ending(text) == VersionEnding::Invalid;
                return is_invalid.then_some(ConditionProblem::NotAVersion);
            }
            _ => None,
        };
        is_never.map(|warning| match warning {
            CompileWarning::InvalidPattern { problem, .. } => {
                ConditionProblem::InvalidPattern(problem)
            }
            CompileWarning::PatternTooLarge { .. }
            | CompileWarning::PatternBudgetSpent { .. }
            | CompileWarning::UnknownOperator { .. }
            | CompileWarning::MissingProperty { .. }
            | CompileWarning::UnreadablePath { .. }
            | CompileWarning::TooDeep { .. } => ConditionProblem::PatternTooLarge,
        })
    }
}

fn missing<T>(found: Option<T>, problem: ConditionProblem) -> Option<ConditionProblem> {
    found.is_none().then_some(problem)
}

#[cfg(test)]
mod tests {
    use super::ConditionProblem;
    use crate::testing::condition;

    #[track_caller]
    fn check(operator: &str, property: &str, value: &str, expected: Option<ConditionProblem>) {
        let found = condition(operator, property, value).problems();

        assert_eq!(
            found,
            Vec::from_iter(expected),
            "{property} {operator} {value:?}"
        );
    }

    #[test]
    fn what_can_hold_is_no_problem() {
        check("EQUAL", "plan", "", None);
        check("GREATER_THAN", "version", "1.2.3:semver", None);
        check("IN", "country", "DE,AT", None);
        check("MODULO", "id", "2|1", None);
        check("PERCENTAGE_SPLIT", "", "12.5", None);
        check("PERCENTAGE_SPLIT", "$.identity.key", "100", None);
        check("REGEX", "email", ".*@example\\.com$", None);
        check("IS_SET", "plan", "", None);
        check("EQUAL", "$.environment.name", "Production", None);
    }

    #[test]
    fn each_reason_why_nobody_can_be_found_has_a_name() {
        use ConditionProblem as Problem;
        check("LIKE", "plan", "x", Some(Problem::UnknownOperator));
        check("EQUAL", "", "x", Some(Problem::PropertyMissing));
        check("EQUAL", "$.nowhere", "x", Some(Problem::UnreadablePath));
        check("LESS_THAN", "v", "1.2:semver", Some(Problem::NotAVersion));
        check("MODULO", "id", "0|1", Some(Problem::NotModulo));
        check("PERCENTAGE_SPLIT", "", "101", Some(Problem::NotAPercentage));
        check("PERCENTAGE_SPLIT", "", "nan", Some(Problem::NotAPercentage));
        check("IN", "x", &"[".repeat(80), Some(Problem::NotAList));
        let found = condition("REGEX", "", "(").problems();
        assert!(
            matches!(
                found[..],
                [Problem::PropertyMissing, Problem::InvalidPattern(_)]
            ),
            "{found:?}"
        );
    }

    #[test]
    fn a_condition_with_a_problem_holds_for_nobody() {
        use crate::Value;
        use crate::operand::Operand;
        use crate::operator::{PatternBudget, Test};
        use crate::seen::Seen;
        for (operator, value) in [("MODULO", "0|1"), ("PERCENTAGE_SPLIT", "nan")] {
            let test = Test::compile(operator, Some(value), &mut PatternBudget::new()).unwrap();
            let matches = test.matches(&Seen::new(Operand::of(&Value::Integer(1))), "1");
            assert!(!matches, "{operator} {value}");
        }
    }
}
