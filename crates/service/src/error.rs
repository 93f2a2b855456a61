//! Why the product refused, or failed, to do what a caller asked.

use flagstaff_core::FeatureId;
use flagstaff_store::StoreError;

pub use flagstaff_store::Noun;

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

/// What is wrong with a field.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Problem {
    /// It has to be given.
    #[error("is missing")]
    Required,
    /// It is empty.
    #[error("is empty")]
    Blank,
    /// It is longer than allowed.
    #[error("has more than {limit} characters")]
    TooLong {
        /// The most characters allowed.
        limit: usize,
    },
    /// It holds a NUL character.
    #[error("contains a NUL character")]
    Nul,
    /// It is outside its range.
    #[error("is not between {min} and {max}")]
    OutOfRange {
        /// The least allowed.
        min: i64,
        /// The most allowed.
        max: i64,
    },
    /// It names something that does not exist.
    #[error("{0} does not exist")]
    UnknownId(i64),
    /// It does not match the project's pattern.
    #[error("does not match `{0}`")]
    NotMatching(String),
    /// It is no pattern.
    #[error("is not a regular expression")]
    NotAPattern,
    /// It is no e-mail address.
    #[error("is not an e-mail address")]
    InvalidEmail,
    /// It is not the password of who asks.
    #[error("is wrong")]
    WrongPassword,
    /// The two do not match.
    #[error("differs from the password it repeats")]
    PasswordsDiffer,
    /// Whoever has this address belongs to the organisation.
    #[error("belongs to a member of the organisation")]
    MemberAlready,
    /// This address was invited, and the invitation was not used yet.
    #[error("is invited already")]
    InvitedAlready,
    /// An organisation needs somebody who can manage it.
    #[error("would leave the organisation without an admin")]
    LastAdmin,
    /// There are as many as there may be.
    #[error("exceed the limit of {limit}")]
    TooMany {
        /// The most allowed.
        limit: usize,
    },
    /// No permission of this level has this word.
    #[error("`{0}` is not a permission here")]
    UnknownPermission(String),
    /// Superusers sign up first, or not at all.
    #[error("cannot be true after the first member")]
    NotFirstMember,
    /// Somebody signs in with it already.
    #[error("belongs to somebody already")]
    EmailTaken,
    /// The password is too easy.
    #[error("is too weak")]
    WeakPassword(Vec<PasswordProblem>),
    /// Percentages add up to more than 100.
    #[error("percentages add up to more than 100")]
    PercentagesExceed,
    /// `control` names the value everybody else gets.
    #[error("`control` is a reserved variant key")]
    ReservedVariantKey,
    /// Another option of the feature has this key.
    #[error("is the key of another option")]
    DuplicateVariantKey,
    /// The option belongs to another feature.
    #[error("option {0} belongs to another feature")]
    ForeignOption(i64),
    /// A feature of a file cannot be as the file has it.
    #[error("holds a feature `{feature}` whose {field} {problem}")]
    InFile {
        /// Its name.
        feature: String,
        /// The field as the native API names it.
        field: &'static str,
        /// What is wrong with it.
        problem: Box<Problem>,
    },
    /// The project wants each feature looked after by somebody.
    #[error("names nobody, and the project wants an owner for each feature")]
    OwnerNeeded,
    /// A server-side key begins with `ser.`.
    #[error("does not begin with `ser.`, or is longer than 100 visible ASCII characters")]
    NotAServerKey,
    /// What is no admin needs roles, which there are none of.
    #[error("cannot be false: there are no roles to give")]
    NoRoles,
    /// A segment needs a rule.
    #[error("has no rules")]
    NoRules,
    /// Rules may hold rules, which may hold no more.
    #[error("rules are nested more than {limit} deep")]
    RulesTooDeep {
        /// The deepest allowed.
        limit: usize,
    },
    /// A segment has a limit of conditions.
    #[error("has {count} conditions, the limit is {limit}")]
    ConditionsExceed {
        /// How many were given.
        count: usize,
        /// The most allowed.
        limit: usize,
    },
    /// A segment has a limit of rules, those within rules included.
    #[error("has {count} rules, the limit is {limit}")]
    RulesExceed {
        /// How many were given.
        count: usize,
        /// The most allowed.
        limit: usize,
    },
    /// No operator has this name.
    #[error("`{0}` is not an operator")]
    UnknownOperator(String),
    /// The segment belongs to one feature.
    #[error("the segment belongs to feature {0}")]
    SegmentOfAnotherFeature(FeatureId),
    /// It stays what it was made with.
    #[error("cannot be changed")]
    Fixed,
    /// An environment has a limit of segment overrides of a feature.
    #[error("the environment has as many segment overrides as it may")]
    OverridesExceed,
    /// Ids of rows that are not there, or named twice.
    #[error("some ids are unknown")]
    SomeIdsUnknown,
    /// Only links of one feature in one environment stand in one order.
    #[error("the links belong to several features or environments")]
    SeveralFeatures,
    /// The feature belongs to another project.
    #[error("feature {0} belongs to another project")]
    FeatureOfAnotherProject(FeatureId),
    /// A state belongs to a segment or to an identity, not to both.
    #[error("an override is for a segment or for an identity")]
    TwoOwners,
    /// The identity is in another environment.
    #[error("the identity is in another environment")]
    IdentityElsewhere,
    /// The link of the segment is in another environment, or of another feature.
    #[error("the link is in another environment")]
    LinkElsewhere,
    /// Only multivariate features have variants.
    #[error("the feature is not multivariate")]
    NotMultivariate,
    /// The feature has no such option.
    #[error("names an unknown variant")]
    UnknownVariant,
    /// All options of a feature are weighted together.
    #[error("does not name every variant")]
    VariantsIncomplete,
    /// Weights add up to more than 100.
    #[error("weights add up to more than 100")]
    WeightsExceed,
    /// Which of two overrides with one priority counts would be anybody's guess.
    #[error("two overrides have priority {0}")]
    DuplicatePriority(i64),
    /// No identity has this identifier.
    #[error("no identity has this identifier")]
    UnknownIdentifier,
    /// The environment ignores traits that come with a client key.
    #[error("traits cannot be set with a client key")]
    ClientTraitsNotAllowed,
    /// The organisation stores no traits.
    #[error("the organisation stores no traits")]
    TraitsNotStored,
    /// An identity may have a limit of traits.
    #[error("an identity has at most {limit} traits")]
    TraitsExceed {
        /// The most allowed.
        limit: usize,
    },
    /// Only integers can be incremented.
    #[error("is not an integer")]
    TraitNotInteger,
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
