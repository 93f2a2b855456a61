//! What the buttons of the editor do to a draft.

use super::draft::{ConditionDraft, RuleDraft};
use flagstaff_core::RuleKind;
use flagstaff_service::{CONDITION_LIMIT, RULE_DEPTH_LIMIT, RULE_LIMIT};

/// Where a part stands: the places of the rules around it and its own.
type Place = Vec<usize>;

/// What a pressed button asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// Store it.
    Save,
    /// Show the fields that fit the operators chosen.
    Refresh,
    /// Try it on a context.
    TryContext,
    /// Try it on stored identities.
    TryIdentities,
    /// A rule inside the one at this place, or beside the outermost ones.
    AddRule(Place),
    AddCondition(Place),
    RemoveRule(Place),
    RemoveCondition(Place),
    MoveRule(Place, Way),
    MoveCondition(Place, Way),
}

/// Where something is moved to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Up,
    Down,
}

/// What came of an action, for who presses buttons by keyboard or hears the page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// Id of the element that the next key goes to.
    pub(crate) focus: String,
    /// What was done.
    pub(crate) said: String,
}

impl Outcome {
    fn new(focus: impl Into<String>, said: impl Into<String>) -> Self {
        Self {
            focus: focus.into(),
            said: said.into(),
        }
    }
}

impl Action {
    /// Reads the value of a button; what none has is a refresh.
    pub(crate) fn parse(text: &str) -> Self {
        let (word, place) = text.split_once(':').unwrap_or((text, ""));
        let Some(place) = read_place(place) else {
            return Self::Refresh;
        };
        match (word, place.is_empty()) {
            ("save", _) => Self::Save,
            ("try-context", _) => Self::TryContext,
            ("try-identities", _) => Self::TryIdentities,
            ("add-rule", _) => Self::AddRule(place),
            ("add-condition", false) => Self::AddCondition(place),
            ("remove-rule", false) => Self::RemoveRule(place),
            ("remove-condition", false) => Self::RemoveCondition(place),
            ("raise-rule", false) => Self::MoveRule(place, Way::Up),
            ("lower-rule", false) => Self::MoveRule(place, Way::Down),
            ("raise-condition", false) => Self::MoveCondition(place, Way::Up),
            ("lower-condition", false) => Self::MoveCondition(place, Way::Down),
            _ => Self::Refresh,
        }
    }

    /// Changes a draft. What is not there is left alone.
    pub(crate) fn apply(&self, rules: &mut Vec<RuleDraft>) -> Outcome {
        let done = match self {
            Self::Save | Self::Refresh | Self::TryContext | Self::TryIdentities => None,
            Self::AddRule(place) => add_rule(rules, place),
            Self::AddCondition(place) => add_condition(rules, place),
            Self::RemoveRule(place) => remove_rule(rules, place),
            Self::RemoveCondition(place) => remove_condition(rules, place),
            Self::MoveRule(place, way) => move_rule(rules, place, *way),
            Self::MoveCondition(place, way) => move_condition(rules, place, *way),
        };
        done.unwrap_or_default()
    }
}

fn read_place(text: &str) -> Option<Place> {
    if text.is_empty() {
        return Some(Place::new());
    }
    if text.len() > 300 {
        return None;
    }
    text.split('.').map(|part| part.parse().ok()).collect()
}

/// The name of a rule's fields, which is the id of its fieldset.
pub(crate) fn rule_name(place: &[usize]) -> String {
    let parts: Vec<String> = place.iter().map(|each| format!("rules.{each}")).collect();
    parts.join(".")
}

/// What people call a rule: `2.1` is the first one in the second.
pub(crate) fn rule_number(place: &[usize]) -> String {
    let parts: Vec<String> = place.iter().map(|each| (each + 1).to_string()).collect();
    parts.join(".")
}

fn condition_name(rule: &[usize], index: usize) -> String {
    format!("{}.conditions.{index}", rule_name(rule))
}

/// The rules around a place, and the last part of the place.
fn siblings<'d>(
    rules: &'d mut Vec<RuleDraft>,
    place: &[usize],
) -> Option<(&'d mut Vec<RuleDraft>, usize)> {
    let (last, around) = place.split_last()?;
    let mut list = rules;
    for each in around {
        list = &mut list.get_mut(*each)?.rules;
    }
    (*last < list.len()).then_some((list, *last))
}

fn rule_at<'d>(rules: &'d mut Vec<RuleDraft>, place: &[usize]) -> Option<&'d mut RuleDraft> {
    let (list, index) = siblings(rules, place)?;
    list.get_mut(index)
}

