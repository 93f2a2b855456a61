//! Evaluation of flags for one context.

use crate::ruleset::Ruleset;
use crate::{Context, FlagState, Reason, Value, Variant};

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

/// One evaluation: a ruleset, a context, and what was found out so far.
#[derive(Debug)]
pub struct Evaluator<'s> {
    rules: &'s Ruleset,
    context: Context<'s>,
}

impl<'s> Evaluator<'s> {
    pub(crate) fn new(rules: &'s Ruleset, context: &Context<'s>) -> Self {
        Self {
            rules,
            context: *context,
        }
    }

    /// The flag of the feature with this index in the ruleset.
    ///
    /// # Panics
    /// Where there is no such feature.
    pub fn flag(&mut self, feature: usize) -> Flag<'s> {
        let rules = &self.rules.features()[feature];
        let _ = self.context;
        Flag {
            feature,
            state: &rules.state,
            enabled: rules.state.enabled,
            value: &rules.state.value,
            variant: FlagVariant::None,
            reason: Reason::Default,
            origin: Origin::Environment,
        }
    }

    /// All flags, in the order of the ruleset's features.
    pub fn flags(&mut self) -> Vec<Flag<'s>> {
        (0..self.rules.features().len())
            .map(|feature| self.flag(feature))
            .collect()
    }

    /// True where the context is in the segment with this index in the ruleset.
    pub fn segment_matches(&mut self, segment: usize) -> bool {
        let _ = segment;
        false
    }

    /// Indices of the segments the context is in, ascending.
    pub fn matching_segments(&mut self) -> Vec<usize> {
        (0..self.rules.segments().len())
            .filter(|segment| self.segment_matches(*segment))
            .collect()
    }
}
