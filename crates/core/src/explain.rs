//! Traces: how each flag came to its value, for people.
//!
//! A trace is owned and complete where an evaluation is borrowed and stops at what decides: every condition
//! of every segment that could override is evaluated and shown. It is for `flagstaff evaluate --explain` and
//! for pages, not for serving flags.

use crate::compile::{CompiledCondition, CompiledRule};
use crate::evaluate::joined;
use crate::evaluate::{Evaluator, Flag, FlagVariant, Origin};
use crate::operator::{PercentageSplit, Test};
use crate::ruleset::{Ruleset, SegmentRules};
use crate::{Context, ReasonWords, RuleKind, Value};
use std::sync::Arc;

/// How flags came to their values for one context.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    /// In the order of the ruleset's features.
    pub flags: Vec<FlagTrace>,
    /// The segments that could override one of the flags, in the order of the ruleset.
    pub segments: Vec<SegmentTrace>,
}

/// How one flag came to its value.
#[derive(Debug, Clone, PartialEq)]
pub struct FlagTrace {
    /// The feature's name.
    pub feature: Arc<str>,
    /// On or off.
    pub enabled: bool,
    /// What the caller gets.
    pub value: Value,
    /// `control`, or the key of the option that was hit; `None` without a split or without a key.
    pub variant: Option<Arc<str>>,
    /// In the words asked for.
    pub reason: String,
    /// Where the state that holds comes from.
    pub origin: Origin,
    /// Where the caller falls among the variants; `None` without variants or without identity.
    pub split: Option<SplitTrace>,
    /// Segments that could override, strongest first. The first that matches wins, unless something holds
    /// for the identity alone.
    pub candidates: Vec<CandidateTrace>,
}

/// Where an identity falls among the variants of a state.
#[derive(Debug, Clone, PartialEq)]
pub struct SplitTrace {
    /// What was hashed together with the identity's key.
    pub seed: Arc<str>,
    /// The identity's key.
    pub key: Arc<str>,
    /// From 0 up to but not including 100.
    pub bucket: f64,
    /// The variants and the part of the range each one has.
    pub ranges: Vec<VariantRange>,
}

/// The part of the range from 0 to 100 that belongs to a variant.
#[derive(Debug, Clone, PartialEq)]
pub struct VariantRange {
    /// The variant's key, when it has one.
    pub key: Option<Arc<str>>,
    /// The lowest bucket that belongs to it.
    pub start: f64,
    /// The lowest bucket that no longer does.
    pub end: f64,
}

/// An override that could hold.
#[derive(Debug, Clone, PartialEq)]
pub struct CandidateTrace {
    /// Index of the segment in the ruleset.
    pub segment: usize,
    /// The segment's name.
    pub name: Arc<str>,
    /// Lower is stronger; `None` is weakest.
    pub priority: Option<f64>,
    /// The context is in the segment.
    pub matches: bool,
    /// This override holds.
    pub wins: bool,
}

/// Whether and why a context is in a segment.
#[derive(Debug, Clone, PartialEq)]
pub struct SegmentTrace {
    /// Index of the segment in the ruleset.
    pub segment: usize,
    /// The segment's name.
    pub name: Arc<str>,
    /// The context is in the segment. False in spite of its rules where a flag it reads depends on itself.
    pub matches: bool,
    /// All must hold, and there must be one.
    pub rules: Vec<RuleTrace>,
}

/// A group of conditions and further groups.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleTrace {
    /// How conditions and groups are joined.
    pub kind: RuleKind,
    /// The group holds.
    pub holds: bool,
    /// Comparisons of this group.
    pub conditions: Vec<ConditionTrace>,
    /// Groups inside this one.
    pub rules: Vec<RuleTrace>,
}

/// A comparison and what it saw.
#[derive(Debug, Clone, PartialEq)]
pub struct ConditionTrace {
    /// As written.
    pub property: Option<String>,
    /// As written.
    pub operator: String,
    /// As written.
    pub value: Option<String>,
    /// The context value as it was read: text that is a plain number is that number. Null when not set.
    pub seen: Value,
    /// The number a percentage split compared with its percentage.
    pub bucket: Option<f64>,
    /// The comparison holds.
    pub holds: bool,
}

impl Ruleset {
    /// Explains all flags.
    #[must_use]
    pub fn explain(&self, context: &Context<'_>, words: ReasonWords) -> Trace {
        let features: Vec<usize> = (0..self.features().len()).collect();
        self.explain_flags(&features, context, words)
    }

