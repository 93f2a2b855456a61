//! Values of feature states: what may be written.

use crate::error::{Problem, ServiceError, ServiceResult};
use crate::text_rules::{VALUE_LIMIT, check_optional};
use flagstaff_core::StateValue;

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
