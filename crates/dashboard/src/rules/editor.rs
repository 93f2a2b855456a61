//! The editor as fragments: one for a rule, which holds those inside it, and one for a condition.

use super::draft::{ConditionDraft, RuleDraft, ValueDraft};
use super::edit::{Outcome, rule_name, rule_number};
use super::fields::KINDS;
use super::operators::{ChoiceGroup, GROUPS, Shape, choice_of, shape_of};
use crate::fields::FieldProblems;
use askama::Template;
use flagstaff_core::RuleKind;
use flagstaff_service::RULE_DEPTH_LIMIT;

/// All rules of a segment, to be edited.
#[derive(Template)]
#[template(path = "rules/editor.html")]
pub(crate) struct RuleEditor<'a> {
    pub(crate) rules: &'a [RuleDraft],
    pub(crate) problems: &'a FieldProblems,
    pub(crate) outcome: &'a Outcome,
    /// Properties that other rules compare, to be offered.
    pub(crate) properties: &'a [String],
    /// The comparisons that are offered, by their tokens; empty: all.
    pub(crate) offered: &'a [String],
}

impl<'a> RuleEditor<'a> {
    fn outermost(&self) -> Vec<RuleFields<'a>> {
        fields_of(self.rules, &[], self.problems, self.outcome, self.offered)
    }

    fn autofocus(&self, id: &str) -> &'static str {
        autofocus(self.outcome, id)
    }
}

/// One rule.
#[derive(Template)]
#[template(path = "rules/rule.html")]
struct RuleFields<'a> {
    rule: &'a RuleDraft,
    place: Vec<usize>,
    /// How many rules stand beside it, itself included.
    count: usize,
    name: String,
    number: String,
    problems: &'a FieldProblems,
    outcome: &'a Outcome,
    offered: &'a [String],
}

impl<'a> RuleFields<'a> {
    fn conditions(&self) -> Vec<ConditionFields<'a>> {
        let conditions = self.rule.conditions.iter().enumerate();
        let fields = conditions.map(|(index, draft)| ConditionFields {
            draft,
            index,
            count: self.rule.conditions.len(),
            name: format!("{}.conditions.{index}", self.name),
            place: format!("{}.{index}", self.button_place()),
            rule: self.number.clone(),
            problems: self.problems,
            outcome: self.outcome,
            offered: self.offered,
        });
        fields.collect()
    }

    fn inner(&self) -> Vec<RuleFields<'a>> {
        let (problems, outcome) = (self.problems, self.outcome);
        fields_of(
            &self.rule.rules,
            &self.place,
            problems,
            outcome,
            self.offered,
        )
    }

    fn button_place(&self) -> String {
        place_text(&self.place)
    }

    fn index(&self) -> usize {
        self.place.last().copied().unwrap_or_default()
    }

    fn may_hold_rules(&self) -> bool {
        self.place.len() < RULE_DEPTH_LIMIT
    }

    fn kinds(&self) -> Vec<(&'static str, &'static str, bool)> {
        let kinds = KINDS.iter();
        let option = |(kind, word): &(RuleKind, &'static str)| {
            (*word, kind_words(*kind), *kind == self.rule.kind)
        };
        kinds.map(option).collect()
    }

    fn join(&self) -> &'static str {
        join_word(self.rule.kind)
    }

    fn problem(&self) -> Option<&'a str> {
        self.problems.of(&self.name)
    }

    fn autofocus(&self, part: &str) -> &'static str {
        autofocus(self.outcome, &format!("{}.{part}", self.name))
    }
}

/// One condition.
#[derive(Template)]
#[template(path = "rules/condition.html")]
struct ConditionFields<'a> {
    draft: &'a ConditionDraft,
    index: usize,
    /// How many conditions the rule has.
    count: usize,
    name: String,
    place: String,
    /// The number of its rule.
    rule: String,
    problems: &'a FieldProblems,
    outcome: &'a Outcome,
    offered: &'a [String],
}

