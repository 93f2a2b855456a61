//! Flags as OpenFeature has them: a typed value, a variant and a reason, or nothing but the caller's own default.
//!
//! OFREP and flagd's remote evaluation answer from here, and flagd's document says the same in its language.

use crate::evaluate::{Evaluator, Flag, FlagVariant, Origin};
use crate::variant_names::{CONTROL, NamedOverride, OVERRIDE, Variants};
use crate::{Context, DisabledAs, FlagState, Reason, Snapshot, SnapshotIdentity, TypedValue};
use std::borrow::Cow;
use std::sync::Arc;

/// Why a caller of OpenFeature gets what it gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ResolutionReason {
    /// Everybody gets this, whoever asks: nothing is split and nothing overridden.
    Static,
    /// The environment's default, while others may get something else.
    Default,
    /// An override holds.
    TargetingMatch,
    /// Placed by weight, in an option or in what the options leave.
    Split,
    /// The flag is off.
    Disabled,
}

impl ResolutionReason {
    /// The word of OpenFeature.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Static => "STATIC",
            Self::Default => "DEFAULT",
            Self::TargetingMatch => "TARGETING_MATCH",
            Self::Split => "SPLIT",
            Self::Disabled => "DISABLED",
        }
    }
}

/// The variant of a flag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResolvedVariant<'s> {
    /// What the environment serves by default.
    Control,
    /// An option of a multivariate feature, by its name.
    Option(&'s str),
    /// An override with a value of its own, by its name.
    Override(Cow<'s, str>),
}

impl ResolvedVariant<'_> {
    /// The name for whoever may know segments and identities.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Control => CONTROL,
            Self::Option(name) => name,
            Self::Override(name) => name,
        }
    }

    /// The name for a client-side key: it tells no segment and no identity.
    #[must_use]
    pub const fn client_name(&self) -> &str {
        match self {
            Self::Control => CONTROL,
            Self::Option(name) => name,
            Self::Override(_) => OVERRIDE,
        }
    }
}

/// A flag as OpenFeature has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Resolution<'s> {
    /// Index of the feature in the snapshot.
    pub feature: usize,
    /// The feature's name.
    pub key: &'s str,
    /// What the caller gets; `None`: the default of its own code.
    pub value: Option<TypedValue<'s>>,
    /// Which variant that is; `None` without a value.
    pub variant: Option<ResolvedVariant<'s>>,
    /// Why.
    pub reason: ResolutionReason,
    /// There is no identifier, and with one another answer would be possible.
    pub targeting_key_missing: bool,
    /// Name of the segment whose override holds: nothing for a client-side key.
    pub segment: Option<&'s str>,
    /// What Flagsmith says: nothing for a client-side key.
    pub flagsmith_reason: Reason<'s>,
}

/// One evaluation of flags as OpenFeature has them.
///
/// Where the identifier is empty or missing, whatever needs one does not match: nobody is in a percentage, and a split
/// gives control. Attributes count all the same.
#[derive(Debug)]
pub struct Resolver<'s> {
    snapshot: &'s Snapshot,
    evaluator: Evaluator<'s>,
    has_identifier: bool,
    identity: Option<&'s Arc<SnapshotIdentity>>,
}

impl Snapshot {
    /// Starts an evaluation. The overrides of the identity are those of this snapshot, whatever the context says.
    #[must_use]
    pub fn resolver<'s>(&'s self, context: &Context<'s>) -> Resolver<'s> {
        let mut context = *context;
        let identifier = context.identity.map_or("", |identity| identity.identifier);
        let has_identifier = !identifier.is_empty();
        let identity = has_identifier.then(|| self.identity(identifier)).flatten();
        if let Some(caller) = &mut context.identity {
            caller.overrides = identity.map(|identity| &*identity.flags);
        }
        let evaluator = self.rules.evaluator(&context);
        Resolver {
            snapshot: self,
            evaluator: if has_identifier {
                evaluator
            } else {
                evaluator.of_nobody()
            },
            has_identifier,
            identity,
        }
    }
}

