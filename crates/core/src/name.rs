//! Names that are parsed once, at the edge.

use std::sync::Arc;

/// Why a text cannot be a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// Nothing, or only white space.
    #[error("is empty")]
    Empty,
    /// More characters than the limit.
    #[error("has more than {limit} characters")]
    TooLong {
        /// The most characters allowed.
        limit: usize,
    },
    /// A NUL character, which Postgres cannot store.
    #[error("contains a NUL character")]
    Nul,
}

fn checked(text: &str, limit: usize) -> Result<Arc<str>, InvalidName> {
    if text.is_empty() {
        return Err(InvalidName::Empty);
    }
    if text.contains('\0') {
        return Err(InvalidName::Nul);
    }
    if text.len() > limit && text.chars().count() > limit {
        return Err(InvalidName::TooLong { limit });
    }
    Ok(text.into())
}

/// The name of a feature: 1 to 2,000 characters, unique within its project without regard to case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FeatureName(Arc<str>);

impl FeatureName {
    /// The most characters a name may have.
    pub const LIMIT: usize = 2000;

    /// Checks and wraps a name.
    ///
    /// # Errors
    /// When the text is empty, too long or holds a NUL.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        checked(text, Self::LIMIT).map(Self)
    }

    /// The name as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as written, shared.
    #[must_use]
    pub fn shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }
}

impl std::fmt::Display for FeatureName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The stable text id of an end user or machine: 1 to 2,000 characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identifier(Arc<str>);

impl Identifier {
    /// The most characters an identifier may have.
    pub const LIMIT: usize = 2000;

    /// Checks and wraps an identifier.
    ///
    /// # Errors
    /// When the text is empty, too long or holds a NUL.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        checked(text, Self::LIMIT).map(Self)
    }

    /// The identifier as given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The identifier as given, shared.
    #[must_use]
    pub fn shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }
}

/// Folds a name for comparison without regard to case, in every script.
///
/// Done in Rust and stored in a column of its own, because SQL `LOWER` knows only ASCII on SQLite.
#[must_use]
pub fn fold(name: &str) -> String {
    // Upper-casing first joins letters with one capital form, such as `ß` and `ss`.
    name.to_uppercase().to_lowercase()
}
