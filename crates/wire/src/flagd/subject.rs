//! What a condition looks at, and what flagd's clients can be asked about its type.
//!
//! Every test here gives the same answer in the JavaScript, Python, Rust and Go evaluators, and raises an error
//! in none: `cat` makes text of anything, `===` is true only of equal types.

use super::logic::{and, not, operation, or, variable};
use flagstaff_core::FlagdForm;
use serde_json::{Value as Json, json};

/// The attribute that flagd's clients keep the caller's identifier in.
pub(super) const TARGETING_KEY: &str = "targetingKey";

/// Both spellings that `cat` gives booleans: JavaScript's and Rust's, and Python's.
const BOOLEANS: [&str; 4] = ["true", "True", "false", "False"];

/// Where a condition finds its value in a flagd context.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Subject {
    /// The attribute of this name.
    Attribute(String),
    /// The caller's identifier.
    Identifier,
    /// What the caller is hashed by: this, followed by the identifier.
    HashKey(String),
}

impl Subject {
    /// The value itself, whatever its type.
    pub(super) fn value(&self) -> Json {
        match self {
            Self::Attribute(name) => variable(name),
            Self::Identifier => variable(TARGETING_KEY),
            Self::HashKey(start) => json!({"cat": [start, variable(TARGETING_KEY)]}),
        }
    }

    /// The value as text.
    pub(super) fn text(&self) -> Json {
        match self {
            Self::HashKey(_) => self.value(),
            Self::Attribute(_) | Self::Identifier => json!({"cat": [self.value()]}),
        }
    }

    /// The value's text behind a salt: what percentages are hashed by.
    pub(super) fn salted(&self, salt: String) -> Json {
        match self {
            Self::HashKey(start) => {
                json!({"cat": [salt + start, variable(TARGETING_KEY)]})
            }
            Self::Attribute(_) | Self::Identifier => json!({"cat": [salt, self.value()]}),
        }
    }

    pub(super) fn is_set(&self) -> Json {
        match self {
            // Only `!==`: `null != 0` is false.
            Self::Attribute(_) => json!({"!==": [self.value(), null]}),
            // An empty identifier is none.
            Self::Identifier | Self::HashKey(_) => operation("!!", vec![variable(TARGETING_KEY)]),
        }
    }

    pub(super) fn is_not_set(&self) -> Json {
        match self {
            Self::Attribute(_) => json!({"===": [self.value(), null]}),
            Self::Identifier | Self::HashKey(_) => not(variable(TARGETING_KEY)),
        }
    }

    pub(super) fn is_text(&self) -> Json {
        match self {
            Self::HashKey(_) => self.is_set(),
            Self::Attribute(_) | Self::Identifier => {
                json!({"===": [self.text(), self.value()]})
            }
        }
    }

    /// True for this boolean, not for its text.
    pub(super) fn is_boolean(&self, boolean: bool) -> Json {
        let spellings = if boolean {
            &BOOLEANS[..2]
        } else {
            &BOOLEANS[2..]
        };
        and(vec![
            self.is_set(),
            not(self.is_text()),
            json!({"in": [self.text(), spellings]}),
        ])
    }

    /// True for whatever is neither a boolean nor missing.
    pub(super) fn is_no_boolean(&self) -> Json {
        and(vec![
            self.is_set(),
            or(vec![self.is_text(), self.is_spelt_otherwise()]),
        ])
    }

    fn is_spelt_otherwise(&self) -> Json {
        not(json!({"in": [self.text(), BOOLEANS]}))
    }

    /// True for a number that was sent as one.
    fn is_number(&self) -> Json {
        and(vec![
            self.is_set(),
            not(self.is_text()),
            self.is_spelt_otherwise(),
        ])
    }

    /// True for text that is a decimal number without sign.
    ///
    /// Put behind a 1 it makes a version: the only test for digits that fails in no evaluator.
    fn is_number_in_text(&self) -> Json {
        let version = |rest: &str| {
            let text = json!({"cat": ["1", self.value(), rest]});
            json!({"sem_ver": [text, ">", "0.0.0"]})
        };
        and(vec![
            self.is_text(),
            json!({"!==": [self.value(), ""]}),
            not(json!({"in": ["-", self.text()]})),
            not(json!({"in": ["+", self.text()]})),
            or(vec![version(".0.0"), version(".0")]),
        ])
    }

    /// True for what counts as a number: what is one and, in the lean form, text that looks like one.
    pub(super) fn is_numeric(&self, form: FlagdForm) -> Json {
        match form {
            FlagdForm::Typed => self.is_number(),
            FlagdForm::Lean => or(vec![self.is_number(), self.is_number_in_text()]),
        }
    }

    /// True for text and, in the lean form, only where it does not look like a number.
    pub(super) fn is_word(&self, form: FlagdForm) -> Json {
        match (form, self) {
            // What an identity is hashed by never looks like a number.
            (FlagdForm::Typed, _) | (_, Self::HashKey(_)) => self.is_text(),
            (FlagdForm::Lean, _) => and(vec![self.is_text(), not(self.is_number_in_text())]),
        }
    }
}
