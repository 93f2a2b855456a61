//! Turns what was given for a table into its struct. Text from the environment takes the type of its field.

use super::layers::Origin;
use serde::de::{self, DeserializeOwned, DeserializeSeed, Deserializer, MapAccess, Visitor};
use std::collections::{BTreeMap, btree_map};
use std::fmt;
use std::path::PathBuf;

/// One setting as it was given.
#[derive(Clone)]
pub(crate) struct Given {
    pub(super) origin: Origin,
    value: Written,
}

/// Values are not shown: one of them may be a secret.
impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Given({})", self.origin)
    }
}

#[derive(Clone)]
enum Written {
    /// In a file, with a type of its own.
    Toml(toml::Value),
    /// In a variable or option, where all is text.
    Text(String),
}

impl Given {
    pub(super) fn from_toml(value: toml::Value, origin: Origin) -> Self {
        let value = Written::Toml(value);
        Self { origin, value }
    }

    pub(super) fn from_text(text: &str, origin: Origin) -> Self {
        let value = Written::Text(text.to_owned());
        Self { origin, value }
    }

    /// The name of a file.
    pub(super) fn into_path(self) -> Result<PathBuf, String> {
        match self.value {
            Written::Text(text) | Written::Toml(toml::Value::String(text)) => Ok(text.into()),
            Written::Toml(_) => Err("is not the name of a file".to_owned()),
        }
    }
}

/// Why a table's struct cannot be made.
#[derive(Debug)]
pub(super) enum TableProblem {
    /// The struct has no such field.
    Unknown {
        field: String,
        expected: &'static [&'static str],
    },
    /// The field cannot have this value.
    Invalid {
        field: String,
        origin: Option<Origin>,
        problem: String,
    },
}

impl fmt::Display for TableProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { field, .. } => write!(f, "unknown field {field}"),
            Self::Invalid { problem, .. } => f.write_str(problem),
        }
    }
}

impl std::error::Error for TableProblem {}

impl de::Error for TableProblem {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Invalid {
            field: String::new(),
            origin: None,
            problem: message.to_string().trim_end().to_owned(),
        }
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::Unknown {
            field: field.to_owned(),
            expected,
        }
    }
}

/// Makes the struct of a table.
pub(super) fn deserialize_table<T: DeserializeOwned>(
    fields: BTreeMap<String, Given>,
) -> Result<T, TableProblem> {
    T::deserialize(de::value::MapAccessDeserializer::new(Table {
        rest: fields.into_iter(),
        next: None,
    }))
}

/// A table on its way into a struct.
struct Table {
    rest: btree_map::IntoIter<String, Given>,
    next: Option<(String, Given)>,
}

impl<'de> MapAccess<'de> for Table {
    type Error = TableProblem;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, TableProblem> {
        self.next = self.rest.next();
        match &self.next {
            Some((field, _)) => seed
                .deserialize(de::value::StrDeserializer::new(field))
                .map(Some),
            None => Ok(None),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, TableProblem> {
        let Some((field, given)) = self.next.take() else {
            return Err(de::Error::custom("value before its field"));
        };
        let origin = given.origin.clone();
        // A field's own type knows neither its name nor where it was given.
        seed.deserialize(Field(given.value))
            .map_err(|error| TableProblem::Invalid {
                field,
                origin: Some(origin),
                problem: error.to_string(),
            })
    }
}

/// A field's value on its way into the struct.
struct Field(Written);

/// Reads text as what the field asks for.
fn parse<T: std::str::FromStr>(text: &str, what: &str) -> Result<T, TableProblem> {
    text.trim()
        .parse()
        .map_err(|_| de::Error::custom(format!("is not {what}")))
}

/// Methods for numbers: a TOML value goes as it is, text is parsed as what is asked for.
macro_rules! parsed {
    ($($method:ident $visit:ident $what:literal),* $(,)?) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TableProblem> {
            match &self.0 {
                Written::Text(text) => visitor.$visit(parse(text, $what)?),
                Written::Toml(_) => self.deserialize_any(visitor),
            }
        }
    )*};
}

fn visit_toml<'de, V: Visitor<'de>>(
    value: toml::Value,
    visitor: V,
) -> Result<V::Value, TableProblem> {
    value
        .deserialize_any(visitor)
        .map_err(|error| de::Error::custom(error.message()))
}

impl<'de> Deserializer<'de> for Field {
    type Error = TableProblem;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TableProblem> {
        match self.0 {
            Written::Text(text) => visitor.visit_string(text),
            Written::Toml(value) => visit_toml(value, visitor),
        }
    }

    parsed! {
        deserialize_bool visit_bool "`true` or `false`",
        deserialize_u16 visit_u16 "a whole number from 0 to 65535",
        deserialize_u32 visit_u32 "a whole number from 0 to 4294967295",
        deserialize_u64 visit_u64 "a whole number from 0",
        deserialize_i64 visit_i64 "a whole number",
        deserialize_f64 visit_f64 "a number",
    }

    /// An empty variable is as good as none.
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TableProblem> {
        match &self.0 {
            Written::Text(text) if text.is_empty() => visitor.visit_none(),
            Written::Text(_) | Written::Toml(_) => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, TableProblem> {
        visitor.visit_newtype_struct(self)
    }

    /// A list in a variable is separated by commas.
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TableProblem> {
        match self.0 {
            Written::Text(text) => {
                let parts = text.split(',').map(str::trim);
                let list = parts
                    .filter(|part| !part.is_empty())
                    .map(|part| toml::Value::String(part.to_owned()))
                    .collect();
                visit_toml(toml::Value::Array(list), visitor)
            }
            Written::Toml(value) => visit_toml(value, visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, TableProblem> {
        let (Written::Text(text) | Written::Toml(toml::Value::String(text))) = self.0 else {
            return Err(de::Error::custom("is not a text"));
        };
        if !variants.contains(&text.as_str()) {
            let problem = format!("is none of {}", variants.join(", "));
            return Err(de::Error::custom(problem));
        }
        de::value::StringDeserializer::new(text).deserialize_enum(name, variants, visitor)
    }

    serde::forward_to_deserialize_any! {
        i8 i16 i32 i128 u8 u128 f32 char str string bytes byte_buf unit unit_struct tuple
        tuple_struct map struct identifier ignored_any
    }
}
