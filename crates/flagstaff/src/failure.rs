//! How a command ends when it does not end well.

use std::process::ExitCode;

/// Why a command ended early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It was called or configured wrongly: exit code 2.
    Usage(anyhow::Error),
    /// It could not do what it was asked to: exit code 1.
    Failed(anyhow::Error),
    /// It has said all there is to say: exit code 1.
    Reported,
}

impl Failure {
    /// Wraps a mistake in how the command was called.
    pub(crate) fn usage(error: impl Into<anyhow::Error>) -> Self {
        Self::Usage(error.into())
    }

    /// The code the process ends with.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) => ExitCode::from(2),
            Self::Failed(_) | Self::Reported => ExitCode::from(1),
        }
    }
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}
