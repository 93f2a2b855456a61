//! `REGEX`: patterns, and the memory they may take.
//!
//! The dialect is that of the `regex` crate: no look-around and no back-references, but no pattern can make
//! an evaluation slow. Deliberately different from Python's `re`, as `wire/tests/it/flagsmith/differences.json` says.

use crate::CompileWarning;
use crate::operand::Operand;
use crate::text::TextBuffer;
use regex::{Regex, RegexBuilder};

/// A compiled pattern.
#[derive(Debug, Clone)]
pub(crate) struct Pattern(Regex);

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

/// Sizes that a pattern is tried at: it is charged the first one it fits into.
const SIZES: [usize; 7] = [
    4 << 10,
    16 << 10,
    64 << 10,
    256 << 10,
    512 << 10,
    1 << 20,
    2 << 20,
];

/// Room for the states a pattern collects while it runs, for each thread that runs it at the same time.
const RUNNING_LIMIT: usize = 64 << 10;

/// Bytes that compiling the patterns of one snapshot may try out, kept or not: it bounds the time it takes.
/// Far more than patterns that are kept can use up.
const TRIED_LIMIT: usize = 128 << 20;

/// How much memory the patterns of one snapshot may still take.
///
/// Short patterns can be huge when compiled: 100 conditions of 15 characters took 463 MB without a limit.
#[derive(Debug)]
pub struct PatternBudget {
    left: PatternCost,
}

/// What patterns cost, in bytes as the regex compiler counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct PatternCost {
    /// Of patterns that were kept.
    kept: usize,
    /// Of every try.
    tried: usize,
}

impl PatternCost {
    fn minus(self, other: Self) -> Option<Self> {
        Some(Self {
            kept: self.kept.checked_sub(other.kept)?,
            tried: self.tried.checked_sub(other.tried)?,
        })
    }
}

impl PatternBudget {
    /// Bytes of compiled patterns that one snapshot may hold, as the regex compiler counts them.
    pub const LIMIT: usize = 16 << 20;

    /// A full budget: one for each snapshot or evaluated document.
    #[must_use]
    pub fn new() -> Self {
        Self {
            left: PatternCost {
                kept: Self::LIMIT,
                tried: TRIED_LIMIT,
            },
        }
    }

    /// Takes what patterns cost when they were compiled; false, and nothing taken, where that does not fit.
    pub(crate) fn claim(&mut self, cost: PatternCost) -> bool {
        let left = self.left.minus(cost);
        self.left = left.unwrap_or(self.left);
        left.is_some()
    }

    pub(crate) const fn left(&self) -> PatternCost {
        self.left
    }

    /// What was taken since there was this much left.
    pub(crate) fn spent_since(&self, before: PatternCost) -> PatternCost {
        before.minus(self.left).unwrap_or_default()
    }
}

impl Default for PatternBudget {
    fn default() -> Self {
        Self::new()
    }
}

impl Pattern {
    /// Compiles a pattern within the budget.
    pub(crate) fn compile(
        pattern: &str,
        budget: &mut PatternBudget,
    ) -> Result<Self, CompileWarning> {
        let spent = || CompileWarning::PatternBudgetSpent {
            pattern: pattern.into(),
        };
        for size in SIZES {
            if !budget.claim(PatternCost {
                kept: 0,
                tried: size,
            }) {
                return Err(spent());
            }
            let built = RegexBuilder::new(pattern)
                .size_limit(size)
                .dfa_size_limit(RUNNING_LIMIT)
                .build();
            match built {
                // Asked only now: a pattern's fault is found whatever patterns there are before it.
                Ok(regex)
                    if budget.claim(PatternCost {
                        kept: size,
                        tried: 0,
                    }) =>
                {
                    return Ok(Self(regex));
                }
                Ok(_) => return Err(spent()),
                Err(regex::Error::CompiledTooBig(_)) => {}
                Err(error) => {
                    return Err(CompileWarning::InvalidPattern {
                        pattern: pattern.into(),
                        problem: error.to_string(),
                    });
                }
            }
        }
        Err(CompileWarning::PatternTooLarge {
            pattern: pattern.into(),
        })
    }

