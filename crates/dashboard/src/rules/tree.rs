//! Rules to be read: as they are stored, or with what each comparison saw and whether it held.

use super::draft::{ConditionDraft, ValueDraft};
use super::edit::rule_number;
use super::editor::join_word;
use super::operators::{Shape, choice_of, shape_of};
use askama::Template;
use flagstaff_core::explain::{ConditionTrace, RuleTrace};
use flagstaff_core::{Condition, Rule, RuleKind, Value};

/// Characters of a value that lists show.
const GLANCE: usize = 80;

/// A rule tree as a fragment; pages that show why and pages that show what use the same.
#[derive(Template)]
#[template(path = "rules/tree.html")]
pub(crate) struct RuleTree {
    rules: Vec<TreeRule>,
}

#[derive(Template)]
#[template(path = "rules/tree_rule.html")]
struct TreeRule {
    number: String,
    kind: RuleKind,
    /// Whether it holds, where somebody was asked about.
    holds: Option<bool>,
    conditions: Vec<TreeCondition>,
    rules: Vec<TreeRule>,
}

/// One comparison in words.
#[derive(Template)]
#[template(path = "rules/tree_condition.html")]
pub(crate) struct TreeCondition {
    /// What is compared; empty for the identity itself.
    property: String,
    words: &'static str,
    /// The operator as it is stored, where it has no words here.
    operator: String,
    values: Vec<String>,
    /// What stands between the values, and after them.
    between: &'static str,
    end: &'static str,
    note: String,
    holds: Option<bool>,
    seen: Option<String>,
    bucket: Option<String>,
}

impl RuleTree {
    /// The rules as they are stored.
    pub(crate) fn of(rules: &[Rule]) -> Self {
        Self {
            rules: numbered(rules, &[], TreeRule::of),
        }
    }

    /// The rules as somebody met them.
    pub(crate) fn traced(rules: &[RuleTrace]) -> Self {
        Self {
            rules: numbered(rules, &[], TreeRule::traced),
        }
    }
}

fn numbered<R>(
    rules: &[R],
    around: &[usize],
    read: fn(&R, Vec<usize>) -> TreeRule,
) -> Vec<TreeRule> {
    let places = rules.iter().enumerate().map(|(index, rule)| {
        let mut place = around.to_vec();
        place.push(index);
        read(rule, place)
    });
    places.collect()
}

impl TreeRule {
    fn of(rule: &Rule, place: Vec<usize>) -> Self {
        Self {
            number: rule_number(&place),
            kind: rule.kind,
            holds: None,
            conditions: rule.conditions.iter().map(TreeCondition::of).collect(),
            rules: numbered(&rule.rules, &place, Self::of),
        }
    }

    fn traced(rule: &RuleTrace, place: Vec<usize>) -> Self {
        Self {
            number: rule_number(&place),
            kind: rule.kind,
            holds: Some(rule.holds),
            conditions: rule.conditions.iter().map(TreeCondition::traced).collect(),
            rules: numbered(&rule.rules, &place, Self::traced),
        }
    }

    fn join(&self) -> &'static str {
        join_word(self.kind)
    }

    fn words(&self) -> &'static str {
        match self.kind {
            RuleKind::All => "All of these",
            RuleKind::Any => "At least one of these",
            RuleKind::None => "None of these",
        }
    }
}

impl TreeCondition {
    pub(crate) fn of(condition: &Condition) -> Self {
        let draft = ConditionDraft::of(condition);
        let shape = shape_of(&draft.operator);
        let (words, between, end) = match shape {
            Shape::Percentage => ("is in the first", "", "%"),
            Shape::Parts => ("divided by", "leaves", ""),
            Shape::Nothing | Shape::Text | Shape::Pattern | Shape::Lines | Shape::Version => {
                let choice = choice_of(&draft.operator);
                (choice.map_or("", |choice| choice.words), "", "")
            }
        };
        let values = match draft.value {
            ValueDraft::Nothing => Vec::new(),
            ValueDraft::Text(text) => vec![text],
            ValueDraft::Lines(lines) => {
                let items = lines.split('\n').filter(|line| !line.is_empty());
                items.map(str::to_owned).collect()
            }
            ValueDraft::Parts { divisor, remainder } => vec![divisor, remainder],
        };
        Self {
            property: draft.property,
            words,
            operator: draft.operator,
            values,
            between,
            end,
            note: draft.description,
            holds: None,
            seen: None,
            bucket: None,
        }
    }

    /// The comparison with what it saw.
    pub(crate) fn traced(trace: &ConditionTrace) -> Self {
        let condition = Condition {
            id: None,
            operator: trace.operator.clone(),
            property: trace.property.clone(),
            value: trace.value.clone(),
            description: None,
        };
        Self {
            holds: Some(trace.holds),
            seen: value_text(&trace.seen),
            bucket: trace.bucket.map(number_text),
            ..Self::of(&condition)
        }
    }
}

/// A value as people read it; `None` for what is not set.
pub(crate) fn value_text(value: &Value) -> Option<String> {
    Some(match value {
        Value::Null => return None,
        Value::Boolean(value) => value.to_string(),
        Value::Integer(number) => number.to_string(),
        Value::BigInteger(text) | Value::Text(text) => text.to_string(),
        Value::Float(number) => number.to_string(),
    })
}

/// The beginning of a value, on one line.
pub(crate) fn glance(value: &Value) -> String {
    let text = value_text(value).unwrap_or_default();
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut shown: String = line.chars().take(GLANCE).collect();
    if line.chars().count() > GLANCE {
        shown.push('…');
    }
    shown
}

/// A number with up to four decimals.
pub(crate) fn number_text(number: f64) -> String {
    let text = format!("{number:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_as_short_as_they_can_be() {
        for (number, text) in [
            (100.0, "100"),
            (27.655_531, "27.6555"),
            (0.5, "0.5"),
            (0.0, "0"),
        ] {
            assert_eq!(number_text(number), text);
        }
    }

    #[test]
    fn a_tree_says_in_words_what_a_trace_found() {
        let condition = ConditionTrace {
            property: Some("plan<b>".to_owned()),
            operator: "IN".to_owned(),
            value: Some("pro,team".to_owned()),
            seen: Value::text("free"),
            bucket: None,
            holds: false,
        };
        let split = ConditionTrace {
            property: None,
            operator: "PERCENTAGE_SPLIT".to_owned(),
            value: Some("25".to_owned()),
            seen: Value::text("env_ada"),
            bucket: Some(12.5),
            holds: true,
        };
        let rule = RuleTrace {
            kind: RuleKind::Any,
            holds: true,
            conditions: vec![condition, split],
            rules: Vec::new(),
        };

        let page = RuleTree::traced(&[rule]).render().unwrap();

        for text in [
            "plan&#60;b&#62;",
            "is one of",
            "<code>team</code>",
            "12.5",
            "Rule 1",
            "free",
        ] {
            assert!(page.contains(text), "{text}: {page}");
        }
        assert!(!page.contains("<b>"));
    }
}
