//! Why a change was not made, in one line that Rollops writes into its audit trail.
//!
//! A line names the cause and what to do about it. Never in it: the token, or anything that a server answered with.

use std::fmt;
use tonic::{Code, Status};

/// Why a change was not made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// What was asked for cannot be done by anybody.
    Input(String),
    /// There is no such tool.
    UnknownTool { capability: String, tool: String },
    /// A variable is missing or says nothing usable.
    Setting(String),
    /// The server does not know the token.
    TokenRefused,
    /// The token may not do this.
    Forbidden { doing: Doing },
    /// Something is not there.
    Missing(String),
    /// The state of affairs has to be changed by a person first.
    NotPossible(String),
    /// The server sends us elsewhere, and the token stays here.
    Redirected { to: Option<String> },
    /// The server refuses what it was sent.
    Refused { doing: Doing, status: u16 },
    /// The server has been asked too often.
    TooMany,
    /// The server says that it is in trouble.
    ServerTrouble { doing: Doing, status: u16 },
    /// Nobody answers at the address.
    NoConnection,
    /// The answer broke off.
    HalfAnswer { doing: Doing },
    /// The answer is not what Flagsmith answers.
    Strange { doing: Doing, what: &'static str },
    /// No time is left.
    OutOfTime { doing: Doing },
    /// What was written was not found again.
    Drifted(String),
}

/// What was being done, as it stands in a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doing {
    ReadingProject,
    ReadingEnvironment,
    FindingFlag,
    ReadingState,
    ReadingSegment,
    WritingState,
    WritingSegment,
    Nothing,
}

impl Doing {
    fn text(self) -> &'static str {
        match self {
            Self::ReadingProject => "reading the project",
            Self::ReadingEnvironment => "reading the environment",
            Self::FindingFlag => "finding the flag",
            Self::ReadingState => "reading the flag's state",
            Self::ReadingSegment => "reading the flag's segment",
            Self::WritingState => "writing the flag's state",
            Self::WritingSegment => "writing the flag's segment",
            Self::Nothing => "applying the flag",
        }
    }
}

impl Failure {
    pub(crate) fn input(text: impl Into<String>) -> Self {
        Self::Input(text.into())
    }

    /// The code of gRPC that says most.
    pub(crate) fn code(&self) -> Code {
        match self {
            Self::Input(_) => Code::InvalidArgument,
            Self::UnknownTool { .. } => Code::Unimplemented,
            Self::Setting(_)
            | Self::NotPossible(_)
            | Self::Redirected { .. }
            | Self::Refused { .. } => Code::FailedPrecondition,
            Self::TokenRefused => Code::Unauthenticated,
            Self::Forbidden { .. } => Code::PermissionDenied,
            Self::Missing(_) => Code::NotFound,
            Self::TooMany => Code::ResourceExhausted,
            Self::ServerTrouble { .. } | Self::NoConnection | Self::HalfAnswer { .. } => {
                Code::Unavailable
            }
            Self::Strange { .. } => Code::Internal,
            Self::OutOfTime { .. } => Code::DeadlineExceeded,
            Self::Drifted(_) => Code::Aborted,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input(text)
            | Self::Setting(text)
            | Self::Missing(text)
            | Self::NotPossible(text)
            | Self::Drifted(text) => f.write_str(text),
            // The words of the Rollops SDK.
            Self::UnknownTool { capability, tool } => {
                let name = format!("{capability}/{tool}");
                write!(f, "plugin: unknown tool {name:?}")
            }
            Self::TokenRefused => f.write_str(
                "the server does not accept the token: check FLAGSMITH_TOKEN, and FLAGSTAFF_ROLLOPS__TOKEN_SCHEME for its kind",
            ),
            Self::Forbidden { doing } => write!(
                f,
                "{}: the token may not do this: give its owner the permission to read and change feature states",
                doing.text()
            ),
            Self::Redirected { to } => write!(
                f,
                "the server redirects to {}, and the token is not sent there: set FLAGSMITH_API_URL to the final address",
                to.as_deref().unwrap_or("another address")
            ),
            Self::Refused { doing, status } => write!(
                f,
                "{}: the server refuses the request with status {status}: look into its log, and try --check",
                doing.text()
            ),
            Self::TooMany => f.write_str(
                "the server asks for fewer requests (status 429): apply again later, or raise its limit",
            ),
            Self::ServerTrouble { doing, status } => write!(
                f,
                "{}: the server fails with status {status}: look into its log, then apply again",
                doing.text()
            ),
            Self::NoConnection => f.write_str(
                "no connection to the server: check FLAGSMITH_API_URL, its name, port and certificate",
            ),
            Self::HalfAnswer { doing } => write!(
                f,
                "{}: the answer broke off: apply again, and look at what stands between here and the server",
                doing.text()
            ),
            Self::Strange { doing, what } => write!(
                f,
                "{}: {what}: check that FLAGSMITH_API_URL is the address of an API, which ends in /api/v1",
                doing.text()
            ),
            Self::OutOfTime { doing } => write!(
                f,
                "{}: no answer in time: check that the server is well, then apply again",
                doing.text()
            ),
        }
    }
}

impl From<Failure> for Status {
    fn from(failure: Failure) -> Self {
        Self::new(failure.code(), one_line(&failure.to_string()))
    }
}

/// Longer than every line of ours; names of flags may be in it.
const LINE_LIMIT: usize = 500;

fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    let shown = |character: char| {
        if character.is_control() {
            ' '
        } else {
            character
        }
    };
    for character in text.chars().take(LINE_LIMIT).map(shown) {
        line.push(character);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rol_15_each_failure_has_a_code_and_one_line_with_a_remedy() {
        let doing = Doing::WritingState;
        let all = [
            (Failure::input("x"), Code::InvalidArgument),
            (
                Failure::UnknownTool {
                    capability: "a".to_owned(),
                    tool: "b".to_owned(),
                },
                Code::Unimplemented,
            ),
            (Failure::Setting("x".to_owned()), Code::FailedPrecondition),
            (Failure::TokenRefused, Code::Unauthenticated),
            (Failure::Forbidden { doing }, Code::PermissionDenied),
            (Failure::Missing("x".to_owned()), Code::NotFound),
            (
                Failure::NotPossible("x".to_owned()),
                Code::FailedPrecondition,
            ),
            (Failure::Redirected { to: None }, Code::FailedPrecondition),
            (
                Failure::Refused { doing, status: 400 },
                Code::FailedPrecondition,
            ),
            (Failure::TooMany, Code::ResourceExhausted),
            (
                Failure::ServerTrouble { doing, status: 500 },
                Code::Unavailable,
            ),
            (Failure::NoConnection, Code::Unavailable),
            (Failure::HalfAnswer { doing }, Code::Unavailable),
            (Failure::Strange { doing, what: "x" }, Code::Internal),
            (Failure::OutOfTime { doing }, Code::DeadlineExceeded),
            (Failure::Drifted("x".to_owned()), Code::Aborted),
        ];

        for (failure, code) in all {
            let text = failure.to_string();
            let status = Status::from(failure);
            assert_eq!(status.code(), code, "{text}");
            assert_eq!(status.message(), text);
            assert!(!text.contains('\n') && !text.ends_with('.'), "{text}");
        }
    }

    #[test]
    fn a_line_stays_a_line_and_short() {
        let status = Status::from(Failure::Missing("a\nb".repeat(1000)));

        assert_eq!(status.message().chars().count(), LINE_LIMIT);
        assert!(!status.message().contains('\n'));
    }
}
