//! Why a document could not be read.

use std::fmt;

/// A document that has another shape than its protocol says.
///
/// `Display` gives one line: the place in the document and what is wrong there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{problem}", Place(path))]
pub struct Malformed {
    /// Where: member names joined with dots, positions in brackets; empty for the document itself.
    pub path: String,
    /// What is wrong there.
    pub problem: Problem,
}

/// What can be wrong at one place of a document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Not JSON at all, nested too deeply, or followed by more text.
    #[error("is not JSON: {0}")]
    NotJson(String),
    /// A member that must be there is not.
    #[error("is missing")]
    Missing,
    /// Another type than expected.
    #[error("must be {expected}, not {found}")]
    Type {
        /// What was expected, with its article.
        expected: &'static str,
        /// What was there, with its article.
        found: &'static str,
    },
    /// A word outside a closed list.
    #[error("must be one of {expected}, not `{found}`")]
    Word {
        /// The words that are known.
        expected: &'static str,
        /// What was there.
        found: String,
    },
    /// Text that stands for something else and cannot be read as it.
    #[error("is not {expected}: `{found}`")]
    Text {
        /// What it should have said, with its article.
        expected: &'static str,
        /// What was there.
        found: String,
    },
    /// A name that differs from the one it is filed under.
    #[error("is `{found}` but is filed under `{expected}`")]
    FiledElsewhere {
        /// The member's name.
        expected: String,
        /// What was there.
        found: String,
    },
    /// Something that may be there once is there twice, perhaps in other case.
    #[error("collides with `{other}`")]
    Collides {
        /// The one that came before.
        other: String,
    },
    /// A number or a list outside its limits.
    #[error("must be {0}")]
    Limit(&'static str),
}

/// Longest piece of a document that an error repeats.
const QUOTED: usize = 100;

/// Shortens a piece of a document for an error message.
pub(crate) fn quoted(text: &str) -> String {
    match text.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

struct Place<'a>(&'a str);

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            f.write_str("the document ")
        } else {
            write!(f, "{} ", self.0)
        }
    }
}

impl Malformed {
    pub(crate) fn not_json(error: &serde_json::Error) -> Self {
        Self {
            path: String::new(),
            problem: Problem::NotJson(error.to_string()),
        }
    }
}
