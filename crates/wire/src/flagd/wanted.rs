//! What a condition asks for.

use super::comparison::Comparison;
use super::condition::Findings;
use super::warning::WarningReason;
use flagstaff_core::text::parse_float;
use flagstaff_core::{Condition, Modulo, VersionEnding, list_items, version_ending};

/// The ending that makes a version of a condition's value.
const VERSION_ENDING: &str = ":semver";

/// What a condition asks for, its value read.
pub(super) enum Wanted<'c> {
    Set,
    NotSet,
    Compared(Comparison, &'c str),
    VersionCompared(Comparison, &'c str),
    Contains(&'c str),
    NotContains(&'c str),
    In(Vec<String>),
    Modulo(Modulo),
    Percentage(f64),
    Pattern(&'c str),
}

/// Reads a condition's value; `None` and a warning where its operator cannot.
pub(super) fn read<'c>(condition: &'c Condition, findings: &mut Findings) -> Option<Wanted<'c>> {
    match condition.operator.as_str() {
        "IS_SET" => return Some(Wanted::Set),
        "IS_NOT_SET" => return Some(Wanted::NotSet),
        _ => {}
    }
    let compares = |comparison| {
        let value = condition.value.as_deref()?;
        match version_ending(value) {
            VersionEnding::Absent => Some(Wanted::Compared(comparison, value)),
            VersionEnding::Version(version) => Some(Wanted::VersionCompared(comparison, version)),
            VersionEnding::Invalid => None,
        }
    };
    let plain = || {
        let value = condition.value.as_deref()?;
        // Only comparisons know versions.
        (!value.ends_with(VERSION_ENDING)).then_some(value)
    };
    let wanted = match condition.operator.as_str() {
        "EQUAL" => compares(Comparison::Equal),
        "NOT_EQUAL" => compares(Comparison::NotEqual),
        "GREATER_THAN" => compares(Comparison::Ordered(">")),
        "GREATER_THAN_INCLUSIVE" => compares(Comparison::Ordered(">=")),
        "LESS_THAN" => compares(Comparison::Ordered("<")),
        "LESS_THAN_INCLUSIVE" => compares(Comparison::Ordered("<=")),
        "CONTAINS" => plain().map(Wanted::Contains),
        "NOT_CONTAINS" => plain().map(Wanted::NotContains),
        "IN" => plain().and_then(list_items).map(Wanted::In),
        "MODULO" => plain()
            .and_then(Modulo::parse)
            .filter(|modulo| modulo.divisor.is_finite() && modulo.remainder.is_finite())
            .map(Wanted::Modulo),
        "PERCENTAGE_SPLIT" => plain()
            .and_then(parse_float)
            .filter(|percentage| !percentage.is_nan())
            .map(Wanted::Percentage),
        "REGEX" => condition.value.as_deref().map(Wanted::Pattern),
        _ => {
            findings.warn(WarningReason::UnknownOperator, condition);
            return None;
        }
    };
    if wanted.is_none() {
        findings.warn(WarningReason::MalformedValue, condition);
    }
    wanted
}