    /// True where a match begins at the start of the value's text, as Python's `re.match` has it.
    pub(crate) fn matches(&self, operand: Operand<'_>) -> bool {
        let mut buffer = TextBuffer::new();
        let Some(text) = operand.text(&mut buffer) else {
            return false;
        };
        // The leftmost match begins at 0 if any does. Wrapping the pattern in `\A(?:…)` instead would
        // make patterns such as `a)(b` valid.
        self.0.find(&text).is_some_and(|found| found.start() == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::{Pattern, PatternBudget};
    use crate::operand::Operand;
    use crate::{CompileWarning, Value};

    #[track_caller]
    fn check(pattern: &str, seen: Value, expected: bool) {
        let compiled = Pattern::compile(pattern, &mut PatternBudget::new()).unwrap();

        assert_eq!(
            compiled.matches(Operand::of(&seen)),
            expected,
            "{seen:?} REGEX {pattern:?}"
        );
    }

    #[test]
    fn a_match_begins_at_the_start_and_ends_anywhere() {
        check("a", Value::text("ab"), true);
        check("b", Value::text("ab"), false);
        check("b|a", Value::text("ab"), true);
        check("", Value::text(""), true);
        check("(?x) a # comment", Value::text("ab"), true);
        check("(?m)^b", Value::text("a\nb"), false);
    }

    #[test]
    fn values_are_matched_in_pythons_text_form() {
        check("True$", Value::Boolean(true), true);
        check(r"1\.5$", Value::text("1.50"), true);
        check("7$", Value::text("007"), true);
        check(r"1e\+16$", Value::Float(1e16), true);
        check("-9{20}$", Value::text(format!("-{}", "9".repeat(20))), true);
        check("None", Value::Null, false);
    }

    #[test]
    fn a_pattern_that_cannot_be_read_is_reported() {
        for pattern in ["(", "a)(b", "(?=a)", r"(a)\1"] {
            let refused = Pattern::compile(pattern, &mut PatternBudget::new());

            assert!(
                matches!(refused, Err(CompileWarning::InvalidPattern { .. })),
                "{pattern:?}",
            );
        }
    }

    #[test]
    fn a_pattern_that_grows_too_large_is_reported() {
        for pattern in [r"\pL{999}", r"(\w{99}){99}", "((a{99}){99}){9}"] {
            let refused = Pattern::compile(pattern, &mut PatternBudget::new());

            assert!(
                matches!(refused, Err(CompileWarning::PatternTooLarge { .. })),
                "{pattern:?}",
            );
        }
    }

    #[test]
    fn what_does_not_fit_into_the_budget_is_reported() {
        let mut budget = PatternBudget::new();
        budget.left.kept = 4 << 10;

        let first = Pattern::compile("a", &mut budget);
        let second = Pattern::compile("b", &mut budget);

        assert!(first.is_ok());
        assert!(matches!(
            second,
            Err(CompileWarning::PatternBudgetSpent { .. }),
        ));
        assert_eq!(budget.left.kept, 0);
    }

    #[test]
    fn patterns_that_are_too_large_use_up_the_time_allowed() {
        let mut budget = PatternBudget::new();
        let pattern = r"\pL{999}";

        let first = Pattern::compile(pattern, &mut budget);
        budget.left.tried = (4 << 10) - 1;
        let last = Pattern::compile(pattern, &mut budget);

        assert!(matches!(first, Err(CompileWarning::PatternTooLarge { .. })));
        assert!(matches!(
            last,
            Err(CompileWarning::PatternBudgetSpent { .. })
        ));
        assert_eq!(budget.left.kept, PatternBudget::LIMIT);
    }

    #[test]
    fn the_usual_patterns_with_classes_of_all_scripts_are_small_enough() {
        check(
            r"[\w.+-]+@[\w-]+\.\w{2,10}$",
            Value::text("ana@example.com"),
            true,
        );
        check(r"\w{32}$", Value::text("ä".repeat(32)), true);
    }

    #[test]
    fn hostile_patterns_are_left_out_when_the_budget_is_spent() {
        let mut budget = PatternBudget::new();
        budget.left.kept = 2 << 20;
        let compiled = (10..20)
            .filter_map(|number| Pattern::compile(&format!(r"\w{{14}}{number}"), &mut budget).ok());

        let count = compiled.count();

        assert!((1..10).contains(&count), "{count}");
    }

    #[test]
    fn hundreds_of_ordinary_patterns_fit_into_the_budget() {
        let mut budget = PatternBudget::new();
        for number in 0..500 {
            let pattern = format!(r"^[a-z0-9.]+@customer{number}\.example\.(com|org)$");

            assert!(
                Pattern::compile(&pattern, &mut budget).is_ok(),
                "{pattern:?}"
            );
        }
    }
}
