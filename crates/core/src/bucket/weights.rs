//! Weights as whole numbers: flagd adds up no others.

use crate::Variant;

/// What the weights of a state add up to, as written.
const TOTAL: f64 = 100.0;

/// The most decimals that are kept: with them 100 stays below 2³¹, the most that flagd adds up.
const DECIMALS_LIMIT: i32 = 7;

/// Weights of a state as whole numbers with a total of their own.
///
/// The ratios stay as written: 33.3, 33.3 and what is left become 333, 333 and 334 of 1000. What lies beyond the total
/// is cut off; more than seven decimals are rounded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WholeWeights<'v> {
    variants: &'v [Variant],
    scale: f64,
}

impl<'v> WholeWeights<'v> {
    /// The weights of a state's variants.
    #[must_use]
    pub fn of(variants: &'v [Variant]) -> Self {
        let is_whole = |scale: f64| {
            let mut weights = variants.iter().map(|variant| variant.weight);
            weights.all(|weight| (weight * scale).round() / scale == weight)
        };
        let mut scales = (0..DECIMALS_LIMIT).map(|decimals| 10_f64.powi(decimals));
        Self {
            variants,
            scale: scales
                .find(|scale| is_whole(*scale))
                .unwrap_or_else(|| 10_f64.powi(DECIMALS_LIMIT)),
        }
    }

    /// What the weights and what is left for control add up to: a power of ten.
    #[must_use]
    pub const fn total(&self) -> u32 {
        (TOTAL * self.scale) as u32
    }

    /// The weights of the variants, in their order.
    pub fn weights(&self) -> impl Iterator<Item = u32> + use<'v> {
        let scale = self.scale;
        let mut left = self.total();
        self.variants.iter().map(move |variant| {
            // A float below zero, or none at all, becomes 0.
            let weight = ((variant.weight * scale).round() as u32).min(left);
            left -= weight;
            weight
        })
    }

    /// What is left for control.
    #[must_use]
    pub fn control(&self) -> u32 {
        self.weights()
            .fold(self.total(), |left, weight| left - weight)
    }
}

#[cfg(test)]
mod tests {
    use super::WholeWeights;
    use crate::{Value, Variant};
    use proptest::prelude::*;

    fn variants(weights: &[f64]) -> Vec<Variant> {
        let variant = |weight: &f64| Variant {
            key: None,
            option: 0,
            value: Value::Null,
            weight: *weight,
            weight_text: "".into(),
        };
        weights.iter().map(variant).collect()
    }

    #[track_caller]
    fn check(weights: &[f64], expected: &[u32], control: u32) {
        let variants = variants(weights);
        let whole = WholeWeights::of(&variants);
        assert_eq!(whole.weights().collect::<Vec<_>>(), expected, "{weights:?}");
        assert_eq!(whole.control(), control, "{weights:?}");
    }

    #[test]
    fn requirement_17_weights_are_whole_numbers_with_a_total_of_their_own() {
        check(&[30.0], &[30], 70);
        check(&[33.3, 33.3], &[333, 333], 334);
        check(&[0.5, 99.5], &[5, 995], 0);
        check(&[0.0001], &[1], 999_999);
        check(&[], &[], 100);
    }

    #[test]
    fn more_decimals_than_flagd_adds_up_are_rounded() {
        check(&[100.0 / 3.0], &[333_333_333], 666_666_667);
        check(&[1e-9], &[0], 1_000_000_000);
    }

    #[test]
    fn what_lies_beyond_the_total_is_cut_off() {
        check(&[60.0, 60.0, 10.0], &[60, 40, 0], 0);
        check(&[-5.0, 10.0], &[0, 10], 90);
        check(&[f64::INFINITY, 10.0], &[100, 0], 0);
    }

    proptest! {
        /// As many decimals are kept as the shortest notation has, up to seven.
        #[test]
        fn the_total_is_that_of_the_decimals(weights in prop::collection::vec(
            prop_oneof![
                0.0..100.0f64,
                (0..10_000_000_u32, 0..6).prop_map(|(digits, places)| f64::from(digits) / 10_f64.powi(places + 5)),
            ],
            0..6,
        )) {
            let decimals = |weight: &f64| {
                let text = weight.to_string();
                text.split_once('.').map_or(0, |(_, digits)| digits.len())
            };
            let decimals = weights.iter().map(decimals).max().unwrap_or(0).min(7);
            let variants = variants(&weights);
            prop_assert_eq!(WholeWeights::of(&variants).total(), 100 * 10_u32.pow(decimals as u32));
        }
    }
}
