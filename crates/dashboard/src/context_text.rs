//! Contexts that people paste: JSON as SDKs of either kind send it.

use flagstaff_core::Value;
use flagstaff_service::SentContext;
use serde_json::Value as Json;

/// Attributes that a pasted context may have.
const LIMIT: usize = 500;

/// Reads a context: `{"targetingKey": "ada", "plan": "pro"}`, or `{"identifier": "ada", "traits": {"plan": "pro"}}`.
/// Nothing at all is a context of nobody in particular.
///
/// # Errors
/// A sentence that says what it is instead.
pub(crate) fn read(text: &str) -> Result<SentContext, String> {
    if text.trim().is_empty() {
        return Ok(SentContext::default());
    }
    let json: Json =
        serde_json::from_str(text).map_err(|error| format!("This is not JSON: {error}."))?;
    let Json::Object(members) = json else {
        return Err("A context is an object, such as {\"plan\": \"pro\"}.".to_owned());
    };
    let name = |key: &str| members.get(key).filter(|value| !value.is_null());
    let key = match name("targetingKey").or_else(|| name("identifier")) {
        None => None,
        Some(Json::String(text)) => Some(text.as_str()),
        Some(_) => return Err("The identifier is a text.".to_owned()),
    };
    let mut sent = SentContext::of(key);
    let traits = match members.get("traits") {
        Some(Json::Object(traits)) => Some(traits),
        Some(_) | None => None,
    };
    let own = members.iter().filter(|(name, _)| {
        let is_traits = name.as_str() == "traits" && traits.is_some();
        !is_traits && !matches!(name.as_str(), "targetingKey" | "identifier")
    });
    for (name, value) in own.chain(traits.into_iter().flatten()) {
        if sent.len() >= LIMIT {
            return Err(format!("A context has at most {LIMIT} attributes here."));
        }
        sent.insert(name, scalar(name, value)?);
    }
    Ok(sent)
}

fn scalar(name: &str, value: &Json) -> Result<Value, String> {
    Ok(match value {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Boolean(*value),
        Json::String(text) => Value::text(text.as_str()),
        Json::Number(number) => {
            let text = number.to_string();
            let is_whole = text
                .trim_start_matches('-')
                .bytes()
                .all(|byte| byte.is_ascii_digit());
            match (number.as_i64(), is_whole) {
                (Some(integer), _) => Value::Integer(integer),
                (None, true) => Value::BigInteger(text.into()),
                (None, false) => Value::Float(number.as_f64().unwrap_or(f64::INFINITY)),
            }
        }
        Json::Array(_) | Json::Object(_) => {
            return Err(format!(
                "`{name}` is a list or an object. Conditions compare single values."
            ));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, key: Option<&str>, attributes: &[(&str, Value)]) {
        let mut expected = SentContext::of(key);
        for (name, value) in attributes {
            expected.insert(name, value.clone());
        }
        assert_eq!(read(text), Ok(expected), "{text}");
    }

    #[test]
    fn both_shapes_are_read_and_values_keep_their_types() {
        let plan = ("plan", Value::text("pro"));
        check("", None, &[]);
        check(
            r#"{"targetingKey": "ada", "plan": "pro"}"#,
            Some("ada"),
            std::slice::from_ref(&plan),
        );
        check(
            r#"{"identifier": "ada", "traits": {"plan": "pro"}}"#,
            Some("ada"),
            &[plan],
        );
        check(
            r#"{"a": 1, "b": 1.5, "c": true, "d": 99999999999999999999, "e": null}"#,
            None,
            &[
                ("a", Value::Integer(1)),
                ("b", Value::Float(1.5)),
                ("c", Value::Boolean(true)),
                ("d", Value::BigInteger("99999999999999999999".into())),
                ("e", Value::Null),
            ],
        );
        check(r#"{"traits": "x"}"#, None, &[("traits", Value::text("x"))]);
    }

    #[test]
    fn what_is_no_context_is_said() {
        for (text, part) in [
            ("{", "not JSON"),
            ("[1]", "object"),
            (r#"{"a": [1]}"#, "`a` is a list"),
            (r#"{"targetingKey": 7}"#, "identifier is a text"),
        ] {
            let problem = read(text).unwrap_err();
            assert!(problem.contains(part), "{text}: {problem}");
        }
    }
}
