//! Values and weights as bodies say them: bare, as an object of columns, or as shares of options.

use super::super::error::Failure;
use super::super::field_errors::FieldErrors;
use super::super::fields::{Fields, Need, Sent, Text};
use super::super::scalar::{self, Integer};
use super::super::words;
use flagstaff_core::{OptionId, ValueKind};
use flagstaff_service::{Noun, Problem, ServiceError, StatePatch, ValueChange, WeightChange};
use flagstaff_wire::python;
use serde_json::Value as Json;
use std::borrow::Cow;

/// Text of a value; its white space is part of it.
pub(super) const TEXT: Text = Text::up_to(20_000).or_blank().untrimmed();
/// Weights in one body.
pub(super) const WEIGHT_LIMIT: usize = 1000;
/// The integers the original stores: 32 bits.
pub(super) const INTEGER: (i64, i64) = (-(1 << 31), (1 << 31) - 1);
/// The member that holds the weights of a state.
const WEIGHTS: &str = "multivariate_feature_state_values";

/// The words of the types of values.
pub(super) const KINDS: [(&str, ValueKind); 3] = [
    ("unicode", ValueKind::Text),
    ("int", ValueKind::Integer),
    ("bool", ValueKind::Boolean),
];

/// The word of a type of value.
pub(super) const fn kind_text(kind: ValueKind) -> &'static str {
    match kind {
        ValueKind::Text => "unicode",
        ValueKind::Integer => "int",
        ValueKind::Boolean => "bool",
    }
}

/// Reads what of a state is to change, with a bare value.
pub(super) fn read_patch(fields: &mut Fields<'_>) -> StatePatch {
    StatePatch {
        enabled: fields.boolean("enabled", Need::Optional).value(),
        value: read_bare(fields),
        weights: None,
    }
}

/// Reads `feature_state_value` as a bare value, whose type counts: `"25"` is text, 25 an integer.
///
/// Errors stand under the column the value would be kept in, as recorded.
pub(super) fn read_bare(fields: &mut Fields<'_>) -> Option<ValueChange> {
    let json = fields.json("feature_state_value")?;
    match json {
        Json::Null => Some(ValueChange::Text(None)),
        Json::Bool(boolean) => Some(ValueChange::Boolean(*boolean)),
        Json::Number(_) if scalar::kind(json) == "int" => read_bare_integer(fields, json),
        // A fraction has no column of its own.
        Json::Number(_) => Some(ValueChange::Text(Some(python::text(json)))),
        Json::String(text) => match check_text(text) {
            Ok(()) => Some(ValueChange::Text(Some(text.clone()))),
            Err(problem) => {
                fields.fail("string_value", problem);
                None
            }
        },
        Json::Array(_) | Json::Object(_) => {
            fields.fail("string_value", words::NOT_TEXT);
            None
        }
    }
}

fn read_bare_integer(fields: &mut Fields<'_>, json: &Json) -> Option<ValueChange> {
    let (least, most) = INTEGER;
    match scalar::integer(json)? {
        Integer::Fits(number) if (least..=most).contains(&number) => {
            return Some(ValueChange::Integer(number));
        }
        Integer::Fits(number) if number < least => {
            fields.fail("integer_value", words::too_low(least));
        }
        Integer::TooLow => fields.fail("integer_value", words::too_low(least)),
        Integer::Fits(_) | Integer::TooHigh => {
            fields.fail("integer_value", words::too_high(most));
        }
    }
    None
}

fn check_text(text: &str) -> Result<(), Cow<'static, str>> {
    const LIMIT: usize = 20_000;
    if text.len() > LIMIT && text.chars().count() > LIMIT {
        return Err(words::too_long(LIMIT).into());
    }
    if text.contains('\0') {
        return Err(words::NUL.into());
    }
    Ok(())
}

/// Reads `feature_state_value` as an object of columns; those it does not name stay.
pub(super) fn read_columns(fields: &mut Fields<'_>) -> Sent<ValueChange> {
    read_columns_where(fields, Need::Required)
}

/// The same where the object may be left out.
pub(super) fn read_columns_if_sent(fields: &mut Fields<'_>) -> Option<ValueChange> {
    read_columns_where(fields, Need::Optional).value()
}

