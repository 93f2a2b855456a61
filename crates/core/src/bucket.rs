//! Where an identity falls between 0 and 100: the hash of Flagsmith's engines, and beside it those of others.

mod checksum;
mod lanes;
mod murmur3;
mod placing;
mod weights;

use md5::{Digest, Md5};

pub(crate) use placing::{Place, is_in_percentage, percentage_bucket};
pub use weights::WholeWeights;

/// A number from 0 up to but not including 100, the same for the same ids on every machine.
///
/// The MD5 of the ids joined by commas, read as a number, modulo 9999, divided by 9998. Where that gives
/// exactly 100, the list of ids is written once more and hashed again. Source: `utils/hashing.py` of
/// `flagsmith-flag-engine` 10.2.0; other SDKs do the same.
#[must_use]
pub fn percentage(ids: &[&str]) -> f64 {
    let mut repeats = 1;
    loop {
        match share(hash(ids, repeats)) {
            Some(share) => return share,
            None if ids.is_empty() => return 100.0,
            None => repeats += 1,
        }
    }
}

/// How many places [`percentages`] finds with one pass.
pub(crate) const AT_ONCE: usize = lanes::TEXTS;
/// Fewer than these are found sooner one by one.
const WORTH_IT: usize = 3;

/// What [`percentage`] says of each seed and the key, for up to [`AT_ONCE`] seeds; in `places`, in the same order.
pub(crate) fn percentages(seeds: &[&str], key: &str, places: &mut [f64]) {
    let hashes = (seeds.len() >= WORTH_IT)
        .then(|| lanes::hashes(seeds, key))
        .flatten();
    for (index, (seed, place)) in seeds.iter().zip(places).enumerate() {
        let share = hashes
            .as_ref()
            .and_then(|hashes| share(*hashes.get(index)?));
        *place = share.unwrap_or_else(|| percentage(&[seed, key]));
    }
}

/// What a hash means in percent; `None` for exactly 100, which nobody is to get.
fn share(hash: u128) -> Option<f64> {
    let remainder = remainder(hash);
    (remainder != 9998).then(|| f64::from(remainder) / 9998.0 * 100.0)
}

/// The number modulo 9999, in two halves: dividing 128 bits at once takes longer than all of them together.
fn remainder(number: u128) -> u32 {
    /// What one of the upper half counts.
    const UPPER: u64 = ((1 << 64) % 9999_u128) as u64;
    let (upper, lower) = ((number >> 64) as u64, number as u64);
    // Below 9999, so nothing is lost in 32 bits, nor in a float.
    (((upper % 9999) * UPPER + lower % 9999) % 9999) as u32
}

fn hash(ids: &[&str], repeats: usize) -> u128 {
    let mut hasher = Md5::new();
    for repeat in 0..repeats {
        for (position, id) in ids.iter().enumerate() {
            if repeat + position > 0 {
                hasher.update(b",");
            }
            hasher.update(id.as_bytes());
        }
    }
    u128::from_be_bytes(hasher.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::{AT_ONCE, percentage, percentages};
    use proptest::prelude::*;

    #[track_caller]
    fn check(ids: &[&str], expected: f64) {
        assert_eq!(percentage(ids).to_bits(), expected.to_bits(), "{ids:?}");
    }

    #[test]
    fn the_numbers_are_those_of_the_python_engine() {
        check(&["12", "93"], 27.655_531_106_221_243);
        check(&["abc", "def"], 55.611_122_224_444_884);
        check(&["1", "test_env_foobar"], 2.720_544_108_821_764_3);
    }

    #[test]
    fn exactly_one_hundred_is_hashed_again() {
        check(&["1", "8931"], 45.779_155_831_166_236);
        check(&["1", "13116"], 18.433_686_737_347_468);
    }

    #[test]
    fn several_at_once_are_placed_as_one_by_one() {
        let long = "x".repeat(300);
        for key in ["8931", "13116", "test_env_foobar", &long] {
            let seeds: Vec<String> = (0..AT_ONCE).map(|seed| seed.to_string()).collect();
            let seeds: Vec<&str> = seeds.iter().map(String::as_str).collect();
            let mut places = [f64::NAN; AT_ONCE];

            percentages(&seeds, key, &mut places);

            let expected: Vec<f64> = seeds.iter().map(|seed| percentage(&[seed, key])).collect();
            assert_eq!(places.as_slice(), expected, "{key}");
            percentages(&seeds[5..7], key, &mut places);
            assert_eq!(places[..2], expected[5..7], "{key}");
        }
    }

    proptest! {
        #[test]
        fn the_remainder_is_that_of_the_whole_number(number: u128) {
            prop_assert_eq!(u128::from(super::remainder(number)), number % 9999);
        }

        #[test]
        fn a_bucket_lies_from_0_to_below_100(first: String, second: String) {
            let bucket = percentage(&[&first, &second]);
            prop_assert!((0.0..100.0).contains(&bucket));
        }
    }
}
