//! The body of an evaluation: `{"context": {"targetingKey": …, …}}`.

use super::context_read::{BodyReader, Reading};
use flagstaff_core::Value;
use serde::de::DeserializeSeed as _;

/// The member of a context that names the identity.
pub(super) const TARGETING_KEY: &str = "targetingKey";

/// What a body says of who asks. Members that are objects are flattened: `{"user": {"plan": "pro"}}` is the attribute
/// `user.plan`. Lists are no attributes and are left out.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SentEvaluation {
    /// The identity's identifier as it was sent.
    pub targeting_key: Option<String>,
    /// Scalars by name, in the order they were sent, each name once.
    pub attributes: Vec<(String, Value)>,
    /// Lists that were left out.
    pub dropped: usize,
}

/// Why a body is no evaluation context.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidContext {
    /// No JSON, or JSON that breaks off.
    #[error("the body is not valid JSON: line {line} column {column}")]
    NotJson {
        /// From 1.
        line: usize,
        /// From 1; 0 where a line ends.
        column: usize,
    },
    /// A place that holds another type.
    #[error("{place} must be {expected}")]
    Type {
        /// What is meant.
        place: &'static str,
        /// What it has to be, with its article.
        expected: &'static str,
    },
    /// A member that is there more than once: nobody can say which one counts.
    #[error("`{0}` is given twice")]
    Twice(String),
    /// A number beyond what a float can hold.
    #[error("`{0}` is no finite number")]
    NotFinite(String),
    /// More attributes than one call may have.
    #[error("the context has more than {0} attributes")]
    TooMany(usize),
}

impl SentEvaluation {
    /// Reads a body. An empty one, one without `context` and a context without `targetingKey` are all fine.
    ///
    /// How deep a body is nested has to be looked at before; beyond 128 levels it is refused here too.
    ///
    /// # Errors
    /// What is no JSON, of another shape or over a limit, or names something twice.
    pub fn read(body: &[u8], attribute_limit: usize) -> Result<Self, InvalidContext> {
        if body.iter().all(u8::is_ascii_whitespace) {
            return Ok(Self::default());
        }
        let mut reading = Reading::new(attribute_limit);
        let mut deserializer = serde_json::Deserializer::from_slice(body);
        let read = BodyReader(&mut reading)
            .deserialize(&mut deserializer)
            .and_then(|()| deserializer.end());
        match read {
            Ok(()) => Ok(reading.sent),
            Err(error) => Err(reading.problem.unwrap_or(InvalidContext::NotJson {
                line: error.line(),
                column: error.column(),
            })),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIMIT: usize = 5;

    fn read(body: &str) -> Result<SentEvaluation, String> {
        SentEvaluation::read(body.as_bytes(), LIMIT).map_err(|problem| problem.to_string())
    }

    #[track_caller]
    fn check(body: &str, targeting_key: Option<&str>, attributes: &[(&str, Value)]) {
        let sent = read(body).unwrap();
        let named = attributes
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()));
        assert_eq!(sent.targeting_key.as_deref(), targeting_key, "{body}");
        assert_eq!(sent.attributes, named.collect::<Vec<_>>(), "{body}");
    }

    #[track_caller]
    fn refuse(body: &str, problem: &str) {
        assert_eq!(read(body).unwrap_err(), problem, "{body}");
    }

