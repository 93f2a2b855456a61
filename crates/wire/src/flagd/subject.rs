//! What a condition looks at, and what flagd's clients can be asked about its type.
//!
//! Every test here gives the same answer in the Go, JavaScript, Python and Rust evaluators, and raises an error in none
//! of them, whatever an attribute holds. What they do with other types is why the tests look as they do:
//!
//! - Go cannot make text of a boolean, a list or an object: `cat` of one fails the whole flag. Nothing but a list or an
//!   object differs from itself there.
//! - To Python 1 and true are equal, as are 0 and false; only their texts differ.
//! - JavaScript and Rust fail where they order what is no number, lists and objects too.
//! - Go and Python log each text that is no version, and Go each `starts_with` of what is no text, so neither is a
//!   test of types.

use super::logic::{and, not, operation, or, variable};
use flagstaff_core::FlagdForm;
use serde_json::{Value as Json, json};

/// The attribute that flagd's clients keep the caller's identifier in.
pub(super) const TARGETING_KEY: &str = "targetingKey";

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
    /// The name of the attribute that is looked at.
    pub(super) fn attribute(&self) -> &str {
        match self {
            Self::Attribute(name) => name,
            Self::Identifier | Self::HashKey(_) => TARGETING_KEY,
        }
    }

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
            Self::Identifier => json!({"cat": [salt, self.value()]}),
            Self::Attribute(_) => {
                let text = json!({"if": [
                    self.is_boolean(true), "true",
                    self.is_boolean(false), "false",
                    self.value(),
                ]});
                json!({"cat": [salt, text]})
            }
        }
    }

    /// True for what is never anything but text.
    pub(super) const fn is_always_text(&self) -> bool {
        match self {
            Self::Identifier | Self::HashKey(_) => true,
            Self::Attribute(_) => false,
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

    /// True where `cat` makes text of the value in Go; true of what is missing, too.
    pub(super) fn is_no_list(&self) -> Json {
        json!({"===": [self.value(), self.value()]})
    }

    /// Asked of what is neither a boolean nor, in Go, a list or an object.
    fn is_its_own_text(&self) -> Json {
        json!({"===": [self.text(), self.value()]})
    }

    pub(super) fn is_text(&self) -> Json {
        if self.is_always_text() {
            return self.is_set();
        }
        and(vec![
            json!({"!==": [self.value(), true]}),
            json!({"!==": [self.value(), false]}),
            self.is_no_list(),
            self.is_its_own_text(),
        ])
    }

    /// True for this boolean, not for its text and not for its number.
    pub(super) fn is_boolean(&self, boolean: bool) -> Json {
        let number = u8::from(boolean);
        and(vec![
            json!({"===": [self.value(), boolean]}),
            // Only Python goes on to the text, and finds `True` or `1`.
            or(vec![
                json!({"!==": [self.value(), number]}),
                json!({"!==": [self.text(), number.to_string()]}),
            ]),
        ])
    }

    /// True for 0 and 1, sent as numbers: what Python takes for booleans.
    fn is_zero_or_one(&self) -> Json {
        and(vec![
            json!({"in": [self.value(), [0, 1]]}),
            json!({"in": [self.text(), ["0", "1"]]}),
        ])
    }

    pub(super) fn is_any_boolean(&self) -> Json {
        and(vec![
            or(vec![
                json!({"===": [self.value(), true]}),
                json!({"===": [self.value(), false]}),
            ]),
            not(self.is_zero_or_one()),
        ])
    }

    /// True for whatever is no boolean, also for what is missing.
    pub(super) fn is_no_boolean(&self) -> Json {
        or(vec![
            and(vec![
                json!({"!==": [self.value(), true]}),
                json!({"!==": [self.value(), false]}),
            ]),
            self.is_zero_or_one(),
        ])
    }

    /// True for this number, sent as one.
    pub(super) fn is_number(&self, number: Json) -> Json {
        let is_equal = json!({"===": [self.value(), number]});
        self.but_no_boolean(is_equal, number.as_f64())
    }

    /// Takes from an expression the booleans that Python takes for one of these numbers.
    pub(super) fn but_no_boolean(
        &self,
        json: Json,
        numbers: impl IntoIterator<Item = f64>,
    ) -> Json {
        let mut looks_like_a_boolean = numbers
            .into_iter()
            .filter(|number| *number == 0.0 || *number == 1.0);
        if looks_like_a_boolean.next().is_none() {
            return json;
        }
        and(vec![json, self.is_no_boolean()])
    }

    /// One answer for each type of an attribute: what is missing, and in Go lists and objects, are `false`.
    pub(super) fn by_type(&self, of: ByType) -> Json {
        if self.is_always_text() {
            return and(vec![self.is_set(), of.text]);
        }
        let mut nothing = vec![json!({"===": [self.value(), null]}), not(self.is_no_list())];
        let booleans = match of.booleans {
            (false, false) => {
                nothing.push(self.is_any_boolean());
                None
            }
            (true, true) => Some(json!(true)),
            // Python need not tell 1 from true any more.
            (if_true, _) => Some(json!({"===": [self.value(), if_true]})),
        };
        let mut branches = vec![or(nothing), json!(false)];
        if let Some(booleans) = booleans {
            branches.extend([self.is_any_boolean(), booleans]);
        }
        branches.extend([self.is_its_own_text(), of.text]);
        // What is left is a number or, outside Go, a list or an object: lists have a first item, or these texts when
        // they are empty; objects are JSON to Rust.
        let first = match self {
            Self::Attribute(name) => variable(&format!("{name}.0")),
            Self::Identifier | Self::HashKey(_) => Json::Null,
        };
        branches.push(and(vec![
            json!({"===": [first, null]}),
            not(json!({"in": [self.text(), ["", "null", "[object Object]"]]})),
            not(json!({"in": ["{", self.text()]})),
            of.number,
        ]));
        operation("if", branches)
    }

    /// True for text that is a decimal number without sign. Asked of text only.
    ///
    /// Put behind a 1 it makes a version: the only test for digits that fails in no evaluator.
    pub(super) fn is_number_in_text(&self) -> Json {
        let version = |rest: &str| {
            let text = json!({"cat": ["1", self.value(), rest]});
            json!({"sem_ver": [text, ">", "0.0.0"]})
        };
        and(vec![
            json!({"!==": [self.value(), ""]}),
            not(json!({"in": ["-", self.value()]})),
            not(json!({"in": ["+", self.value()]})),
            or(vec![version(".0.0"), version(".0")]),
        ])
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

/// What a condition says of a value of each type.
pub(super) struct ByType {
    /// Of true and of false.
    pub(super) booleans: (bool, bool),
    pub(super) text: Json,
    pub(super) number: Json,
}
