//! Reading JSON by hand, with the place of every value at hand for errors.

use crate::malformed::{Malformed, Problem, quoted};
use serde_json::{Map, Value as Json};

/// How one value hangs in its parent.
#[derive(Debug, Clone, Copy)]
enum Step<'a> {
    Root,
    Member(&'a Node<'a>, &'a str),
    Position(&'a Node<'a>, usize),
}

/// A value of a document and the way to it. The path is only spelt out when something is wrong.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Node<'a> {
    /// The value.
    pub(crate) json: &'a Json,
    step: Step<'a>,
}

impl<'a> Node<'a> {
    pub(crate) const fn root(json: &'a Json) -> Self {
        Self {
            json,
            step: Step::Root,
        }
    }

    /// Where this value stands, such as `segments.pro.rules[0].type`.
    pub(crate) fn path(&self) -> String {
        let mut path = String::new();
        self.write_path(&mut path);
        path
    }

    fn write_path(&self, path: &mut String) {
        match self.step {
            Step::Root => {}
            Step::Member(parent, name) => {
                parent.write_path(path);
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(&quoted(name));
            }
            Step::Position(parent, position) => {
                parent.write_path(path);
                path.push_str(&format!("[{position}]"));
            }
        }
    }

    pub(crate) fn malformed(&self, problem: Problem) -> Malformed {
        Malformed {
            path: self.path(),
            problem,
        }
    }

    pub(crate) fn wrong_type(&self, expected: &'static str) -> Malformed {
        self.malformed(Problem::Type {
            expected,
            found: kind(self.json),
        })
    }

    pub(crate) const fn is_null(&self) -> bool {
        matches!(self.json, Json::Null)
    }

    pub(crate) fn object(&self) -> Result<&'a Map<String, Json>, Malformed> {
        self.json
            .as_object()
            .ok_or_else(|| self.wrong_type("an object"))
    }

    pub(crate) fn list(&self) -> Result<&'a [Json], Malformed> {
        match self.json {
            Json::Array(items) => Ok(items),
            _ => Err(self.wrong_type("a list")),
        }
    }

    pub(crate) fn text(&self) -> Result<&'a str, Malformed> {
        self.json.as_str().ok_or_else(|| self.wrong_type("text"))
    }

    pub(crate) fn boolean(&self) -> Result<bool, Malformed> {
        self.json
            .as_bool()
            .ok_or_else(|| self.wrong_type("true or false"))
    }

    /// A whole number within `i64`.
    pub(crate) fn integer(&self) -> Result<i64, Malformed> {
        self.json
            .as_i64()
            .ok_or_else(|| self.wrong_type("a whole number"))
    }

    /// A finite number.
    pub(crate) fn number(&self) -> Result<f64, Malformed> {
        let number = self
            .json
            .as_number()
            .and_then(|number| number.as_str().parse::<f64>().ok())
            .ok_or_else(|| self.wrong_type("a number"))?;
        if number.is_finite() {
            Ok(number)
        } else {
            Err(self.malformed(Problem::Limit("a finite number")))
        }
    }

    /// A member that may be absent; `null` counts as absent.
    pub(crate) fn optional(&'a self, name: &'a str) -> Result<Option<Self>, Malformed> {
        let json = self.object()?.get(name);
        Ok(json
            .map(|json| Self {
                json,
                step: Step::Member(self, name),
            })
            .filter(|node| !node.is_null()))
    }

    /// A member that must be there; `null` is left to the caller.
    pub(crate) fn required(&'a self, name: &'a str) -> Result<Self, Malformed> {
        match self.object()?.get(name) {
            Some(json) => Ok(self.member(name, json)),
            None => Err(Malformed {
                path: self.member(name, &Json::Null).path(),
                problem: Problem::Missing,
            }),
        }
    }

    /// A member whose value is already at hand.
    pub(crate) const fn member(&'a self, name: &'a str, json: &'a Json) -> Self {
        Self {
            json,
            step: Step::Member(self, name),
        }
    }

    /// The items of a list that may be absent or `null`.
    pub(crate) fn items(&'a self) -> Result<impl Iterator<Item = Self> + use<'a>, Malformed> {
        Ok(self
            .list()?
            .iter()
            .enumerate()
            .map(|(position, json)| Self {
                json,
                step: Step::Position(self, position),
            }))
    }
}

const fn kind(json: &Json) -> &'static str {
    match json {
        Json::Null => "null",
        Json::Bool(_) => "true or false",
        Json::Number(_) => "a number",
        Json::String(_) => "text",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}
