//! What the rules of a segment may be.

use crate::error::{Problem, ServiceError, ServiceResult};
use crate::text_rules::check_optional;
use flagstaff_core::{OPERATORS, Rule};

/// Groups may hold groups, which may hold no more.
const DEPTH_LIMIT: usize = 2;
/// Conditions of one segment.
const CONDITION_LIMIT: usize = 100;
/// Groups of one segment.
const RULE_LIMIT: usize = 200;
/// Characters of what a condition compares with, and of the property it compares.
const CONDITION_TEXT_LIMIT: usize = 1000;

/// Checks the rules of a segment a person writes.
pub(crate) fn check_rules(rules: &[Rule]) -> ServiceResult<()> {
    if rules.is_empty() {
        return Err(ServiceError::invalid("rules", Problem::NoRules));
    }
    let mut counts = Counts::default();
    for rule in rules {
        check_rule(rule, 1, &mut counts)?;
    }
    let (count, limit) = (counts.conditions, CONDITION_LIMIT);
    if count > limit {
        let problem = Problem::ConditionsExceed { count, limit };
        return Err(ServiceError::invalid("segment", problem));
    }
    let (count, limit) = (counts.rules, RULE_LIMIT);
    if count > limit {
        let problem = Problem::RulesExceed { count, limit };
        return Err(ServiceError::invalid("segment", problem));
    }
    Ok(())
}

#[derive(Default)]
struct Counts {
    rules: usize,
    conditions: usize,
}

fn check_rule(rule: &Rule, depth: usize, counts: &mut Counts) -> ServiceResult<()> {
    if depth > DEPTH_LIMIT {
        let problem = Problem::RulesTooDeep { limit: DEPTH_LIMIT };
        return Err(ServiceError::invalid("segment", problem));
    }
    counts.rules += 1;
    counts.conditions += rule.conditions.len();
    for condition in &rule.conditions {
        if !OPERATORS.contains(&condition.operator.as_str()) {
            let problem = Problem::UnknownOperator(condition.operator.clone());
            return Err(ServiceError::invalid("operator", problem));
        }
        check_optional("value", condition.value.as_deref(), CONDITION_TEXT_LIMIT)?;
        check_optional(
            "property",
            condition.property.as_deref(),
            CONDITION_TEXT_LIMIT,
        )?;
        check_optional("description", condition.description.as_deref(), 20_000)?;
    }
    rule.rules
        .iter()
        .try_for_each(|rule| check_rule(rule, depth + 1, counts))
}
