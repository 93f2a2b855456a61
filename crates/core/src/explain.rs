//! Traces: how each flag came to its value, for people.
//!
//! A trace is owned and complete where an evaluation is borrowed and stops at what decides: every condition
//! of every segment that could override is evaluated and shown. It is for `flagstaff evaluate --explain`, for the
//! native route `explain` and for pages, which all say the same; not for serving flags.

use crate::bucket::{Place, percentage_bucket};
use crate::compile::{CompiledCondition, CompiledRule};
use crate::evaluate::{Evaluator, Flag, FlagVariant, Origin, SegmentAt, joined};
use crate::operator::{PercentageSplit, Test};
use crate::ruleset::{FeatureRules, Ruleset};
use crate::{Context, Hash, ReasonWords, RuleKind, Snapshot, Value};
use std::sync::Arc;

/// How flags came to their values for one context.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    /// In the order of the ruleset's features.
    pub flags: Vec<FlagTrace>,
    /// The segments asked about, in the order of the ruleset.
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
    /// What placed it.
    pub hash: Hash,
    /// What was hashed together with the identity: a state's own seed with Flagsmith's hash, else the feature's name.
    pub seed: Arc<str>,
    /// What was hashed of the identity: its key with Flagsmith's hash, else its identifier.
    pub key: Arc<str>,
    /// From 0 up to but not including the total.
    pub bucket: f64,
    /// Where the last range may end: 100 with Flagsmith's hash.
    pub total: f64,
    /// The variants and the part of the range each one has.
    pub ranges: Vec<VariantRange>,
}

/// The part of the range from 0 to the total that belongs to a variant.
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
    /// What it makes of the flag: on or off.
    pub enabled: bool,
    /// What it makes of the flag: its value, before any split.
    pub value: Value,
}

/// Whether and why a context is in a segment.
#[derive(Debug, Clone, PartialEq)]
pub struct SegmentTrace {
    /// Index of the segment in the ruleset.
    pub segment: usize,
    /// The segment's name.
    pub name: Arc<str>,
    /// What places identities in its percentages.
    pub hash: Hash,
    /// What percentages are hashed by, together with what the condition compares.
    pub key: Arc<str>,
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
    /// Where the value falls for a percentage split, in percent.
    pub bucket: Option<f64>,
    /// The comparison holds.
    pub holds: bool,
}

impl Ruleset {
    /// Explains all flags and all segments.
    #[must_use]
    pub fn explain(&self, context: &Context<'_>, words: ReasonWords) -> Trace {
        let features: Vec<usize> = (0..self.features().len()).collect();
        let segments = (0..self.segments().len()).collect();
        trace(self, self.evaluator(context), &features, segments, words)
    }

    /// Explains the flags of the features with these indices, and the segments that could override them.
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
        let segments = self.segments_that_override(features);
        trace(self, self.evaluator(context), features, segments, words)
    }

    /// Explains whether a context is in the segment with this index.
    ///
    /// # Panics
    /// Where there is no such segment: the index does not come from this ruleset.
    #[must_use]
    pub fn explain_segment(&self, segment: usize, context: &Context<'_>) -> SegmentTrace {
        trace_segment(self, &mut self.evaluator(context), segment)
    }

    /// Indices of the segments that could override one of these features, ascending.
    fn segments_that_override(&self, features: &[usize]) -> Vec<usize> {
        let candidates = features
            .iter()
            .flat_map(|feature| self.candidates(*feature));
        let mut segments: Vec<usize> = candidates.map(|candidate| candidate.segment).collect();
        segments.sort_unstable();
        segments.dedup();
        segments
    }
}

impl Snapshot {
    /// Explains the flags of the features with these indices, and the segments that could override them, to somebody
    /// who stores nothing: an empty identifier is nobody's, so that what needs one does not match.
    ///
    /// # Panics
    /// Where there is no such feature: the index does not come from this snapshot.
    #[must_use]
    pub fn explain(&self, features: &[usize], context: &Context<'_>) -> Trace {
        let rules = &*self.rules;
        let evaluator = rules.evaluator(context);
        let is_nobody = context
            .identity
            .is_none_or(|identity| identity.identifier.is_empty());
        let evaluator = if is_nobody {
            evaluator.of_nobody()
        } else {
            evaluator
        };
        let segments = rules.segments_that_override(features);
        trace(rules, evaluator, features, segments, ReasonWords::Engine11)
    }
}

