//! Values of features as people read and type them.

use flagstaff_core::{StateValue, Value, ValueType};
use flagstaff_service::ValueChange;

/// Characters of a value that lists show.
const GLANCE: usize = 80;

/// A value as it is typed into a field; empty for none.
pub(crate) fn text_of(value: &StateValue) -> String {
    match value.effective() {
        Value::Null => String::new(),
        Value::Boolean(boolean) => boolean.to_string(),
        Value::Integer(integer) => integer.to_string(),
        Value::Float(number) => number.to_string(),
        Value::BigInteger(text) | Value::Text(text) => text.to_string(),
    }
}

/// The beginning of a value, on one line.
pub(crate) fn glance_of(value: &StateValue) -> String {
    let text = text_of(value);
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut shown: String = line.chars().take(GLANCE).collect();
    if line.chars().count() > GLANCE {
        shown.push('…');
    }
    shown
}

/// What was typed, as the feature's type has it: without one, `42` is an integer and `true` a boolean.
pub(crate) fn typed(text: &str, value_type: ValueType) -> StateValue {
    // Browsers send line ends as CR LF whatever the value had.
    let text = text.replace("\r\n", "\n");
    let given = (!text.is_empty()).then_some(text.as_str());
    match value_type {
        ValueType::String | ValueType::Json => StateValue::of_text(given),
        ValueType::Auto | ValueType::Boolean | ValueType::Integer | ValueType::Number => {
            StateValue::typed_by_content(given)
        }
    }
}

/// The change from a value to what was typed; `None` where the field was left as it was shown, so that a text that looks
/// like a number stays one.
pub(crate) fn change(
    text: &str,
    before: &StateValue,
    value_type: ValueType,
) -> Option<ValueChange> {
    let is_same = text.replace("\r\n", "\n") == text_of(before).replace("\r\n", "\n");
    (!is_same).then(|| ValueChange::exactly(&typed(text, value_type)))
}

/// What kind of values a feature has, in a word.
pub(crate) const fn type_word(value_type: ValueType, value: &StateValue) -> &'static str {
    use flagstaff_core::ValueKind::{Boolean, Integer, Text};
    match (value_type, value.kind) {
        (ValueType::Boolean, _) | (ValueType::Auto, Boolean) => "boolean",
        (ValueType::Integer, _) | (ValueType::Auto, Integer) => "integer",
        (ValueType::Number, _) => "number",
        (ValueType::Json, _) => "JSON",
        (ValueType::String, _) | (ValueType::Auto, Text) => "text",
    }
}

/// What people call a type that they choose.
pub(crate) const fn type_label(value_type: ValueType) -> &'static str {
    match value_type {
        ValueType::Auto => "Anything (42 is a number, true a boolean)",
        ValueType::Boolean => "Boolean: true or false",
        ValueType::Integer => "Integer: a whole number",
        ValueType::Number => "Number",
        ValueType::String => "Text, whatever it looks like",
        ValueType::Json => "JSON: an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_takes_the_type_of_the_feature() {
        let kind = |text, value_type| typed(text, value_type).effective();

        assert_eq!(kind("42", ValueType::Auto), Value::Integer(42));
        assert_eq!(kind("true", ValueType::Auto), Value::Boolean(true));
        assert_eq!(kind("42", ValueType::String), Value::text("42"));
        assert_eq!(kind("a\r\nb", ValueType::Auto), Value::text("a\nb"));
        assert_eq!(kind("", ValueType::Auto), Value::Null);
    }

    #[test]
    fn a_field_that_was_left_alone_changes_nothing() {
        let number_as_text = StateValue::of_text(Some("42"));

        assert_eq!(change("42", &number_as_text, ValueType::Auto), None);
        assert!(change("43", &number_as_text, ValueType::Auto).is_some());
    }

    #[test]
    fn a_glance_is_one_short_line() {
        let long = StateValue::of_text(Some(&format!("a\n  b {}", "c".repeat(200))));

        let glance = glance_of(&long);

        assert!(glance.starts_with("a b ccc") && glance.ends_with('…'));
        assert_eq!(glance.chars().count(), GLANCE + 1);
    }
}
