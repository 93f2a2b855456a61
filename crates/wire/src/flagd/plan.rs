//! What a flag consists of, before it is written: its variants, and who gets which.

use super::branches::{Branch, Target, Whom, identity_branches, prune, segment_branches};
use super::difference::Difference;
use super::options::DocumentOptions;
use super::segments::{Audience, is_of_flagd};
use super::split::split;
use super::warning::{Warning, WarningReason};
use flagstaff_core::variant_names::{CONTROL, Variants};
use flagstaff_core::{DisabledAs, FlagState, Hash, Snapshot, SnapshotIdentity, TypedValue};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A feature as flagd has it.
pub(super) struct FlagPlan<'s> {
    /// Index of the feature.
    pub(super) feature: usize,
    pub(super) is_enabled: bool,
    /// In order: control, options, overrides for segments, overrides for identities.
    pub(super) variants: Vec<(String, TypedValue<'s>)>,
    /// What those get whom no branch names and nothing splits; `None`: the default of their own code.
    pub(super) default_variant: Option<&'static str>,
    /// The first that holds decides.
    pub(super) branches: Vec<Branch<'s>>,
    /// What holds where no branch does.
    pub(super) fallback: Target,
    /// False where a client may answer otherwise than the server.
    pub(super) is_exact: bool,
    pub(super) warnings: Vec<Warning>,
    /// Those of the feature itself, not of its segments.
    pub(super) differences: Vec<Difference>,
}

impl FlagPlan<'_> {
    /// The segments that decide something, each once.
    pub(super) fn segments(&self) -> BTreeSet<usize> {
        let whom = self.branches.iter().map(|branch| &branch.whom);
        whom.filter_map(|whom| match whom {
            Whom::Segment(segment) => Some(*segment),
            Whom::Identities(_) => None,
        })
        .collect()
    }
}

/// A feature to be planned.
pub(super) struct Source<'a, 's> {
    pub(super) snapshot: &'s Snapshot,
    /// Index of the feature.
    pub(super) feature: usize,
    /// Those that have something of their own for this feature, in order of their ids.
    pub(super) identities: &'a [&'s Arc<SnapshotIdentity>],
    pub(super) audiences: &'a [Audience],
    pub(super) options: &'a DocumentOptions,
}

impl<'s> Source<'_, 's> {
    pub(super) fn name(&self) -> &'s str {
        &self.snapshot.rules.features()[self.feature].name
    }

    pub(super) fn state(&self) -> &'s FlagState {
        &self.snapshot.rules.features()[self.feature].state
    }

    pub(super) fn variants(&self) -> Variants<'s> {
        self.snapshot.variants(self.feature)
    }

    /// True where the feature is off, and those in an override that is on get it all the same.
    pub(super) fn is_opened(&self) -> bool {
        self.snapshot.environment.disabled_as == DisabledAs::Auto
            && !self.state().enabled
            && self.variants().is_enabled_by_override()
    }

    /// What nobody's override and no split gives.
    pub(super) fn default_variant(&self) -> Option<&'static str> {
        (!self.is_opened()).then_some(CONTROL)
    }

    fn is_hidden(&self) -> bool {
        let project = self.snapshot.project.hide_disabled_flags;
        let environment = self.snapshot.environment.hide_disabled_flags;
        environment.unwrap_or(project) && !self.state().enabled && !self.is_opened()
    }

    fn hash(&self) -> Hash {
        let own = self.snapshot.features[self.feature].feature.hash;
        own.unwrap_or(self.snapshot.environment.hash)
    }

    /// Who places people otherwise, where somebody is placed by weight: clients of Flagsmith do so for what is off, too.
    pub(super) fn placed_otherwise(&self) -> Option<Difference> {
        let name = &self.snapshot.rules.features()[self.feature].name;
        self.is_split()
            .then(|| Difference::of_split(name, self.hash()))
    }

    fn is_split(&self) -> bool {
        let has_weights = |state: &FlagState| !state.variants.is_empty();
        let of_segments = self.variants().overrides();
        has_weights(self.state())
            || of_segments
                .into_iter()
                .any(|(_, over)| has_weights(over.state))
    }

    fn bucketing_differs(&self) -> Option<Warning> {
        let hash = self.hash();
        let detail = || format!("feature={}, hash={}", self.name(), hash.name());
        (!is_of_flagd(hash)).then(|| Warning::new(WarningReason::BucketingDiffers, detail()))
    }
}

/// Plans the flag of a feature; `None` where it is hidden.
pub(super) fn plan<'s>(source: &Source<'_, 's>) -> Option<FlagPlan<'s>> {
    if source.is_hidden() {
        return None;
    }
    let (state, variants) = (source.state(), source.variants());
    let fallback = match split(state, variants, CONTROL) {
        Some(split) if !source.is_opened() => split,
        Some(_) | None => Target::Default,
    };
    let mut plan = FlagPlan {
        feature: source.feature,
        is_enabled: state.enabled || source.is_opened(),
        variants: vec![(CONTROL.to_owned(), variants.control())],
        default_variant: source.default_variant(),
        branches: Vec::new(),
        fallback,
        is_exact: true,
        warnings: Vec::new(),
        differences: Vec::new(),
    };
    let options = variants.options();
    plan.variants
        .extend(options.map(|option| (option.name.to_owned(), option.value)));
    segment_branches(source, &mut plan);
    prune(&mut plan);
    identity_branches(source, &mut plan);
    finish(source, &mut plan);
    Some(plan)
}

/// Says what is known only when everything else is.
fn finish(source: &Source<'_, '_>, plan: &mut FlagPlan<'_>) {
    let targets = plan.branches.iter().map(|branch| &branch.target);
    let mut targets = targets.chain([&plan.fallback]);
    if targets.any(|target| matches!(target, Target::Split { .. })) {
        plan.warnings.extend(source.bucketing_differs());
    }
    let kinds: BTreeSet<_> = plan
        .variants
        .iter()
        .map(|(_, value)| value.kind())
        .collect();
    if kinds.len() > 1 {
        let kinds: Vec<_> = kinds.into_iter().collect();
        let detail = format!("feature={}, types=[{}]", source.name(), kinds.join(", "));
        plan.warnings
            .push(Warning::new(WarningReason::TypeMismatch, detail));
    }
    let name = &source.snapshot.rules.features()[source.feature].name;
    for reason in [
        WarningReason::TypeMismatch,
        WarningReason::IdentityOverrideLimitExceeded,
    ] {
        if plan.warnings.iter().any(|warning| warning.reason == reason) {
            plan.differences
                .push(Difference::of_features(reason, vec![Arc::clone(name)]));
        }
    }
    let mut warnings = plan.warnings.iter();
    plan.is_exact &= !warnings.any(|warning| warning.reason.is_approximate());
}
