//! What is wrong with a field of a guard, or of what rollouts are told.

/// What is wrong with a field of a guard, or of what rollouts are told.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum GuardFault {
    /// It cannot be asked; why is in the text.
    #[error("{0}")]
    Source(String),
    /// It is outside its range, or no number.
    #[error("is not between {least} and {most}")]
    Outside {
        /// The least allowed.
        least: f64,
        /// The most allowed.
        most: f64,
    },
    /// What counts as harm is not beyond what is tolerated.
    #[error("is not above the tolerated odds ratio {0}")]
    NotAboveTolerated(f64),
    /// A rollout has a limit of guards.
    #[error("are {limit} already, which is the limit")]
    TooMany {
        /// The most allowed.
        limit: usize,
    },
    /// The word names neither those who have it nor the others.
    #[error("`{0}` is neither `treated`, nor `control`, nor a variant of the feature")]
    UnknownVariant(String),
    /// Something else was reported under the same key.
    #[error("was used for another report")]
    KeyReused,
    /// Nothing is counted.
    #[error("hold no successes and no failures")]
    NoCounts,
}
