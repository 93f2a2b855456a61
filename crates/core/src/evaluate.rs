//! Evaluation of flags for one context.
//!
//! The algorithm is that of `flagsmith-flag-engine` 11.1.1 (10.2.0 gives the same flags, in other words and
//! without `$.flags`); it was learnt by running both. Nothing here can fail, block or recurse without bound.

mod dependencies;
mod matching;

use crate::bucket;
use crate::ruleset::Ruleset;
use crate::seen::SeenAttributes;
use crate::split_defaults::DefaultPlaces;
use crate::{Context, FlagState, Hash, Reason, Value, Variant};
use dependencies::Dependencies;
use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::HashMap;
use std::sync::Arc;

pub(crate) use matching::{SegmentAt, joined};

/// Name of the segment that reasons give for an override of one identity.
const IDENTITY_SEGMENT: &str = "identity_overrides";

/// Up to so many overrides of an identity are searched one by one.
const LINEAR_LIMIT: usize = 8;

/// Which variant a caller is in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FlagVariant<'s> {
    /// The state has no variants, or there is no identity to split by.
    None,
    /// None of the options was hit.
    Control,
    /// This option was hit; its key may be missing.
    Option(&'s Variant),
}

/// Where the state that holds comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The environment's default.
    Environment,
    /// An override for a segment.
    Segment {
        /// Index of the segment in the ruleset.
        segment: usize,
        /// Index among the segment's overrides.
        position: usize,
    },
    /// An override for the identity.
    Identity,
}

/// A flag: a feature as one caller gets it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Flag<'s> {
    /// Index of the feature in the ruleset.
    pub feature: usize,
    /// The state that holds.
    pub state: &'s FlagState,
    /// On or off. A disabled flag has its value all the same.
    pub enabled: bool,
    /// The value of the variant, or of the state.
    pub value: &'s Value,
    /// Which variant the caller is in.
    pub variant: FlagVariant<'s>,
    /// Why.
    pub reason: Reason<'s>,
    /// Where the state comes from.
    pub origin: Origin,
}

/// What is known about a segment so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Unknown,
    Matches,
    Fails,
}

impl Verdict {
    const fn of(matches: bool) -> Self {
        if matches { Self::Matches } else { Self::Fails }
    }
}

/// One evaluation: a ruleset, a context, and what was found out so far.
///
/// A segment is evaluated when a flag first needs it, and once.
#[derive(Debug)]
pub struct Evaluator<'s> {
    rules: &'s Ruleset,
    context: Context<'s>,
    /// The context's identifier stands for nobody: attributes count, but nothing is placed by who it is.
    is_nobody: bool,
    hash_key: OnceCell<Option<Cow<'s, str>>>,
    overrides: OnceCell<HashMap<&'s str, &'s FlagState>>,
    /// By segment; empty until the first one is asked for.
    verdicts: Vec<Verdict>,
    /// By question that several conditions ask; empty until the first segment is asked for.
    answers: Vec<Verdict>,
    /// Read when the first segment is asked for.
    attributes: SeenAttributes<'s>,
    dependencies: Dependencies<'s>,
    default_places: DefaultPlaces,
}

impl<'s> Evaluator<'s> {
    pub(crate) fn new(rules: &'s Ruleset, context: &Context<'s>) -> Self {
        Self {
            rules,
            context: *context,
            is_nobody: false,
            hash_key: OnceCell::new(),
            overrides: OnceCell::new(),
            verdicts: Vec::new(),
            answers: Vec::new(),
            attributes: SeenAttributes::default(),
            dependencies: Dependencies::default(),
            default_places: DefaultPlaces::default(),
        }
    }

    /// The same, but the context's identity has no identifier: what needs one is not set.
    #[must_use]
    pub(crate) const fn of_nobody(mut self) -> Self {
        self.is_nobody = true;
        self
    }