impl<'s> Resolver<'s> {
    /// The flag of the feature with this index.
    ///
    /// # Panics
    /// Where there is no such feature: the index does not come from this snapshot.
    pub fn resolve(&mut self, feature: usize) -> Resolution<'s> {
        let flag = self.evaluator.flag(feature);
        let variants = self.snapshot.variants(feature);
        let reason = self.reason(&flag, variants);
        let may_change = !self.has_identifier && reason != ResolutionReason::Disabled;
        let mut resolution = Resolution {
            feature,
            key: &self.snapshot.rules.features()[feature].name,
            value: None,
            variant: None,
            reason,
            targeting_key_missing: may_change && self.misses_identifier(&flag),
            segment: match flag.origin {
                Origin::Segment { segment, .. } => {
                    Some(self.snapshot.rules.segments()[segment].name())
                }
                Origin::Environment | Origin::Identity => None,
            },
            flagsmith_reason: flag.reason,
        };
        if self.is_served(&flag) {
            let (variant, value) = self.served(&flag, variants);
            resolution.variant = Some(variant);
            resolution.value = Some(value);
        }
        resolution
    }

    /// The flag as Flagsmith has it.
    ///
    /// # Panics
    /// As [`Resolver::resolve`].
    pub fn flag(&mut self, feature: usize) -> Flag<'s> {
        self.evaluator.flag(feature)
    }

    /// True where the caller gets a value and not the default of its own code.
    ///
    /// In an environment where the feature is on, everybody does, even those in an override that is off. Where it is
    /// off, only those in an override that is on, and they only where the environment lets overrides decide.
    fn is_served(&self, flag: &Flag<'_>) -> bool {
        if self.default_of(flag).enabled {
            return true;
        }
        self.snapshot.environment.disabled_as == DisabledAs::Auto
            && flag.origin != Origin::Environment
            && flag.enabled
    }

    fn reason(&self, flag: &Flag<'_>, variants: Variants<'_>) -> ResolutionReason {
        if !self.is_served(flag) {
            let may_be_on = self.snapshot.environment.disabled_as == DisabledAs::Auto
                && variants.is_enabled_by_override();
            return if may_be_on {
                ResolutionReason::Default
            } else {
                ResolutionReason::Disabled
            };
        }
        if flag.state.is_split() && flag.variant != FlagVariant::None {
            return ResolutionReason::Split;
        }
        match flag.origin {
            Origin::Segment { .. } | Origin::Identity => ResolutionReason::TargetingMatch,
            Origin::Environment if variants.is_overridden() || flag.state.is_split() => {
                ResolutionReason::Default
            }
            Origin::Environment => ResolutionReason::Static,
        }
    }

    fn default_of(&self, flag: &Flag<'_>) -> &'s FlagState {
        &self.snapshot.rules.features()[flag.feature].state
    }

    /// True where with an identifier another answer would be possible: by a split, or by a percentage of a segment
    /// that is stronger than what holds.
    fn misses_identifier(&self, flag: &Flag<'_>) -> bool {
        let rules = &self.snapshot.rules;
        let stronger = rules
            .candidates(flag.feature)
            .iter()
            .take_while(|candidate| {
                flag.origin
                    != Origin::Segment {
                        segment: candidate.segment,
                        position: candidate.position,
                    }
            });
        let splits = |segment: usize| rules.segments()[segment].compiled().splits_identities;
        let is_split = self.is_served(flag) && flag.state.is_split();
        is_split || stronger.map(|candidate| candidate.segment).any(splits)
    }

    fn served(
        &self,
        flag: &Flag<'s>,
        variants: Variants<'s>,
    ) -> (ResolvedVariant<'s>, TypedValue<'s>) {
        if let FlagVariant::Option(variant) = flag.variant {
            let (name, value) = variants.option(variant);
            return (ResolvedVariant::Option(name), value);
        }
        let over = match flag.origin {
            Origin::Environment => None,
            Origin::Segment { segment, position } => variants.override_at(segment, position),
            Origin::Identity => self
                .identity
                .and_then(|identity| variants.of_identity(identity)),
        };
        match over {
            Some(NamedOverride {
                name: Some(name),
                value,
                ..
            }) => (ResolvedVariant::Override(name), value),
            Some(NamedOverride { name: None, .. }) | None => {
                (ResolvedVariant::Control, variants.control())
            }
        }
    }
}

#[cfg(test)]
mod tests;
