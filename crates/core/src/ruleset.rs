//! What evaluation reads: features, segments and overrides of one environment, compiled.

use crate::compile::{self, CompiledRules};
use crate::dependency::ReadOrder;
use crate::evaluate::Evaluator;
use crate::questions::QuestionTable;
use crate::seen::AttributeTable;
use crate::split_defaults::SplitDefaults;
use crate::{
    CompileWarning, Context, FeatureSegmentId, FeatureStateId, Hash, IdentityId, PatternBudget,
    Rule, Value,
};
use std::collections::HashMap;
use std::sync::Arc;

/// Rows a state came from; all `None` where it came from a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StateIds {
    /// The feature state.
    pub state: Option<FeatureStateId>,
    /// The link that makes it a segment's override.
    pub feature_segment: Option<FeatureSegmentId>,
    /// The identity it overrides for.
    pub identity: Option<IdentityId>,
}

/// One of the weighted values of a state.
#[derive(Debug, Clone, PartialEq)]
pub struct Variant {
    /// Its name, when it has one.
    pub key: Option<Arc<str>>,
    /// Which of the feature's options it is, counted from 0 in order of their ids.
    pub option: usize,
    /// What a caller in this variant gets.
    pub value: Value,
    /// Percent, 0 to 100.
    pub weight: f64,
    /// The weight as it was given: reasons repeat it (`30` and `30.0` are told apart).
    pub weight_text: Arc<str>,
}

/// Enabled, value and variants of a feature, by default or as an override.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FlagState {
    /// Where it is stored.
    pub ids: StateIds,
    /// On or off.
    pub enabled: bool,
    /// Its value; the control value when there are variants.
    pub value: Value,
    /// What variants are hashed by.
    pub seed: Arc<str>,
    /// In the order in which the buckets are laid out.
    pub variants: Box<[Variant]>,
}

impl FlagState {
    /// True where it has options that somebody can be placed in.
    #[must_use]
    pub fn is_split(&self) -> bool {
        self.variants.iter().any(|variant| variant.weight > 0.0)
    }
}

/// A feature with its default in the environment.
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureRules {
    /// The feature's name.
    pub name: Arc<str>,
    /// What places identities among its variants.
    pub hash: Hash,
    /// The environment's default.
    pub state: FlagState,
}

/// An override that holds for a segment.
#[derive(Debug, Clone, PartialEq)]
pub struct SegmentOverride {
    /// Name of the feature it overrides.
    pub feature: Arc<str>,
    /// Lower is stronger; missing is weakest. Negative infinity is stronger than any number.
    pub priority: Option<f64>,
    /// What holds instead of the environment's default.
    pub state: FlagState,
}

/// A segment's rules, ready to be evaluated, and what it overrides.
#[derive(Debug, Clone, PartialEq)]
pub struct SegmentRules {
    key: Arc<str>,
    hash: Hash,
    name: Arc<str>,
    compiled: Arc<CompiledRules>,
    overrides: Vec<SegmentOverride>,
}

impl SegmentRules {
    /// Compiles a segment: parses patterns, numbers, versions and lists once, for all evaluations to come.
    ///
    /// `key` is what percentage splits are hashed by. A condition that cannot be understood is never true
    /// and named in a warning; so is a segment whose rules are nested more than 64 levels deep.
    #[must_use]
    pub fn compile(
        key: Arc<str>,
        name: Arc<str>,
        rules: &[Rule],
        overrides: Vec<SegmentOverride>,
        budget: &mut PatternBudget,
    ) -> (Self, Vec<CompileWarning>) {
        let (compiled, warnings) = compile::compile(rules, budget);
        let segment = Self {
            key,
            hash: Hash::Flagsmith,
            name,
            compiled: Arc::new(compiled),
            overrides,
        };
        (segment, warnings)
    }

    /// The same, placing identities by another hash than Flagsmith's.
    #[must_use]
    pub fn with_hash(self, hash: Hash) -> Self {
        Self { hash, ..self }
    }

    /// The same compiled rules with other overrides.
    #[must_use]
    pub fn with_overrides(&self, overrides: Vec<SegmentOverride>) -> Self {
        Self {
            key: Arc::clone(&self.key),
            hash: self.hash,
            name: Arc::clone(&self.name),
            compiled: Arc::clone(&self.compiled),
            overrides,
        }
    }

    /// Takes the cost of the compiled patterns out of a budget; false where compiling anew could give others.
    pub(crate) fn claim_patterns(&self, budget: &mut PatternBudget) -> bool {
        !self.compiled.starved && budget.claim(self.compiled.pattern_cost)
    }

    /// What percentage splits are hashed by.
    #[must_use]
    pub fn key(&self) -> &Arc<str> {
        &self.key
    }

