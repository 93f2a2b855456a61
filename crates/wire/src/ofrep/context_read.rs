//! Reads an evaluation context without building a tree of JSON first.

use super::context::{InvalidContext, SentEvaluation, TARGETING_KEY};
use crate::json::{double_to_value, number_to_value};
use flagstaff_core::Value;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

/// How serde_json names a number that comes with all its digits. An object with this member reads as a number too.
const NUMBER: &str = "$serde_json::private::Number";
/// Up to so many names are searched one by one.
const LINEAR_LIMIT: usize = 16;

/// What was read so far, and why it cannot go on.
pub(super) struct Reading {
    pub(super) sent: SentEvaluation,
    pub(super) problem: Option<InvalidContext>,
    attribute_limit: usize,
    /// The same names as in `sent`, where there are many.
    names: HashSet<String>,
    has_targeting_key: bool,
}

impl Reading {
    pub(super) fn new(attribute_limit: usize) -> Self {
        Self {
            sent: SentEvaluation::default(),
            problem: None,
            attribute_limit,
            names: HashSet::new(),
            has_targeting_key: false,
        }
    }

    fn fail<E: Error>(&mut self, problem: InvalidContext) -> E {
        self.problem = Some(problem);
        E::custom("an invalid context")
    }

    fn type_failure<E: Error>(&mut self, place: &'static str, expected: &'static str) -> E {
        self.fail(InvalidContext::Type { place, expected })
    }

    fn add<E: Error>(&mut self, name: String, value: Value) -> Result<(), E> {
        let value = match value {
            Value::Float(float) if float.is_finite() => double_to_value(float),
            Value::Float(_) => return Err(self.fail(InvalidContext::NotFinite(name))),
            Value::Null
            | Value::Boolean(_)
            | Value::Integer(_)
            | Value::BigInteger(_)
            | Value::Text(_) => value,
        };
        if self.has(&name) {
            return Err(self.fail(InvalidContext::Twice(name)));
        }
        if self.sent.attributes.len() == self.attribute_limit {
            return Err(self.fail(InvalidContext::TooMany(self.attribute_limit)));
        }
        self.sent.attributes.push((name, value));
        Ok(())
    }

    fn has(&mut self, name: &str) -> bool {
        let attributes = &self.sent.attributes;
        if attributes.len() < LINEAR_LIMIT {
            return attributes.iter().any(|(each, _)| each == name);
        }
        if self.names.is_empty() {
            self.names = attributes.iter().map(|(each, _)| each.clone()).collect();
        }
        !self.names.insert(name.to_owned())
    }
}

/// Reads the whole body.
pub(super) struct BodyReader<'r>(pub(super) &'r mut Reading);

/// Reads the value of `context`.
struct ContextReader<'r>(&'r mut Reading);

/// Reads the value of `targetingKey`.
struct KeyReader<'r>(&'r mut Reading);

/// Reads the value of any other member.
struct AttributeReader<'r> {
    reading: &'r mut Reading,
    name: String,
}

/// Makes the rest of a visitor for a place where one type is expected: whatever else comes fails with its name.
macro_rules! refuse_others {
    ($place:literal, $expected:literal, [$($other:ident($type:ty)),*]) => {
        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str($expected)
        }

        $(fn $other<E: Error>(self, _: $type) -> Result<(), E> {
            Err(self.0.type_failure($place, $expected))
        })*

        fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<(), A::Error> {
            Err(self.0.type_failure($place, $expected))
        }
    };
}

impl<'de> DeserializeSeed<'de> for BodyReader<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for BodyReader<'_> {
    type Value = ();

    refuse_others!(
        "the body",
        "an object",
        [
            visit_bool(bool),
            visit_i64(i64),
            visit_u64(u64),
            visit_f64(f64),
            visit_str(&str)
        ]
    );

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut has_context = false;
        while let Some(name) = members.next_key::<Cow<'de, str>>()? {
            match &*name {
                "context" if has_context => {
                    return Err(self.0.fail(InvalidContext::Twice(name.into_owned())));
                }
                "context" => {
                    has_context = true;
                    members.next_value_seed(ContextReader(self.0))?;
                }
                NUMBER => return Err(self.0.type_failure("the body", "an object")),
                _ => drop(members.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for ContextReader<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ContextReader<'_> {
    type Value = ();

    refuse_others!(
        "`context`",
        "an object",
        [
            visit_bool(bool),
            visit_i64(i64),
            visit_u64(u64),
            visit_f64(f64),
            visit_str(&str)
        ]
    );

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(name) = members.next_key::<Cow<'de, str>>()? {
            match &*name {
                TARGETING_KEY if self.0.has_targeting_key => {
                    return Err(self.0.fail(InvalidContext::Twice(name.into_owned())));
                }
                TARGETING_KEY => {
                    self.0.has_targeting_key = true;
                    members.next_value_seed(KeyReader(self.0))?;
                }
                NUMBER => return Err(self.0.type_failure("`context`", "an object")),
                _ => members.next_value_seed(AttributeReader {
                    reading: self.0,
                    name: name.into_owned(),
                })?,
            }
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for KeyReader<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for KeyReader<'_> {
    type Value = ();

    refuse_others!(
        "`targetingKey`",
        "a text",
        [
            visit_bool(bool),
            visit_i64(i64),
            visit_u64(u64),
            visit_f64(f64)
        ]
    );

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.0.sent.targeting_key = Some(text.to_owned());
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        Err(self.0.type_failure("`targetingKey`", "a text"))
    }
}

impl<'de> DeserializeSeed<'de> for AttributeReader<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for AttributeReader<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an attribute")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.reading.add(self.name, Value::Null)
    }

    fn visit_bool<E: Error>(self, boolean: bool) -> Result<(), E> {
        self.reading.add(self.name, Value::Boolean(boolean))
    }

    fn visit_i64<E: Error>(self, integer: i64) -> Result<(), E> {
        self.reading.add(self.name, Value::Integer(integer))
    }

    fn visit_u64<E: Error>(self, integer: u64) -> Result<(), E> {
        let value = i64::try_from(integer).map(Value::Integer);
        let value = value.unwrap_or_else(|_| Value::BigInteger(integer.to_string().into()));
        self.reading.add(self.name, value)
    }

    fn visit_f64<E: Error>(self, float: f64) -> Result<(), E> {
        self.reading.add(self.name, Value::Float(float))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.reading.add(self.name, Value::text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        self.reading.sent.dropped += 1;
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    /// An object, or a number with all its digits.
    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(name) = members.next_key::<Cow<'de, str>>()? {
            if name == NUMBER {
                let digits = members.next_value::<String>()?;
                self.reading
                    .add(self.name.clone(), number_to_value(&digits))?;
            } else {
                members.next_value_seed(AttributeReader {
                    reading: self.reading,
                    name: format!("{}.{name}", self.name),
                })?;
            }
        }
        Ok(())
    }
}
