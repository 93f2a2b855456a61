//! What a caller says of who asks: a `google.protobuf.Struct`, read as OFREP's contexts are.
//!
//! Members that are objects are flattened (`{"user": {"plan": "pro"}}` is the attribute `user.plan`), lists are no
//! attributes and left out. A struct has no integers: a double without a fraction is what JSON would have written.

use flagstaff_core::Value;
use flagstaff_service::SentContext;
use flagstaff_wire::json::double_to_value;
use flagstaff_wire::ofrep::InvalidContext;
use prost_types::Struct;
use prost_types::value::Kind;
use std::collections::HashSet;

/// The member of a context that names the identity.
const TARGETING_KEY: &str = "targetingKey";

/// Reads a context; none at all is an empty one.
///
/// How deep it is nested was looked at when its message was read.
///
/// # Errors
/// A name that two members flatten to, a number that is not finite, and more than
/// `attribute_limit` attributes.
pub(super) fn sent_context(
    context: Option<Struct>,
    attribute_limit: usize,
) -> Result<SentContext, InvalidContext> {
    let mut reading = Reading {
        sent: SentContext::default(),
        names: HashSet::new(),
        attribute_limit,
    };
    let mut context = context.unwrap_or_default();
    if let Some(key) = context.fields.remove(TARGETING_KEY) {
        reading.sent.targeting_key = match key.kind {
            Some(Kind::StringValue(key)) => Some(key.into()),
            // Whatever is no text names nobody to flagd and to programs that evaluate for themselves.
            Some(
                Kind::NullValue(_)
                | Kind::NumberValue(_)
                | Kind::BoolValue(_)
                | Kind::StructValue(_)
                | Kind::ListValue(_),
            )
            | None => None,
        };
    }
    for (name, value) in context.fields {
        reading.add(name, value.kind)?;
    }
    Ok(reading.sent)
}

struct Reading {
    sent: SentContext,
    names: HashSet<String>,
    attribute_limit: usize,
}

impl Reading {
    fn add(&mut self, name: String, kind: Option<Kind>) -> Result<(), InvalidContext> {
        let value = match kind {
            Some(Kind::StructValue(members)) => return self.flatten(&name, members),
            Some(Kind::ListValue(_)) => return Ok(()),
            Some(Kind::NullValue(_)) | None => Value::Null,
            Some(Kind::BoolValue(value)) => Value::Boolean(value),
            Some(Kind::StringValue(text)) => Value::text(text),
            Some(Kind::NumberValue(number)) if number.is_finite() => double_to_value(number),
            Some(Kind::NumberValue(_)) => return Err(InvalidContext::NotFinite(name)),
        };
        if self.names.contains(&name) {
            return Err(InvalidContext::Twice(name));
        }
        if self.names.len() == self.attribute_limit {
            return Err(InvalidContext::TooMany(self.attribute_limit));
        }
        self.sent.insert(&name, value);
        self.names.insert(name);
        Ok(())
    }

    fn flatten(&mut self, name: &str, members: Struct) -> Result<(), InvalidContext> {
        for (member, value) in members.fields {
            self.add(format!("{name}.{member}"), value.kind)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(kind: Kind) -> prost_types::Value {
        prost_types::Value { kind: Some(kind) }
    }

    fn object<const N: usize>(members: [(&str, Kind); N]) -> Struct {
        let members = members.into_iter();
        Struct {
            fields: members
                .map(|(name, kind)| (name.to_owned(), value(kind)))
                .collect(),
        }
    }

    fn text(text: &str) -> Kind {
        Kind::StringValue(text.to_owned())
    }

    fn expected(key: Option<&str>, attributes: &[(&str, Value)]) -> SentContext {
        let mut sent = SentContext::default();
        sent.targeting_key = key.map(Into::into);
        for (name, value) in attributes {
            sent.insert(name, value.clone());
        }
        sent
    }

    #[track_caller]
    fn check(context: Struct, key: Option<&str>, attributes: &[(&str, Value)]) {
        let sent = sent_context(Some(context), 10).unwrap();
        assert_eq!(sent, expected(key, attributes));
    }

    #[test]
    fn nobody_says_nothing() {
        assert_eq!(sent_context(None, 10).unwrap(), SentContext::default());
        check(Struct::default(), None, &[]);
        check(object([("targetingKey", Kind::NullValue(0))]), None, &[]);
        check(object([("targetingKey", text("u1"))]), Some("u1"), &[]);
        check(
            object([("targetingKey", Kind::NumberValue(7.0))]),
            None,
            &[],
        );
        check(object([("targetingKey", Kind::BoolValue(true))]), None, &[]);
    }

    #[test]
    fn numbers_are_what_json_would_have_written() {
        let number = |number: f64, value: Value| {
            check(
                object([("a", Kind::NumberValue(number))]),
                None,
                &[("a", value)],
            );
        };

        number(5.0, Value::Integer(5));
        number(-0.0, Value::Integer(0));
        number(1.5, Value::Float(1.5));
        number(
            9_007_199_254_740_992.0,
            Value::Integer(9_007_199_254_740_992),
        );
        number(1e20, Value::BigInteger("100000000000000000000".into()));
        number(-1e20, Value::BigInteger("-100000000000000000000".into()));
        number(1e21, Value::Float(1e21));
        for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let refused = sent_context(Some(object([("a", Kind::NumberValue(number))])), 10);
            assert_eq!(
                refused.unwrap_err(),
                InvalidContext::NotFinite("a".to_owned())
            );
        }
    }

    #[test]
    fn objects_are_flattened_lists_left_out_and_dollar_names_dropped() {
        let inner = object([
            ("plan", text("pro")),
            ("list", Kind::ListValue(prost_types::ListValue::default())),
        ]);
        let context = object([
            ("user", Kind::StructValue(inner)),
            ("$flagd", text("x")),
            ("none", Kind::NullValue(0)),
        ]);

        check(
            context,
            None,
            &[("none", Value::Null), ("user.plan", Value::text("pro"))],
        );
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        let refuse = |context: Struct, problem: &str| {
            let refused = sent_context(Some(context), 2).unwrap_err();
            assert_eq!(refused.to_string(), problem);
        };

        refuse(
            object([
                ("a.b", Kind::BoolValue(true)),
                (
                    "a",
                    Kind::StructValue(object([("b", Kind::BoolValue(true))])),
                ),
            ]),
            "`a.b` is given twice",
        );
        refuse(
            object([("a", text("")), ("b", text("")), ("c", text(""))]),
            "the context has more than 2 attributes",
        );
    }
}