fn trace(
    ruleset: &Ruleset,
    mut evaluator: Evaluator<'_>,
    features: &[usize],
    segments: Vec<usize>,
    words: ReasonWords,
) -> Trace {
    let flags = features.iter().map(|feature| {
        let flag = evaluator.flag(*feature);
        trace_flag(ruleset, &mut evaluator, &flag, words)
    });
    let flags = flags.collect();
    let segments = segments
        .into_iter()
        .map(|segment| trace_segment(ruleset, &mut evaluator, segment))
        .collect();
    Trace { flags, segments }
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
        let over = &rules.overrides()[position];
        CandidateTrace {
            segment,
            name: Arc::clone(rules.name()),
            priority: over.priority,
            enabled: over.state.enabled,
            value: over.state.value.clone(),
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
        split: trace_split(ruleset, evaluator, flag),
    }
}

fn trace_split(
    ruleset: &Ruleset,
    evaluator: &Evaluator<'_>,
    flag: &Flag<'_>,
) -> Option<SplitTrace> {
    let feature = &ruleset.features()[flag.feature];
    if feature.hash != Hash::Flagsmith {
        return trace_place(feature, evaluator, flag);
    }
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
        hash: Hash::Flagsmith,
        seed: Arc::clone(&flag.state.seed),
        key: evaluator.hash_key()?.into(),
        bucket,
        total: 100.0,
        ranges: ranges.collect(),
    })
}

fn trace_place(
    feature: &FeatureRules,
    evaluator: &Evaluator<'_>,
    flag: &Flag<'_>,
) -> Option<SplitTrace> {
    if flag.state.variants.is_empty() {
        return None;
    }
    let identifier = evaluator.identifier()?;
    let place = Place::of(
        feature.hash,
        &feature.name,
        identifier,
        &flag.state.variants,
    );
    let (mut ranges, mut start) = (Vec::new(), 0.0);
    place.find(|variant, end| {
        ranges.push(VariantRange {
            key: variant.key.clone(),
            start: std::mem::replace(&mut start, end),
            end,
        });
        false
    });
    Some(SplitTrace {
        hash: feature.hash,
        seed: Arc::clone(&feature.name),
        key: identifier.into(),
        bucket: f64::from(place.bucket),
        total: f64::from(place.total),
        ranges,
    })
}

fn trace_segment(ruleset: &Ruleset, evaluator: &mut Evaluator<'_>, segment: usize) -> SegmentTrace {
    let rules = &ruleset.segments()[segment];
    SegmentTrace {
        segment,
        name: Arc::clone(rules.name()),
        hash: rules.hash(),
        key: Arc::clone(rules.key()),
        matches: evaluator.segment_matches(segment),
        rules: trace_rules(
            evaluator,
            &SegmentAt::of(ruleset, segment),
            &rules.compiled().rules,
        ),
    }
}

fn trace_rules(
    evaluator: &mut Evaluator<'_>,
    segment: &SegmentAt<'_>,
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
    segment: &SegmentAt<'_>,
    condition: &CompiledCondition,
) -> ConditionTrace {
    let holds = evaluator.condition_holds(segment, condition);
    let is_split = matches!(condition.test, Test::PercentageSplit(_));
    let hash = segment.rules.hash();
    let (seen, mut bucket) = evaluator.with_seen(segment, condition, |seen| {
        let operand = seen.operand();
        let bucket = PercentageSplit::bucket(operand, segment.rules.key());
        (operand.to_value(), bucket.filter(|_| is_split))
    });
    if is_split && hash != Hash::Flagsmith {
        let text = evaluator.plain_text(segment, condition);
        bucket = text.map(|text| percentage_bucket(hash, segment.rules.key(), &text));
    }
    ConditionTrace {
        property: condition.source.property.clone(),
        operator: condition.source.operator.clone(),
        value: condition.source.value.clone(),
        seen,
        bucket,
        holds,
    }
}

#[cfg(test)]
mod tests {
    use crate::bucket::percentage_bucket;
    use crate::explain::{FlagTrace, Trace};
    use crate::testing::{all, condition, feature, over, rule, ruleset, segment, split, state};
    use crate::{
        Attributes, Context, FeatureRules, Hash, IdentityContext, Origin, ReasonWords, RuleKind,
        Value,
    };
    use std::sync::Arc;

    /// Explains feature `f` for identity `bob`, aged 20.
    fn explain() -> (FlagTrace, Trace) {
        let nested = rule(
            RuleKind::Any,
            vec![condition("EQUAL", "missing", "x")],
            vec![all(vec![condition(
                "PERCENTAGE_SPLIT",
                "$.identity.key",
                "100",
            )])],
        );
        let adults = [all(vec![condition("GREATER_THAN", "age", "18")])];
        let rules = ruleset(
            vec![
                feature("f", state(false, "default")),
                feature("g", state(true, "x")),
            ],
            vec![
                segment(
                    "nested",
                    &[nested],
                    vec![over("f", Some(1.0), state(true, "n"))],
                ),
                segment(
                    "adults",
                    &adults,
                    vec![over("f", Some(2.0), split(&[("on", 100.0)]))],
                ),
                segment("other", &adults, vec![over("g", None, state(true, "y"))]),
            ],
        );
        let mut attributes = Attributes::new();
        attributes.insert("age", Value::text("20"));
        let identity = IdentityContext {
            identifier: "bob",
            key: None,
            attributes: &attributes,
            overrides: None,
        };
        let context = Context {
            identity: Some(identity),
        };
        let all = rules.explain(&context, ReasonWords::Engine10);
        let only = rules.explain_flags(&[0], &context, ReasonWords::Engine10);
        assert_eq!(all.flags[0], only.flags[0]);
        assert_eq!(all.segments.len(), 3);
        (only.flags[0].clone(), only)
    }