fn sizes(rules: &[RuleDraft]) -> (usize, usize) {
    rules.iter().map(RuleDraft::size).fold(
        (0, 0),
        |(rules, conditions), (more_rules, more_conditions)| {
            (rules + more_rules, conditions + more_conditions)
        },
    )
}

fn add_rule(rules: &mut Vec<RuleDraft>, place: &[usize]) -> Option<Outcome> {
    let (count, conditions) = sizes(rules);
    if count >= RULE_LIMIT {
        return Some(full("rules", RULE_LIMIT));
    }
    if place.len() >= RULE_DEPTH_LIMIT {
        let said = format!("Rules go {RULE_DEPTH_LIMIT} deep, no deeper.");
        return Some(Outcome::new("", said));
    }
    let mut new = RuleDraft::first();
    if conditions >= CONDITION_LIMIT {
        new.conditions.clear();
    }
    let list = if place.is_empty() {
        rules
    } else {
        let rule = rule_at(rules, place)?;
        // Inside a rule where all holds, alternatives are what is missing.
        if rule.kind == RuleKind::All {
            new.kind = RuleKind::Any;
        }
        &mut rule.rules
    };
    list.push(new);
    let mut place = place.to_vec();
    place.push(list.len() - 1);
    Some(Outcome::new(
        format!("{}.kind", rule_name(&place)),
        format!("Rule {} added.", rule_number(&place)),
    ))
}

fn full(what: &str, limit: usize) -> Outcome {
    Outcome::new("", format!("A segment holds at most {limit} {what}."))
}

fn add_condition(rules: &mut Vec<RuleDraft>, place: &[usize]) -> Option<Outcome> {
    let (_, conditions) = sizes(rules);
    if conditions >= CONDITION_LIMIT {
        return Some(full("conditions", CONDITION_LIMIT));
    }
    let rule = rule_at(rules, place)?;
    rule.conditions.push(ConditionDraft::new());
    let index = rule.conditions.len() - 1;
    Some(Outcome::new(
        format!("{}.property", condition_name(place, index)),
        format!(
            "Condition {} of rule {} added.",
            index + 1,
            rule_number(place)
        ),
    ))
}

fn remove_rule(rules: &mut Vec<RuleDraft>, place: &[usize]) -> Option<Outcome> {
    let (list, index) = siblings(rules, place)?;
    list.remove(index);
    let (_, around) = place.split_last()?;
    let focus = if around.is_empty() {
        "add-rule".to_owned()
    } else {
        format!("{}.add-rule", rule_name(around))
    };
    Some(Outcome::new(
        focus,
        format!("Rule {} removed.", rule_number(place)),
    ))
}

fn remove_condition(rules: &mut Vec<RuleDraft>, place: &[usize]) -> Option<Outcome> {
    let (index, around) = place.split_last()?;
    let rule = rule_at(rules, around)?;
    if *index >= rule.conditions.len() {
        return None;
    }
    rule.conditions.remove(*index);
    Some(Outcome::new(
        format!("{}.add-condition", rule_name(around)),
        format!(
            "Condition {} of rule {} removed.",
            index + 1,
            rule_number(around)
        ),
    ))
}

/// Where something of a list goes to; `None` at the end of the list.
fn target(index: usize, length: usize, way: Way) -> Option<usize> {
    let target = match way {
        Way::Up => index.checked_sub(1)?,
        Way::Down => index + 1,
    };
    (target < length && index < length).then_some(target)
}

/// The button that is still there after the move: at an end, the one that leads back.
fn next_button(name: &str, target: usize, length: usize, way: Way) -> String {
    let goes_on = match way {
        Way::Up => target > 0,
        Way::Down => target + 1 < length,
    };
    let is_up = goes_on == (way == Way::Up);
    format!("{name}.{}", if is_up { "raise" } else { "lower" })
}

fn move_rule(rules: &mut Vec<RuleDraft>, place: &[usize], way: Way) -> Option<Outcome> {
    let (list, index) = siblings(rules, place)?;
    let target = target(index, list.len(), way)?;
    list.swap(index, target);
    let mut new = place.to_vec();
    *new.last_mut()? = target;
    Some(Outcome::new(
        next_button(&rule_name(&new), target, list.len(), way),
        format!(
            "Rule {} is now rule {}.",
            rule_number(place),
            rule_number(&new)
        ),
    ))
}

