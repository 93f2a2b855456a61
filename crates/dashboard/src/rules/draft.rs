//! Rules as a form holds them, and their way from and to those that are stored.

use super::operators::{Shape, VERSION, shape_of};
use flagstaff_core::{Condition, ConditionId, Rule, RuleId, RuleKind, list_items};
use std::collections::HashMap;

/// A rule on its way through the form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RuleDraft {
    /// The stored rule it was, if it was one.
    pub(crate) id: Option<i64>,
    pub(crate) kind: RuleKind,
    pub(crate) conditions: Vec<ConditionDraft>,
    pub(crate) rules: Vec<RuleDraft>,
}

/// A condition on its way through the form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConditionDraft {
    /// The stored condition it was, if it was one.
    pub(crate) id: Option<i64>,
    /// The token of a choice, or an operator that is not known here.
    pub(crate) operator: String,
    pub(crate) property: String,
    pub(crate) value: ValueDraft,
    /// A note for people.
    pub(crate) description: String,
}

/// What is compared with, in the shape of the fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ValueDraft {
    Nothing,
    Text(String),
    /// One item on each line; blank lines do not count.
    Lines(String),
    Parts {
        divisor: String,
        remainder: String,
    },
}

impl RuleDraft {
    /// A rule without anything in it.
    pub(crate) const fn new(kind: RuleKind) -> Self {
        Self {
            id: None,
            kind,
            conditions: Vec::new(),
            rules: Vec::new(),
        }
    }

    /// What a new segment starts with: one rule with one condition to be filled in.
    pub(crate) fn first() -> Self {
        Self {
            conditions: vec![ConditionDraft::new()],
            ..Self::new(RuleKind::All)
        }
    }

    /// The draft of a stored rule.
    pub(crate) fn of(rule: &Rule) -> Self {
        Self {
            id: rule.id.map(RuleId::get),
            kind: rule.kind,
            conditions: rule.conditions.iter().map(ConditionDraft::of).collect(),
            rules: rule.rules.iter().map(Self::of).collect(),
        }
    }

    /// How many rules and conditions it is made of.
    pub(crate) fn size(&self) -> (usize, usize) {
        let own = (1, self.conditions.len());
        self.rules.iter().fold(own, |(rules, conditions), rule| {
            let (more_rules, more_conditions) = rule.size();
            (rules + more_rules, conditions + more_conditions)
        })
    }
}

impl ConditionDraft {
    /// A condition to be filled in.
    pub(crate) fn new() -> Self {
        Self {
            id: None,
            operator: "EQUAL".to_owned(),
            property: String::new(),
            value: ValueDraft::Text(String::new()),
            description: String::new(),
        }
    }

    /// The draft of a stored condition. What fields cannot hold is lost here: [`to_rules`] keeps it all the same
    /// where nothing was changed.
    pub(crate) fn of(condition: &Condition) -> Self {
        let raw = condition.value.as_deref().unwrap_or_default();
        let versioned = format!("{}{VERSION}", condition.operator);
        let is_version = raw.ends_with(VERSION) && shape_of(&versioned) == Shape::Version;
        let operator = if is_version {
            versioned
        } else {
            condition.operator.clone()
        };
        Self {
            id: condition.id.map(ConditionId::get),
            value: ValueDraft::read(&plain(raw), &operator),
            operator,
            property: plain(condition.property.as_deref().unwrap_or_default()),
            description: plain(condition.description.as_deref().unwrap_or_default()),
        }
    }

    /// The condition that would be stored for this draft.
    pub(crate) fn to_condition(&self) -> Condition {
        let operator = self.operator.strip_suffix(VERSION);
        let value = match shape_of(&self.operator) {
            Shape::Nothing => None,
            Shape::Version => Some(format!("{}{VERSION}", self.value.written())),
            Shape::Text | Shape::Pattern | Shape::Lines | Shape::Parts | Shape::Percentage => {
                Some(self.value.written())
            }
        };
        Condition {
            id: self.id.map(ConditionId::new),
            operator: operator.unwrap_or(&self.operator).to_owned(),
            // Missing and empty mean the same to a percentage split; to nothing else is either of use.
            property: Some(self.property.clone()).filter(|property| !property.is_empty()),
            value,
            description: Some(self.description.clone()).filter(|text| !text.is_empty()),
        }
    }

