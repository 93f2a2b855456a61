//! From the fields of a form to a draft. Fields are named by their place: `rules.0.rules.1.conditions.2.value`.

use super::draft::{ConditionDraft, RuleDraft, ValueDraft, plain};
use crate::fields::Fields;
use flagstaff_core::RuleKind;

/// Rules and conditions that are read from one form; a segment may hold fewer.
const PART_LIMIT: usize = 1_000;
/// How deep rules are read: evaluation looks no deeper.
const DEPTH_LIMIT: usize = 64;

/// A form with more parts than any segment may have.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooManyParts;

/// The words that kinds of rules go by in forms: those of the API.
pub(crate) const KINDS: [(RuleKind, &str); 3] = [
    (RuleKind::All, "ALL"),
    (RuleKind::Any, "ANY"),
    (RuleKind::None, "NONE"),
];

/// Reads the rules of a form, in the order of the page; fields that belong to nothing are passed over.
pub(crate) fn parse(fields: &Fields) -> Result<Vec<RuleDraft>, TooManyParts> {
    let mut room = PART_LIMIT;
    rules(fields, DEPTH_LIMIT, &mut room)
}

fn rules(fields: &Fields, depth: usize, room: &mut usize) -> Result<Vec<RuleDraft>, TooManyParts> {
    if depth == 0 {
        return Ok(Vec::new());
    }
    let mut list = Vec::new();
    for fields in fields.rows("rules") {
        take(room)?;
        let kind = KINDS.iter().find(|(_, word)| *word == fields.text("kind"));
        let mut conditions = Vec::new();
        for fields in fields.rows("conditions") {
            take(room)?;
            conditions.push(condition(&fields));
        }
        list.push(RuleDraft {
            id: fields.parsed("id"),
            kind: kind.map_or(RuleKind::All, |(kind, _)| *kind),
            conditions,
            rules: rules(&fields, depth - 1, room)?,
        });
    }
    Ok(list)
}

fn take(room: &mut usize) -> Result<(), TooManyParts> {
    *room = room.checked_sub(1).ok_or(TooManyParts)?;
    Ok(())
}

fn condition(fields: &Fields) -> ConditionDraft {
    let parts = (fields.raw("divisor"), fields.raw("remainder"));
    let value = match (fields.raw("items"), parts, fields.raw("value")) {
        (Some(items), ..) => ValueDraft::Lines(plain(items)),
        (None, (None, None), Some(text)) => ValueDraft::Text(plain(text)),
        (None, (None, None), None) => ValueDraft::Nothing,
        (None, (divisor, remainder), _) => ValueDraft::Parts {
            divisor: divisor.unwrap_or_default().to_owned(),
            remainder: remainder.unwrap_or_default().to_owned(),
        },
    };
    let draft = ConditionDraft {
        id: fields.parsed("id"),
        operator: fields.text("operator").to_owned(),
        property: plain(fields.text("property")),
        value,
        description: plain(fields.text("description")),
    };
    draft.reshaped()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fields(list: &[(&str, &str)]) -> Fields {
        let owned = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
        list.iter().map(owned).collect()
    }

    #[test]
    fn names_make_the_tree_and_the_page_its_order() {
        let form = fields(&[
            ("name", "ignored"),
            ("rules.3.kind", "ANY"),
            ("rules.3.conditions.12.property", "plan"),
            ("rules.3.conditions.12.operator", "EQUAL"),
            ("rules.3.conditions.12.value", "pro"),
            ("rules.3.conditions.2.property", "age"),
            ("rules.3.conditions.2.operator", "MODULO"),
            ("rules.3.conditions.2.divisor", "2"),
            ("rules.3.conditions.2.remainder", "1"),
            ("rules.3.rules.0.kind", "NONE"),
            ("rules.1.kind", "ALL"),
        ]);

        let rules = parse(&form).unwrap();

        assert_eq!(rules.len(), 2);
        assert_eq!(
            (rules[0].kind, rules[1].kind),
            (RuleKind::Any, RuleKind::All)
        );
        let properties: Vec<_> = rules[0]
            .conditions
            .iter()
            .map(|condition| condition.property.as_str())
            .collect();
        assert_eq!(properties, ["plan", "age"]);
        assert_eq!(rules[0].rules[0].kind, RuleKind::None);
    }

    #[test]
    fn a_value_typed_for_one_operator_is_read_for_the_one_chosen_now() {
        let form = fields(&[
            ("rules.0.conditions.0.operator", "IN"),
            ("rules.0.conditions.0.value", "DE,AT"),
            ("rules.0.conditions.1.operator", "IS_SET"),
            ("rules.0.conditions.1.items", "DE\r\nAT"),
        ]);

        let rules = parse(&form).unwrap();

        let values: Vec<_> = rules[0].conditions.iter().map(|each| &each.value).collect();
        let lines = ValueDraft::Lines("DE\nAT".to_owned());
        assert_eq!(values, [&lines, &ValueDraft::Nothing]);
    }

    #[test]
    fn a_form_of_more_parts_than_any_segment_has_is_refused() {
        let form = |count: usize| -> Fields {
            let names = (0..count).map(|place| (format!("rules.{place}.kind"), String::new()));
            names.collect()
        };

        assert_eq!(parse(&form(PART_LIMIT + 1)), Err(TooManyParts));
        assert_eq!(parse(&form(PART_LIMIT)).unwrap().len(), PART_LIMIT);
    }

    #[test]
    fn what_is_deeper_than_evaluation_looks_is_passed_over() {
        let deep = "rules.0.".repeat(10_000) + "kind";
        let form = fields(&[(&deep, "ANY")]);

        let rules = parse(&form).unwrap();

        let (count, _) = rules[0].size();
        assert_eq!(count, DEPTH_LIMIT);
    }

    proptest! {
        #[test]
        fn any_form_can_be_read(
            form in prop::collection::vec(
                ("(rules|conditions|[0-9]{1,8}|value|items|id|kind|operator|\\.|[a-z\u{e9}])(\\.(rules|conditions|[0-9]{1,8}|value|items|divisor|remainder|id|kind|operator|property)){0,9}", any::<String>()),
                0..40,
            ),
        ) {
            let fields: Fields = form.into_iter().collect();
            prop_assert!(parse(&fields).is_ok());
        }
    }
}
