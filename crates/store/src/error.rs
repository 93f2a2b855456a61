//! What can go wrong with stored data.

use std::fmt;

/// What a question was about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Noun {
    /// An API key of an organisation.
    ApiKey,
    /// An entry of the audit log.
    AuditEntry,
    /// An environment.
    Environment,
    /// A permission of a member.
    Grant,
    /// A guard of a rollout.
    Guard,
    /// An invitation of one person.
    Invite,
    /// A link that invites whoever has it.
    InviteLink,
    /// A feature.
    Feature,
    /// An export of features.
    FeatureExport,
    /// An import of features.
    FeatureImport,
    /// A feature state.
    FeatureState,
    /// The link of a segment override.
    FeatureSegment,
    /// A version of a feature in an environment.
    FeatureVersion,
    /// How a project is served to flagd.
    FlagdIntegration,
    /// An identity.
    Identity,
    /// A member.
    Member,
    /// A multivariate option.
    MultivariateOption,
    /// An organisation.
    Organisation,
    /// A project.
    Project,
    /// A rollout of a feature.
    Rollout,
    /// The hook address of a rollout.
    RolloutHook,
    /// A segment.
    Segment,
    /// A server-side key.
    ServerKey,
    /// A client-side key of an environment.
    ClientKey,
    /// A one-time sign-in link.
    SignInLink,
    /// A tag of features.
    Tag,
    /// A trait.
    Trait,
}

impl Noun {
    /// Every one.
    pub const ALL: &[Self] = &[
        Self::ApiKey,
        Self::AuditEntry,
        Self::Environment,
        Self::Grant,
        Self::Guard,
        Self::Invite,
        Self::InviteLink,
        Self::Feature,
        Self::FeatureExport,
        Self::FeatureImport,
        Self::FeatureState,
        Self::FeatureSegment,
        Self::FeatureVersion,
        Self::FlagdIntegration,
        Self::Identity,
        Self::Member,
        Self::MultivariateOption,
        Self::Organisation,
        Self::Project,
        Self::Rollout,
        Self::RolloutHook,
        Self::Segment,
        Self::ServerKey,
        Self::ClientKey,
        Self::SignInLink,
        Self::Tag,
        Self::Trait,
    ];

    /// The noun of a word that is stored in the audit log.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|noun| noun.as_str() == word)
    }

    /// The word that is stored in the audit log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ApiKey => "API key",
            Self::AuditEntry => "audit entry",
            Self::Environment => "environment",
            Self::Grant => "permission",
            Self::Guard => "guard",
            Self::Invite => "invite",
            Self::InviteLink => "invite link",
            Self::Feature => "feature",
            Self::FeatureExport => "feature export",
            Self::FeatureImport => "feature import",
            Self::FeatureState => "feature state",
            Self::FeatureSegment => "segment override",
            Self::FeatureVersion => "feature version",
            Self::FlagdIntegration => "flagd integration",
            Self::Identity => "identity",
            Self::Member => "member",
            Self::MultivariateOption => "multivariate option",
            Self::Organisation => "organisation",
            Self::Project => "project",
            Self::Rollout => "rollout",
            Self::RolloutHook => "rollout hook",
            Self::Segment => "segment",
            Self::ServerKey => "server-side key",
            Self::ClientKey => "client-side key",
            Self::SignInLink => "sign-in link",
            Self::Tag => "tag",
            Self::Trait => "trait",
        }
    }
}

impl fmt::Display for Noun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What the store answers.
pub type StoreResult<T> = Result<T, StoreError>;

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no such row.
    #[error("{noun} not found")]
    NotFound {
        /// What.
        noun: Noun,
    },
    /// There is such a row already.
    #[error("{noun} already exists")]
    Conflict {
        /// What.
        noun: Noun,
    },
    /// A row holds what it never should.
    #[error("stored {noun} {id} cannot be read: {problem}")]
    Corrupt {
        /// What.
        noun: Noun,
        /// Its id.
        id: i64,
        /// What is wrong with it.
        problem: String,
    },
    /// The database failed, or cannot be reached.
    #[error("database failed")]
    Database(#[source] sqlx::Error),
}

