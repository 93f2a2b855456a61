//! Reading the fields of a body; what is wrong is collected and answered together.

use super::error::Failure;
use super::field_errors::FieldErrors;
use super::scalar::{self, Integer};
use super::words;
use serde_json::{Map, Value as Json};
use std::borrow::Cow;

/// Whether a field has to be there, and whether it may be `null`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    Required,
    RequiredOrNull,
    Optional,
    OptionalOrNull,
}

/// What was sent for a field. A field with an error is absent.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Sent<T> {
    Absent,
    Null,
    Given(T),
}

impl<T> Sent<T> {
    /// The value, where there is one.
    pub(crate) fn value(self) -> Option<T> {
        match self {
            Self::Given(value) => Some(value),
            Self::Absent | Self::Null => None,
        }
    }

    /// `None` when nothing was sent, `Some(None)` for `null`.
    pub(crate) fn change(self) -> Option<Option<T>> {
        match self {
            Self::Given(value) => Some(Some(value)),
            Self::Null => Some(None),
            Self::Absent => None,
        }
    }

    /// The value, or the type's default: for required fields, whose absence is an error already.
    pub(crate) fn or_default(self) -> T
    where
        T: Default,
    {
        self.value().unwrap_or_default()
    }
}

/// What a text may be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Text {
    limit: usize,
    takes_blank: bool,
    trims: bool,
}

impl Text {
    /// A text of 1 to `limit` characters; white space around it is taken away.
    pub(crate) const fn up_to(limit: usize) -> Self {
        Self {
            limit,
            takes_blank: false,
            trims: true,
        }
    }

    /// The same, or empty.
    pub(crate) const fn or_blank(self) -> Self {
        Self {
            takes_blank: true,
            ..self
        }
    }

    /// The same with its white space.
    pub(crate) const fn untrimmed(self) -> Self {
        Self {
            trims: false,
            ..self
        }
    }

    /// The text, or everything that is wrong with it.
    pub(crate) fn read(self, text: &str) -> Result<&str, Vec<Cow<'static, str>>> {
        let text = if self.trims { scalar::trim(text) } else { text };
        if text.is_empty() && !self.takes_blank {
            return Err(vec![words::BLANK.into()]);
        }
        let mut problems: Vec<Cow<'static, str>> = Vec::new();
        if text.len() > self.limit && text.chars().count() > self.limit {
            problems.push(words::too_long(self.limit).into());
        }
        if text.contains('\0') {
            problems.push(words::NUL.into());
        }
        if problems.is_empty() {
            Ok(text)
        } else {
            Err(problems)
        }
    }
}

/// An object that is being read.
pub(crate) struct Fields<'a> {
    members: &'a Map<String, Json>,
    errors: Vec<(Cow<'static, str>, FieldErrors)>,
}

impl<'a> Fields<'a> {
    /// Reads a whole body, which has to be an object.
    pub(crate) fn read<T>(body: &'a Json, read: impl FnOnce(&mut Self) -> T) -> Result<T, Failure> {
        Self::read_nested(body, read).map_err(Failure::Invalid)
    }

    /// The same for an object within a body.
    pub(crate) fn read_nested<T>(
        json: &'a Json,
        read: impl FnOnce(&mut Self) -> T,
    ) -> Result<T, FieldErrors> {
        let members = match json {
            Json::Object(members) => members,
            Json::Null => return Err(FieldErrors::of_no_field(words::NO_BODY)),
            other => {
                let text = words::no_object(scalar::kind(other));
                return Err(FieldErrors::of_no_field(text));
            }
        };
        let mut fields = Self {
            members,
            errors: Vec::new(),
        };
        let value = read(&mut fields);
        if fields.errors.is_empty() {
            Ok(value)
        } else {
            Err(FieldErrors::Fields(fields.errors))
        }
    }

