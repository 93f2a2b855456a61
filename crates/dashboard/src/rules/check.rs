//! What is wrong with a draft, said beside the field it is about.

use super::draft::{ConditionDraft, Known, RuleDraft, ValueDraft};
use super::edit::rule_name;
use super::operators::{Shape, shape_of};
use crate::fields::FieldProblems;
use flagstaff_core::{ConditionProblem, Rule};
use flagstaff_service::{CONDITION_LIMIT, CONDITION_TEXT_LIMIT, RULE_LIMIT};

/// Looks through a draft. What is stored already and was not changed is no problem: documents from elsewhere hold
/// conditions that this editor would not write.
pub(crate) fn check(drafts: &[RuleDraft], stored: &[Rule], problems: &mut FieldProblems) {
    if drafts.is_empty() {
        problems.add(
            "rules",
            "Add a rule: a segment without rules has nobody in it.",
        );
    }
    let known = Known::of(stored);
    let mut counts = (0, 0);
    for (index, draft) in drafts.iter().enumerate() {
        let (rules, conditions) = draft.size();
        counts = (counts.0 + rules, counts.1 + conditions);
        check_rule(draft, &[index], &known, problems);
    }
    if counts.0 > RULE_LIMIT {
        problems.add(
            "rules",
            format!("A segment holds at most {RULE_LIMIT} rules."),
        );
    }
    if counts.1 > CONDITION_LIMIT {
        let sentence = format!("A segment holds at most {CONDITION_LIMIT} conditions.");
        problems.add("rules", sentence);
    }
}

fn check_rule(draft: &RuleDraft, place: &[usize], known: &Known<'_>, problems: &mut FieldProblems) {
    let name = rule_name(place);
    if draft.conditions.is_empty() && draft.rules.is_empty() && !known.was_empty(draft) {
        let sentence = "This rule is empty, so it would hold for everybody. Add a condition or remove the rule.";
        problems.add(name.as_str(), sentence);
    }
    for (index, condition) in draft.conditions.iter().enumerate() {
        if known.unchanged(condition).is_none() {
            let name = format!("{name}.conditions.{index}");
            check_condition(condition, &name, problems);
        }
    }
    for (index, rule) in draft.rules.iter().enumerate() {
        let mut place = place.to_vec();
        place.push(index);
        check_rule(rule, &place, known, problems);
    }
}

fn check_condition(draft: &ConditionDraft, name: &str, problems: &mut FieldProblems) {
    let shape = shape_of(&draft.operator);
    let field = format!("{name}.{}", value_field(draft, shape));
    let condition = draft.to_condition();
    let length = |text: &Option<String>| text.as_ref().map_or(0, |text| text.chars().count());
    if length(&condition.property) > CONDITION_TEXT_LIMIT {
        problems.add(format!("{name}.property"), too_long());
    }
    if length(&condition.value) > CONDITION_TEXT_LIMIT {
        problems.add(field.as_str(), too_long());
    }
    if shape == Shape::Lines && draft.value.written().is_empty() {
        problems.add(
            field.as_str(),
            "List at least one value, each on a line of its own.",
        );
    }
    for problem in condition.problems() {
        let (field, sentence) = said(problem, name, &field);
        problems.add(field, sentence);
    }
}

/// Where a problem stands, and what it says.
fn said(problem: ConditionProblem, name: &str, value: &str) -> (String, String) {
    let field = value.to_owned();
    match problem {
        ConditionProblem::UnknownOperator => (
            format!("{name}.operator"),
            "This operator is not known here. Choose another.".to_owned(),
        ),
        ConditionProblem::PropertyMissing => (
            format!("{name}.property"),
            "Name the trait to compare, such as plan or country.".to_owned(),
        ),
        ConditionProblem::UnreadablePath => (
            format!("{name}.property"),
            "Nothing is found at this path. Known are $.identity.…, $.environment.…, $.features.… and $.flags.…"
                .to_owned(),
        ),
        ConditionProblem::InvalidPattern(problem) => {
            (field, format!("This is not a regular expression: {problem}"))
        }
        ConditionProblem::PatternTooLarge => {
            (field, "This pattern is too large to be matched.".to_owned())
        }
        ConditionProblem::NotModulo => (
            field,
            "Give two numbers; the first must not be 0.".to_owned(),
        ),
        ConditionProblem::NotAPercentage => (field, "Give a number from 0 to 100.".to_owned()),
        ConditionProblem::NotAVersion => (
            field,
            "Give a version of three numbers, such as 1.4.0.".to_owned(),
        ),
        ConditionProblem::NotAList => (field, "This list cannot be read.".to_owned()),
    }
}

/// The field of a condition's value that a problem stands beside.
fn value_field(draft: &ConditionDraft, shape: Shape) -> &'static str {
    match (shape, &draft.value) {
        (_, ValueDraft::Lines(_)) => "items",
        (_, ValueDraft::Parts { .. }) => "divisor",
        (_, ValueDraft::Nothing | ValueDraft::Text(_)) => "value",
    }
}

fn too_long() -> String {
    format!("At most {CONDITION_TEXT_LIMIT} characters fit in here.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use flagstaff_core::{Condition, ConditionId, RuleKind};

    fn problems(drafts: &[RuleDraft], stored: &[Rule]) -> FieldProblems {
        let mut problems = FieldProblems::default();
        check(drafts, stored, &mut problems);
        problems
    }

    #[test]
    fn each_problem_stands_beside_its_field() {
        let with = |operator: &str, property: &str, value: ValueDraft| ConditionDraft {
            operator: operator.to_owned(),
            property: property.to_owned(),
            value,
            ..ConditionDraft::new()
        };
        let text = |text: &str| ValueDraft::Text(text.to_owned());
        let rule = RuleDraft {
            conditions: vec![
                with("EQUAL", "", text("x")),
                with("REGEX", "email", text("(")),
                with("IN", "country", ValueDraft::Lines("\n".to_owned())),
                with("EQUAL:semver", "version", text("1.2")),
                with("EQUAL", "fine", text("x")),
            ],
            rules: vec![RuleDraft::new(RuleKind::Any)],
            ..RuleDraft::new(RuleKind::All)
        };

        let found = problems(&[rule], &[]);

        let expected = [
            "rules.0.conditions.0.property",
            "rules.0.conditions.1.value",
            "rules.0.conditions.2.items",
            "rules.0.conditions.3.value",
            "rules.0.rules.0",
        ];
        for field in expected {
            assert!(found.of(field).is_some(), "{field}");
        }
        assert_eq!(found.elsewhere(expected), Vec::<&str>::new());
        assert!(problems(&[], &[]).of("rules").is_some());
    }

    #[test]
    fn what_is_stored_already_is_no_problem_until_it_is_changed() {
        let stored = Rule {
            id: None,
            kind: RuleKind::All,
            rules: Vec::new(),
            conditions: vec![Condition {
                id: Some(ConditionId::new(4)),
                operator: "LIKE".to_owned(),
                property: None,
                value: None,
                description: None,
            }],
        };
        let mut draft = RuleDraft::of(&stored);

        assert!(problems(std::slice::from_ref(&draft), std::slice::from_ref(&stored)).is_empty());
        draft.conditions[0].property = "plan".to_owned();
        let found = problems(&[draft], &[stored]);

        assert!(found.of("rules.0.conditions.0.operator").is_some());
    }
}
