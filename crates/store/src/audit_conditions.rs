//! Conditions of a question to the audit log, made as they are needed.

use crate::text::{CHUNK, contains_pattern};
use flagstaff_core::fold;
use std::fmt::Write as _;

/// What a parameter is bound to.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Number(i64),
    Text(String),
}

/// Conditions joined by `AND`, with what they bind.
#[derive(Debug, Default)]
pub(crate) struct Conditions {
    pub(crate) sql: String,
    pub(crate) values: Vec<Value>,
}

impl Conditions {
    pub(crate) fn and(&mut self, condition: &str) -> &mut Self {
        if !self.sql.is_empty() {
            self.sql.push_str(" AND ");
        }
        self.sql.push_str(condition);
        self
    }

    /// Adds a condition that ends before its parameter.
    pub(crate) fn and_number(&mut self, condition: &str, number: i64) -> &mut Self {
        self.values.push(Value::Number(number));
        let place = self.values.len();
        self.and(&format!("{condition} ${place}"))
    }

    pub(crate) fn and_text(&mut self, condition: &str, text: String) -> &mut Self {
        self.values.push(Value::Text(text));
        let place = self.values.len();
        self.and(&format!("{condition} ${place}"))
    }

    pub(crate) fn and_words(&mut self, search: &str) -> &mut Self {
        self.and_text("words_folded LIKE", contains_pattern(&fold(search)));
        self.sql.push_str(r" ESCAPE '\'");
        self
    }

    /// `column IN (…)`; the numbers are ours, so they stand there as they are.
    pub(crate) fn among(column: &str, ids: impl Iterator<Item = i64>) -> String {
        let mut list = format!("{column} IN (");
        for (position, id) in ids.take(CHUNK).enumerate() {
            let comma = if position > 0 { ", " } else { "" };
            // Writing to a string cannot fail.
            let _ = write!(list, "{comma}{id}");
        }
        list.push(')');
        list
    }
}

/// Binds values in their order.
macro_rules! bind_values {
    ($query:expr, $values:expr) => {{
        let mut query = $query;
        for value in $values {
            query = match value {
                $crate::audit_conditions::Value::Number(number) => query.bind(*number),
                $crate::audit_conditions::Value::Text(text) => query.bind(text.as_str()),
            };
        }
        query
    }};
}
pub(crate) use bind_values;
