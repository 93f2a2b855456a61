//! Defaults that are split by Flagsmith's hash: an identity's places among their variants are found several at a time.
//!
//! Whoever asks for all flags of an identity needs most of these places. Whoever asks for one flag needs one, so that the
//! first is found by itself.

use crate::Hash;
use crate::bucket::{self, AT_ONCE};
use crate::ruleset::FeatureRules;
use std::sync::Arc;

/// The features of a ruleset whose default is split.
#[derive(Debug)]
pub(crate) struct SplitDefaults {
    /// By feature: the position of its seed.
    positions: Box<[Option<u32>]>,
    seeds: Box<[Arc<str>]>,
}

impl SplitDefaults {
    pub(crate) fn of(features: &[Arc<FeatureRules>]) -> Self {
        let mut seeds = Vec::new();
        let positions = features.iter().map(|feature| {
            let is_split = feature.hash == Hash::Flagsmith && !feature.state.variants.is_empty();
            let position = u32::try_from(seeds.len()).ok().filter(|_| is_split)?;
            seeds.push(Arc::clone(&feature.state.seed));
            Some(position)
        });
        Self {
            positions: positions.collect(),
            seeds: seeds.into(),
        }
    }
}

/// Where one identity falls for the defaults of one ruleset, as far as that was asked for.
#[derive(Debug, Default)]
pub(crate) struct DefaultPlaces {
    /// By position; not a number where nobody asked. Empty until the second one is asked for.
    buckets: Vec<f64>,
    is_asked: bool,
}

impl DefaultPlaces {
    /// Where the key falls, between 0 and 100, for the default of a feature; `None` where that is not split by
    /// Flagsmith's hash. The key has to be the same in all calls.
    pub(crate) fn bucket(
        &mut self,
        splits: &SplitDefaults,
        feature: usize,
        key: &str,
    ) -> Option<f64> {
        let position = splits.positions.get(feature).copied().flatten()? as usize;
        if !self.is_asked {
            self.is_asked = true;
            return Some(bucket::percentage(&[splits.seeds.get(position)?, key]));
        }
        if self.buckets.is_empty() {
            self.buckets = vec![f64::NAN; splits.seeds.len()];
        }
        let known = *self.buckets.get(position)?;
        if known.is_nan() {
            self.find_from(position, splits, key);
        }
        self.buckets.get(position).copied()
    }

    /// Finds a place and those behind it: flags are asked for in the order of their features.
    fn find_from(&mut self, position: usize, splits: &SplitDefaults, key: &str) {
        let seeds = splits.seeds.iter().skip(position).take(AT_ONCE);
        let mut texts = [""; AT_ONCE];
        let mut count = 0;
        for (text, seed) in texts.iter_mut().zip(seeds) {
            *text = seed;
            count += 1;
        }
        let places = self.buckets.get_mut(position..).unwrap_or_default();
        bucket::percentages(&texts[..count], key, places);
    }
}

#[cfg(test)]
mod tests {
    use super::{DefaultPlaces, SplitDefaults};
    use crate::bucket::{AT_ONCE, percentage};
    use crate::testing::{feature, split, state};
    use crate::{FeatureRules, FlagState, Hash};
    use std::sync::Arc;

    /// Every third feature has no variants.
    fn features(count: usize) -> Vec<Arc<FeatureRules>> {
        let features = (0..count).map(|number| {
            let state = if number % 3 == 2 {
                state(true, "x")
            } else {
                split(&[("a", 10.0)])
            };
            let seed = number.to_string().into();
            feature(&format!("f{number}"), FlagState { seed, ..state })
        });
        features.collect()
    }

    #[test]
    fn places_are_those_of_the_hash_in_whatever_order_they_are_asked_for() {
        let features = features(4 * AT_ONCE);
        let splits = SplitDefaults::of(&features);
        let forward: Vec<usize> = (0..features.len()).collect();
        let backward: Vec<usize> = forward.iter().rev().copied().collect();
        for order in [forward, backward] {
            let mut places = DefaultPlaces::default();
            for index in order {
                let expected = (index % 3 != 2).then(|| percentage(&[&index.to_string(), "ada"]));
                assert_eq!(places.bucket(&splits, index, "ada"), expected, "{index}");
            }
        }
    }

    #[test]
    fn other_hashes_and_features_that_are_not_there_have_no_place_here() {
        let other = FeatureRules {
            hash: Hash::FlagdV2,
            ..(*feature("f", split(&[("a", 10.0)]))).clone()
        };
        let splits = SplitDefaults::of(&[Arc::new(other)]);

        let mut places = DefaultPlaces::default();
        assert_eq!(places.bucket(&splits, 0, "ada"), None);
        assert_eq!(places.bucket(&splits, 1, "ada"), None);
    }
}
