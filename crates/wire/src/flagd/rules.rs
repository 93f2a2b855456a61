//! Rule trees in flagd's JsonLogic.

use super::condition::{Findings, Setting, condition_to_logic};
use super::logic::{Logic, all, any};
use flagstaff_core::{Rule, RuleKind};

/// All rules of a segment together; `None` where a condition cannot be said, whatever its place.
///
/// Every condition is looked at, so that all of their warnings are found at once.
pub(super) fn rules_to_logic(
    rules: &[Rule],
    setting: &Setting<'_>,
    findings: &mut Findings,
) -> Option<Logic> {
    if rules.is_empty() {
        return Some(Logic::Never);
    }
    let rules: Vec<_> = (0..)
        .zip(rules)
        .map(|(index, rule)| {
            findings.within("", index, |findings| rule_to_logic(rule, setting, findings))
        })
        .collect();
    let rules: Option<Vec<_>> = rules.into_iter().collect();
    Some(all(rules?))
}

/// The conditions of a rule and the rules inside it are two groups, and both must hold.
fn rule_to_logic(rule: &Rule, setting: &Setting<'_>, findings: &mut Findings) -> Option<Logic> {
    let conditions: Vec<_> = (0..)
        .zip(&rule.conditions)
        .map(|(index, condition)| {
            findings.within("/conditions", index, |findings| {
                condition_to_logic(condition, setting, findings)
            })
        })
        .collect();
    let rules: Vec<_> = (0..)
        .zip(&rule.rules)
        .map(|(index, rule)| {
            findings.within("/rules", index, |findings| {
                rule_to_logic(rule, setting, findings)
            })
        })
        .collect();
    let conditions: Option<Vec<_>> = conditions.into_iter().collect();
    let rules: Option<Vec<_>> = rules.into_iter().collect();
    Some(all([
        group(rule.kind, conditions?),
        group(rule.kind, rules?),
    ]))
}

fn group(kind: RuleKind, parts: Vec<Logic>) -> Logic {
    if parts.is_empty() {
        return Logic::Always;
    }
    match kind {
        RuleKind::All => all(parts),
        RuleKind::Any => any(parts),
        RuleKind::None => any(parts).negated(),
    }
}