    /// Explains the flags of the features with these indices.
    ///
    /// # Panics
    /// Where there is no such feature: the index does not come from this ruleset.
    #[must_use]
    pub fn explain_flags(
        &self,
        features: &[usize],
        context: &Context<'_>,
        words: ReasonWords,
    ) -> Trace {
        let mut evaluator = self.evaluator(context);
        let flags = features
            .iter()
            .map(|feature| {
                let flag = evaluator.flag(*feature);
                trace_flag(self, &mut evaluator, &flag, words)
            })
            .collect();
        let mut segments: Vec<usize> = features
            .iter()
            .flat_map(|feature| self.candidates(*feature))
            .map(|candidate| candidate.segment)
            .collect();
        segments.sort_unstable();
        segments.dedup();
        let segments = segments
            .into_iter()
            .map(|segment| trace_segment(self, &mut evaluator, segment))
            .collect();
        Trace { flags, segments }
    }
}

fn trace_flag(
    ruleset: &Ruleset,
    evaluator: &mut Evaluator<'_>,
    flag: &Flag<'_>,
    words: ReasonWords,
) -> FlagTrace {
    let candidates = ruleset.candidates(flag.feature).iter().map(|candidate| {
        let (segment, position) = (candidate.segment, candidate.position);
        let rules = &ruleset.segments()[segment];
        CandidateTrace {
            segment,
            name: Arc::clone(rules.name()),
            priority: rules.overrides()[position].priority,
            matches: evaluator.segment_matches(segment),
            wins: flag.origin == Origin::Segment { segment, position },
        }
    });
    FlagTrace {
        feature: Arc::clone(&ruleset.features()[flag.feature].name),
        enabled: flag.enabled,
        value: flag.value.clone(),
        variant: match flag.variant {
            FlagVariant::None => None,
            FlagVariant::Control => Some("control".into()),
            FlagVariant::Option(variant) => variant.key.clone(),
        },
        reason: flag.reason.text(words).into_owned(),
        origin: flag.origin,
        candidates: candidates.collect(),
        split: trace_split(evaluator, flag),
    }
}

fn trace_split(evaluator: &Evaluator<'_>, flag: &Flag<'_>) -> Option<SplitTrace> {
    let bucket = evaluator.variant_bucket(flag.state)?;
    let mut end = 0.0;
    let ranges = flag.state.variants.iter().map(|variant| {
        let start = end;
        end = variant.weight + start;
        VariantRange {
            key: variant.key.clone(),
            start,
            end,
        }
    });
    Some(SplitTrace {
        seed: Arc::clone(&flag.state.seed),
        key: evaluator.hash_key()?.into(),
        bucket,
        ranges: ranges.collect(),
    })
}

fn trace_segment(ruleset: &Ruleset, evaluator: &mut Evaluator<'_>, segment: usize) -> SegmentTrace {
    let rules = &ruleset.segments()[segment];
    SegmentTrace {
        segment,
        name: Arc::clone(rules.name()),
        matches: evaluator.segment_matches(segment),
        rules: trace_rules(evaluator, rules, &rules.compiled().rules),
    }
}

fn trace_rules(
    evaluator: &mut Evaluator<'_>,
    segment: &SegmentRules,
    rules: &[CompiledRule],
) -> Vec<RuleTrace> {
    let mut traces = Vec::with_capacity(rules.len());
    for rule in rules {
        let mut conditions = Vec::with_capacity(rule.conditions.len());
        for condition in &rule.conditions {
            conditions.push(trace_condition(evaluator, segment, condition));
        }
        let rules = trace_rules(evaluator, segment, &rule.rules);
        let holds = joined(rule.kind, &conditions, |condition| condition.holds)
            && joined(rule.kind, &rules, |rule| rule.holds);
        traces.push(RuleTrace {
            kind: rule.kind,
            holds,
            conditions,
            rules,
        });
    }
    traces
}

fn trace_condition(
    evaluator: &mut Evaluator<'_>,
    segment: &SegmentRules,
    condition: &CompiledCondition,
) -> ConditionTrace {
    let holds = evaluator.condition_holds(segment, condition);
    let is_split = matches!(condition.test, Test::PercentageSplit(_));
    let (seen, bucket) = evaluator.with_operand(&condition.property, |operand| {
        let bucket = PercentageSplit::bucket(operand, segment.key());
        (operand.to_value(), bucket.filter(|_| is_split))
    });
    ConditionTrace {
        property: condition.source.property.clone(),
        operator: condition.source.operator.clone(),
        value: condition.source.value.clone(),
        seen,
        bucket,
        holds,
    }
}
