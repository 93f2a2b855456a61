//! How likely it is that failures fall on the treated, given how many there are in all.
//!
//! With the number of failures of both arms together held fixed, the number among the treated follows Fisher's
//! noncentral hypergeometric distribution (R. A. Fisher, "The logic of inductive inference", 1935). It depends on nothing
//! but the odds ratio: how often things fail anyway, and that this changes during the day, drops out.

use std::f64::consts::PI;

/// How often something went well and how often it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Counts {
    /// How often it went well.
    pub successes: u64,
    /// How often it failed.
    pub failures: u64,
}

impl Counts {
    /// How often it was tried.
    #[must_use]
    pub const fn total(self) -> u64 {
        self.successes.saturating_add(self.failures)
    }

    /// The share that failed, from 0 to 1; `None` where nothing was tried.
    #[must_use]
    pub fn failure_rate(self) -> Option<f64> {
        (self.total() > 0).then(|| self.failures as f64 / self.total() as f64)
    }

    /// What was counted since; nothing where counts went backwards.
    #[must_use]
    pub const fn since(self, before: Self) -> Self {
        Self {
            successes: self.successes.saturating_sub(before.successes),
            failures: self.failures.saturating_sub(before.failures),
        }
    }
}

/// Counts of those who have the new and of those who have not, of the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Arms {
    /// Who has the variant that is rolled out.
    pub treated: Counts,
    /// Everybody else.
    pub control: Counts,
}

impl Arms {
    /// What was counted since.
    #[must_use]
    pub const fn since(self, before: Self) -> Self {
        Self {
            treated: self.treated.since(before.treated),
            control: self.control.since(before.control),
        }
    }

    /// True where both were counted: there is nothing to compare otherwise.
    #[must_use]
    pub const fn are_comparable(self) -> bool {
        self.treated.total() > 0 && self.control.total() > 0
    }

    const fn failures(self) -> u64 {
        self.treated.failures.saturating_add(self.control.failures)
    }

    /// The fewest failures that can have fallen on the treated.
    fn fewest(self) -> u64 {
        self.failures().saturating_sub(self.control.total())
    }

    /// The most failures that can have fallen on the treated.
    fn most(self) -> u64 {
        self.failures().min(self.treated.total())
    }

    /// How much likelier one more failure among the treated is than `failures` of them.
    fn step(self, failures: u64, odds_ratio: f64) -> f64 {
        let untouched = self.treated.total() - failures;
        let moved = self.failures() - failures;
        let back = (self.control.total() + failures + 1) - self.failures();
        untouched as f64 / (failures + 1) as f64 * (moved as f64 / back as f64) * odds_ratio
    }

