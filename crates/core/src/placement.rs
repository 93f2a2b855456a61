//! Which clients place people differently than this server does.
//!
//! What is evaluated here always agrees. A client that evaluates by itself brings its own hash: it agrees for features
//! and segments that have the same one.

use crate::ruleset::FlagState;
use crate::{Hash, Snapshot};
use std::sync::Arc;

/// A feature or a segment that a client with another hash places people differently for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Differing {
    /// The feature's or the segment's name.
    pub name: Arc<str>,
    /// What places people here.
    pub hash: Hash,
}

/// What a client with one hash places differently.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Differences {
    /// Features whose variants are split, by default or in an override.
    pub features: Vec<Differing>,
    /// Segments that cut off a percentage.
    pub segments: Vec<Differing>,
}

impl Differences {
    /// True where everybody is placed alike.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.features.is_empty() && self.segments.is_empty()
    }
}

impl Snapshot {
    /// What a client that evaluates by itself, with this hash, places differently, in order of ids.
    ///
    /// Counted is what somebody can be placed by: options with a weight, and percentages of segments that override.
    #[must_use]
    pub fn placed_differently_by(&self, client: Hash) -> Differences {
        let rules = &self.rules;
        let features = rules.features().iter().enumerate();
        let features = features
            .filter(|(index, feature)| feature.hash != client && self.is_split_somewhere(*index))
            .map(|(_, feature)| Differing {
                name: Arc::clone(&feature.name),
                hash: feature.hash,
            });
        let segments = rules.segments().iter();
        let segments = segments
            .filter(|segment| {
                segment.hash() != client
                    && segment.compiled().splits
                    && !segment.overrides().is_empty()
            })
            .map(|segment| Differing {
                name: Arc::clone(segment.name()),
                hash: segment.hash(),
            });
        Differences {
            features: features.collect(),
            segments: segments.collect(),
        }
    }

    /// True where a state of the feature, but for those of single identities, places people by weight.
    fn is_split_somewhere(&self, feature: usize) -> bool {
        let rules = &self.rules;
        let overrides = rules.candidates(feature).iter().map(|candidate| {
            let overrides = rules.segments()[candidate.segment].overrides();
            &overrides[candidate.position].state
        });
        let mut states = overrides.chain([&rules.features()[feature].state]);
        states.any(FlagState::is_split)
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::all;
    use crate::testing::condition;
    use crate::testing::rows::weight;
    use crate::testing::shop::Shop;
    use crate::{Hash, StateValue};

    fn text(text: &str) -> StateValue {
        StateValue::of_text(Some(text))
    }

    /// Names of features and segments that a client places differently.
    fn names(shop: &Shop, client: Hash) -> (Vec<String>, Vec<String>) {
        let found = shop.build().placed_differently_by(client);
        let names = |list: Vec<super::Differing>| {
            let names = list.into_iter().map(|each| each.name.to_string());
            names.collect()
        };
        (names(found.features), names(found.segments))
    }

    #[test]
    fn only_what_places_people_is_named() {
        let mut shop = Shop::new();
        let plain = shop.feature("plain", true, text("x"));
        shop.feature("split", true, text("x"));
        shop.option(Some("a"), "a", 10.0);
        shop.feature("weightless", true, text("x"));
        shop.option(Some("b"), "b", 0.0);
        let part = |property| vec![all(vec![condition("PERCENTAGE_SPLIT", property, "10")])];
        let of_company = shop.segment("of companies", part("company"));
        shop.over(plain, of_company, true, text("y"));
        shop.segment("unused", part(""));
        let rules = vec![all(vec![condition("IS_SET", "x", "")])];
        let whole = shop.segment("whole", rules);
        shop.over(plain, whole, true, text("z"));

        let (features, segments) = names(&shop, Hash::FlagdV2);
        assert_eq!(features, ["split"]);
        assert_eq!(segments, ["of companies"]);
        let none = names(&shop, Hash::Flagsmith);
        assert_eq!(none, (Vec::new(), Vec::new()));
    }

    #[test]
    fn their_own_hash_counts() {
        let mut shop = Shop::new();
        shop.feature("split", true, text("x"));
        shop.option(Some("a"), "a", 10.0);
        shop.rows.features[0].hash = Some(Hash::FlagdV3);

        assert_eq!(names(&shop, Hash::FlagdV3).0, Vec::<String>::new());
        assert_eq!(names(&shop, Hash::Flagsmith).0, ["split"]);
        let found = shop.build().placed_differently_by(Hash::FlagdV2);
        assert_eq!(found.features[0].hash, Hash::FlagdV3);
        assert!(!found.is_empty());
    }

    #[test]
    fn a_split_inside_an_override_counts() {
        let mut shop = Shop::new();
        let feature = shop.feature("f", true, text("x"));
        shop.option(Some("a"), "a", 0.0);
        let segment = shop.segment("s", vec![all(vec![condition("IS_SET", "x", "")])]);
        shop.over(feature, segment, true, text("x"));
        assert!(names(&shop, Hash::FlagdV2).0.is_empty());

        let over = shop.rows.states.last_mut().unwrap();
        over.weights = vec![weight(9, 1, 5.0)];

        assert_eq!(names(&shop, Hash::FlagdV2).0, ["f"]);
    }
}
