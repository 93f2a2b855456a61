//! The body of `identities/` as SDKs send it, read without building a tree of JSON first.
//!
//! Whatever has another shape (a number as identifier, a member sent twice or unknown, a `"yes"` for a boolean, …) is
//! left to [`Fields`](super::super::fields::Fields), which knows every coercion and every message: what is read here
//! means the same there.

use super::super::fields::Text;
use super::traits::check_value;
use flagstaff_core::{Identifier, Value};
use flagstaff_service::{Identification, SentTrait, TRAIT_KEY_LIMIT};
use flagstaff_wire::json::Scalar;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body<'a> {
    identifier: Option<String>,
    #[serde(borrow, default)]
    traits: Vec<Object<Trait<'a>>>,
    #[serde(default)]
    transient: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Trait<'a> {
    #[serde(borrow)]
    trait_key: Cow<'a, str>,
    trait_value: Scalar,
    #[serde(default)]
    transient: bool,
}

/// A struct that has to be an object: by itself, serde reads one from a list too.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Object<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(members)).map(Object)
    }
}

/// What the body says; `None` where it is for the general reader to judge.
pub(super) fn read(body: &[u8], limit: usize) -> Option<Identification> {
    let Object(body) = serde_json::from_slice::<Object<Body<'_>>>(body).ok()?;
    if body.traits.len() > limit {
        return None;
    }
    let identifier = match body.identifier {
        Some(text) => Some(
            Text::up_to(Identifier::LIMIT)
                .or_blank()
                .read(&text)
                .ok()?
                .to_owned(),
        ),
        None => None,
    };
    let traits = body.traits.into_iter().map(|Object(sent)| read_trait(sent));
    Some(Identification {
        identifier,
        traits: traits.collect::<Option<_>>()?,
        transient: body.transient,
    })
}

fn read_trait(sent: Trait<'_>) -> Option<SentTrait> {
    let key = Text::up_to(TRAIT_KEY_LIMIT).read(&sent.trait_key).ok()?;
    let value: Value = sent.trait_value.into();
    check_value(&value).ok()?;
    Some(SentTrait {
        key: key.into(),
        value,
        transient: sent.transient,
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::fields::Fields;
    use super::super::identities::read_identification;
    use super::read;

    const LIMIT: usize = 4;

    /// Whatever is read here means what the general reader makes of it.
    #[track_caller]
    fn check(body: &str, is_read: bool) {
        let quick = read(body.as_bytes(), LIMIT);
        let json = serde_json::from_str(body).unwrap_or_default();
        let general = Fields::read(&json, |fields| read_identification(fields, LIMIT));

        assert_eq!(quick.is_some(), is_read, "{body}");
        if let Some(quick) = quick {
            assert_eq!(quick, general.ok().unwrap(), "{body}");
        }
    }

    fn with_trait(members: &str) -> String {
        format!(r#"{{"identifier": "a", "traits": [{{{members}}}]}}"#)
    }

    #[test]
    fn bodies_as_sdks_send_them_are_read_at_once() {
        check("{}", true);
        check(r#"{"identifier": null}"#, true);
        check(r#"{"identifier": " a\u00e9\n ", "transient": true}"#, true);
        let values = [
            "null",
            "true",
            "-0",
            "42",
            "1.50",
            "-9223372036854775808",
            "18446744073709551615",
            "18446744073709551616",
            "1e400",
            "123456789012345678901234567890",
            r#""\"x\"""#,
        ];
        for value in values {
            let body = with_trait(&format!(r#""trait_key": " k ", "trait_value": {value}"#));
            check(&body, value != "1e400");
        }
    }

    #[test]
    fn everything_else_is_left_to_the_general_reader() {
        let long = "x".repeat(2001);
        let bodies = [
            r#"["a", [], true]"#.to_owned(),
            r#"{"identifier": 7}"#.to_owned(),
            r#"{"identifier": "a", "identifier": "b"}"#.to_owned(),
            r#"{"identifier": "a", "other": 1}"#.to_owned(),
            r#"{"identifier": "a\u0000"}"#.to_owned(),
            format!(r#"{{"identifier": "{long}"}}"#),
            r#"{"traits": null}"#.to_owned(),
            r#"{"traits": [["k", "v"]]}"#.to_owned(),
            r#"{"transient": "yes"}"#.to_owned(),
            format!(r#"{{"traits": [{}]}}"#, ["{}"; LIMIT + 1].join(",")),
            with_trait(r#""trait_key": "", "trait_value": 1"#),
            with_trait(r#""trait_key": "k""#),
            with_trait(r#""trait_key": "k", "trait_value": [1]"#),
            with_trait(r#""trait_key": "k", "trait_value": {"a": []}"#),
            with_trait(r#""trait_key": 1, "trait_value": 1"#),
            with_trait(&format!(r#""trait_key": "k", "trait_value": "{long}""#)),
            "".to_owned(),
            "{".to_owned(),
        ];
        for body in bodies {
            check(&body, false);
        }
    }
}