fn move_condition(rules: &mut Vec<RuleDraft>, place: &[usize], way: Way) -> Option<Outcome> {
    let (index, around) = place.split_last()?;
    let conditions = &mut rule_at(rules, around)?.conditions;
    let target = target(*index, conditions.len(), way)?;
    conditions.swap(*index, target);
    Some(Outcome::new(
        next_button(
            &condition_name(around, target),
            target,
            conditions.len(),
            way,
        ),
        format!(
            "Condition {} of rule {} is now condition {}.",
            index + 1,
            rule_number(around),
            target + 1
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn named(property: &str) -> ConditionDraft {
        ConditionDraft {
            property: property.to_owned(),
            ..ConditionDraft::new()
        }
    }

    /// One rule with two conditions and one nested rule.
    fn draft() -> Vec<RuleDraft> {
        vec![RuleDraft {
            conditions: vec![named("a"), named("b")],
            rules: vec![RuleDraft::first()],
            ..RuleDraft::new(RuleKind::All)
        }]
    }

    fn properties(rule: &RuleDraft) -> Vec<&str> {
        let conditions = rule.conditions.iter();
        conditions.map(|each| each.property.as_str()).collect()
    }

    #[track_caller]
    fn press(rules: &mut Vec<RuleDraft>, button: &str) -> (String, String) {
        let outcome = Action::parse(button).apply(rules);
        (outcome.focus, outcome.said)
    }

    #[test]
    fn a_condition_is_added_where_the_button_stands() {
        let mut rules = draft();

        let (focus, said) = press(&mut rules, "add-condition:0.0");

        assert_eq!(focus, "rules.0.rules.0.conditions.1.property");
        assert_eq!(said, "Condition 2 of rule 1.1 added.");
        assert_eq!(rules[0].rules[0].conditions.len(), 2);
    }

    #[test]
    fn a_rule_is_added_beside_and_inside_but_no_deeper() {
        let mut rules = draft();

        let beside = press(&mut rules, "add-rule");
        let inside = press(&mut rules, "add-rule:1");
        let deeper = press(&mut rules, "add-rule:1.0");

        assert_eq!(beside.0, "rules.1.kind");
        assert_eq!(inside.0, "rules.1.rules.0.kind");
        assert_eq!(rules[1].rules[0].kind, RuleKind::Any);
        assert_eq!(deeper.1, "Rules go 2 deep, no deeper.");
        assert_eq!(sizes(&rules).0, 4);
    }

    #[test]
    fn what_is_removed_leaves_the_focus_beside_it() {
        let mut rules = draft();

        let condition = press(&mut rules, "remove-condition:0.0");
        let rule = press(&mut rules, "remove-rule:0.0");
        let last = press(&mut rules, "remove-rule:0");

        assert_eq!(condition.0, "rules.0.add-condition");
        assert_eq!(condition.1, "Condition 1 of rule 1 removed.");
        assert_eq!(rule.0, "rules.0.add-rule");
        assert_eq!(last.0, "add-rule");
        assert!(rules.is_empty());
    }

    #[test]
    fn order_changes_and_the_same_button_is_ready_for_the_next_step() {
        let mut rules = draft();
        rules[0].conditions.push(named("c"));

        let first = press(&mut rules, "lower-condition:0.0");
        let second = press(&mut rules, "lower-condition:0.1");
        let beyond = press(&mut rules, "lower-condition:0.2");

        assert_eq!(properties(&rules[0]), ["b", "c", "a"]);
        assert_eq!(first.0, "rules.0.conditions.1.lower");
        assert_eq!(second.0, "rules.0.conditions.2.raise");
        assert_eq!(beyond, (String::new(), String::new()));
    }

    #[test]
    fn a_full_segment_takes_no_more() {
        let mut rules = draft();
        rules[0].conditions = vec![ConditionDraft::new(); CONDITION_LIMIT];

        let (focus, said) = press(&mut rules, "add-condition:0");

        assert_eq!(
            (focus.as_str(), said.as_str()),
            ("", "A segment holds at most 100 conditions.")
        );
        assert_eq!(rules[0].conditions.len(), CONDITION_LIMIT);
    }

    proptest! {
        #[test]
        fn any_button_can_be_pressed(buttons in prop::collection::vec(
            "(save|add-rule|add-condition|remove-rule|remove-condition|raise-rule|lower-rule|raise-condition|lower-condition|x)(:[0-3](\\.[0-3]){0,2}|:|:[0-9.]{0,40}|:99999999999999999999)?",
            0..60,
        )) {
            let mut rules = draft();
            for button in buttons {
                let before = sizes(&rules);
                Action::parse(&button).apply(&mut rules);
                let after = sizes(&rules);
                prop_assert!(after.0 <= before.0 + 1 && after.1 <= before.1 + 1);
            }
        }
    }
}
