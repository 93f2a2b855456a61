//! Values as the newest routes say them: a type and always a text, `{"type": "integer", "value": "11"}`.

use super::super::fields::{Fields, Need, Sent, Text};
use super::state_values::INTEGER;
use flagstaff_core::{StateValue, ValueKind};
use flagstaff_service::ValueChange;
use serde_json::{Value as Json, json};

const TEXT: Text = Text::up_to(20_000).or_blank();

/// The words of the types of values, which are others here.
const KINDS: [(&str, ValueKind); 3] = [
    ("string", ValueKind::Text),
    ("integer", ValueKind::Integer),
    ("boolean", ValueKind::Boolean),
];

/// Reads `value`. It replaces the whole value: the columns that do not count are emptied. The inner error is what its
/// text cannot be.
pub(super) fn read_value(
    fields: &mut Fields<'_>,
    need: Need,
) -> Option<Result<ValueChange, String>> {
    let value = fields.object("value", need, |fields| {
        let kind = fields.choice("type", Need::Required, &KINDS);
        let text = fields.text("value", Need::Required, TEXT);
        (kind.value().unwrap_or_default(), text.or_default())
    });
    match value {
        Sent::Given((kind, text)) => Some(parse(kind, text)),
        Sent::Absent | Sent::Null => None,
    }
}

fn parse(kind: ValueKind, text: String) -> Result<ValueChange, String> {
    let mut value = StateValue {
        kind,
        ..StateValue::default()
    };
    match kind {
        ValueKind::Text => value.text = Some(text),
        ValueKind::Integer => match parse_integer(&text) {
            Some(integer) => value.integer = Some(integer),
            None => return Err(format!("'{text}' is not a valid integer")),
        },
        ValueKind::Boolean => match text.to_lowercase().as_str() {
            "true" => value.boolean = Some(true),
            "false" => value.boolean = Some(false),
            _ => {
                return Err(format!(
                    "'{text}' is not a valid boolean (use 'true' or 'false')"
                ));
            }
        },
    }
    Ok(ValueChange::exactly(&value))
}

fn parse_integer(text: &str) -> Option<i64> {
    let (least, most) = INTEGER;
    let integer = text.parse().ok()?;
    (least..=most).contains(&integer).then_some(integer)
}

/// A value in an answer; `null` where there is none.
pub(super) fn shape_value(value: &StateValue) -> Json {
    let kind = KINDS.iter().find(|(_, kind)| *kind == value.kind);
    let kind = kind.map_or("string", |(word, _)| word);
    let text = match value.kind {
        ValueKind::Text => value.text.clone(),
        ValueKind::Integer => value.integer.map(|integer| integer.to_string()),
        ValueKind::Boolean => value.boolean.map(|boolean| boolean.to_string()),
    };
    text.map_or(Json::Null, |text| json!({ "type": kind, "value": text }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &Json) -> Result<Option<ValueChange>, String> {
        let body = json!({ "value": value });
        let read = Fields::read_nested(&body, |fields| read_value(fields, Need::Required));
        match read {
            Ok(value) => value.transpose(),
            Err(errors) => Err(serde_json::to_string(&errors).unwrap()),
        }
    }

    #[test]
    fn the_text_of_a_value_is_read_as_its_type_says() {
        let check = |kind: &str, text: &str, expected: &StateValue| {
            let read = read(&json!({ "type": kind, "value": text }));
            assert_eq!(
                read,
                Ok(Some(ValueChange::exactly(expected))),
                "{kind} {text}"
            );
            let shown = shape_value(expected);
            assert_eq!(shown["type"], kind);
        };

        check("string", "11", &StateValue::of_text(Some("11")));
        check("string", "", &StateValue::of_text(Some("")));
        let integer = StateValue {
            kind: ValueKind::Integer,
            integer: Some(-11),
            ..StateValue::default()
        };
        check("integer", " -11 ", &integer);
        let boolean = StateValue {
            kind: ValueKind::Boolean,
            boolean: Some(true),
            ..StateValue::default()
        };
        check("boolean", "True", &boolean);
    }

    #[test]
    fn a_text_that_is_no_value_of_its_type_is_refused() {
        let check =
            |value: Json, expected: &str| assert_eq!(read(&value), Err(expected.to_owned()));

        check(
            json!({ "type": "integer", "value": "3000000000" }),
            "'3000000000' is not a valid integer",
        );
        check(
            json!({ "type": "boolean", "value": "yes" }),
            "'yes' is not a valid boolean (use 'true' or 'false')",
        );
        check(
            json!({ "type": "json" }),
            r#"{"value":{"type":["\"json\" is not a valid choice."],"value":["This field is required."]}}"#,
        );
    }

    #[test]
    fn no_value_is_null() {
        assert_eq!(shape_value(&StateValue::default()), Json::Null);
    }
}
