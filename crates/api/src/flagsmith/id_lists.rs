//! Lists of ids in bodies and parameters.

use super::field_errors::FieldErrors;
use super::fields::{Fields, Need, Sent, read_row_id};
use super::scalar::{self, Integer};
use super::words;
use serde_json::Value as Json;
use std::borrow::Cow;

impl<'a> Fields<'a> {
    /// A list of the ids of rows; the first that can be none is named.
    pub(crate) fn row_ids(
        &mut self,
        name: &'static str,
        need: Need,
        limit: usize,
    ) -> Sent<Vec<i64>> {
        self.parsed(name, need, |fields, json| {
            let items = fields.items(name, json, limit)?;
            let ids: Result<Vec<_>, _> = items.iter().map(read_row_id).collect();
            ids.map_err(|problem| fields.fail(name, problem)).ok()
        })
    }

    /// A list of whole numbers; what is wrong with an item stands under its number.
    pub(crate) fn integers(
        &mut self,
        name: &'static str,
        need: Need,
        limit: usize,
    ) -> Sent<Vec<i64>> {
        self.parsed(name, need, |fields, json| {
            let items = fields.items(name, json, limit)?;
            let (mut numbers, mut errors) = (Vec::with_capacity(items.len()), Vec::new());
            for (position, item) in items.iter().enumerate() {
                match scalar::integer(item) {
                    Some(Integer::Fits(number)) => numbers.push(number),
                    Some(Integer::TooLow | Integer::TooHigh) | None => {
                        let error = FieldErrors::message(words::NOT_INTEGER);
                        errors.push((Cow::Owned(position.to_string()), error));
                    }
                }
            }
            if errors.is_empty() {
                return Some(numbers);
            }
            fields.fail_with(name, FieldErrors::Fields(errors));
            None
        })
    }

    /// Whole numbers in one text, with commas between; a text without any is `[]`.
    pub(crate) fn numbers_in_text(
        &mut self,
        name: &'static str,
        limit: usize,
        problem: &'static str,
    ) -> Option<Vec<i64>> {
        let text = self.json(name)?.as_str()?;
        if text.trim().is_empty() {
            return Some(Vec::new());
        }
        let numbers: Result<Vec<_>, _> = text.split(',').map(|part| part.trim().parse()).collect();
        match numbers {
            Ok(numbers) if numbers.len() <= limit => return Some(numbers),
            Ok(_) => self.fail(name, words::too_many(limit)),
            Err(_) => self.fail(name, problem),
        }
        None
    }

    fn items(&mut self, name: &'static str, json: &'a Json, limit: usize) -> Option<&'a [Json]> {
        match json {
            Json::Array(items) if items.len() <= limit => return Some(items),
            Json::Array(_) => self.fail(name, words::too_many(limit)),
            other => self.fail(name, words::no_list(scalar::kind(other))),
        }
        None
    }
}
