//! `IN`.

use super::json_list::{self, Stop};
use crate::operand::{Integer, Operand};
use crate::text::TextBuffer;
use std::collections::HashSet;

/// The texts that the value of an `IN` condition lists: those of a JSON array, or else what stands between commas,
/// without trimming.
///
/// `None` for an array nested too deeply, on which Python raises an error: nothing is in it.
#[must_use]
pub fn list_items(text: &str) -> Option<Vec<String>> {
    if text.starts_with('[') {
        match json_list::parse(text) {
            Ok(items) => return Some(items),
            Err(Stop::TooDeep) => return None,
            Err(Stop::Malformed) => {}
        }
    }
    Some(text.split(',').map(str::to_owned).collect())
}

/// The texts that are in a list.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Membership(HashSet<Box<str>>);

impl Membership {
    /// Reads what [`list_items`] reads, for quick look-ups.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let items = list_items(text)?;
        Some(Self(items.into_iter().map(Into::into).collect()))
    }

    /// True for text and integers in the list. Booleans and floats are never in a list.
    pub(crate) fn contains(&self, operand: Operand<'_>) -> bool {
        let mut buffer = TextBuffer::new();
        match operand {
            Operand::Text(text) => self.0.contains(text),
            Operand::Integer(Integer::Small(_) | Integer::Big { .. }) => operand
                .text(&mut buffer)
                .is_some_and(|text| self.0.contains(&*text)),
            Operand::Unset | Operand::Boolean(_) | Operand::Float(_) | Operand::Unreadable => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Membership;
    use crate::Value;
    use crate::operand::Operand;

    #[track_caller]
    fn check(list: &str, seen: Value, expected: bool) {
        let contains =
            Membership::parse(list).is_some_and(|list| list.contains(Operand::of(&seen)));

        assert_eq!(contains, expected, "{seen:?} IN {list:?}");
    }

    #[test]
    fn text_between_commas_is_not_trimmed() {
        check("a,b", Value::text("b"), true);
        check("a, b", Value::text("b"), false);
        check("a, b", Value::text(" b"), true);
        check("", Value::text(""), true);
        check("a,", Value::text(""), true);
    }

    #[test]
    fn integers_are_in_a_list_by_their_decimal_text() {
        check("1,2", Value::Integer(1), true);
        check("7", Value::text("007"), true);
        check("007", Value::text("007"), false);
        check(
            "99999999999999999999",
            Value::text("099999999999999999999"),
            true,
        );
        check("[1,2]", Value::Integer(2), true);
        check("[\"007\"]", Value::text("007"), false);
        check("[-0]", Value::Integer(0), true);
    }

    #[test]
    fn booleans_floats_and_null_are_in_no_list() {
        check("True", Value::Boolean(true), false);
        check("[true]", Value::Boolean(true), false);
        check("1.5", Value::Float(1.5), false);
        check("1.5", Value::text("1.5"), false);
        check("None", Value::Null, false);
    }

    #[test]
    fn items_of_a_json_array_have_pythons_text_forms() {
        check("[true,null]", Value::text("True"), true);
        check("[true,null]", Value::text("None"), true);
        check("[NaN,Infinity,-Infinity]", Value::text("-inf"), true);
        check("[1e16]", Value::text("1e+16"), true);
        check("[[\"a\", 1.0]]", Value::text("['a', 1.0]"), true);
        check("[{\"a\":1}]", Value::text("{'a': 1}"), true);
        check("[\"\\ud83d\\ude00\"]", Value::text("😀"), true);
        check("[]", Value::text(""), false);
        check("[\"\"]", Value::text(""), true);
    }

    #[test]
    fn a_broken_array_is_text_between_commas() {
        check("[1,", Value::text("[1"), true);
        check("[1]x", Value::text("[1]x"), true);
        check("[01]", Value::text("[01]"), true);
        check("[\"a\nb\"]", Value::text("a\nb"), false);
        check(" [1]", Value::Integer(1), false);
        let digits = format!("[{}]", "1".repeat(4301));
        check(&digits, Value::text(&*digits), true);
    }

    #[test]
    fn nothing_is_in_an_array_nested_too_deeply() {
        let text = "[".repeat(100_000);
        check(&text, Value::text(&*text), false);
    }
}
