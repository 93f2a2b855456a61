//! What can be chosen as the operator of a condition, in words, and the shape of what is compared with.

/// What the fields beside an operator look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// There is nothing to compare with.
    Nothing,
    /// A text or a number.
    Text,
    /// A regular expression.
    Pattern,
    /// Several texts, one on each line.
    Lines,
    /// A divisor and a remainder.
    Parts,
    /// A number from 0 to 100.
    Percentage,
    /// A semantic version; conditions write it with an ending.
    Version,
}

impl Shape {
    /// Its name on the page: where it stays the same, the fields do too.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Text => "text",
            Self::Pattern => "pattern",
            Self::Lines => "lines",
            Self::Parts => "parts",
            Self::Percentage => "percentage",
            Self::Version => "version",
        }
    }
}

/// An operator as it is chosen: comparisons of versions are choices of their own.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    /// The operator's name, and `:semver` where versions are compared.
    pub(crate) token: &'static str,
    /// How it reads between property and value.
    pub(crate) words: &'static str,
    pub(crate) shape: Shape,
}

/// Choices that belong together.
pub(crate) struct ChoiceGroup {
    pub(crate) label: &'static str,
    pub(crate) choices: &'static [Choice],
}

/// The ending of operators and of values that compare versions.
pub(crate) const VERSION: &str = ":semver";

const fn choice(token: &'static str, words: &'static str, shape: Shape) -> Choice {
    Choice {
        token,
        words,
        shape,
    }
}

/// Everything that can be chosen, in the order of the list.
pub(crate) const GROUPS: [ChoiceGroup; 5] = [
    ChoiceGroup {
        label: "Compare",
        choices: &[
            choice("EQUAL", "equals", Shape::Text),
            choice("NOT_EQUAL", "does not equal", Shape::Text),
            choice("GREATER_THAN", "is greater than", Shape::Text),
            choice("GREATER_THAN_INCLUSIVE", "is at least", Shape::Text),
            choice("LESS_THAN", "is less than", Shape::Text),
            choice("LESS_THAN_INCLUSIVE", "is at most", Shape::Text),
        ],
    },
    ChoiceGroup {
        label: "Text and lists",
        choices: &[
            choice("IN", "is one of", Shape::Lines),
            choice("CONTAINS", "contains", Shape::Text),
            choice("NOT_CONTAINS", "does not contain", Shape::Text),
            choice("REGEX", "matches pattern", Shape::Pattern),
        ],
    },
    ChoiceGroup {
        label: "Presence",
        choices: &[
            choice("IS_SET", "is set", Shape::Nothing),
            choice("IS_NOT_SET", "is not set", Shape::Nothing),
        ],
    },
    ChoiceGroup {
        label: "A part of all",
        choices: &[
            choice(
                "PERCENTAGE_SPLIT",
                "falls into the first (percent)",
                Shape::Percentage,
            ),
            choice("MODULO", "divided by … leaves …", Shape::Parts),
        ],
    },
    ChoiceGroup {
        label: "Versions (SemVer)",
        choices: &[
            choice("EQUAL:semver", "is version", Shape::Version),
            choice("NOT_EQUAL:semver", "is not version", Shape::Version),
            choice(
                "GREATER_THAN:semver",
                "is newer than version",
                Shape::Version,
            ),
            choice(
                "GREATER_THAN_INCLUSIVE:semver",
                "is version or newer:",
                Shape::Version,
            ),
            choice("LESS_THAN:semver", "is older than version", Shape::Version),
            choice(
                "LESS_THAN_INCLUSIVE:semver",
                "is version or older:",
                Shape::Version,
            ),
        ],
    },
];

/// The choice of a token; `None` for an operator that is not known here.
pub(crate) fn choice_of(token: &str) -> Option<&'static Choice> {
    let mut choices = GROUPS.iter().flat_map(|group| group.choices);
    choices.find(|choice| choice.token == token)
}

/// The shape of what stands beside an operator; text for one that is not known.
pub(crate) fn shape_of(token: &str) -> Shape {
    choice_of(token).map_or(Shape::Text, |choice| choice.shape)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flagstaff_core::OPERATORS;

    #[test]
    fn every_operator_can_be_chosen_once() {
        for operator in OPERATORS {
            let choices = GROUPS.iter().flat_map(|group| group.choices);
            let found = choices.filter(|choice| choice.token == operator).count();
            assert_eq!(found, 1, "{operator}");
        }
        let choices = GROUPS.iter().flat_map(|group| group.choices);
        for choice in choices {
            let operator = choice.token.strip_suffix(VERSION).unwrap_or(choice.token);
            assert!(OPERATORS.contains(&operator), "{}", choice.token);
            let is_version = choice.token.ends_with(VERSION);
            assert_eq!(choice.shape == Shape::Version, is_version);
        }
    }
}