fn read_columns_where(fields: &mut Fields<'_>, need: Need) -> Sent<ValueChange> {
    fields.object("feature_state_value", need, |fields| {
        let (least, most) = INTEGER;
        let integer = fields.integer("integer_value", Need::OptionalOrNull, least, most);
        ValueChange::Columns {
            kind: fields.choice("type", Need::Optional, &KINDS).value(),
            text: fields
                .text("string_value", Need::OptionalOrNull, TEXT)
                .change(),
            integer: integer.change(),
            boolean: fields
                .boolean("boolean_value", Need::OptionalOrNull)
                .change(),
        }
    })
}

/// Reads the weights of a state.
pub(super) fn read_weights(fields: &mut Fields<'_>) -> Option<Vec<WeightChange>> {
    let weights = fields.list(WEIGHTS, Need::Optional, WEIGHT_LIMIT, |fields| {
        let option = fields.row_id("multivariate_feature_option", Need::Required);
        WeightChange {
            option_id: OptionId::new(option.or_default()),
            percentage_allocation: read_percentage(fields, "percentage_allocation", Need::Required)
                .or_default(),
        }
    });
    weights.value()
}

/// Reads a number from 0 to 100.
pub(super) fn read_percentage(
    fields: &mut Fields<'_>,
    name: &'static str,
    need: Need,
) -> Sent<f64> {
    match fields.number(name, need) {
        Sent::Given(number) if number < 0.0 => fields.fail(name, words::too_low(0)),
        Sent::Given(number) if number > 100.0 => fields.fail(name, words::too_high(100)),
        other => return other,
    }
    Sent::Absent
}

/// What the product refuses about a state, where the original says it.
pub(super) fn refusal(error: ServiceError, weights: &[WeightChange]) -> Failure {
    match error {
        ServiceError::Invalid {
            problem: Problem::PercentagesExceed,
            ..
        } => Failure::of_no_field("Multivariate percentage values exceed 100%."),
        ServiceError::Invalid {
            problem: Problem::ForeignOption(id),
            ..
        } => Failure::Invalid(foreign_option(id, weights).under(WEIGHTS)),
        ServiceError::Conflict {
            noun: Noun::FeatureState,
        } => exists_already(),
        other => other.into(),
    }
}

/// The brackets and quotes within the text are recorded.
fn exists_already() -> Failure {
    let text = "['Feature state already exists for this environment, feature, version, \
                segment & identity combination']";
    Failure::Invalid(FieldErrors::message(text))
}

fn foreign_option(id: i64, weights: &[WeightChange]) -> FieldErrors {
    let error = |weight: &WeightChange| {
        if weight.option_id.get() == id {
            FieldErrors::of_field("multivariate_feature_option", words::no_such_row(id))
        } else {
            FieldErrors::Fields(Vec::new())
        }
    };
    FieldErrors::Items(weights.iter().map(error).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(value: &Json) -> Result<Option<ValueChange>, String> {
        let body = json!({ "feature_state_value": value });
        Fields::read_nested(&body, read_bare)
            .map_err(|errors| serde_json::to_string(&errors).unwrap())
    }

    #[test]
    fn the_type_of_a_bare_value_counts() {
        let check = |value: Json, expected| assert_eq!(read(&value), Ok(Some(expected)), "{value}");
        let text = |text: &str| ValueChange::Text(Some(text.to_owned()));

        check(json!("25"), text("25"));
        check(json!(" x "), text(" x "));
        check(json!(""), text(""));
        check(json!(2.5), text("2.5"));
        check(json!(25), ValueChange::Integer(25));
        check(json!(-2_147_483_648), ValueChange::Integer(-2_147_483_648));
        check(json!(false), ValueChange::Boolean(false));
        check(json!(null), ValueChange::Text(None));
    }

    #[test]
    fn a_bare_value_that_no_column_holds_is_refused_under_its_column() {
        let check =
            |value: &Json, expected: &str| assert_eq!(read(value), Err(expected.to_owned()));

        check(&json!([1]), r#"{"string_value":["Not a valid string."]}"#);
        check(
            &json!("a\0"),
            r#"{"string_value":["Null characters are not allowed."]}"#,
        );
        check(
            &json!(3_000_000_000_i64),
            r#"{"integer_value":["Ensure this value is less than or equal to 2147483647."]}"#,
        );
        check(
            &serde_json::from_str("-99999999999999999999").unwrap(),
            r#"{"integer_value":["Ensure this value is greater than or equal to -2147483648."]}"#,
        );
    }
}
