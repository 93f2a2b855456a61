//! Whether a context is in a segment.

use super::{Evaluator, FlagVariant, Verdict};
use crate::compile::{CompiledCondition, CompiledRule};
use crate::operand::Operand;
use crate::operator::{PercentageSplit, Test};
use crate::property::{FeatureField, FlagField, Path, Property};
use crate::ruleset::{Ruleset, SegmentRules};
use crate::seen::Seen;
use crate::text::TextBuffer;
use crate::{Hash, ReasonWords, RuleKind, Value};
use std::borrow::Cow;

/// A segment of a ruleset, with the places of its attributes among those of the ruleset.
#[derive(Clone, Copy)]
pub(crate) struct SegmentAt<'s> {
    pub(crate) rules: &'s SegmentRules,
    attributes: &'s [usize],
    questions: &'s [Option<usize>],
}

impl<'s> SegmentAt<'s> {
    pub(crate) fn of(ruleset: &'s Ruleset, segment: usize) -> Self {
        Self {
            rules: &ruleset.segments()[segment],
            attributes: ruleset.attributes().of_segment(segment),
            questions: ruleset.questions().of_segment(segment),
        }
    }
}

impl<'s> Evaluator<'s> {
    /// Evaluates a segment's rules: all must hold, and there must be one.
    pub(super) fn evaluate_segment(&mut self, segment: usize) -> bool {
        let segment = SegmentAt::of(self.rules, segment);
        let rules = &segment.rules.compiled().rules;
        !rules.is_empty() && rules.iter().all(|rule| self.rule_holds(&segment, rule))
    }

    /// Both halves of a rule, conditions and sub-rules, are joined by its kind; an empty half holds.
    fn rule_holds(&mut self, segment: &SegmentAt<'s>, rule: &'s CompiledRule) -> bool {
        self.enter_rule();
        let mut holds = joined(rule.kind, &rule.conditions, |condition| {
            self.condition_holds(segment, condition)
        });
        // Sub-rules are looked at in any case where that can find a cycle, as engine 11.1.1 does.
        if holds || self.seeks_cycles() {
            holds &= joined(rule.kind, &rule.rules, |rule| {
                self.rule_holds(segment, rule)
            });
        }
        self.leave_rule();
        holds
    }

    /// True where a condition holds; found out once where several conditions ask the same.
    #[inline]
    pub(crate) fn condition_holds(
        &mut self,
        segment: &SegmentAt<'_>,
        condition: &CompiledCondition,
    ) -> bool {
        let Some(question) = segment.questions[condition.number] else {
            return self.passes(segment, condition);
        };
        match self.answers[question] {
            Verdict::Matches => true,
            Verdict::Fails => false,
            Verdict::Unknown => {
                let passes = self.passes(segment, condition);
                self.answers[question] = Verdict::of(passes);
                passes
            }
        }
    }

    fn passes(&mut self, segment: &SegmentAt<'_>, condition: &CompiledCondition) -> bool {
        if let Property::Path {
            path: Path::Flag(name, _),
            ..
        } = &condition.property
            && self.attribute(segment, condition).is_none()
        {
            self.read_flag(name);
        }
        let test = &condition.test;
        if segment.rules.hash() != Hash::Flagsmith
            && let Test::PercentageSplit(split) = test
        {
            return self.is_in_part(segment, condition, *split);
        }
        self.with_seen(segment, condition, |seen| {
            test.matches(seen, segment.rules.key())
        })
    }

    /// Calls a function with what a condition's property leads to.
    pub(crate) fn with_seen<T>(
        &self,
        segment: &SegmentAt<'_>,
        condition: &CompiledCondition,
        look: impl FnOnce(&Seen<'_>) -> T,
    ) -> T {
        if let Some(seen) = self.attribute(segment, condition) {
            return look(seen);
        }
        let operand = match &condition.property {
            // Raw: not even a key of digits is a number here.
            Property::HashKey => self.hash_key().map_or(Operand::Unset, Operand::Text),
            Property::Attribute(_) => Operand::Unset,
            Property::Path { path, .. } => match path {
                Path::Flag(name, FlagField::Reason) => {
                    let reason = self.resolved_by_name(name).map(|flag| flag.reason);
                    let text = reason.map(|reason| reason.text(ReasonWords::Engine11));
                    let operand = text.as_deref().map_or(Operand::Unset, Operand::of_text);
                    return look(&Seen::new(operand));
                }
                path => self.at_path(path),
            },
        };
        look(&Seen::new(operand))
    }

    /// Whether the context is in a part that another hash than Flagsmith's cuts off.
    fn is_in_part(
        &self,
        segment: &SegmentAt<'_>,
        condition: &CompiledCondition,
        split: PercentageSplit,
    ) -> bool {
        let (hash, key) = (segment.rules.hash(), segment.rules.key());
        self.plain_text(segment, condition)
            .is_some_and(|text| split.includes_by(hash, key, &text))
    }

    /// What a condition's property leads to, as it was sent: Flagsmith reads `007` as a number, others do not.
    pub(crate) fn plain_text(
        &self,
        segment: &SegmentAt<'_>,
        condition: &CompiledCondition,
    ) -> Option<Cow<'_, str>> {
        let attribute = |name: &str| {
            let value = self.context.identity?.attributes.get(name)?;
            plain_text(value)
        };
        match &condition.property {
            Property::HashKey => self.identifier().map(Cow::Borrowed),
            Property::Attribute(name) => attribute(name),
            Property::Path { text, path } => attribute(text).or_else(|| match path {
                Path::Identifier => self.identifier().map(Cow::Borrowed),
                // Whatever Flagsmith's hash takes: others know no row ids.
                Path::IdentityKey => self.identifier().map(|identifier| {
                    Cow::Owned(format!("{}_{identifier}", self.rules.environment_key()))
                }),
                Path::Attribute(name) => attribute(name),
                Path::EnvironmentKey
                | Path::EnvironmentName
                | Path::Feature(..)
                | Path::Flag(..)
                | Path::Other => self.with_seen(segment, condition, |seen| {
                    let mut buffer = TextBuffer::new();
                    let text = seen.operand().text(&mut buffer)?;
                    Some(Cow::Owned(text.into_owned()))
                }),
            }),
        }
    }