    #[test]
    fn the_winning_override_and_its_rivals_are_named() {
        let (flag, _) = explain();

        let won = (
            Origin::Segment {
                segment: 1,
                position: 0,
            },
            "SPLIT; weight=100",
        );
        assert_eq!((flag.origin, flag.reason.as_str()), won);
        assert_eq!(flag.variant.as_deref(), Some("on"));
        let candidates: Vec<_> = flag
            .candidates
            .iter()
            .map(|found| (&*found.name, found.priority, found.matches, found.wins))
            .collect();
        let expected = [
            ("nested", Some(1.0), false, false),
            ("adults", Some(2.0), true, true),
        ];
        assert_eq!(candidates, expected);
    }

    #[test]
    fn the_split_shows_what_was_hashed_and_the_ranges() {
        let (flag, _) = explain();

        let split = flag.split.unwrap();
        assert_eq!((&*split.seed, &*split.key), ("1", "env_bob"));
        assert_eq!(split.bucket, crate::bucket::percentage(&["1", "env_bob"]));
        let range = &split.ranges[0];
        assert_eq!(
            (range.key.as_deref(), range.start, range.end),
            (Some("on"), 0.0, 100.0)
        );
    }

    #[test]
    fn the_rule_tree_shows_what_each_condition_saw() {
        let (_, trace) = explain();

        assert_eq!(
            trace.segments.len(),
            2,
            "`other` does not override the feature"
        );
        let [nested, adults] = &trace.segments[..] else {
            unreachable!("two segments");
        };
        let older = &adults.rules[0].conditions[0];
        assert_eq!(
            (&older.seen, older.holds, older.bucket),
            (&Value::Integer(20), true, None)
        );
        let any = &nested.rules[0];
        assert_eq!(
            (any.kind, any.holds, nested.matches),
            (RuleKind::Any, false, false)
        );
        assert_eq!(
            (&any.conditions[0].seen, any.conditions[0].holds),
            (&Value::Null, false)
        );
        // Shown although the rule had failed before it was reached.
        let percentage = &any.rules[0].conditions[0];
        assert_eq!(percentage.seen, Value::text("env_bob"));
        assert!(percentage.bucket.is_some() && percentage.holds);
    }

    #[test]
    fn other_hashes_show_their_own_bucket_and_total() {
        let plain = feature("f", split(&[("on", 12.5)]));
        let hashed = FeatureRules {
            hash: Hash::FlagdV2,
            ..(*plain).clone()
        };
        let half = [all(vec![condition(
            "PERCENTAGE_SPLIT",
            "$.identity.identifier",
            "50",
        )])];
        let over = vec![over("f", None, state(true, "x"))];
        let half = Arc::new(
            (*segment("half", &half, over))
                .clone()
                .with_hash(Hash::Flipt),
        );
        let rules = ruleset(vec![Arc::new(hashed)], vec![half]);
        let attributes = Attributes::new();
        // Whose CRC-32 is in the upper half: the override does not hold.
        let identity = IdentityContext {
            identifier: "heidi",
            key: None,
            attributes: &attributes,
            overrides: None,
        };
        let context = Context {
            identity: Some(identity),
        };

        let trace = rules.explain(&context, ReasonWords::Engine10);

        let split = trace.flags[0].split.as_ref().unwrap();
        assert_eq!(
            (split.hash, &*split.seed, &*split.key),
            (Hash::FlagdV2, "f", "heidi")
        );
        assert_eq!(split.total, 1000.0);
        assert_eq!((split.ranges[0].start, split.ranges[0].end), (0.0, 125.0));
        let percentage = &trace.segments[0].rules[0].conditions[0];
        assert_eq!(trace.segments[0].hash, Hash::Flipt);
        assert_eq!(
            percentage.bucket,
            Some(percentage_bucket(Hash::Flipt, "half", "heidi"))
        );
        assert_eq!(
            percentage.holds,
            percentage.bucket.is_some_and(|bucket| bucket < 50.0)
        );
    }
}
