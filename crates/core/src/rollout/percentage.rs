//! Percentages of rollouts.

use std::fmt;

/// Percent of people, from 0 to 100 with two decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Percentage(u16);

/// Why a number is no percentage of a rollout.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum InvalidPercentage {
    /// It is below 0, above 100 or no number.
    #[error("{0} is not between 0 and 100")]
    OutOfRange(f64),
    /// It has more than two decimals.
    #[error("{0} is finer than 0.01")]
    TooFine(f64),
}

impl Percentage {
    /// Nobody.
    pub const NONE: Self = Self(0);
    /// Everybody.
    pub const WHOLE: Self = Self(10_000);

    /// So many hundredths of a percent; `None` for more than 10,000.
    #[must_use]
    pub const fn from_hundredths(hundredths: u16) -> Option<Self> {
        if hundredths > Self::WHOLE.0 {
            return None;
        }
        Some(Self(hundredths))
    }

    /// So many percent.
    ///
    /// # Errors
    /// A number that is not between 0 and 100, or has more than two decimals.
    pub fn from_percent(percent: f64) -> Result<Self, InvalidPercentage> {
        if !(0.0..=100.0).contains(&percent) {
            return Err(InvalidPercentage::OutOfRange(percent));
        }
        let hundredths = (percent * 100.0).round();
        // Decimals as people write them are nearest to this quotient, whatever the rounding on the way. Adding 0 makes
        // one zero of two.
        if (hundredths / 100.0 + 0.0).to_bits() != (percent + 0.0).to_bits() {
            return Err(InvalidPercentage::TooFine(percent));
        }
        Ok(Self(hundredths as u16))
    }

    /// Hundredths of a percent, 0 to 10,000.
    #[must_use]
    pub const fn hundredths(self) -> u16 {
        self.0
    }

    /// Percent, 0 to 100.
    #[must_use]
    pub fn percent(self) -> f64 {
        f64::from(self.0) / 100.0
    }

    /// Percent of the others that have to be let in so that, with those who have it already, there are so many in all.
    /// Four decimals, 0 to 100; 0 where there are as many already.
    #[must_use]
    pub fn percent_beside(self, already: f64) -> f64 {
        let others = 100.0 - already;
        if others <= 0.0 {
            return 0.0;
        }
        let part = ((self.percent() - already) / others * 100.0).clamp(0.0, 100.0);
        (part * 10_000.0).round() / 10_000.0
    }
}

impl fmt::Display for Percentage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.percent().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::{InvalidPercentage, Percentage};
    use proptest::prelude::*;

    #[test]
    fn numbers_from_0_to_100_with_two_decimals_are_percentages() {
        for (percent, hundredths) in [
            (0.0, 0),
            (-0.0, 0),
            (0.01, 1),
            (0.29, 29),
            (33.33, 3333),
            (100.0, 10_000),
        ] {
            let percentage = Percentage::from_percent(percent).unwrap();
            assert_eq!(percentage.hundredths(), hundredths, "{percent}");
        }
    }

    #[test]
    fn other_numbers_are_refused_with_what_is_wrong() {
        let refused = |percent| Percentage::from_percent(percent).unwrap_err();
        assert_eq!(refused(-0.01), InvalidPercentage::OutOfRange(-0.01));
        assert_eq!(refused(100.01), InvalidPercentage::OutOfRange(100.01));
        assert_eq!(refused(0.001), InvalidPercentage::TooFine(0.001));
        assert_eq!(refused(12.345), InvalidPercentage::TooFine(12.345));
        assert!(matches!(
            refused(f64::NAN),
            InvalidPercentage::OutOfRange(_)
        ));
        assert_eq!(refused(120.0).to_string(), "120 is not between 0 and 100");
        assert_eq!(Percentage::from_hundredths(10_001), None);
    }

    #[test]
    fn those_who_have_it_already_count() {
        let beside = |percent, already| {
            Percentage::from_percent(percent)
                .unwrap()
                .percent_beside(already)
        };
        assert_eq!(beside(12.5, 0.0), 12.5);
        assert_eq!(beside(75.0, 50.0), 50.0);
        assert_eq!(beside(40.0, 50.0), 0.0);
        assert_eq!(beside(100.0, 50.0), 100.0);
        assert_eq!(beside(100.0, 100.0), 0.0);
    }

    proptest! {
        #[test]
        fn every_hundredth_is_read_back(hundredths in 0..=10_000u16) {
            let percentage = Percentage::from_hundredths(hundredths).unwrap();
            prop_assert_eq!(Percentage::from_percent(percentage.percent()), Ok(percentage));
            let written: f64 = percentage.to_string().parse().unwrap();
            prop_assert_eq!(Percentage::from_percent(written), Ok(percentage));
        }
    }
}