    /// The identifier, where there is one.
    pub(crate) fn identifier(&self) -> Option<&'s str> {
        let identity = self.context.identity.filter(|_| !self.is_nobody)?;
        Some(identity.identifier).filter(|identifier| !identifier.is_empty())
    }

    /// The attribute that a condition asks for, where the caller has it: a null one counts as missing.
    fn attribute(
        &self,
        segment: &SegmentAt<'_>,
        condition: &CompiledCondition,
    ) -> Option<&Seen<'s>> {
        let place = segment.attributes.get(condition.attribute?)?;
        let seen = self.attributes.get(*place)?;
        (seen.operand() != Operand::Unset).then_some(seen)
    }

    fn attribute_by_name(&self, name: &str) -> Operand<'s> {
        let identity = self.context.identity.as_ref();
        identity
            .and_then(|identity| identity.attributes.get(name))
            .map_or(Operand::Unset, Operand::of)
    }

    fn at_path(&self, path: &Path) -> Operand<'_> {
        let text = |text| Operand::of_text(text);
        match path {
            Path::Identifier => self
                .context
                .identity
                .filter(|_| !self.is_nobody)
                .map_or(Operand::Unset, |identity| text(identity.identifier)),
            Path::IdentityKey => self.hash_key().map_or(Operand::Unset, text),
            Path::Attribute(name) => self.attribute_by_name(name),
            Path::EnvironmentKey => text(self.rules.environment_key()),
            Path::EnvironmentName => text(self.rules.environment_name()),
            Path::Feature(name, field) => self.feature_field(name, *field),
            Path::Flag(name, field) => self.flag_field(name, *field),
            Path::Other => Operand::Unset,
        }
    }

    fn feature_field(&self, name: &str, field: FeatureField) -> Operand<'s> {
        let Some(index) = self.rules.feature_index(name) else {
            return Operand::Unset;
        };
        let feature = &self.rules.features()[index];
        match field {
            FeatureField::Key => Operand::of_text(&feature.state.seed),
            FeatureField::Name => Operand::of_text(&feature.name),
            FeatureField::Enabled => Operand::Boolean(feature.state.enabled),
            FeatureField::Value => Operand::of(&feature.state.value),
        }
    }

    fn flag_field(&self, name: &str, field: FlagField) -> Operand<'s> {
        let Some(flag) = self.resolved_by_name(name) else {
            return Operand::Unset;
        };
        match field {
            FlagField::Name => Operand::of_text(&self.rules.features()[flag.feature].name),
            FlagField::Enabled => Operand::Boolean(flag.enabled),
            FlagField::Value => Operand::of(flag.value),
            FlagField::Variant => match flag.variant {
                FlagVariant::None => Operand::Unset,
                FlagVariant::Control => Operand::Text("control"),
                FlagVariant::Option(variant) => variant
                    .key
                    .as_deref()
                    .map_or(Operand::Unset, Operand::of_text),
            },
            // Its text is made on demand: `with_operand` does it.
            FlagField::Reason => Operand::Unset,
        }
    }
}

/// A value as text, spelt as JSON spells it.
fn plain_text(value: &Value) -> Option<Cow<'_, str>> {
    Some(match value {
        Value::Null => return None,
        Value::Boolean(true) => Cow::Borrowed("true"),
        Value::Boolean(false) => Cow::Borrowed("false"),
        Value::Integer(number) => Cow::Owned(number.to_string()),
        Value::BigInteger(text) | Value::Text(text) => Cow::Borrowed(text),
        Value::Float(number) => Cow::Owned(number.to_string()),
    })
}

/// Joins one half of a rule; stops at the first part that decides. An empty half holds, whatever the kind.
#[inline]
pub(crate) fn joined<'p, P>(
    kind: RuleKind,
    parts: &'p [P],
    holds: impl FnMut(&'p P) -> bool,
) -> bool {
    if parts.is_empty() {
        return true;
    }
    let mut parts = parts.iter();
    match kind {
        RuleKind::All => parts.all(holds),
        RuleKind::Any => parts.any(holds),
        RuleKind::None => !parts.any(holds),
    }
}