impl ConditionFields<'_> {
    fn groups(&self) -> &'static [ChoiceGroup] {
        &GROUPS
    }

    fn is_known(&self) -> bool {
        choice_of(&self.draft.operator).is_some()
    }

    /// The name of the shape that the value has on the page.
    fn shape(&self) -> &'static str {
        shape_of(&self.draft.operator).name()
    }

    /// True for a comparison that may be chosen, and for the one that is.
    fn offers(&self, token: &str) -> bool {
        let is_chosen = self.draft.operator == token;
        self.offered.is_empty() || is_chosen || self.offered.iter().any(|each| each == token)
    }

    /// The label of the value's field.
    fn value_label(&self) -> &'static str {
        match shape_of(&self.draft.operator) {
            Shape::Nothing | Shape::Text | Shape::Lines | Shape::Parts => "Value",
            Shape::Pattern => "Pattern",
            Shape::Percentage => "Percent",
            Shape::Version => "Version",
        }
    }

    fn hint(&self) -> &'static str {
        match shape_of(&self.draft.operator) {
            Shape::Pattern => {
                "A regular expression. It has to match from the beginning of the text."
            }
            Shape::Percentage => "Leave the trait empty to split by identity.",
            Shape::Version => "Three numbers, such as 1.4.0.",
            Shape::Nothing | Shape::Text | Shape::Lines | Shape::Parts => "",
        }
    }

    fn placeholder(&self) -> &'static str {
        match shape_of(&self.draft.operator) {
            Shape::Percentage => "25",
            Shape::Version => "1.4.0",
            Shape::Nothing | Shape::Text | Shape::Pattern | Shape::Lines | Shape::Parts => "",
        }
    }

    fn is_percentage(&self) -> bool {
        shape_of(&self.draft.operator) == Shape::Percentage
    }

    /// Rows of the field for a list.
    fn rows(&self, lines: &str) -> usize {
        lines.split('\n').count().clamp(2, 8)
    }

    fn problem(&self, field: &str) -> Option<&str> {
        self.problems.of(&format!("{}.{field}", self.name))
    }

    /// What ties a field to what is said about it.
    fn described(&self, field: &str) -> Described {
        Described {
            id: format!("{}.{field}", self.name),
            is_wrong: self.problem(field).is_some(),
            has_hint: !self.hint().is_empty() && field == "value",
        }
    }

    fn autofocus(&self, part: &str) -> &'static str {
        autofocus(self.outcome, &format!("{}.{part}", self.name))
    }
}

/// Attributes that tie a field to its hint and its problem.
#[derive(Template)]
#[template(
    source = r#"{% if is_wrong %} aria-invalid="true"{% endif %}{% if is_wrong || has_hint %} aria-describedby="{% if is_wrong %}{{ id }}.problem{% endif %}{% if has_hint %} {{ id }}.hint{% endif %}"{% endif %}"#,
    ext = "html"
)]
struct Described {
    id: String,
    is_wrong: bool,
    has_hint: bool,
}

fn fields_of<'a>(
    rules: &'a [RuleDraft],
    around: &[usize],
    problems: &'a FieldProblems,
    outcome: &'a Outcome,
    offered: &'a [String],
) -> Vec<RuleFields<'a>> {
    let fields = rules.iter().enumerate().map(|(index, rule)| {
        let mut place = around.to_vec();
        place.push(index);
        RuleFields {
            rule,
            count: rules.len(),
            name: rule_name(&place),
            number: rule_number(&place),
            place,
            problems,
            outcome,
            offered,
        }
    });
    fields.collect()
}

fn place_text(place: &[usize]) -> String {
    let parts: Vec<String> = place.iter().map(usize::to_string).collect();
    parts.join(".")
}

fn autofocus(outcome: &Outcome, id: &str) -> &'static str {
    if outcome.focus == id {
        " autofocus"
    } else {
        ""
    }
}

/// What a kind asks of the parts of a rule.
pub(crate) const fn kind_words(kind: RuleKind) -> &'static str {
    match kind {
        RuleKind::All => "all of these hold",
        RuleKind::Any => "at least one of these holds",
        RuleKind::None => "none of these holds",
    }
}

/// The word between two parts of a rule.
pub(crate) const fn join_word(kind: RuleKind) -> &'static str {
    match kind {
        RuleKind::All => "and",
        RuleKind::Any => "or",
        RuleKind::None => "nor",
    }
}

#[cfg(test)]
mod tests {
    use super::super::fields::parse;
    use super::*;
    use crate::fields::Fields;
    use proptest::prelude::*;

    fn render(rules: &[RuleDraft]) -> String {
        let editor = RuleEditor {
            rules,
            problems: &FieldProblems::default(),
            outcome: &Outcome::default(),
            properties: &[],
            offered: &[],
        };
        editor.render().unwrap()
    }

    /// What a browser would send for the fields of a page, but for the buttons.
    fn sent(page: &str) -> Fields {
        let mut fields = Vec::new();
        let mut rest = page;
        while let Some(start) = rest.find('<') {
            rest = &rest[start + 1..];
            let word = rest.split([' ', '>', '\n']).next().unwrap();
            let end = rest.find('>').unwrap();
            let (tag, after) = (&rest[..end], &rest[end + 1..]);
            let name = attribute(tag, "name");
            match (word, name) {
                ("input", Some(name)) => {
                    fields.push((name, attribute(tag, "value").unwrap_or_default()));
                }
                ("textarea", Some(name)) => {
                    let text = after.split("</textarea>").next().unwrap();
                    // The parser of HTML drops one newline; the sender makes line ends of two characters.
                    let text = text.strip_prefix('\n').unwrap_or(text);
                    fields.push((name, decoded(text).replace('\n', "\r\n")));
                }
                ("select", Some(name)) => {
                    let options = after.split("</select>").next().unwrap();
                    let chosen = options.split("<option").find(|tag| {
                        let tag = tag.split('>').next().unwrap();
                        tag.ends_with(" selected")
                    });
                    let first = options.split("<option").nth(1).unwrap();
                    let tag = chosen.unwrap_or(first).split('>').next().unwrap();
                    fields.push((name, attribute(tag, "value").unwrap()));
                }
                _ => {}
            }
            rest = after;
        }
        fields.into_iter().collect()
    }

