//! What is wrong with a body, laid out as the body is.

use serde::ser::{Serialize, SerializeMap as _, Serializer};
use std::borrow::Cow;

/// The member that holds what is wrong with no field in particular.
pub(crate) const NON_FIELD: &str = "non_field_errors";

/// Errors of one place in a body, or of everything below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FieldErrors {
    /// `["…"]`
    Messages(Vec<Cow<'static, str>>),
    /// `"…"`, which a few places of the original answer instead of a list.
    Bare(Cow<'static, str>),
    /// `{"field": …}`; empty for an item of a list that nothing is wrong with.
    Fields(Vec<(Cow<'static, str>, Self)>),
    /// `[…]`, one for each item of a list.
    Items(Vec<Self>),
}

impl FieldErrors {
    /// One message.
    pub(crate) fn message(text: impl Into<Cow<'static, str>>) -> Self {
        Self::Messages(vec![text.into()])
    }

    /// One message about one field.
    pub(crate) fn of_field(
        field: impl Into<Cow<'static, str>>,
        text: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::message(text).under(field)
    }

    /// One message about no field in particular.
    pub(crate) fn of_no_field(text: impl Into<Cow<'static, str>>) -> Self {
        Self::of_field(NON_FIELD, text)
    }

    /// These errors as those of one field.
    pub(crate) fn under(self, field: impl Into<Cow<'static, str>>) -> Self {
        Self::Fields(vec![(field.into(), self)])
    }

    /// True where nothing is wrong.
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::Messages(messages) => messages.is_empty(),
            Self::Bare(_) => false,
            Self::Fields(fields) => fields.is_empty(),
            Self::Items(items) => items.iter().all(Self::is_empty),
        }
    }
}

impl Serialize for FieldErrors {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Messages(messages) => messages.serialize(serializer),
            Self::Bare(message) => serializer.serialize_str(message),
            Self::Items(items) => items.serialize(serializer),
            Self::Fields(fields) => {
                let mut map = serializer.serialize_map(Some(fields.len()))?;
                for (name, errors) in fields {
                    map.serialize_entry(name, errors)?;
                }
                map.end()
            }
        }
    }
}
