//! Sentences that clients of the original compare with, as recorded; and ours, where it had none.

use std::borrow::Cow;

pub(crate) const REQUIRED: &str = "This field is required.";
pub(crate) const NULL: &str = "This field may not be null.";
pub(crate) const BLANK: &str = "This field may not be blank.";
pub(crate) const NOT_TEXT: &str = "Not a valid string.";
pub(crate) const NOT_BOOLEAN: &str = "Must be a valid boolean.";
pub(crate) const NOT_INTEGER: &str = "A valid integer is required.";
pub(crate) const NOT_NUMBER: &str = "A valid number is required.";
pub(crate) const NUL: &str = "Null characters are not allowed.";
pub(crate) const EMPTY_LIST: &str = "This list may not be empty.";
pub(crate) const NO_BODY: &str = "No data provided";
pub(crate) const VALUE_TOO_LONG: &str =
    "Value string is too long. Must be less than 2000 character";
pub(crate) const CLIENT_TRAITS: &str = "Setting traits not allowed with client key.";
pub(crate) const NO_FEATURE: &str = "Given feature not found";

pub(crate) fn too_long(limit: usize) -> String {
    format!("Ensure this field has no more than {limit} characters.")
}

pub(crate) fn too_many(limit: usize) -> String {
    format!("Ensure this field has no more than {limit} elements.")
}

pub(crate) fn too_low(least: i64) -> String {
    format!("Ensure this value is greater than or equal to {least}.")
}

pub(crate) fn too_high(most: i64) -> String {
    format!("Ensure this value is less than or equal to {most}.")
}

pub(crate) fn no_choice(word: &str) -> String {
    format!("\"{word}\" is not a valid choice.")
}

pub(crate) fn no_object(kind: &str) -> String {
    format!("Invalid data. Expected a dictionary, but got {kind}.")
}

pub(crate) fn no_list(kind: &str) -> String {
    format!("Expected a list of items but got type \"{kind}\".")
}

pub(crate) fn no_such_row(id: impl std::fmt::Display) -> String {
    format!("Invalid pk \"{id}\" - object does not exist.")
}

pub(crate) fn no_row_id(kind: &str) -> String {
    format!("Incorrect type. Expected pk value, received {kind}.")
}

/// What is said of a lookup that found nothing; `model` is the original's word for the noun.
pub(crate) fn no_match(model: &str) -> Cow<'static, str> {
    format!("No {model} matches the given query.").into()
}

/// What the product says, as a sentence.
pub(crate) fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(char::to_uppercase);
    let mut sentence: String = first.into_iter().flatten().collect();
    sentence.push_str(characters.as_str());
    sentence.push('.');
    sentence
}
