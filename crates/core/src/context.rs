//! What is known at one evaluation.

use crate::Value;
use crate::ruleset::FlagState;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Attributes by name, for one evaluation: stored traits with sent ones laid over them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Attributes(BTreeMap<Arc<str>, Value>);

impl Attributes {
    /// No attributes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets an attribute; the last one set wins.
    pub fn insert(&mut self, name: impl Into<Arc<str>>, value: Value) {
        self.0.insert(name.into(), value);
    }

    /// Takes an attribute away.
    pub fn remove(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// The value of an attribute.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True where there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All attributes, in order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (&**name, value))
    }
}

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub struct IdentityContext<'a> {
    /// The identity's identifier.
    pub identifier: &'a str,
    /// What it is hashed by; empty or `None` means `<environment key>_<identifier>`.
    pub key: Option<&'a str>,
    /// Its attributes.
    pub attributes: &'a Attributes,
    /// What holds for this identity alone, by name of the feature: wins over every segment.
    ///
    /// A state with variants is split like any other, as Flagsmith's own server does it.
    pub overrides: Option<&'a [(Arc<str>, FlagState)]>,
}

/// Everything known at one evaluation besides the snapshot.
#[derive(Debug, Clone, Copy, Default)]
pub struct Context<'a> {
    /// `None`: the environment's defaults are asked for.
    pub identity: Option<IdentityContext<'a>>,
}
