//! Who of an environment gets something else than everybody, and what.

use super::plan::{FlagPlan, Source};
use super::segments::Audience;
use super::split::split;
use super::warning::{Warning, WarningReason};
use flagstaff_core::variant_names::{CONTROL, NamedOverride};
use flagstaff_core::{Attributes, Context, IdentityContext, SnapshotIdentity, TypedValue};
use std::collections::HashMap;

/// Some callers and what they get.
#[derive(Debug, PartialEq)]
pub(super) struct Branch<'s> {
    pub(super) whom: Whom<'s>,
    pub(super) target: Target,
}

/// Whom a branch is about.
#[derive(Debug, PartialEq)]
pub(super) enum Whom<'s> {
    /// Those with one of these identifiers.
    Identities(Vec<&'s str>),
    /// Those in the segment with this index.
    Segment(usize),
}

/// What somebody gets.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Target {
    /// The default variant, or where there is none the default of the caller's own code.
    Default,
    /// The variant of this name.
    Variant(String),
    /// One of several, by weight.
    Split {
        /// Variants with their weights.
        entries: Vec<(String, u32)>,
        /// The variant of those without an identifier.
        rest: String,
    },
}

/// So many identities of a flag are named in warnings of one kind; of the others only the number is told.
const NAMED_LIMIT: usize = 100;

/// Adds a branch for each override of a segment that flagd can tell, strongest first.
pub(super) fn segment_branches<'s>(source: &Source<'_, 's>, plan: &mut FlagPlan<'s>) {
    for (segment, over) in source.variants().overrides() {
        let audience = &source.audiences[segment];
        plan.is_exact &= audience.is_exact();
        if matches!(audience, Audience::Nobody { .. }) {
            continue;
        }
        if let Some(notable) = notable(source, plan, &over) {
            let name = source.snapshot.rules.segments()[segment].name();
            plan.warnings
                .push(notable.warning(source, &format!("segment={name}")));
        }
        let target = if source.is_opened() && !over.state.enabled {
            Target::Default
        } else {
            let own = over.name.as_deref().unwrap_or(CONTROL);
            let target = split(over.state, source.variants(), own)
                .unwrap_or_else(|| Target::Variant(own.to_owned()));
            plan.add_variant(own, over.value);
            target
        };
        plan.branches.push(Branch {
            whom: Whom::Segment(segment),
            target,
        });
    }
}

/// Takes away the last branches where they give what holds without them.
///
/// Those before others stay: without them a weaker override would hold.
pub(super) fn prune(plan: &mut FlagPlan<'_>) {
    while let Some(last) = plan.branches.last() {
        if !plan.is_fallback(&last.target) {
            return;
        }
        plan.branches.pop();
    }
}

/// Puts a branch for each variant that single identities get in front of those for segments.
pub(super) fn identity_branches<'s>(source: &Source<'_, 's>, plan: &mut FlagPlan<'s>) {
    let mut named = Vec::new();
    let mut warnings = Shortened::default();
    for (identity, over) in source.variants().of_identities(source.identities) {
        if let Some(notable) = notable(source, plan, &over) {
            let identifier = &identity.identity.identifier;
            warnings.add(notable.0, || {
                notable.warning(source, &format!("identity={identifier}"))
            });
        }
        let target = identity_target(source, identity, &over);
        // With no branch behind it, it is what holds anyway.
        if !plan.branches.is_empty() || !plan.is_fallback(&target) {
            named.push((identity, target, over));
        }
    }
    plan.warnings.extend(warnings.end(source.name()));

    let limit = source.options.identity_override_limit;
    if named.len() > limit {
        let dropped = named.len() - limit;
        let detail = format!("feature={}, dropped={dropped}", source.name());
        let reason = WarningReason::IdentityOverrideLimitExceeded;
        plan.warnings.push(Warning::new(reason, detail));
        named.truncate(limit);
    }

    let mut groups: Vec<Branch<'s>> = Vec::new();
    let mut places = HashMap::new();
    for (identity, target, over) in named {
        if let (Target::Variant(name), Some(own)) = (&target, over.name.as_deref())
            && name == own
        {
            plan.add_variant(own, over.value);
        }
        let place = *places.entry(target.clone()).or_insert_with(|| {
            groups.push(Branch {
                whom: Whom::Identities(Vec::new()),
                target,
            });
            groups.len() - 1
        });
        if let Some(Branch {
            whom: Whom::Identities(identifiers),
            ..
        }) = groups.get_mut(place)
        {
            identifiers.push(&identity.identity.identifier);
        }
    }
    plan.branches.splice(0..0, groups);
}