impl StoreError {
    /// True while the database cannot be reached: asking again later may help.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        let Self::Database(error) = self else {
            return false;
        };
        match error {
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::BeginFailed => true,
            sqlx::Error::Database(error) => error.code().is_some_and(|code| passes_by(&code)),
            _ => false,
        }
    }

    /// True when it may be that no connection can be had at all, rather than that one statement failed.
    #[must_use]
    pub fn is_lost_connection(&self) -> bool {
        let Self::Database(error) = self else {
            return false;
        };
        match error {
            sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::PoolTimedOut => true,
            sqlx::Error::Database(error) => error.code().is_some_and(|code| {
                code.len() == 5 && (code.starts_with("08") || code.starts_with("57P"))
            }),
            _ => false,
        }
    }

    /// True when other transactions were in the way: the same may well succeed at once.
    pub(crate) fn is_passing_conflict(&self) -> bool {
        let Self::Database(sqlx::Error::Database(error)) = self else {
            return false;
        };
        // Postgres: serialisation failure, deadlock.
        error
            .code()
            .is_some_and(|code| ["40001", "40P01"].contains(&&*code))
    }

    /// Reads a violated uniqueness as "there is such a row already".
    pub(crate) fn conflict(noun: Noun) -> impl FnOnce(sqlx::Error) -> Self {
        move |error| match &error {
            sqlx::Error::Database(database) if database.is_unique_violation() => {
                Self::Conflict { noun }
            }
            _ => error.into(),
        }
    }
}

/// Troubles that pass by themselves or by an operator's hand: connections, locks, resources, shutdown, disks.
fn passes_by(code: &str) -> bool {
    // SQLSTATEs of Postgres have five characters; those of SQLite's codes that matter here have fewer.
    if code.len() == 5 {
        return ["08", "40", "53", "58"].contains(&&code[..2])
            || code.starts_with("57P")
            || ["25006", "25P03", "55P03", "57014"].contains(&code);
    }
    // BUSY, LOCKED, NOMEM, READONLY, IOERR, FULL, CANTOPEN; the low byte of an extended code is the code.
    code.parse::<i32>()
        .is_ok_and(|code| matches!(code & 0xff, 5 | 6 | 7 | 8 | 10 | 13 | 14))
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl From<sqlx::migrate::MigrateError> for StoreError {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        match error {
            sqlx::migrate::MigrateError::Execute(error) => Self::Database(error),
            other => Self::Database(sqlx::Error::Configuration(other.into())),
        }
    }
}

/// Passes when a statement changed a row.
pub(crate) fn changed(rows: u64, noun: Noun) -> StoreResult<()> {
    if rows == 0 {
        return Err(StoreError::NotFound { noun });
    }
    Ok(())
}

/// Reads a stored UUID.
pub(crate) fn uuid(noun: Noun, id: i64, text: &str) -> StoreResult<uuid::Uuid> {
    text.parse().map_err(|_| StoreError::Corrupt {
        noun,
        id,
        problem: format!("`{text}` is no UUID"),
    })
}

/// A stored word as what it means.
pub(crate) fn word<T>(
    noun: Noun,
    id: i64,
    parse: impl Fn(&str) -> Option<T>,
    text: &str,
) -> StoreResult<T> {
    parse(text).ok_or_else(|| StoreError::Corrupt {
        noun,
        id,
        problem: format!("`{text}` is no known word"),
    })
}

/// A stored word that may be missing as what it means.
pub(crate) fn optional_word<T>(
    noun: Noun,
    id: i64,
    parse: impl Fn(&str) -> Option<T>,
    text: Option<&str>,
) -> StoreResult<Option<T>> {
    text.map(|text| word(noun, id, parse, text)).transpose()
}
