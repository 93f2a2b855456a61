//! Questions that several conditions ask: whether an attribute passes a test is found out once in an evaluation.
//!
//! Segments of one environment tend to ask the same (`plan` is `pro`) and to differ in a condition or two.

use crate::compile::{CompiledCondition, CompiledRule};
use crate::operator::Test;
use crate::property::Property;
use crate::ruleset::SegmentRules;
use std::collections::HashMap;
use std::sync::Arc;

/// The questions that more than one condition of a ruleset asks.
#[derive(Debug)]
pub(crate) struct QuestionTable {
    /// For each segment, by number of the condition: which question it asks.
    of_segments: Vec<Box<[Option<usize>]>>,
    count: usize,
}

/// What an answer depends on besides the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Question<'r> {
    attribute: &'r str,
    operator: &'r str,
    value: Option<&'r str>,
    /// Of equal patterns, one may have been left out for want of room.
    is_never: bool,
}

impl<'r> Question<'r> {
    /// What a condition asks; `None` where the answer depends on more: on the segment, or on what a path leads to.
    fn of(condition: &'r CompiledCondition) -> Option<Self> {
        let Property::Attribute(attribute) = &condition.property else {
            return None;
        };
        if matches!(condition.test, Test::PercentageSplit(_)) {
            return None;
        }
        Some(Self {
            attribute,
            operator: &condition.source.operator,
            value: condition.source.value.as_deref(),
            is_never: condition.test == Test::Never,
        })
    }
}

impl QuestionTable {
    pub(crate) fn of(segments: &[Arc<SegmentRules>]) -> Self {
        let mut asked: HashMap<Question<'_>, usize> = HashMap::new();
        for_each_condition(segments, |_, condition| {
            if let Some(question) = Question::of(condition) {
                *asked.entry(question).or_default() += 1;
            }
        });
        asked.retain(|_, times| *times > 1);
        for (number, place) in asked.values_mut().enumerate() {
            *place = number;
        }
        let mut of_segments: Vec<Box<[Option<usize>]>> = segments
            .iter()
            .map(|segment| vec![None; segment.compiled().conditions].into())
            .collect();
        for_each_condition(segments, |segment, condition| {
            let question = Question::of(condition);
            let place = question.and_then(|question| asked.get(&question).copied());
            of_segments[segment][condition.number] = place;
        });
        Self {
            of_segments,
            count: asked.len(),
        }
    }

    /// Which questions the conditions of a segment ask, by their numbers.
    pub(crate) fn of_segment(&self, segment: usize) -> &[Option<usize>] {
        &self.of_segments[segment]
    }

    /// How many there are.
    pub(crate) const fn count(&self) -> usize {
        self.count
    }
}

fn for_each_condition<'r>(
    segments: &'r [Arc<SegmentRules>],
    mut see: impl FnMut(usize, &'r CompiledCondition),
) {
    for (index, segment) in segments.iter().enumerate() {
        // Without recursion: rules may be nested deeply.
        let mut waiting: Vec<&CompiledRule> = segment.compiled().rules.iter().collect();
        while let Some(rule) = waiting.pop() {
            for condition in &rule.conditions {
                see(index, condition);
            }
            waiting.extend(&rule.rules);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{all, condition, ruleset, segment};

    #[test]
    fn conditions_that_ask_the_same_of_an_attribute_share_a_question() {
        let rules = ruleset(
            Vec::new(),
            vec![
                segment(
                    "1",
                    &[all(vec![
                        condition("EQUAL", "plan", "pro"),
                        condition("EQUAL", "plan", "basic"),
                    ])],
                    Vec::new(),
                ),
                segment(
                    "2",
                    &[all(vec![
                        condition("IS_SET", "age", ""),
                        condition("EQUAL", "plan", "pro"),
                    ])],
                    Vec::new(),
                ),
            ],
        );

        let questions = rules.questions();

        assert_eq!(questions.count(), 1);
        assert_eq!(questions.of_segment(0), [Some(0), None]);
        assert_eq!(questions.of_segment(1), [None, Some(0)]);
    }

    #[test]
    fn what_depends_on_the_segment_or_on_a_path_is_asked_each_time() {
        let conditions = || {
            [all(vec![
                condition("PERCENTAGE_SPLIT", "plan", "50"),
                condition("EQUAL", "$.identity.identifier", "bob"),
                condition("EQUAL", "$.flags.f.enabled", "true"),
            ])]
        };

        let rules = ruleset(
            Vec::new(),
            vec![
                segment("1", &conditions(), Vec::new()),
                segment("2", &conditions(), Vec::new()),
            ],
        );

        assert_eq!(rules.questions().count(), 0);
    }
}