    fn attribute(tag: &str, name: &str) -> Option<String> {
        let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
        Some(decoded(rest.split('"').next().unwrap()))
    }

    fn decoded(text: &str) -> String {
        text.replace("&#60;", "<")
            .replace("&#62;", ">")
            .replace("&#34;", "\"")
            .replace("&#39;", "'")
            .replace("&#38;", "&")
    }

    fn any_text() -> impl Strategy<Value = String> {
        prop_oneof![
            "[a-z$.]{0,8}",
            "[ -~]{0,12}",
            "[<>\"'&;#\n\u{e9}\u{1F600}\\[\\],|]{0,8}",
        ]
    }

    fn any_condition() -> impl Strategy<Value = ConditionDraft> {
        let tokens: Vec<String> = GROUPS
            .iter()
            .flat_map(|group| group.choices)
            .map(|choice| choice.token.to_owned())
            .chain(["LIKE".to_owned(), "<b>".to_owned()])
            .collect();
        let value = prop_oneof![
            any_text().prop_map(ValueDraft::Text),
            any_text().prop_map(ValueDraft::Lines),
            ("[0-9.]{0,4}", "[0-9.|]{0,4}")
                .prop_map(|(divisor, remainder)| ValueDraft::Parts { divisor, remainder }),
            Just(ValueDraft::Nothing),
        ];
        let ids = prop::option::of(1..1000_i64);
        (
            ids,
            prop::sample::select(tokens),
            any_text(),
            value,
            any_text(),
        )
            .prop_map(|(id, operator, property, value, description)| {
                let draft = ConditionDraft {
                    id,
                    operator,
                    property,
                    value,
                    description,
                };
                draft.reshaped()
            })
    }

    fn any_rule() -> impl Strategy<Value = RuleDraft> {
        let kind = prop::sample::select(vec![RuleKind::All, RuleKind::Any, RuleKind::None]);
        let leaf = (
            prop::option::of(1..1000_i64),
            kind,
            prop::collection::vec(any_condition(), 0..4),
        )
            .prop_map(|(id, kind, conditions)| RuleDraft {
                id,
                kind,
                conditions,
                rules: Vec::new(),
            });
        leaf.prop_recursive(4, 12, 3, |inner| {
            (inner.clone(), prop::collection::vec(inner, 0..3)).prop_map(|(mut rule, rules)| {
                rule.rules = rules;
                rule
            })
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        /// What a browser sends back for the page is the draft that the page was made of.
        #[test]
        fn the_form_says_what_the_draft_says(rules in prop::collection::vec(any_rule(), 0..3)) {
            let page = render(&rules);

            prop_assert_eq!(parse(&sent(&page)), Ok(rules));
        }
    }

    #[test]
    fn every_button_says_which_part_it_is_about() {
        let rule = RuleDraft {
            rules: vec![RuleDraft::first()],
            ..RuleDraft::first()
        };

        let page = render(&[rule]);

        for (value, name) in [
            ("remove-condition:0.0", "Remove condition 1 of rule 1"),
            ("remove-condition:0.0.0", "Remove condition 1 of rule 1.1"),
            ("add-condition:0.0", "Add condition to rule 1.1"),
            ("add-rule:0", "Add rule inside rule 1"),
            ("remove-rule:0.0", "Remove rule 1.1"),
        ] {
            let (_, rest) = page.split_once(&format!("value=\"{value}\"")).unwrap();
            let button = rest.split("</button>").next().unwrap();
            let text = button.replace("<span class=\"hidden\">", "");
            let text = text.replace("</span>", "");
            assert!(text.contains(name), "{value}: {button}");
        }
        assert!(
            !page.contains("add-rule:0.0\""),
            "two deep is as deep as it goes"
        );
    }

    #[test]
    fn hostile_names_stay_text() {
        let mut rule = RuleDraft::first();
        let hostile = "\"><script>alert(1)</script>";
        rule.conditions[0].property = hostile.to_owned();
        rule.conditions[0].operator = hostile.to_owned();
        rule.conditions[0].description = "</textarea><script>".to_owned();

        let page = render(&[rule]);

        assert!(!page.contains("<script"), "{page}");
    }
}