    #[test]
    fn whoever_says_nothing_asks_with_an_empty_context() {
        for body in [
            "",
            " \n",
            "{}",
            r#"{"context": null}"#,
            r#"{"context": {}}"#,
            r#"{"context": {"targetingKey": null}, "other": [1, {"a": 2}]}"#,
        ] {
            check(body, None, &[]);
        }
        check(r#"{"context": {"targetingKey": ""}}"#, Some(""), &[]);
    }

    #[test]
    fn scalars_keep_their_types() {
        check(
            r#"{"context": {"a": 1, "targetingKey": "u\u00e91", "b": 1.5, "c": true, "d": "x"}}"#,
            Some("ué1"),
            &[
                ("a", Value::Integer(1)),
                ("b", Value::Float(1.5)),
                ("c", Value::Boolean(true)),
                ("d", Value::text("x")),
            ],
        );
        check(
            r#"{"context": {"a": null, "b": 18446744073709551616, "c": -0.0, "d": "NaN"}}"#,
            None,
            &[
                ("a", Value::Null),
                ("b", Value::BigInteger("18446744073709551616".into())),
                // As flagd's messages have it, which hold doubles only.
                ("c", Value::Integer(0)),
                ("d", Value::text("NaN")),
            ],
        );
        check(
            r#"{"context": {"a": 5.0, "b": 1e3, "c": 1e21}}"#,
            None,
            &[
                ("a", Value::Integer(5)),
                ("b", Value::Integer(1000)),
                ("c", Value::Float(1e21)),
            ],
        );
    }

    #[test]
    fn objects_are_flattened_and_lists_left_out() {
        check(
            r#"{"context": {"user": {"plan": "pro", "at": {"home": true}, "none": {}}, "list": [1, {"a": [2]}]}}"#,
            None,
            &[
                ("user.plan", Value::text("pro")),
                ("user.at.home", Value::Boolean(true)),
            ],
        );
        let sent = read(r#"{"context": {"a": [], "b": {"c": [1]}}}"#).unwrap();
        assert_eq!(sent.dropped, 2);
    }

    #[test]
    fn a_member_that_is_there_twice_is_refused() {
        refuse(r#"{"context": {"a": 1, "a": 1}}"#, "`a` is given twice");
        refuse(
            r#"{"context": {"targetingKey": "a", "targetingKey": "a"}}"#,
            "`targetingKey` is given twice",
        );
        refuse(
            r#"{"context": {"a.b": 1, "a": {"b": 2}}}"#,
            "`a.b` is given twice",
        );
        refuse(
            r#"{"context": {}, "context": {}}"#,
            "`context` is given twice",
        );
    }

    #[test]
    fn other_shapes_are_refused_with_the_place() {
        refuse("[]", "the body must be an object");
        refuse("7", "the body must be an object");
        refuse("1.5", "the body must be an object");
        refuse(r#"{"context": "x"}"#, "`context` must be an object");
        refuse(r#"{"context": []}"#, "`context` must be an object");
        refuse(r#"{"context": 1e3}"#, "`context` must be an object");
        for key in ["7", "7.5", "true", "{}", "[]"] {
            refuse(
                &format!(r#"{{"context": {{"targetingKey": {key}}}}}"#),
                "`targetingKey` must be a text",
            );
        }
    }

    #[test]
    fn what_is_no_json_is_refused_with_its_place() {
        for body in [
            "{",
            "nope",
            r#"{"context": {"a": NaN}}"#,
            r#"{"context": {"a": Infinity}}"#,
            r#"{"context": {"a": 01}}"#,
            r#"{"context": {}} x"#,
            r#"{"context": {"a": "\ud800"}}"#,
        ] {
            let problem = read(body).unwrap_err();
            assert!(
                problem.starts_with("the body is not valid JSON: line 1 column"),
                "{body}: {problem}"
            );
        }
        let deep = format!(r#"{{"context": {}"#, r#"{"a":"#.repeat(1000));
        assert!(read(&deep).is_err());
        assert!(SentEvaluation::read(b"{\"context\": {\"\xff\": 1}}", LIMIT).is_err());
    }

    #[test]
    fn there_are_limits() {
        refuse(r#"{"context": {"a": 1e400}}"#, "`a` is no finite number");
        let six: Vec<String> = (0..6).map(|n| format!(r#""a{n}": {n}"#)).collect();
        let body = |count: usize| format!(r#"{{"context": {{{}}}}}"#, six[..count].join(","));
        assert_eq!(read(&body(5)).unwrap().attributes.len(), 5);
        refuse(&body(6), "the context has more than 5 attributes");
    }

    #[test]
    fn ten_thousand_attributes_are_read_in_no_time_where_they_are_allowed() {
        let members: Vec<String> = (0..10_000).map(|n| format!(r#""a{n}": {n}"#)).collect();
        let body = format!(r#"{{"context": {{{}}}}}"#, members.join(","));

        let sent = SentEvaluation::read(body.as_bytes(), 10_000).unwrap();

        assert_eq!(sent.attributes.len(), 10_000);
    }

    proptest! {
        #[test]
        fn any_bytes_can_be_tried(body in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = SentEvaluation::read(&body, LIMIT);
        }

        #[test]
        fn any_text_comes_through(name in "[^$]\\PC{0,8}", text in "\\PC{0,16}") {
            prop_assume!(name != TARGETING_KEY);
            let body = serde_json::json!({"context": {&name: &text}}).to_string();

            let sent = read(&body).unwrap();

            prop_assert_eq!(sent.attributes, vec![(name, Value::text(text))]);
        }
    }
}
