//! Why a flag has the value it has, in the words that Flagsmith's engines use.

use std::borrow::Cow;

/// Which engine's words a reason is told in: they differ only for a flag that nothing overrides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ReasonWords {
    /// `flagsmith-flag-engine` 10: `DEFAULT` whenever the environment's default holds.
    #[default]
    Engine10,
    /// `flagsmith-flag-engine` 11: `STATIC` where no segment overrides the feature at all.
    Engine11,
}

/// Why a flag has the value it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason<'s> {
    /// The environment's default, while a segment could have overridden it.
    Default,
    /// The environment's default; no segment overrides this feature.
    Static,
    /// An override holds.
    TargetingMatch {
        /// Name of the segment; `identity_overrides` for an override of one identity.
        segment: &'s str,
    },
    /// A variant was picked by weight.
    Split {
        /// The variant's weight as it was given.
        weight: &'s str,
    },
    /// Segments read the flag while it was being resolved.
    CircularDependency,
}

impl Reason<'_> {
    /// The reason as Flagsmith's evaluation results spell it.
    #[must_use]
    pub fn text(&self, words: ReasonWords) -> Cow<'static, str> {
        match self {
            Self::Default => Cow::Borrowed("DEFAULT"),
            Self::Static => Cow::Borrowed(match words {
                ReasonWords::Engine10 => "DEFAULT",
                ReasonWords::Engine11 => "STATIC",
            }),
            Self::TargetingMatch { segment } => {
                Cow::Owned(format!("TARGETING_MATCH; segment={segment}"))
            }
            Self::Split { weight } => Cow::Owned(format!("SPLIT; weight={weight}")),
            Self::CircularDependency => Cow::Borrowed("ERROR; code=CIRCULAR_DEPENDENCY"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Reason, ReasonWords};

    #[test]
    fn only_the_default_is_told_in_other_words_by_engine_11() {
        let reasons = [
            (Reason::Default, "DEFAULT", "DEFAULT"),
            (Reason::Static, "DEFAULT", "STATIC"),
            (
                Reason::TargetingMatch { segment: "beta" },
                "TARGETING_MATCH; segment=beta",
                "TARGETING_MATCH; segment=beta",
            ),
            (
                Reason::Split { weight: "30.0" },
                "SPLIT; weight=30.0",
                "SPLIT; weight=30.0",
            ),
            (
                Reason::CircularDependency,
                "ERROR; code=CIRCULAR_DEPENDENCY",
                "ERROR; code=CIRCULAR_DEPENDENCY",
            ),
        ];

        for (reason, engine_10, engine_11) in reasons {
            assert_eq!(reason.text(ReasonWords::Engine10), engine_10);
            assert_eq!(reason.text(ReasonWords::Engine11), engine_11);
        }
    }
}
