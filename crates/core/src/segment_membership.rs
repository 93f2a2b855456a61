//! "Is in segment S": a condition that stands for all rules of another segment.
//!
//! It is written out when a snapshot is compiled, so evaluation and every exported document see ordinary rules only.
//! Percentages among those rules would be hashed by the wrong segment then: who writes the condition takes care that
//! there are none.

use crate::{Condition, Rule, RuleKind, Segment, SegmentId};
use std::collections::HashMap;

/// The operator of a condition whose value is the row id of a segment.
pub const IN_SEGMENT: &str = "IN_SEGMENT";

/// Writes out the rules of other segments wherever a condition stands for them. What names no segment that is there
/// stays, and is never true.
pub(crate) fn expand(segments: &mut [Segment]) {
    let is_needed = |segment: &Segment| segment.rules.iter().any(stands_for_others);
    if !segments.iter().any(is_needed) {
        return;
    }
    let known: HashMap<SegmentId, Vec<Rule>> = segments
        .iter()
        .filter(|segment| !is_needed(segment))
        .map(|segment| (segment.id, segment.rules.clone()))
        .collect();
    for segment in segments.iter_mut().filter(|segment| is_needed(segment)) {
        let rules = std::mem::take(&mut segment.rules);
        for rule in rules {
            let (rule, others) = written_out(rule, &known);
            if rule.kind == RuleKind::All {
                // All rules of a segment have to hold, so those of the other one stand beside: no level deeper.
                segment
                    .rules
                    .extend(others.into_iter().flat_map(|other| other.rules));
                if !rule.conditions.is_empty() || !rule.rules.is_empty() {
                    segment.rules.push(rule);
                }
            } else {
                segment.rules.push(with_rules(rule, others));
            }
        }
    }
}

fn stands_for_others(rule: &Rule) -> bool {
    let is_one = |condition: &Condition| condition.operator == IN_SEGMENT;
    rule.conditions.iter().any(is_one) || rule.rules.iter().any(stands_for_others)
}

/// A rule without the conditions that stand for other segments, and a group for each of those.
fn written_out(rule: Rule, known: &HashMap<SegmentId, Vec<Rule>>) -> (Rule, Vec<Rule>) {
    let mut others = Vec::new();
    let mut conditions = Vec::with_capacity(rule.conditions.len());
    for condition in rule.conditions {
        match rules_of(&condition, known) {
            Some(rules) => others.push(Rule {
                id: None,
                kind: RuleKind::All,
                rules: rules.to_vec(),
                conditions: Vec::new(),
            }),
            None => conditions.push(condition),
        }
    }
    let nested = rule.rules.into_iter().map(|rule| {
        let (rule, others) = written_out(rule, known);
        with_rules(rule, others)
    });
    let rule = Rule {
        rules: nested.collect(),
        conditions,
        ..rule
    };
    (rule, others)
}

fn with_rules(mut rule: Rule, others: Vec<Rule>) -> Rule {
    rule.rules.extend(others);
    rule
}

fn rules_of<'k>(
    condition: &Condition,
    known: &'k HashMap<SegmentId, Vec<Rule>>,
) -> Option<&'k [Rule]> {
    let value = condition.value.as_deref()?;
    let id = (condition.operator == IN_SEGMENT).then(|| value.parse().ok())??;
    // Without rules nobody is in it, whatever stands beside: an empty group would hold for everybody.
    let rules = known.get(&SegmentId::new(id))?;
    (!rules.is_empty()).then_some(rules.as_slice())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;
    use crate::testing::{all, condition};
    use uuid::Uuid;

    fn segment(id: i64, rules: Vec<Rule>) -> Segment {
        Segment {
            id: SegmentId::new(id),
            uuid: Uuid::nil(),
            project_id: crate::ProjectId::new(1),
            feature_id: None,
            name: format!("segment {id}"),
            description: None,
            hash_key: id.to_string().into(),
            hash: None,
            rules,
            created_at: Timestamp::default(),
            updated_at: Timestamp::default(),
        }
    }

    fn member_of(id: &str) -> Condition {
        let mut condition = condition(IN_SEGMENT, "", id);
        condition.property = None;
        condition
    }

    #[test]
    fn rules_of_another_segment_stand_beside_the_others() {
        let internal = all(vec![condition("EQUAL", "company", "us")]);
        let split = condition("PERCENTAGE_SPLIT", "", "30");
        let mut segments = [
            segment(1, vec![internal.clone()]),
            segment(2, vec![all(vec![member_of("1")]), all(vec![split.clone()])]),
            segment(3, vec![all(vec![member_of("1"), split.clone()])]),
        ];

        expand(&mut segments);

        assert_eq!(segments[0].rules, std::slice::from_ref(&internal));
        assert_eq!(
            segments[1].rules,
            [internal.clone(), all(vec![split.clone()])]
        );
        assert_eq!(segments[2].rules, [internal, all(vec![split])]);
    }

    #[test]
    fn within_any_and_none_the_rules_become_a_group() {
        let internal = all(vec![condition("EQUAL", "company", "us")]);
        let of_kind = |kind| Rule {
            kind,
            ..all(vec![member_of("1"), condition("IS_SET", "x", "")])
        };
        let mut segments = [
            segment(1, vec![internal.clone()]),
            segment(2, vec![of_kind(RuleKind::Any), of_kind(RuleKind::None)]),
        ];

        expand(&mut segments);

        for (rule, kind) in segments[1]
            .rules
            .iter()
            .zip([RuleKind::Any, RuleKind::None])
        {
            assert_eq!(rule.kind, kind);
            assert_eq!(rule.conditions, [condition("IS_SET", "x", "")]);
            assert_eq!(rule.rules[0].kind, RuleKind::All);
            assert_eq!(rule.rules[0].rules, std::slice::from_ref(&internal));
        }
    }

    #[test]
    fn what_names_no_segment_that_can_be_meant_is_never_true() {
        for value in ["9", "x", "2", "3"] {
            let mut segments = [
                segment(2, vec![all(vec![member_of(value)])]),
                segment(3, Vec::new()),
            ];

            expand(&mut segments);

            assert_eq!(segments[0].rules, [all(vec![member_of(value)])], "{value}");
        }
    }
}
