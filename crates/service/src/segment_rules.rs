//! What the rules of a segment may be.

use crate::error::{Problem, ServiceError, ServiceResult};
use crate::text_rules::check_optional;
use flagstaff_core::{OPERATORS, Rule};

/// Groups may hold groups, which may hold no more.
pub const RULE_DEPTH_LIMIT: usize = 2;
/// Conditions of one segment.
pub const CONDITION_LIMIT: usize = 100;
/// Groups of one segment.
pub const RULE_LIMIT: usize = 200;
/// Characters of what a condition compares with, and of the property it compares.
pub const CONDITION_TEXT_LIMIT: usize = 1000;

/// Checks the rules of a segment a person writes.
pub(crate) fn check_rules(rules: &[Rule]) -> ServiceResult<()> {
    check_changed_rules(rules, &[])
}

/// Checks the rules that a person gives to a segment which has others. What an import brought may stay: rules as deep
/// as those that are there, and operators that they name.
pub(crate) fn check_changed_rules(rules: &[Rule], stored: &[Rule]) -> ServiceResult<()> {
    if rules.is_empty() {
        return Err(ServiceError::invalid("rules", Problem::NoRules));
    }
    let allowed = Allowed::beside(stored);
    for rule in rules {
        check_rule(rule, 1, &allowed)?;
    }
    check_counts(rules)
}

/// Checks that there are no more rules and conditions than a segment may have.
pub(crate) fn check_counts(rules: &[Rule]) -> ServiceResult<()> {
    let mut counts = Counts::default();
    counts.add(rules);
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

impl Counts {
    fn add(&mut self, rules: &[Rule]) {
        for rule in rules {
            self.rules += 1;
            self.conditions += rule.conditions.len();
            self.add(&rule.rules);
        }
    }
}

/// What is allowed beside what everybody may write.
struct Allowed<'r> {
    depth: usize,
    operators: Vec<&'r str>,
}

impl<'r> Allowed<'r> {
    fn beside(stored: &'r [Rule]) -> Self {
        let mut allowed = Self {
            depth: RULE_DEPTH_LIMIT,
            operators: Vec::new(),
        };
        allowed.add(stored, 1);
        allowed
    }

    fn add(&mut self, stored: &'r [Rule], depth: usize) {
        for rule in stored {
            self.depth = self.depth.max(depth);
            let conditions = rule.conditions.iter();
            self.operators
                .extend(conditions.map(|condition| condition.operator.as_str()));
            self.add(&rule.rules, depth + 1);
        }
    }

    fn operator(&self, operator: &str) -> bool {
        OPERATORS.contains(&operator) || self.operators.contains(&operator)
    }
}

fn check_rule(rule: &Rule, depth: usize, allowed: &Allowed<'_>) -> ServiceResult<()> {
    if depth > allowed.depth {
        let problem = Problem::RulesTooDeep {
            limit: allowed.depth,
        };
        return Err(ServiceError::invalid("segment", problem));
    }
    for condition in &rule.conditions {
        if !allowed.operator(&condition.operator) {
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
        .try_for_each(|rule| check_rule(rule, depth + 1, allowed))
}
