//! Where an identity falls between 0 and 100: the hash of Flagsmith's engines, and beside it those of others.

mod checksum;
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
        let remainder = remainder(hash(ids, repeats));
        if remainder != 9998 || ids.is_empty() {
            return f64::from(remainder) / 9998.0 * 100.0;
        }
        repeats += 1;
    }
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
    use super::percentage;
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