    /// What places identities in its percentages.
    #[must_use]
    pub const fn hash(&self) -> Hash {
        self.hash
    }

    /// The shown name.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// What the segment overrides, as given.
    #[must_use]
    pub fn overrides(&self) -> &[SegmentOverride] {
        &self.overrides
    }

    pub(crate) fn compiled(&self) -> &CompiledRules {
        &self.compiled
    }
}

/// An override that could hold for a feature.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Candidate {
    /// Lower is stronger; infinity where none was given.
    pub(crate) priority: f64,
    /// Index of the segment.
    pub(crate) segment: usize,
    /// Index among the segment's overrides.
    pub(crate) position: usize,
}

/// Everything that evaluation reads of one environment.
#[derive(Debug)]
pub struct Ruleset {
    environment_key: Arc<str>,
    environment_name: Arc<str>,
    features: Vec<Arc<FeatureRules>>,
    segments: Vec<Arc<SegmentRules>>,
    feature_indices: HashMap<Arc<str>, usize>,
    /// For each feature, strongest first: the first whose segment matches wins.
    candidates: Vec<Vec<Candidate>>,
    read_order: ReadOrder,
    attributes: AttributeTable,
    questions: QuestionTable,
    split_defaults: SplitDefaults,
}

impl Ruleset {
    /// Joins compiled parts. Order of the segments decides between overrides of equal priority.
    ///
    /// An override of a feature that is not among the features never counts.
    #[must_use]
    pub fn new(
        environment_key: Arc<str>,
        environment_name: Arc<str>,
        features: Vec<Arc<FeatureRules>>,
        segments: Vec<Arc<SegmentRules>>,
    ) -> Self {
        let feature_indices: HashMap<_, _> = features
            .iter()
            .enumerate()
            .map(|(index, feature)| (Arc::clone(&feature.name), index))
            .collect();
        let candidates = candidates(&feature_indices, features.len(), &segments);
        let read_order = ReadOrder::of(&feature_indices, &segments, &candidates);
        Self {
            attributes: AttributeTable::of(&segments),
            questions: QuestionTable::of(&segments),
            split_defaults: SplitDefaults::of(&features),
            environment_key,
            environment_name,
            features,
            segments,
            feature_indices,
            candidates,
            read_order,
        }
    }

    /// The environment's client key: identities without key are hashed by it and their identifier.
    #[must_use]
    pub fn environment_key(&self) -> &str {
        &self.environment_key
    }

    /// The environment's name.
    #[must_use]
    pub fn environment_name(&self) -> &str {
        &self.environment_name
    }

    /// Features, in the order they were given.
    #[must_use]
    pub fn features(&self) -> &[Arc<FeatureRules>] {
        &self.features
    }

    /// Segments, in the order they were given.
    #[must_use]
    pub fn segments(&self) -> &[Arc<SegmentRules>] {
        &self.segments
    }

    /// Index of the feature with exactly this name.
    #[must_use]
    pub fn feature_index(&self, name: &str) -> Option<usize> {
        self.feature_indices.get(name).copied()
    }

    /// True where an override for a segment can hold for the feature with this index.
    #[must_use]
    pub fn is_overridden_by_segments(&self, feature: usize) -> bool {
        self.candidates
            .get(feature)
            .is_some_and(|of_feature| !of_feature.is_empty())
    }

    /// Starts an evaluation.
    #[must_use]
    pub fn evaluator<'s>(&'s self, context: &Context<'s>) -> Evaluator<'s> {
        Evaluator::new(self, context)
    }

    pub(crate) fn candidates(&self, feature: usize) -> &[Candidate] {
        &self.candidates[feature]
    }

    pub(crate) const fn attributes(&self) -> &AttributeTable {
        &self.attributes
    }

    pub(crate) const fn questions(&self) -> &QuestionTable {
        &self.questions
    }

    pub(crate) const fn split_defaults(&self) -> &SplitDefaults {
        &self.split_defaults
    }

    pub(crate) const fn read_order(&self) -> &ReadOrder {
        &self.read_order
    }
}

fn candidates(
    feature_indices: &HashMap<Arc<str>, usize>,
    features: usize,
    segments: &[Arc<SegmentRules>],
) -> Vec<Vec<Candidate>> {
    let mut candidates = vec![Vec::new(); features];
    for (segment, rules) in segments.iter().enumerate() {
        for (position, part) in rules.overrides.iter().enumerate() {
            let Some(feature) = feature_indices.get(&part.feature) else {
                continue;
            };
            candidates[*feature].push(Candidate {
                priority: part.priority.unwrap_or(f64::INFINITY),
                segment,
                position,
            });
        }
    }
    for of_feature in &mut candidates {
        // Stable: among equals the first segment stays first.
        of_feature.sort_by(|a, b| a.priority.total_cmp(&b.priority));
    }
    candidates
}
