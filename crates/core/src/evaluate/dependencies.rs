//! Flags that conditions read: `$.flags['x'].enabled`.
//!
//! Mostly the features that are read can be sorted so that each needs only those before it; then they are
//! resolved in that order, once, when the first condition reads one. Where they cannot be sorted, a flag may
//! depend on itself, and what is found depends on the order in which segments are looked at: then all
//! segments are evaluated in order, as engine 11.1.1 does it, and a flag found on its own way is cut off.

use super::{Evaluator, Flag, Verdict};
use crate::dependency::ReadOrder;

/// Rules may be open inside each other, through flags they read, up to this depth; beyond it counts as a cycle.
const OPEN_RULES_LIMIT: usize = 192;

/// Flags resolved because a condition read them.
#[derive(Debug, Default)]
pub(super) struct Dependencies<'s> {
    /// By feature; empty until the first one is read.
    resolved: Vec<Option<Flag<'s>>>,
    /// The rest is used only where flags may depend on themselves.
    cycles: Option<Box<Cycles>>,
}

/// What is needed to find cycles.
#[derive(Debug, Default)]
struct Cycles {
    /// Features being resolved, outermost first.
    resolving: Vec<usize>,
    /// By feature: found to depend on itself.
    cyclic: Vec<bool>,
    /// How often a flag was cut off. A segment during whose evaluation it grows rests on a flag that could
    /// not be resolved, and does not match.
    cuts: usize,
    /// By segment: verdicts that rest on no cut, found while resolving flags.
    verdicts: Vec<Option<bool>>,
    /// How many rules are being evaluated inside each other.
    open_rules: usize,
}

impl<'s> Evaluator<'s> {
    /// The flag, if a condition read it and it could be resolved.
    pub(super) fn resolved(&self, feature: usize) -> Option<Flag<'s>> {
        self.dependencies.resolved.get(feature).copied().flatten()
    }

    pub(super) fn resolved_by_name(&self, name: &str) -> Option<Flag<'s>> {
        self.resolved(self.rules.feature_index(name)?)
    }

    /// True where the flag was found to depend on itself.
    pub(super) fn is_cyclic(&self, feature: usize) -> bool {
        let cycles = self.dependencies.cycles.as_ref();
        cycles.is_some_and(|cycles| cycles.cyclic[feature])
    }

    /// True once a condition read a flag.
    #[inline]
    pub(super) const fn has_read_flags(&self) -> bool {
        !self.dependencies.resolved.is_empty()
    }

    /// Where flags may depend on themselves: evaluates all segments in order, before anything is answered.
    #[inline]
    pub(super) fn settle_cycles(&mut self) {
        if matches!(self.rules.read_order(), ReadOrder::Cyclic) && !self.seeks_cycles() {
            self.evaluate_in_order();
        }
    }

    fn evaluate_in_order(&mut self) {
        let (features, segments) = (self.rules.features().len(), self.rules.segments().len());
        self.dependencies.resolved = vec![None; features];
        self.dependencies.cycles = Some(Box::new(Cycles {
            cyclic: vec![false; features],
            verdicts: vec![None; segments],
            ..Cycles::default()
        }));
        self.begin();
        for segment in 0..segments {
            let cuts = self.cuts();
            let matches = self.evaluate_segment(segment);
            self.verdicts[segment] = Verdict::of(matches && cuts == self.cuts());
        }
    }

    /// Resolves a flag that a condition is about to read.
    pub(super) fn read_flag(&mut self, name: &str) {
        let Some(feature) = self.rules.feature_index(name) else {
            return;
        };
        if self.resolved(feature).is_some() {
            return;
        }
        match self.rules.read_order() {
            ReadOrder::Cyclic => self.resolve_guarded(feature),
            ReadOrder::Sorted(order) => {
                if self.dependencies.resolved.is_empty() {
                    self.dependencies.resolved = vec![None; self.rules.features().len()];
                    for read in order {
                        self.dependencies.resolved[*read] = Some(self.compute(*read));
                    }
                }
            }
        }
    }

    /// True where flags may depend on themselves.
    pub(super) const fn seeks_cycles(&self) -> bool {
        self.dependencies.cycles.is_some()
    }

    pub(super) fn enter_rule(&mut self) {
        if let Some(cycles) = &mut self.dependencies.cycles {
            cycles.open_rules += 1;
        }
    }

    pub(super) fn leave_rule(&mut self) {
        if let Some(cycles) = &mut self.dependencies.cycles {
            cycles.open_rules -= 1;
        }
    }

    fn cuts(&self) -> usize {
        let cycles = self.dependencies.cycles.as_ref();
        cycles.map_or(0, |cycles| cycles.cuts)
    }

    /// Resolves a flag, or cuts it off where it is being resolved already.
    fn resolve_guarded(&mut self, feature: usize) {
        let Some(cycles) = &mut self.dependencies.cycles else {
            return;
        };
        let again = cycles.resolving.iter().position(|open| *open == feature);
        // Python runs out of stack on such a chain; here all of it is cut off.
        let too_deep = (cycles.open_rules > OPEN_RULES_LIMIT).then_some(0);
        if let Some(start) = again.or(too_deep) {
            for open in &cycles.resolving[start..] {
                cycles.cyclic[*open] = true;
            }
            cycles.cuts += 1;
            return;
        }

        cycles.resolving.push(feature);
        let flag = self.compute_guarded(feature);
        if let Some(cycles) = &mut self.dependencies.cycles {
            cycles.resolving.pop();
            if !cycles.cyclic[feature] {
                self.dependencies.resolved[feature] = Some(flag);
            }
        }
    }

    /// Like `compute`, but evaluates every segment that could override, in order, so that cycles are found
    /// where engine 11.1.1 finds them.
    fn compute_guarded(&mut self, feature: usize) -> Flag<'s> {
        let rules = self.rules;
        let candidates = rules.candidates(feature);
        let mut segments: Vec<usize> = candidates.iter().map(|found| found.segment).collect();
        // A segment that overrides the feature twice is asked twice: the second time it may rest on no cut.
        segments.sort_unstable();
        let matching: Vec<usize> = segments
            .into_iter()
            .filter(|segment| self.matches_guarded(*segment))
            .collect();

        if let Some(state) = self.identity_override(feature) {
            return self.identity_flag(feature, state);
        }
        let winner = candidates
            .iter()
            .find(|candidate| matching.contains(&candidate.segment));
        match winner {
            Some(winner) => self.overridden(feature, winner.segment, winner.position),
            None => self.default_flag(feature),
        }
    }

    fn matches_guarded(&mut self, segment: usize) -> bool {
        let cycles = self.dependencies.cycles.as_ref();
        if let Some(known) = cycles.and_then(|cycles| cycles.verdicts[segment]) {
            return known;
        }
        let cuts = self.cuts();
        let matches = self.evaluate_segment(segment);
        if cuts != self.cuts() {
            return false;
        }
        if let Some(cycles) = &mut self.dependencies.cycles {
            cycles.verdicts[segment] = Some(matches);
        }
        matches
    }
}