    /// The flag of the feature with this index in the ruleset.
    ///
    /// # Panics
    /// Where there is no such feature: the index does not come from this ruleset.
    #[inline]
    pub fn flag(&mut self, feature: usize) -> Flag<'s> {
        self.settle_cycles();
        if self.has_read_flags() {
            self.flag_after_reading(feature)
        } else {
            self.compute(feature)
        }
    }

    /// The flag where conditions read flags, perhaps this one.
    fn flag_after_reading(&mut self, feature: usize) -> Flag<'s> {
        match self.resolved(feature) {
            Some(flag) => flag,
            None if self.is_cyclic(feature) => Flag {
                reason: Reason::CircularDependency,
                ..self.compute(feature)
            },
            None => self.compute(feature),
        }
    }

    /// All flags, in the order of the ruleset's features.
    pub fn flags(&mut self) -> Vec<Flag<'s>> {
        (0..self.rules.features().len())
            .map(|feature| self.flag(feature))
            .collect()
    }

    /// True where the context is in the segment with this index in the ruleset.
    ///
    /// # Panics
    /// Where there is no such segment: the index does not come from this ruleset.
    pub fn segment_matches(&mut self, segment: usize) -> bool {
        self.settle_cycles();
        self.verdict(segment)
    }

    /// Indices of the segments the context is in, ascending.
    pub fn matching_segments(&mut self) -> Vec<usize> {
        (0..self.rules.segments().len())
            .filter(|segment| self.segment_matches(*segment))
            .collect()
    }

    #[inline]
    fn verdict(&mut self, segment: usize) -> bool {
        if self.verdicts.is_empty() {
            self.begin();
        }
        match self.verdicts[segment] {
            Verdict::Matches => true,
            Verdict::Fails => false,
            Verdict::Unknown => {
                let matches = self.evaluate_segment(segment);
                self.verdicts[segment] = Verdict::of(matches);
                matches
            }
        }
    }

    /// Makes ready for the first segment.
    fn begin(&mut self) {
        self.verdicts = vec![Verdict::Unknown; self.rules.segments().len()];
        self.answers = vec![Verdict::Unknown; self.rules.questions().count()];
        let attributes = self.context.identity.map(|identity| identity.attributes);
        self.attributes = SeenAttributes::new(self.rules.attributes(), attributes);
    }

    #[inline]
    fn compute(&mut self, feature: usize) -> Flag<'s> {
        let rules = self.rules;
        if let Some(state) = self.identity_override(feature) {
            return self.identity_flag(feature, state);
        }
        let candidates = rules.candidates(feature);
        for candidate in candidates {
            if self.verdict(candidate.segment) {
                return self.overridden(feature, candidate.segment, candidate.position);
            }
        }
        self.default_flag(feature)
    }

    fn identity_flag(&mut self, feature: usize, state: &'s FlagState) -> Flag<'s> {
        let reason = Reason::TargetingMatch {
            segment: IDENTITY_SEGMENT,
        };
        self.flag_of(feature, state, Origin::Identity, reason)
    }

    #[inline]
    fn overridden(&mut self, feature: usize, segment: usize, position: usize) -> Flag<'s> {
        let rules = &self.rules.segments()[segment];
        let origin = Origin::Segment { segment, position };
        let reason = Reason::TargetingMatch {
            segment: rules.name(),
        };
        self.flag_of(feature, &rules.overrides()[position].state, origin, reason)
    }

    #[inline]
    fn default_flag(&mut self, feature: usize) -> Flag<'s> {
        let reason = if self.rules.candidates(feature).is_empty() {
            Reason::Static
        } else {
            Reason::Default
        };
        let state = &self.rules.features()[feature].state;
        self.flag_of(feature, state, Origin::Environment, reason)
    }

    /// What holds for the identity alone, if anything does.
    #[inline]
    fn identity_override(&self, feature: usize) -> Option<&'s FlagState> {
        self.find_override(self.context.identity?.overrides?, feature)
    }

    fn find_override(
        &self,
        overrides: &'s [(Arc<str>, FlagState)],
        feature: usize,
    ) -> Option<&'s FlagState> {
        let name = &*self.rules.features()[feature].name;
        if overrides.len() <= LINEAR_LIMIT {
            let found = overrides.iter().find(|(feature, _)| **feature == *name);
            return found.map(|(_, state)| state);
        }
        let by_name = self.overrides.get_or_init(|| {
            // Backwards, so that of two for one feature the first wins here too.
            let entries = overrides.iter().rev();
            entries.map(|(name, state)| (&**name, state)).collect()
        });
        by_name.get(name).copied()
    }

    /// What the identity is hashed by; `None` without identity.
    pub(crate) fn hash_key(&self) -> Option<&str> {
        let key = self.hash_key.get_or_init(|| {
            let identity = self.context.identity.filter(|_| !self.is_nobody)?;
            let key = match identity.key {
                Some(key) if !key.is_empty() => Cow::Borrowed(key),
                Some(_) | None => Cow::Owned(format!(
                    "{}_{}",
                    self.rules.environment_key(),
                    identity.identifier,
                )),
            };
            Some(key)
        });
        key.as_deref()
    }

    /// A state as this caller gets it: split by weight where it has variants and there is an identity.
    #[inline]
    fn flag_of(
        &mut self,
        feature: usize,
        state: &'s FlagState,
        origin: Origin,
        reason: Reason<'s>,
    ) -> Flag<'s> {
        let mut flag = Flag {
            feature,
            state,
            enabled: state.enabled,
            value: &state.value,
            variant: FlagVariant::None,
            reason,
            origin,
        };
        if !state.variants.is_empty() {
            self.split(&mut flag);
        }
        flag
    }

    /// Puts the identity, if there is one, into one of the variants of a flag.
    fn split(&mut self, flag: &mut Flag<'s>) {
        let Some(picked) = self.picked(flag) else {
            return;
        };
        flag.variant = FlagVariant::Control;
        if let Some(variant) = picked {
            flag.value = &variant.value;
            flag.variant = FlagVariant::Option(variant);
            flag.reason = Reason::Split {
                weight: &variant.weight_text,
            };
        }
    }

    /// The variant that the identity is placed in, `None` being control; nothing without identity.
    fn picked(&mut self, flag: &Flag<'s>) -> Option<Option<&'s Variant>> {
        let state = flag.state;
        if self.rules.features()[flag.feature].hash != Hash::Flagsmith {
            return Some(self.place(flag.feature, state)?.variant());
        }
        let bucket = if flag.origin == Origin::Environment {
            self.default_bucket(flag.feature)?
        } else {
            self.variant_bucket(state)?
        };
        Some(pick(&state.variants, bucket))
    }

    /// As [`Evaluator::variant_bucket`] for the default of a feature, which is found together with others.
    fn default_bucket(&mut self, feature: usize) -> Option<f64> {
        let mut places = std::mem::take(&mut self.default_places);
        let splits = self.rules.split_defaults();
        let bucket = self
            .hash_key()
            .and_then(|key| places.bucket(splits, feature, key));
        self.default_places = places;
        bucket
    }

    /// Where the identity falls among the variants of a state by another hash than Flagsmith's.
    pub(crate) fn place(&self, feature: usize, state: &'s FlagState) -> Option<bucket::Place<'s>> {
        let feature = &self.rules.features()[feature];
        let identifier = self.identifier()?;
        let place = bucket::Place::of(feature.hash, &feature.name, identifier, &state.variants);
        Some(place)
    }

    /// Where the identity falls between 0 and 100 for the variants of a state, by Flagsmith's hash.
    pub(crate) fn variant_bucket(&self, state: &FlagState) -> Option<f64> {
        if state.variants.is_empty() {
            return None;
        }
        Some(bucket::percentage(&[&state.seed, self.hash_key()?]))
    }
}

/// The variant in whose part of the range from 0 to 100 the bucket lies, lower bound included.
fn pick(variants: &[Variant], bucket: f64) -> Option<&Variant> {
    let mut start = 0.0;
    for variant in variants {
        let limit = variant.weight + start;
        if start <= bucket && bucket < limit {
            return Some(variant);
        }
        start = limit;
    }
    None
}

#[cfg(test)]
mod tests;