    /// Gives the value the shape that the operator wants.
    pub(crate) fn reshaped(mut self) -> Self {
        let fits = match (shape_of(&self.operator), &self.value) {
            (Shape::Nothing, value) => *value == ValueDraft::Nothing,
            (Shape::Lines, ValueDraft::Lines(_)) | (Shape::Parts, ValueDraft::Parts { .. }) => true,
            (
                Shape::Text | Shape::Pattern | Shape::Percentage | Shape::Version,
                ValueDraft::Text(_),
            ) => true,
            _ => false,
        };
        if !fits {
            self.value = ValueDraft::read(&self.value.written(), &self.operator);
        }
        self
    }
}

impl ValueDraft {
    /// What a stored value looks like beside an operator.
    fn read(raw: &str, operator: &str) -> Self {
        match shape_of(operator) {
            Shape::Nothing => Self::Nothing,
            Shape::Text | Shape::Pattern | Shape::Percentage => Self::Text(raw.to_owned()),
            Shape::Version => Self::Text(raw.strip_suffix(VERSION).unwrap_or(raw).to_owned()),
            Shape::Lines if raw.is_empty() => Self::Lines(String::new()),
            Shape::Lines => match lines(raw) {
                Some(lines) => Self::Lines(lines),
                None => Self::Text(raw.to_owned()),
            },
            Shape::Parts => {
                let (divisor, remainder) = raw.split_once('|').unwrap_or((raw, ""));
                Self::Parts {
                    divisor: divisor.to_owned(),
                    remainder: remainder.to_owned(),
                }
            }
        }
    }

    /// The value as conditions write it, but for the ending of versions.
    pub(crate) fn written(&self) -> String {
        match self {
            Self::Nothing => String::new(),
            Self::Text(text) => text.clone(),
            Self::Lines(text) => list(text),
            Self::Parts { divisor, remainder } => format!("{divisor}|{remainder}"),
        }
    }
}

/// A list with one item on each line; `None` where lines cannot say it.
fn lines(raw: &str) -> Option<String> {
    let items = list_items(raw)?;
    let fits = |item: &String| !item.is_empty() && !item.contains(['\n', '\r']);
    (!items.is_empty() && items.iter().all(fits)).then(|| items.join("\n"))
}

/// The lines as a list: joined by commas where that says the same, else as JSON.
fn list(lines: &str) -> String {
    let items: Vec<&str> = lines.split('\n').filter(|line| !line.is_empty()).collect();
    let joined = items.join(",");
    let is_same = list_items(&joined).is_some_and(|read| read == items);
    if items.is_empty() || is_same {
        return joined;
    }
    serde_json::to_string(&items).unwrap_or(joined)
}

/// A text as a browser gives it back.
pub(crate) fn plain(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// The rules that would be stored for a draft. What was not changed is exactly what `stored` holds, also where fields
/// could not say it.
pub(crate) fn to_rules(drafts: &[RuleDraft], stored: &[Rule]) -> Vec<Rule> {
    let known = Known::of(stored);
    drafts.iter().map(|draft| known.rule(draft)).collect()
}

/// The stored rules and conditions of a segment by their ids.
#[derive(Default)]
pub(crate) struct Known<'r> {
    rules: HashMap<i64, &'r Rule>,
    conditions: HashMap<i64, &'r Condition>,
}

impl<'r> Known<'r> {
    pub(crate) fn of(stored: &'r [Rule]) -> Self {
        let mut known = Self::default();
        let mut waiting: Vec<&Rule> = stored.iter().collect();
        while let Some(rule) = waiting.pop() {
            waiting.extend(&rule.rules);
            known.rules.extend(rule.id.map(|id| (id.get(), rule)));
            for condition in &rule.conditions {
                let id = condition.id.map(ConditionId::get);
                known.conditions.extend(id.map(|id| (id, condition)));
            }
        }
        known
    }

