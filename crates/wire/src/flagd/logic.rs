//! JsonLogic as flagd speaks it: joining conditions, and the tests that hold in every flagd client.

use serde_json::{Value as Json, json};

/// Whether a caller is in an audience: always, never, or where an expression says so.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Logic {
    Always,
    Never,
    When(Json),
}

impl Logic {
    /// As an expression.
    pub(super) fn to_json(&self) -> Json {
        match self {
            // A bare `true` is no rule in the schema.
            Self::Always => json!({"===": [1, 1]}),
            Self::Never => json!({"===": [1, 0]}),
            Self::When(json) => json.clone(),
        }
    }

    /// True where `self` is not.
    pub(super) fn negated(self) -> Self {
        match self {
            Self::Always => Self::Never,
            Self::Never => Self::Always,
            Self::When(json) => Self::When(not(json)),
        }
    }
}

/// True where all parts are; without parts too.
pub(super) fn all(parts: impl IntoIterator<Item = Logic>) -> Logic {
    joined(parts, "and", &Logic::Never, Logic::Always)
}

/// True where any part is; not without parts.
pub(super) fn any(parts: impl IntoIterator<Item = Logic>) -> Logic {
    joined(parts, "or", &Logic::Always, Logic::Never)
}

fn joined(
    parts: impl IntoIterator<Item = Logic>,
    operator: &str,
    decisive: &Logic,
    neutral: Logic,
) -> Logic {
    let mut expressions = Vec::new();
    for part in parts {
        match part {
            Logic::When(json) => expressions.push(json),
            part if part == *decisive => return part,
            Logic::Always | Logic::Never => {}
        }
    }
    match expressions.len() {
        0 => neutral,
        1 => Logic::When(expressions.remove(0)),
        _ => Logic::When(operation(operator, expressions)),
    }
}

/// Joins expressions that are never constant.
pub(super) fn and(parts: Vec<Json>) -> Json {
    all(parts.into_iter().map(Logic::When)).to_json()
}

/// Joins expressions that are never constant.
pub(super) fn or(parts: Vec<Json>) -> Json {
    any(parts.into_iter().map(Logic::When)).to_json()
}

pub(super) fn not(json: Json) -> Json {
    operation("!", vec![json])
}

/// `{operator: arguments}`.
pub(super) fn operation(operator: &str, arguments: Vec<Json>) -> Json {
    let mut members = serde_json::Map::with_capacity(1);
    members.insert(operator.to_owned(), Json::Array(arguments));
    Json::Object(members)
}

/// An attribute of the caller.
pub(super) fn variable(name: &str) -> Json {
    json!({ "var": name })
}

/// A finite number, whole ones without a decimal point: Python's client takes `5.0` for something else than `5`.
pub(super) fn number(number: f64) -> Json {
    // Rust writes no exponent, so the text is a whole number wherever the value is one.
    serde_json::from_str(&(number + 0.0).to_string()).unwrap_or(Json::Null)
}

/// How deeply objects and lists are nested; 0 for a scalar.
pub(super) fn depth(json: &Json) -> usize {
    let mut level = vec![json];
    let mut depth = 0;
    loop {
        let mut next: Vec<&Json> = Vec::new();
        let mut is_nested = false;
        for json in level {
            match json {
                Json::Array(items) => {
                    is_nested = true;
                    next.extend(items);
                }
                Json::Object(members) => {
                    is_nested = true;
                    next.extend(members.values());
                }
                Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
            }
        }
        if !is_nested {
            return depth;
        }
        depth += 1;
        level = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expression() -> Logic {
        Logic::When(json!({"!!": [1]}))
    }

    #[test]
    fn constants_are_folded() {
        assert_eq!(all([]), Logic::Always);
        assert_eq!(any([]), Logic::Never);
        assert_eq!(all([Logic::Always, expression()]), expression());
        assert_eq!(all([expression(), Logic::Never]), Logic::Never);
        assert_eq!(any([Logic::Never, expression()]), expression());
        assert_eq!(any([expression(), Logic::Always]), Logic::Always);
        assert_eq!(Logic::Never.negated(), Logic::Always);
    }

    #[test]
    fn numbers_have_no_needless_point() {
        let check = |float, expected| assert_eq!(number(float).to_string(), expected);

        check(5.0, "5");
        check(-5.0, "-5");
        check(-0.0, "0");
        check(5.5, "5.5");
        check(1e21, "1000000000000000000000");
        check(1e-7, "0.0000001");
    }

    #[test]
    fn depth_counts_objects_and_lists() {
        assert_eq!(depth(&json!(1)), 0);
        assert_eq!(depth(&json!([])), 1);
        assert_eq!(depth(&json!({"and": [{"!!": [1]}, 2]})), 4);
    }
}
