//! What can go wrong with a backup.

use crate::StoreError;

/// What a backup or a restore answers.
pub type BackupResult<T> = Result<T, BackupError>;

/// Why a backup was not made, or not restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file cannot be read or written.
    #[error("the file cannot be read or written")]
    File(#[source] std::io::Error),
    /// The file is something else.
    #[error("this is no flagstaff backup: {problem}")]
    NotABackup {
        /// What was found.
        problem: &'static str,
    },
    /// The file is written in a form of later versions.
    #[error(
        "the backup is of format {found} and this version reads formats up to {known}: restore it with the version that made it, or a later one"
    )]
    NewerFormat {
        /// The file's.
        found: i64,
        /// The newest known here.
        known: i64,
    },
    /// The data has had migrations that this version does not know.
    #[error(
        "the data is at migration {found} and this version knows migrations up to {known}: use the version that it comes from, or a later one"
    )]
    NewerSchema {
        /// The data's.
        found: i64,
        /// The newest known here.
        known: i64,
    },
    /// There is nothing to back up.
    #[error("the database holds nothing of flagstaff")]
    NoTables,
    /// The database has not had all migrations up to its newest one.
    #[error("the database has not had migration {missing}, though later ones")]
    MissingMigration {
        /// The first that is missing.
        missing: i64,
    },
    /// The file ends before its last line.
    #[error("the backup was cut off: it ends {place}")]
    Truncated {
        /// Where.
        place: String,
    },
    /// What the file holds is not what was written.
    #[error("the backup was changed after it was made: {problem}")]
    Altered {
        /// What does not fit.
        problem: String,
    },
    /// The database that is to be filled holds something.
    #[error("the database is not empty: it has members or organisations; restore into a new one")]
    NotEmpty,
    /// What was written comes out differently.
    #[error("table `{table}` does not come out of the database as it went in: {problem}")]
    Unfaithful {
        /// Which table.
        table: String,
        /// What differs.
        problem: String,
    },
    /// A table could not be read or written.
    #[error("table `{table}` cannot be carried")]
    Table {
        /// Which table.
        table: String,
        /// Why.
        #[source]
        source: Box<Self>,
    },
}

impl From<sqlx::Error> for BackupError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

impl BackupError {
    /// A file that holds something else than was written.
    pub(crate) fn altered(problem: impl Into<String>) -> Self {
        Self::Altered {
            problem: problem.into(),
        }
    }

    /// The same error, with the table at which it came up.
    pub(crate) fn at(self, table: &str) -> Self {
        match self {
            error @ (Self::Store(_) | Self::File(_)) => Self::Table {
                table: table.to_owned(),
                source: Box::new(error),
            },
            other => other,
        }
    }
}
