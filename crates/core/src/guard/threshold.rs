//! Limits that a measurement or a share of failures has to keep.

use super::{Counts, Verdict};

/// On which side of a limit the harm is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Harm {
    /// More than the limit is bad: errors, seconds.
    Above,
    /// Less than the limit is bad: a share of successes, sales.
    Below,
}

impl Harm {
    /// The word that is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Above => "above",
            Self::Below => "below",
        }
    }

    /// The meaning of that word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "above" => Some(Self::Above),
            "below" => Some(Self::Below),
            _ => None,
        }
    }
}

/// A limit for a measurement. The limit itself is still healthy.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Threshold {
    /// Where the harm is.
    pub harm: Harm,
    /// In the unit of the measurement; finite.
    pub limit: f64,
}

impl Threshold {
    /// What a measurement says. `None`, and what is no number, is no measurement.
    #[must_use]
    pub fn verdict(&self, measured: Option<f64>) -> Verdict {
        let Some(measured) = measured.filter(|measured| !measured.is_nan()) else {
            return Verdict::NoData;
        };
        let is_harmful = match self.harm {
            Harm::Above => measured > self.limit,
            Harm::Below => measured < self.limit,
        };
        if is_harmful {
            Verdict::Harmful
        } else {
            Verdict::Healthy
        }
    }
}

/// A limit for the share of failures of the treated, without looking at anybody else.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateLimit {
    /// The largest healthy share, from 0 to 1.
    pub limit: f64,
    /// Below so many counts nothing is decided.
    pub minimum: u64,
}

impl RateLimit {
    /// What the counts of the treated say.
    #[must_use]
    pub fn verdict(&self, treated: Counts) -> Verdict {
        let Some(rate) = treated.failure_rate() else {
            return Verdict::NoData;
        };
        if treated.total() < self.minimum {
            Verdict::Undecided
        } else if rate > self.limit {
            Verdict::Harmful
        } else {
            Verdict::Healthy
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(harm: Harm, measured: Option<f64>, verdict: Verdict) {
        let threshold = Threshold { harm, limit: 0.05 };

        assert_eq!(
            threshold.verdict(measured),
            verdict,
            "{harm:?} {measured:?}"
        );
    }

    #[test]
    fn a_measurement_beyond_its_limit_is_harmful_and_the_limit_itself_is_not() {
        check(Harm::Above, Some(0.05), Verdict::Healthy);
        check(Harm::Above, Some(0.051), Verdict::Harmful);
        check(Harm::Above, Some(f64::INFINITY), Verdict::Harmful);
        check(Harm::Below, Some(0.05), Verdict::Healthy);
        check(Harm::Below, Some(0.049), Verdict::Harmful);
        check(Harm::Below, Some(f64::NEG_INFINITY), Verdict::Harmful);
    }

    #[test]
    fn what_is_missing_or_no_number_is_never_healthy() {
        for harm in [Harm::Above, Harm::Below] {
            check(harm, None, Verdict::NoData);
            check(harm, Some(f64::NAN), Verdict::NoData);
        }
    }

    #[test]
    fn a_share_of_failures_is_judged_once_there_are_enough_counts() {
        let rule = RateLimit {
            limit: 0.1,
            minimum: 20,
        };
        let of = |successes, failures| {
            rule.verdict(Counts {
                successes,
                failures,
            })
        };

        assert_eq!(of(0, 0), Verdict::NoData);
        assert_eq!(of(0, 19), Verdict::Undecided);
        assert_eq!(of(18, 2), Verdict::Healthy);
        assert_eq!(of(17, 3), Verdict::Harmful);
    }

    #[test]
    fn every_side_has_a_word_of_its_own() {
        for harm in [Harm::Above, Harm::Below] {
            assert_eq!(Harm::parse(harm.as_str()), Some(harm));
        }
        assert_eq!(Harm::parse("beyond"), None);
    }
}
