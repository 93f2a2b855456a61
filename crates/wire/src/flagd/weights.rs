//! Weights as flagd's `fractional` takes them: whole numbers with a total of their own.

/// What all weights of a state add up to, as written.
const TOTAL: f64 = 100.0;

/// The most decimals that are kept: with them 100 stays below 2³¹, the most that flagd adds up.
const DECIMALS_LIMIT: usize = 7;

/// Whole weights of the options, and the rest, which is control's.
///
/// The ratios stay as written: 33.3, 33.3 and the rest become 333, 333 and 334. What lies beyond the total is cut off,
/// as the server never gets there.
pub(super) fn whole_weights(percentages: &[f64]) -> (Vec<u32>, u32) {
    let decimals = percentages.iter().map(|percentage| decimals(*percentage));
    let scale = 10_f64.powi(decimals.max().unwrap_or(0).min(DECIMALS_LIMIT) as i32);
    let total = (TOTAL * scale) as u32;
    let mut left = total;
    let mut weights = Vec::with_capacity(percentages.len());
    for percentage in percentages {
        // A float below zero, or none at all, becomes 0.
        let weight = ((percentage * scale).round() as u32).min(left);
        left -= weight;
        weights.push(weight);
    }
    (weights, left)
}

/// Digits after the point in the shortest notation.
fn decimals(number: f64) -> usize {
    let text = number.to_string();
    text.split_once('.').map_or(0, |(_, digits)| digits.len())
}

#[cfg(test)]
mod tests {
    use super::whole_weights;
    use proptest::prelude::*;

    #[track_caller]
    fn check(percentages: &[f64], weights: &[u32], rest: u32) {
        let expected = (weights.to_vec(), rest);
        assert_eq!(whole_weights(percentages), expected, "{percentages:?}");
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
    fn more_decimals_than_flagd_can_add_up_are_rounded() {
        check(&[100.0 / 3.0], &[333_333_333], 1_000_000_000 - 333_333_333);
        check(&[1e-9], &[0], 1_000_000_000);
    }

    #[test]
    fn what_lies_beyond_the_total_is_cut_off() {
        check(&[60.0, 60.0, 10.0], &[60, 40, 0], 0);
        check(&[-5.0, 10.0], &[0, 10], 90);
        check(&[f64::NAN, 10.0], &[0, 10], 90);
    }

    proptest! {
        #[test]
        fn weights_and_rest_are_one_total(percentages in prop::collection::vec(-1.0..120.0f64, 0..6)) {
            let (weights, rest) = whole_weights(&percentages);
            let total: u64 = weights.iter().map(|weight| u64::from(*weight)).sum();
            let total = total + u64::from(rest);
            prop_assert!(total >= 100 && total <= u64::from(i32::MAX.unsigned_abs()));
            prop_assert!(total.to_string().trim_end_matches('0') == "1");
        }
    }
}
