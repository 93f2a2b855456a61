//! Values of feature states: what may be written.

use crate::error::{Problem, ServiceError, ServiceResult};
use crate::text_rules::{VALUE_LIMIT, check_optional};
use flagstaff_core::text::python_text;
use flagstaff_core::{StateValue, ValueType};

/// Characters of a value that a refusal repeats.
const REPEATED_LIMIT: usize = 100;

/// The integers the Flagsmith API stores: 32 bits.
const INTEGERS: std::ops::RangeInclusive<i64> = -(1 << 31)..=(1 << 31) - 1;

/// Checks a value that is to be written.
pub(crate) fn check_value(value: &StateValue) -> ServiceResult<()> {
    check_optional("string_value", value.text.as_deref(), VALUE_LIMIT)?;
    match value.integer {
        Some(integer) if !INTEGERS.contains(&integer) => Err(ServiceError::invalid(
            "integer_value",
            Problem::OutOfRange {
                min: *INTEGERS.start(),
                max: *INTEGERS.end(),
            },
        )),
        Some(_) | None => Ok(()),
    }
}

/// Checks a value that is to be written for a feature whose values have a type.
pub(crate) fn check_value_of(
    feature: &str,
    value_type: ValueType,
    value: &StateValue,
) -> ServiceResult<()> {
    check_value(value)?;
    let value = value.effective();
    let Err(wrong) = value_type.check(&value) else {
        return Ok(());
    };
    let text = python_text(&value);
    let problem = Problem::WrongType {
        feature: feature.to_owned(),
        value: text.chars().take(REPEATED_LIMIT).collect(),
        wrong,
    };
    Err(ServiceError::invalid("feature_state_value", problem))
}