    /// A field as it was sent.
    pub(crate) fn json(&self, name: &str) -> Option<&'a Json> {
        self.members.get(name)
    }

    /// Adds an error to a field.
    pub(crate) fn fail(&mut self, name: &'static str, text: impl Into<Cow<'static, str>>) {
        let text = text.into();
        let known = self.errors.iter_mut().find(|(each, _)| each == name);
        match known {
            Some((_, FieldErrors::Messages(messages))) => messages.push(text),
            Some(_) | None => self.fail_with(name, FieldErrors::message(text)),
        }
    }

    /// Adds errors that lie deeper than the field.
    pub(crate) fn fail_with(&mut self, name: &'static str, errors: FieldErrors) {
        self.errors.push((Cow::Borrowed(name), errors));
    }

    /// Any JSON.
    pub(crate) fn any(&mut self, name: &'static str, need: Need) -> Sent<&'a Json> {
        match (self.members.get(name), need) {
            (None, Need::Required | Need::RequiredOrNull) => self.fail(name, words::REQUIRED),
            (None, Need::Optional | Need::OptionalOrNull) => {}
            (Some(Json::Null), Need::Required | Need::Optional) => self.fail(name, words::NULL),
            (Some(Json::Null), Need::RequiredOrNull | Need::OptionalOrNull) => return Sent::Null,
            (Some(json), _) => return Sent::Given(json),
        }
        Sent::Absent
    }

    pub(super) fn parsed<T>(
        &mut self,
        name: &'static str,
        need: Need,
        parse: impl FnOnce(&mut Self, &'a Json) -> Option<T>,
    ) -> Sent<T> {
        match self.any(name, need) {
            Sent::Given(json) => parse(self, json).map_or(Sent::Absent, Sent::Given),
            Sent::Null => Sent::Null,
            Sent::Absent => Sent::Absent,
        }
    }

    /// A text.
    pub(crate) fn text(&mut self, name: &'static str, need: Need, rule: Text) -> Sent<String> {
        self.parsed(name, need, |fields, json| match read_text(json, rule) {
            Ok(text) => Some(text),
            Err(problems) => {
                for problem in problems {
                    fields.fail(name, problem);
                }
                None
            }
        })
    }

    /// A boolean, in any of its spellings.
    pub(crate) fn boolean(&mut self, name: &'static str, need: Need) -> Sent<bool> {
        self.parsed(name, need, |fields, json| {
            let boolean = scalar::boolean(json);
            if boolean.is_none() {
                fields.fail(name, words::NOT_BOOLEAN);
            }
            boolean
        })
    }

    /// A whole number from `least` to `most`.
    pub(crate) fn integer(
        &mut self,
        name: &'static str,
        need: Need,
        least: i64,
        most: i64,
    ) -> Sent<i64> {
        self.parsed(name, need, |fields, json| {
            match scalar::integer(json) {
                None => fields.fail(name, words::NOT_INTEGER),
                Some(Integer::Fits(number)) if (least..=most).contains(&number) => {
                    return Some(number);
                }
                Some(Integer::Fits(number)) if number > most => {
                    fields.fail(name, words::too_high(most));
                }
                Some(Integer::TooHigh) => fields.fail(name, words::too_high(most)),
                Some(Integer::Fits(_) | Integer::TooLow) => {
                    fields.fail(name, words::too_low(least));
                }
            }
            None
        })
    }

    /// A finite number.
    pub(crate) fn number(&mut self, name: &'static str, need: Need) -> Sent<f64> {
        self.parsed(name, need, |fields, json| {
            let number = scalar::number(json);
            if number.is_none() {
                fields.fail(name, words::NOT_NUMBER);
            }
            number
        })
    }

    /// The id of a row.
    pub(crate) fn row_id(&mut self, name: &'static str, need: Need) -> Sent<i64> {
        self.parsed(name, need, |fields, json| {
            let id = read_row_id(json);
            id.map_err(|problem| fields.fail(name, problem)).ok()
        })
    }

    /// One of a few words.
    pub(crate) fn choice<T: Copy>(
        &mut self,
        name: &'static str,
        need: Need,
        choices: &[(&str, T)],
    ) -> Sent<T> {
        self.parsed(name, need, |fields, json| {
            let word = match json {
                Json::String(word) => word.clone(),
                other => flagstaff_wire::python::text(other),
            };
            let chosen = choices.iter().find(|(known, _)| *known == word);
            if chosen.is_none() {
                fields.fail(name, words::no_choice(&word));
            }
            chosen.map(|(_, meaning)| *meaning)
        })
    }

    /// An object.
    pub(crate) fn object<T>(
        &mut self,
        name: &'static str,
        need: Need,
        read: impl FnOnce(&mut Fields<'a>) -> T,
    ) -> Sent<T> {
        self.parsed(name, need, |fields, json| {
            let result = Fields::read_nested(json, read);
            result.map_err(|errors| fields.fail_with(name, errors)).ok()
        })
    }

    /// A list of objects; a broken one leaves its place in the list of errors.
    pub(crate) fn list<T>(
        &mut self,
        name: &'static str,
        need: Need,
        limit: usize,
        read: impl FnMut(&mut Fields<'a>) -> T,
    ) -> Sent<Vec<T>> {
        self.parsed(name, need, |fields, json| {
            let items = match json {
                Json::Array(items) => items,
                other => {
                    let text = words::no_list(scalar::kind(other));
                    fields.fail_with(name, FieldErrors::of_no_field(text));
                    return None;
                }
            };
            let result = read_items(items, limit, read);
            result.map_err(|errors| fields.fail_with(name, errors)).ok()
        })
    }
}

/// Reads a list of objects.
pub(crate) fn read_items<'a, T>(
    items: &'a [Json],
    limit: usize,
    mut read: impl FnMut(&mut Fields<'a>) -> T,
) -> Result<Vec<T>, FieldErrors> {
    if items.len() > limit {
        return Err(FieldErrors::of_no_field(words::too_many(limit)));
    }
    let (mut values, mut errors) = (Vec::with_capacity(items.len()), Vec::new());
    for item in items {
        match Fields::read_nested(item, &mut read) {
            Ok(value) => {
                values.push(value);
                errors.push(FieldErrors::Fields(Vec::new()));
            }
            Err(error) => errors.push(error),
        }
    }
    let errors = FieldErrors::Items(errors);
    if errors.is_empty() {
        Ok(values)
    } else {
        Err(errors)
    }
}

/// Reads the id of a row.
pub(super) fn read_row_id(json: &Json) -> Result<i64, String> {
    match scalar::integer(json) {
        Some(Integer::Fits(id)) => Ok(id),
        Some(Integer::TooLow | Integer::TooHigh) => {
            let digits = scalar::text(json).unwrap_or_default();
            Err(words::no_such_row(digits))
        }
        None => Err(words::no_row_id(scalar::kind(json))),
    }
}

fn read_text(json: &Json, rule: Text) -> Result<String, Vec<Cow<'static, str>>> {
    let Some(text) = scalar::text(json) else {
        return Err(vec![words::NOT_TEXT.into()]);
    };
    rule.read(&text).map(str::to_owned)
}
