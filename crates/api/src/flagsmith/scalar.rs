//! Scalars as the original's fields read them: a boolean is a boolean in many spellings, a number may be text.

use flagstaff_wire::python;
use serde_json::Value as Json;

/// The name that error messages give to a JSON value's type.
pub(crate) fn kind(json: &Json) -> &'static str {
    match json {
        Json::Null => "NoneType",
        Json::Bool(_) => "bool",
        Json::Number(number) if number.as_str().contains(['.', 'e', 'E']) => "float",
        Json::Number(_) => "int",
        Json::String(_) => "str",
        Json::Array(_) => "list",
        Json::Object(_) => "dict",
    }
}

/// Text, or a number's text; nothing else is text.
pub(crate) fn text(json: &Json) -> Option<String> {
    match json {
        Json::String(text) => Some(text.clone()),
        Json::Number(_) => Some(python::text(json)),
        Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => None,
    }
}

/// What Python's `strip()` leaves: it also takes the four separators below the space.
pub(crate) fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || ('\x1c'..='\x1f').contains(&c))
}

/// A boolean, in any of its spellings.
pub(crate) fn boolean(json: &Json) -> Option<bool> {
    match json {
        Json::Bool(boolean) => Some(*boolean),
        Json::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "t" | "yes" | "y" | "on" | "1" => Some(true),
            "false" | "f" | "no" | "n" | "off" | "0" => Some(false),
            _ => None,
        },
        Json::Number(number) => match number.as_str().parse::<f64>() {
            Ok(1.0) => Some(true),
            Ok(0.0) => Some(false),
            Ok(_) | Err(_) => None,
        },
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

/// A whole number as it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Integer {
    Fits(i64),
    TooLow,
    TooHigh,
}

/// A whole number: as a number or as text, with a fraction only where it is zero.
pub(crate) fn integer(json: &Json) -> Option<Integer> {
    let digits = text(json)?;
    let digits = trim(&digits);
    let digits = match digits.split_once('.') {
        Some((whole, fraction)) if fraction.bytes().all(|byte| byte == b'0') => whole,
        Some(_) => return None,
        None => digits,
    };
    let (negative, magnitude) = match digits.as_bytes().first()? {
        b'-' => (true, &digits[1..]),
        b'+' => (false, &digits[1..]),
        _ => (false, digits),
    };
    if magnitude.is_empty() || !magnitude.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    match digits.trim_start_matches('+').parse() {
        Ok(number) => Some(Integer::Fits(number)),
        Err(_) if negative => Some(Integer::TooLow),
        Err(_) => Some(Integer::TooHigh),
    }
}

/// A finite number: as a number or as text.
pub(crate) fn number(json: &Json) -> Option<f64> {
    let digits = text(json)?;
    let number: f64 = trim(&digits).parse().ok()?;
    number.is_finite().then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn integers_are_read_from_numbers_and_texts() {
        let check = |json: Json, expected| assert_eq!(integer(&json), expected, "{json}");

        check(json!(3), Some(Integer::Fits(3)));
        check(json!("-3"), Some(Integer::Fits(-3)));
        check(json!("3.00"), Some(Integer::Fits(3)));
        check(json!(3.5), None);
        check(json!(true), None);
        check(json!("x"), None);
        check(json!(""), None);
        check(json!("99999999999999999999"), Some(Integer::TooHigh));
        check(json!("-99999999999999999999"), Some(Integer::TooLow));
    }

    #[test]
    fn booleans_have_many_spellings() {
        let check = |json: Json, expected| assert_eq!(boolean(&json), expected, "{json}");

        check(json!("True"), Some(true));
        check(json!("off"), Some(false));
        check(json!(1), Some(true));
        check(json!(0.0), Some(false));
        check(json!("maybe"), None);
        check(json!(2), None);
        check(json!([true]), None);
    }
}