    /// The stored condition that a draft still is.
    pub(crate) fn unchanged(&self, draft: &ConditionDraft) -> Option<&'r Condition> {
        let stored = *self.conditions.get(&draft.id?)?;
        (ConditionDraft::of(stored) == *draft).then_some(stored)
    }

    /// True for a stored rule that was empty when it was stored.
    pub(crate) fn was_empty(&self, draft: &RuleDraft) -> bool {
        let stored = draft.id.and_then(|id| self.rules.get(&id));
        stored.is_some_and(|rule| rule.conditions.is_empty() && rule.rules.is_empty())
    }

    fn rule(&self, draft: &RuleDraft) -> Rule {
        let condition = |draft: &ConditionDraft| match self.unchanged(draft) {
            Some(stored) => stored.clone(),
            None => draft.to_condition(),
        };
        Rule {
            id: draft.id.map(RuleId::new),
            kind: draft.kind,
            rules: draft.rules.iter().map(|rule| self.rule(rule)).collect(),
            conditions: draft.conditions.iter().map(condition).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(operator: &str, value: Option<&str>) -> Condition {
        Condition {
            id: Some(ConditionId::new(7)),
            operator: operator.to_owned(),
            property: Some("plan".to_owned()),
            value: value.map(str::to_owned),
            description: None,
        }
    }

    #[track_caller]
    fn check(operator: &str, value: &str, choice: &str, expected: ValueDraft) {
        let condition = stored(operator, Some(value));

        let draft = ConditionDraft::of(&condition);

        assert_eq!(draft.operator, choice);
        assert_eq!(draft.value, expected);
        assert_eq!(draft.clone().reshaped(), draft);
        assert_eq!(draft.to_condition(), condition);
    }

    #[test]
    fn each_operator_shows_its_value_in_its_own_shape() {
        let text = |text: &str| ValueDraft::Text(text.to_owned());
        let lines = |text: &str| ValueDraft::Lines(text.to_owned());
        check("EQUAL", "pro", "EQUAL", text("pro"));
        check("IN", "DE,AT", "IN", lines("DE\nAT"));
        check("IN", "a, b", "IN", lines("a\n b"));
        check("IN", r#"["a,b","c"]"#, "IN", lines("a,b\nc"));
        check("IN", "a,,b", "IN", text("a,,b"));
        check(
            "LESS_THAN",
            "1.2.3:semver",
            "LESS_THAN:semver",
            text("1.2.3"),
        );
        check("REGEX", ":semver", "REGEX", text(":semver"));
        let parts = ValueDraft::Parts {
            divisor: "2".to_owned(),
            remainder: "1".to_owned(),
        };
        check("MODULO", "2|1", "MODULO", parts);
        check("LIKE", "x", "LIKE", text("x"));
    }

    #[test]
    fn a_value_follows_its_operator_into_another_shape() {
        let mut draft = ConditionDraft::of(&stored("EQUAL", Some("DE,AT")));
        let mut shapes = Vec::new();
        for operator in ["IN", "EQUAL", "MODULO", "IS_SET", "IN", "EQUAL:semver"] {
            draft.operator = operator.to_owned();
            draft = draft.reshaped();
            shapes.push(draft.value.clone());
        }

        let parts = ValueDraft::Parts {
            divisor: "DE,AT".to_owned(),
            remainder: String::new(),
        };
        let expected = [
            ValueDraft::Lines("DE\nAT".to_owned()),
            ValueDraft::Text("DE,AT".to_owned()),
            parts,
            ValueDraft::Nothing,
            ValueDraft::Lines(String::new()),
            ValueDraft::Text(String::new()),
        ];
        assert_eq!(shapes, expected);
    }

    #[test]
    fn items_that_hold_a_comma_are_written_as_json() {
        assert_eq!(list("a\nb"), "a,b");
        assert_eq!(list("a\n\n b\n"), "a, b");
        assert_eq!(list("a,b\nc"), r#"["a,b","c"]"#);
        assert_eq!(list("[\"x\"]"), r#"["[\"x\"]"]"#);
        assert_eq!(list("\n\n"), "");
    }

    #[test]
    fn what_was_not_changed_stays_as_it_was_stored() {
        let odd = [
            stored("IN", Some("[]")),
            stored("MODULO", Some("2")),
            stored("EQUAL", None),
            stored("IS_SET", Some("left over")),
            stored("REGEX", Some("a\r\nb")),
            Condition {
                property: Some(String::new()),
                ..stored("PERCENTAGE_SPLIT", Some("10"))
            },
        ];
        for condition in odd {
            let rule = Rule {
                id: Some(RuleId::new(3)),
                kind: RuleKind::None,
                rules: Vec::new(),
                conditions: vec![condition],
            };
            let rules = vec![rule];
            let drafts: Vec<_> = rules.iter().map(RuleDraft::of).collect();

            assert_eq!(to_rules(&drafts, &rules), rules);
        }
    }
}
