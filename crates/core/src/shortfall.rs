//! What a context lacks to be in a segment, for people: the parts of a rule tree that decide against it.

use crate::RuleKind;
use crate::explain::{ConditionTrace, RuleTrace, SegmentTrace};

/// What half of a rule lacks: its conditions, or the rules inside it.
#[derive(Debug, Clone, PartialEq)]
pub struct Shortfall<'t> {
    /// Indices from the outermost rule inwards.
    pub rule: Vec<usize>,
    /// What the rule asks of its parts: of the parts below, all would have to hold, one of them, or none.
    pub kind: RuleKind,
    /// With `All` those that do not hold, with `Any` all of them, with `None` those that hold.
    pub conditions: Vec<&'t ConditionTrace>,
    /// Indices of the rules inside; which ones is as for conditions. What they lack follows on its own.
    pub rules: Vec<usize>,
}

impl SegmentTrace {
    /// What the context lacks, outermost rules first; nothing where it is in the segment, where the segment has no
    /// rules, and where a flag that the segment reads depends on itself.
    #[must_use]
    pub fn shortfalls(&self) -> Vec<Shortfall<'_>> {
        let mut found = Vec::new();
        for (index, rule) in self.rules.iter().enumerate() {
            look(rule, &[index], &mut found);
        }
        found
    }
}

fn look<'t>(rule: &'t RuleTrace, place: &[usize], found: &mut Vec<Shortfall<'t>>) {
    if rule.holds {
        return;
    }
    let conditions = rule.conditions.iter();
    let conditions: Vec<_> = at_fault(rule.kind, conditions, |condition| condition.holds)
        .map(|(_, condition)| condition)
        .collect();
    let rules: Vec<usize> = at_fault(rule.kind, rule.rules.iter(), |rule| rule.holds)
        .map(|(index, _)| index)
        .collect();
    // All inner rules have to hold: what they lack says enough.
    let named = if rule.kind == RuleKind::All {
        Vec::new()
    } else {
        rules.clone()
    };
    if !conditions.is_empty() || !named.is_empty() {
        found.push(Shortfall {
            rule: place.to_vec(),
            kind: rule.kind,
            conditions,
            rules: named,
        });
    }
    if rule.kind != RuleKind::None {
        for index in rules {
            let place: Vec<usize> = place.iter().copied().chain([index]).collect();
            look(&rule.rules[index], &place, found);
        }
    }
}

/// The parts that keep one half of a rule from holding; none where it holds.
fn at_fault<'t, P: 't>(
    kind: RuleKind,
    parts: impl Iterator<Item = &'t P> + Clone,
    holds: impl Fn(&P) -> bool,
) -> impl Iterator<Item = (usize, &'t P)> {
    let any_holds = parts.clone().any(&holds);
    parts.enumerate().filter(move |(_, part)| match kind {
        RuleKind::All => !holds(part),
        RuleKind::Any => !any_holds,
        RuleKind::None => holds(part),
    })
}

#[cfg(test)]
mod tests {
    use crate::testing::{condition, rule, ruleset, segment};
    use crate::{Attributes, Context, IdentityContext, Rule, RuleKind, Value};

    /// A part at fault: place, kind, properties, inner rules.
    type Part<'a> = (&'a [usize], RuleKind, &'a [&'a str], &'a [usize]);

    /// The parts at fault for somebody of plan `free` in Germany.
    fn check(rules: &[Rule], expected: &[Part<'_>]) {
        let rules = ruleset(Vec::new(), vec![segment("1", rules, Vec::new())]);
        let mut attributes = Attributes::new();
        attributes.insert("plan", Value::text("free"));
        attributes.insert("country", Value::text("DE"));
        let context = Context {
            identity: Some(IdentityContext {
                identifier: "ada",
                key: None,
                attributes: &attributes,
                overrides: None,
            }),
        };

        let trace = rules.explain_segment(0, &context);

        let found: Vec<_> = trace
            .shortfalls()
            .into_iter()
            .map(|found| {
                let conditions = found.conditions.iter();
                let names: Vec<_> = conditions
                    .map(|each| each.property.clone().unwrap())
                    .collect();
                (found.rule, found.kind, names, found.rules)
            })
            .collect();
        let expected: Vec<_> = expected
            .iter()
            .map(|(place, kind, names, rules)| {
                let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
                (place.to_vec(), *kind, names, rules.to_vec())
            })
            .collect();
        assert_eq!(found, expected);
        assert_eq!(trace.matches, expected.is_empty());
    }

    #[test]
    fn whoever_is_in_lacks_nothing() {
        let plan = condition("EQUAL", "plan", "free");
        check(&[rule(RuleKind::All, vec![plan], Vec::new())], &[]);
    }

    #[test]
    fn of_conditions_that_all_have_to_hold_only_the_others_are_named() {
        let conditions = vec![
            condition("EQUAL", "plan", "pro"),
            condition("EQUAL", "country", "DE"),
            condition("IS_SET", "email", ""),
        ];
        check(
            &[rule(RuleKind::All, conditions, Vec::new())],
            &[(&[0], RuleKind::All, &["plan", "email"], &[])],
        );
    }

    #[test]
    fn where_one_would_do_each_is_named_and_where_none_may_those_that_hold() {
        let any = vec![
            condition("EQUAL", "plan", "pro"),
            condition("EQUAL", "country", "AT"),
        ];
        let none = vec![
            condition("EQUAL", "plan", "pro"),
            condition("EQUAL", "country", "DE"),
        ];
        check(
            &[
                rule(RuleKind::Any, any, Vec::new()),
                rule(RuleKind::None, none, Vec::new()),
            ],
            &[
                (&[0], RuleKind::Any, &["plan", "country"], &[]),
                (&[1], RuleKind::None, &["country"], &[]),
            ],
        );
    }

    #[test]
    fn rules_inside_are_followed_to_the_conditions_that_decide() {
        let pro = || {
            rule(
                RuleKind::All,
                vec![condition("EQUAL", "plan", "pro")],
                Vec::new(),
            )
        };
        let german = || {
            rule(
                RuleKind::All,
                vec![condition("EQUAL", "country", "DE")],
                Vec::new(),
            )
        };
        check(
            &[rule(RuleKind::Any, Vec::new(), vec![pro(), pro()])],
            &[
                (&[0], RuleKind::Any, &[], &[0, 1]),
                (&[0, 0], RuleKind::All, &["plan"], &[]),
                (&[0, 1], RuleKind::All, &["plan"], &[]),
            ],
        );
        check(
            &[rule(RuleKind::None, Vec::new(), vec![pro(), german()])],
            &[(&[0], RuleKind::None, &[], &[1])],
        );
        check(
            &[rule(RuleKind::All, Vec::new(), vec![german(), pro()])],
            &[(&[0, 1], RuleKind::All, &["plan"], &[])],
        );
    }
}
