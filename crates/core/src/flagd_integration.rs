//! How a project is served to flagd.

use crate::{FlagdIntegrationId, ProjectId, Timestamp};
use uuid::Uuid;

/// Where a flagd document puts a segment that several features use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum FlagdEvaluators {
    /// Written out with every feature: the same in every client.
    Inline,
    /// Written once under `$evaluators` and referred to, where every client replaces it faithfully; else inline.
    #[default]
    Shared,
}

impl FlagdEvaluators {
    /// The word that is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inline => "inline",
            Self::Shared => "shared",
        }
    }

    /// The meaning of that word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "inline" => Some(Self::Inline),
            "shared" => Some(Self::Shared),
            _ => None,
        }
    }
}

/// How conditions are said in flagd's language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum FlagdForm {
    /// Valid by flagd's schema; a number sent as text is a text.
    #[default]
    Typed,
    /// Nearer to evaluation here, at the price of warnings: some expressions stand outside of flagd's schema.
    Lean,
}

impl FlagdForm {
    /// The word that is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Typed => "typed",
            Self::Lean => "lean",
        }
    }

    /// The meaning of that word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "typed" => Some(Self::Typed),
            "lean" => Some(Self::Lean),
            _ => None,
        }
    }
}

/// The integration of a project with flagd. A project without one is not served to flagd.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlagdIntegration {
    /// Row id.
    pub id: FlagdIntegrationId,
    /// Stable id across installations.
    pub uuid: Uuid,
    /// The project; each has at most one.
    pub project_id: ProjectId,
    /// False: the project is not served to flagd.
    pub enabled: bool,
    /// Where documents put shared segments.
    pub evaluators: FlagdEvaluators,
    /// How documents say conditions.
    pub form: FlagdForm,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read_as_it_is_written() {
        for evaluators in [FlagdEvaluators::Inline, FlagdEvaluators::Shared] {
            assert_eq!(
                FlagdEvaluators::parse(evaluators.as_str()),
                Some(evaluators)
            );
        }
        for form in [FlagdForm::Typed, FlagdForm::Lean] {
            assert_eq!(FlagdForm::parse(form.as_str()), Some(form));
        }
        assert_eq!(FlagdEvaluators::parse("Inline"), None);
        assert_eq!(FlagdForm::parse(""), None);
    }
}
