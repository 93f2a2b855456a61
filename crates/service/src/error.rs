//! Why the product refused, or failed, to do what a caller asked.

mod guard;
mod problem;
mod rollout;

use flagstaff_store::StoreError;

pub use flagstaff_store::Noun;
pub use guard::GuardFault;
pub use problem::Problem;
pub use rollout::{RolloutFault, RolloutProblem};

/// A cause that goes to the log.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What the service answers.
pub type ServiceResult<T> = Result<T, ServiceError>;

/// Why the product refused, or failed, to do what a caller asked.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// No environment key, or one of the wrong kind.
    #[error("environment key missing")]
    KeyMissing,
    /// The key was looked up: unknown, revoked, inactive or expired.
    #[error("environment key unknown")]
    KeyUnknown,
    /// The organisation serves no flags.
    #[error("organisation is stopped")]
    OrganisationStopped,
    /// Who asks is not known.
    #[error("not authenticated")]
    Unauthenticated(AuthenticationProblem),
    /// E-mail and password do not belong together.
    #[error("wrong credentials")]
    WrongCredentials,
    /// The limit of attempts is reached.
    #[error("too many attempts: try again in {retry_after_seconds} s")]
    TooManyAttempts {
        /// Seconds until another attempt counts.
        retry_after_seconds: u64,
    },
    /// The caller may not do this.
    #[error("not allowed")]
    Forbidden,
    /// There is no such thing, or the caller may not know of it.
    #[error("{noun} not found")]
    NotFound {
        /// What.
        noun: Noun,
    },
    /// There is such a thing already.
    #[error("{noun} already exists")]
    Conflict {
        /// What.
        noun: Noun,
    },
    /// A field cannot be what was given.
    #[error("invalid {field}: {problem}")]
    Invalid {
        /// The field as the native API names it.
        field: &'static str,
        /// What is wrong with it.
        problem: Problem,
    },
    /// Versions of features stand against it.
    #[error("{0}")]
    Versioning(VersioningProblem),
    /// A rollout stands against it.
    #[error("{0}")]
    Rollout(RolloutProblem),
    /// A field of one of several like parts cannot be what was given.
    #[error("invalid {part} {field}: {problem}")]
    InvalidPart {
        /// Which part.
        part: Part,
        /// The field as the native API names it.
        field: &'static str,
        /// What is wrong with it.
        problem: Problem,
    },
    /// Another service did not let anybody in, or what it says of them is not enough.
    #[error("{0}")]
    External(ExternalProblem),
    /// What was to be changed is no longer what the caller saw.
    #[error("{noun} was changed meanwhile")]
    Outdated {
        /// What.
        noun: Noun,
    },
    /// The environment changes by approved change requests only.
    #[error("the environment needs change requests")]
    ChangeRequestNeeded,
    /// The database cannot be reached; what needs only the snapshot is still answered.
    #[error("database is away")]
    Unavailable(#[source] BoxError),
    /// The cause goes to the log; the caller learns only that we failed.
    #[error("internal error")]
    Internal(#[source] BoxError),
}

/// Why a caller is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthenticationProblem {
    /// Nothing was presented.
    Missing,
    /// The token is not one of ours, or was withdrawn.
    InvalidToken,
    /// The API key is not one of ours, or was withdrawn.
    InvalidApiKey,
}

/// Why nobody came in with another service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ExternalProblem {
    /// The settings name no such service.
    #[error("there is no such service to sign in with")]
    NotSetUp,
    /// What the browser brought back is not what it left with, was used before, or is too old.
    #[error("the sign-in was begun elsewhere, or too long ago")]
    Stale,
    /// The service cannot be reached, or what it says is not accepted: the log says more.
    #[error("the service did not confirm the sign-in")]
    Failed,
    /// The service does not say that the address is theirs.
    #[error("the service has not verified the e-mail address")]
    EmailUnverified,
    /// People of this domain are not let in.
    #[error("the domain of the e-mail address is not allowed")]
    DomainNotAllowed,
    /// They have no account and may make none, or may not use it.
    #[error("there is no account with this e-mail address")]
    Closed,
}

/// A part of what a feature serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The environment's default.
    Default,
    /// The override at this position of those that were given, from 0.
    Override(usize),
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Override(position) => write!(f, "override {position}"),
        }
    }
}

/// Why versions of features stand against a change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VersioningProblem {
    /// Defaults and segment overrides of the environment change by published versions only.
    #[error("the environment changes by feature versions")]
    ByVersionsOnly,
    /// The environment has no versions.
    #[error("the environment does not change by feature versions")]
    NoVersions,
    /// The environment changes by versions already.
    #[error("the environment changes by feature versions already")]
    AlreadyOn,
    /// The environment is changed directly already.
    #[error("the environment is changed directly already")]
    AlreadyOff,
    /// A version that was published stays as it is.
    #[error("the version is published")]
    Published,
    /// A version whose time has come cannot be deleted.
    #[error("the version is live")]
    Live,
    /// A version whose time has come cannot be given a later one.
    #[error("the version is live already")]
    PutOff,
    /// A version needs the environment's default.
    #[error("the environment's default cannot be deleted")]
    DefaultNeeded,
    /// Only overrides can be added to a version: it has a default.
    #[error("the version has a default already")]
    DefaultExists,
    /// The version has an override for this segment.
    #[error("there is an override for segment `{0}` already")]
    OverrideExists(String),
    /// The version has no override for this segment.
    #[error("there is no override for segment `{0}`")]
    OverrideMissing(String),
}

/// What is wrong with a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordProblem {
    /// Fewer than eight characters.
    TooShort,
    /// Everybody tries it first.
    TooCommon,
    /// Nothing but digits.
    EntirelyNumeric,
    /// Longer than 128 characters, which would cost too much to hash.
    TooLong,
}

impl ServiceError {
    /// Names a field and what is wrong with it.
    #[must_use]
    pub fn invalid(field: &'static str, problem: Problem) -> Self {
        Self::Invalid { field, problem }
    }

    /// What is not found is this, for the caller: what it belongs to is none of their business.
    pub(crate) fn about(self, noun: Noun) -> Self {
        match self {
            Self::NotFound { .. } => Self::NotFound { noun },
            other => other,
        }
    }

    /// What is not found is forbidden, as the recorded server answers on some routes.
    pub(crate) fn hidden(self) -> Self {
        match self {
            Self::NotFound { .. } => Self::Forbidden,
            other => other,
        }
    }

    /// What is behind it, from the nearest cause to the last one: for the log.
    #[must_use]
    pub fn causes(&self) -> String {
        let mut causes = Vec::new();
        let mut next = std::error::Error::source(self);
        while let Some(cause) = next {
            causes.push(cause.to_string());
            next = cause.source();
        }
        causes.join(": ")
    }

    /// True for what is our fault, and belongs in the log.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Internal(_))
    }
}

impl From<StoreError> for ServiceError {
    fn from(error: StoreError) -> Self {
        if error.is_unavailable() {
            return Self::Unavailable(error.into());
        }
        match error {
            StoreError::NotFound { noun } => Self::NotFound { noun },
            StoreError::Conflict { noun } => Self::Conflict { noun },
            // No wildcard arm: a new storage error must be thought about here.
            StoreError::Corrupt { .. } | StoreError::Database(_) => Self::Internal(error.into()),
        }
    }
}