    /// The likeliest number of failures among the treated.
    fn likeliest(self, odds_ratio: f64) -> u64 {
        let (mut low, mut high) = (self.fewest(), self.most());
        // Steps get smaller and smaller, so the first that is not upwards is the top.
        while low < high {
            let middle = low + (high - low) / 2;
            if self.step(middle, odds_ratio) >= 1.0 {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// The logarithm of how often failures can be spread like this, weighed by the odds ratio.
    fn log_weight(self, failures: u64, odds_ratio: f64) -> f64 {
        log_choose(self.treated.total(), failures)
            + log_choose(self.control.total(), self.failures() - failures)
            + failures as f64 * odds_ratio.ln()
    }

    /// The logarithm of the probability of what was counted, if the odds of failing are so many times the control's,
    /// given how many failed in all.
    pub(super) fn log_likelihood(self, odds_ratio: f64) -> f64 {
        /// Below this share of the likeliest, further terms change nothing.
        const NOTHING: f64 = 1e-18;
        let top = self.likeliest(odds_ratio);
        let mut sum = 1.0;
        let mut term = 1.0;
        for failures in top..self.most() {
            term *= self.step(failures, odds_ratio);
            sum += term;
            if term < NOTHING {
                break;
            }
        }
        term = 1.0;
        for failures in (self.fewest()..top).rev() {
            term /= self.step(failures, odds_ratio);
            sum += term;
            if term < NOTHING {
                break;
            }
        }
        let counted = self.log_weight(self.treated.failures, odds_ratio);
        counted - self.log_weight(top, odds_ratio) - f64::ln(sum)
    }
}

fn log_choose(total: u64, chosen: u64) -> f64 {
    log_factorial(total) - log_factorial(chosen) - log_factorial(total.saturating_sub(chosen))
}

/// The logarithm of `n!`: added up for small numbers, by Stirling's series beyond, to 13 digits.
fn log_factorial(n: u64) -> f64 {
    const SMALL: u64 = 32;
    if n < SMALL {
        return (2..=n).map(|factor| (factor as f64).ln()).sum();
    }
    let n = n as f64;
    let square = n * n;
    let correction = (1.0 / 12.0 - (1.0 / 360.0 - 1.0 / (1260.0 * square)) / square) / n;
    n * n.ln() - n + 0.5 * (2.0 * PI * n).ln() + correction
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn arms(treated: (u64, u64), control: (u64, u64)) -> Arms {
        let counts = |(successes, failures)| Counts {
            successes,
            failures,
        };
        Arms {
            treated: counts(treated),
            control: counts(control),
        }
    }

    /// The same totals with so many failures among the treated.
    fn spread(treated: u64, control: u64, failures: u64, among_treated: u64) -> Arms {
        let among_control = failures - among_treated;
        arms(
            (treated - among_treated, among_treated),
            (control - among_control, among_control),
        )
    }

    #[test]
    fn factorials_agree_with_those_multiplied_out() {
        let exact = |n: u64| (2..=n).map(|factor| (factor as f64).ln()).sum::<f64>();

        for n in [0, 1, 2, 31, 32, 33, 100, 10_000] {
            let difference = (log_factorial(n) - exact(n)).abs();
            assert!(difference <= 1e-12 * exact(n).max(1.0), "{n}: {difference}");
        }
    }

    #[test]
    fn without_a_difference_it_is_the_lottery_of_fishers_exact_test() {
        // 3 of 10 treated and 1 of 10 of the others: 120 * 10 / 4845.
        let table = arms((7, 3), (9, 1));

        let likelihood = table.log_likelihood(1.0).exp();

        assert!((likelihood - 1200.0 / 4845.0).abs() < 1e-12, "{likelihood}");
    }

    #[test]
    fn a_billion_of_each_is_weighed_too() {
        let table = arms((990_000_000, 10_000_000), (990_010_000, 9_990_000));

        let likelier = table.log_likelihood(1.001) - table.log_likelihood(1.0);

        // By the normal approximation: 5,000 failures too many, times the logarithm of the odds ratio, minus half of its
        // square times the variance of 4,947,525.
        assert!((likelier - 2.526).abs() < 0.01, "{likelier}");
    }

    proptest! {
        /// Whatever the odds, the failures fall somehow.
        #[test]
        fn probabilities_add_up_to_one(
            treated in 1u64..60,
            control in 1u64..60,
            share in 0.0..1.0f64,
            odds_ratio in 0.05..20.0f64,
        ) {
            let failures = ((treated + control) as f64 * share) as u64;
            let all = failures.saturating_sub(control)..=failures.min(treated);

            let sum: f64 = all
                .map(|among| spread(treated, control, failures, among).log_likelihood(odds_ratio).exp())
                .sum();

            prop_assert!((sum - 1.0).abs() < 1e-10, "{sum}");
        }

        /// Nothing overflows, whatever was counted.
        #[test]
        fn every_table_has_a_likelihood(
            treated in (0u64..2_000_000, 0u64..2_000),
            control in (0u64..2_000_000, 0u64..2_000),
            odds_ratio in 0.01..100.0f64,
        ) {
            let likelihood = arms(treated, control).log_likelihood(odds_ratio);

            prop_assert!(likelihood.is_finite() && likelihood < 1e-6, "{likelihood}");
        }
    }
}
