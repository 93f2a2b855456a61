//! From a segment's rules as written to rules that are quick to evaluate.

use std::sync::Arc;

/// What compiling a segment found that a person should know. The segment works all the same.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CompileWarning {
    /// The condition is never true.
    #[error("unknown operator `{operator}`")]
    UnknownOperator {
        /// As written.
        operator: Arc<str>,
    },
    /// The condition is never true.
    #[error("operator `{operator}` without property")]
    MissingProperty {
        /// As written.
        operator: Arc<str>,
    },
    /// Only an attribute with exactly this name is compared; the path itself is never set.
    #[error("path `{property}` is not one that can be read")]
    UnreadablePath {
        /// As written.
        property: Arc<str>,
    },
    /// The condition is never true.
    #[error("pattern `{pattern}` is not valid: {problem}")]
    InvalidPattern {
        /// As written.
        pattern: Arc<str>,
        /// What the regex parser says.
        problem: String,
    },
    /// The condition is never true.
    #[error("pattern `{pattern}` is too large when compiled")]
    PatternTooLarge {
        /// As written.
        pattern: Arc<str>,
    },
    /// The condition is never true.
    #[error(
        "pattern `{pattern}` is left out: the patterns of this environment are too large together"
    )]
    PatternBudgetSpent {
        /// As written.
        pattern: Arc<str>,
    },
    /// The segment never matches.
    #[error("rules are nested more than {limit} levels deep")]
    TooDeep {
        /// The deepest nesting allowed.
        limit: usize,
    },
}

/// How much memory the patterns of one snapshot may still take.
#[derive(Debug)]
pub struct PatternBudget {
    remaining: usize,
}

impl PatternBudget {
    /// The bytes of compiled patterns that one snapshot may hold, as the regex compiler counts them.
    pub const LIMIT: usize = 8 * 1024 * 1024;

    /// A full budget: one for each snapshot or evaluated document.
    #[must_use]
    pub fn new() -> Self {
        Self {
            remaining: Self::LIMIT,
        }
    }
}

impl Default for PatternBudget {
    fn default() -> Self {
        Self::new()
    }
}