/// What an identity gets. Where its override is split, the server knows by itself whom it places where.
fn identity_target<'s>(
    source: &Source<'_, 's>,
    identity: &'s SnapshotIdentity,
    over: &NamedOverride<'s>,
) -> Target {
    if source.is_opened() && !over.state.enabled {
        return Target::Default;
    }
    let own = over.name.as_deref().unwrap_or(CONTROL);
    if over.state.variants.is_empty() {
        return Target::Variant(own.to_owned());
    }
    let environment = &source.snapshot.environment;
    let row_key = identity.identity.id.to_string();
    let attributes = Attributes::new();
    let context = Context {
        identity: Some(IdentityContext {
            identifier: &identity.identity.identifier,
            key: (!environment.use_identity_composite_key_for_hashing).then_some(&row_key),
            attributes: &attributes,
            overrides: None,
        }),
    };
    let mut resolver = source.snapshot.resolver(&context);
    let resolved = resolver.resolve(source.feature).variant;
    let name = resolved.as_ref().map_or(own, |variant| variant.name());
    Target::Variant(name.to_owned())
}

/// What a person should know of an override: the reason, and the words.
#[derive(Clone, Copy)]
struct Notable(WarningReason, &'static str);

impl Notable {
    fn warning(self, source: &Source<'_, '_>, whose: &str) -> Warning {
        let Self(reason, words) = self;
        let detail = format!("feature={}, {whose}; {words}", source.name());
        Warning::new(reason, detail)
    }
}

/// Whether an override differs from its environment in being on or off.
fn notable(
    source: &Source<'_, '_>,
    plan: &FlagPlan<'_>,
    over: &NamedOverride<'_>,
) -> Option<Notable> {
    let is_on = source.state().enabled;
    // It has no value of its own, nor does it keep anybody out of a split.
    let changes_nothing =
        over.name.is_none() && over.state.variants.is_empty() && plan.fallback == Target::Default;
    match (is_on, over.state.enabled) {
        (true, true) => None,
        (_, false) if changes_nothing => Some(Notable(
            WarningReason::DisabledOverrideNoOp,
            "the override is disabled and has the value of control",
        )),
        (true, false) => Some(Notable(
            WarningReason::OverrideDisablesFlag,
            "the override is disabled, and its value is served all the same",
        )),
        (false, true) if source.is_opened() => Some(Notable(
            WarningReason::OverrideEnablesDisabledFlag,
            "the flag is disabled for everybody else",
        )),
        (false, true) => Some(Notable(
            WarningReason::OverrideEnablesDisabledFlag,
            "the flag is disabled for everybody, as the environment's state decides",
        )),
        (false, false) => None,
    }
}

/// The first warnings of each kind, and how many more there are.
#[derive(Default)]
struct Shortened {
    counts: Vec<(WarningReason, usize)>,
    kept: Vec<Warning>,
}

impl Shortened {
    fn add(&mut self, reason: WarningReason, warning: impl FnOnce() -> Warning) {
        let mut counts = self.counts.iter();
        let known = counts.position(|(counted, _)| *counted == reason);
        let place = known.unwrap_or_else(|| {
            self.counts.push((reason, 0));
            self.counts.len() - 1
        });
        self.counts[place].1 += 1;
        if self.counts[place].1 <= NAMED_LIMIT {
            self.kept.push(warning());
        }
    }

    fn end(mut self, feature: &str) -> Vec<Warning> {
        for (reason, count) in self.counts {
            if let Some(more @ 1..) = count.checked_sub(NAMED_LIMIT) {
                let detail = format!("feature={feature}; {more} more identities");
                self.kept.push(Warning::new(reason, detail));
            }
        }
        self.kept
    }
}

impl<'s> FlagPlan<'s> {
    /// Adds a variant; an override without value of its own is control, which is there already.
    fn add_variant(&mut self, name: &str, value: TypedValue<'s>) {
        if name != CONTROL {
            self.variants.push((name.to_owned(), value));
        }
    }

    /// True for what holds anyway where no branch does.
    fn is_fallback(&self, target: &Target) -> bool {
        let is_default = |name: &str| self.default_variant == Some(name);
        match (target, &self.fallback) {
            (Target::Variant(name), Target::Default) => is_default(name),
            (target, fallback) => target == fallback,
        }
    }
}
