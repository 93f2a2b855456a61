//! One set of functions over two databases.

use crate::{Store, StoreError, StoreResult};
use sqlx::Connection as _;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

/// The oldest Postgres that is served, as it counts versions.
const OLDEST: u32 = 130_000;

/// The open database.
#[derive(Debug, Clone)]
pub(crate) enum Backend {
    /// A file. SQLite has one writer at a time, so writes queue for one connection instead of failing.
    Sqlite {
        path: PathBuf,
        readers: SqlitePool,
        writer: SqlitePool,
    },
    /// A server, shared with other nodes.
    Postgres(PgPool),
}

/// Runs a body on a connection pool for reading, whichever database is open.
macro_rules! on_backend {
    ($store:expr, |$pool:ident| $body:expr) => {
        match $store.backend() {
            $crate::backend::Backend::Sqlite { readers: $pool, .. } => $body,
            $crate::backend::Backend::Postgres($pool) => $body,
        }
    };
}

/// The same for the few statements that write outside of [`crate::Write`].
macro_rules! on_writer {
    ($store:expr, |$pool:ident| $body:expr) => {
        match $store.backend() {
            $crate::backend::Backend::Sqlite { writer: $pool, .. } => $body,
            $crate::backend::Backend::Postgres($pool) => $body,
        }
    };
}

/// Runs one statement that writes outside of [`crate::Write`], with its parameters in order: how many rows it changed.
macro_rules! execute {
    ($store:expr, $sql:expr, $($parameter:expr),+ $(,)?) => {
        $crate::backend::on_writer!($store, |pool| {
            sqlx::query($sql)
                $(.bind($parameter))+
                .execute(pool)
                .await
                .map(|done| done.rows_affected())
        })
    };
}

/// Runs a body on the connection of a transaction.
macro_rules! on_transaction {
    ($transaction:expr, |$connection:ident| $body:expr) => {
        match $transaction {
            $crate::backend::Transaction::Sqlite(transaction) => {
                let $connection = &mut **transaction;
                $body
            }
            $crate::backend::Transaction::Postgres(transaction) => {
                let $connection = &mut **transaction;
                $body
            }
        }
    };
}

/// Runs a statement of a [`crate::Write`] that changes or removes one row, with its parameters in order: an error where
/// there is no such row, or where another one has what has to be unique.
macro_rules! change_row {
    ($write:expr, $noun:expr, $sql:expr, $($parameter:expr),+ $(,)?) => {{
        let changed = $crate::backend::on_transaction!(&mut $write.transaction, |connection| {
            sqlx::query($sql)
                $(.bind($parameter))+
                .execute(connection)
                .await
                .map(|done| done.rows_affected())
        });
        let changed = changed.map_err($crate::StoreError::conflict($noun))?;
        $crate::error::changed(changed, $noun)
    }};
}

pub(crate) use {change_row, execute, on_backend, on_transaction, on_writer};

/// A transaction under way; dropped, it leaves nothing.
#[derive(Debug)]
pub(crate) enum Transaction {
    Sqlite(sqlx::Transaction<'static, sqlx::Sqlite>),
    Postgres(sqlx::Transaction<'static, sqlx::Postgres>),
}

impl Transaction {
    pub(crate) async fn commit(self) -> StoreResult<()> {
        match self {
            Self::Sqlite(transaction) => transaction.commit().await?,
            Self::Postgres(transaction) => transaction.commit().await?,
        }
        Ok(())
    }

    pub(crate) async fn roll_back(self) -> StoreResult<()> {
        match self {
            Self::Sqlite(transaction) => transaction.rollback().await?,
            Self::Postgres(transaction) => transaction.rollback().await?,
        }
        Ok(())
    }

    /// A statement with many parameters, each there once and in order, as the database reads it fastest.
    pub(crate) fn in_order(&self, sql: String) -> String {
        match self {
            Self::Sqlite(_) => crate::text::without_names(&sql),
            Self::Postgres(_) => sql,
        }
    }

    /// True where other nodes write too, and rows that are compared have to be locked.
    pub(crate) const fn is_shared(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }
}

impl Backend {
    pub(crate) async fn connect(url: &str) -> StoreResult<Self> {
        if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            return Self::connect_postgres(url).await;
        }
        if !url.starts_with("sqlite:") {
            return Err(refused(
                "the address begins neither with `sqlite:` nor with `postgres:`",
            ));
        }
        if url.contains(":memory:") || url.contains("mode=memory") {
            return Err(refused(
                "a database in memory is another one for each connection",
            ));
        }
        let options = SqliteConnectOptions::from_str(url)?
            .foreign_keys(true)
            .journal_mode(SqliteJournalMode::Wal)
            // Acknowledged means stored, even when the machine loses power.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(10));
        let path = options.get_filename().to_path_buf();
        make_private(&path)?;
        let writer = sqlite_pool()
            .max_connections(1)
            .acquire_timeout(Duration::from_secs(30))
            .connect_with(options.clone())
            .await?;
        let readers = sqlite_pool()
            .max_connections(8)
            .acquire_timeout(Duration::from_secs(10))
            .connect_with(options.pragma("query_only", "on"))
            .await?;
        Ok(Self::Sqlite {
            path,
            readers,
            writer,
        })
    }

    async fn connect_postgres(url: &str) -> StoreResult<Self> {
        let options = PgConnectOptions::from_str(url)?
            .application_name("flagstaff")
            .options([
                ("statement_timeout", "30s"),
                ("lock_timeout", "10s"),
                // A node that stops in the middle of a change must not hold up the others.
                ("idle_in_transaction_session_timeout", "60s"),
            ]);
        let pool = PgPoolOptions::new()
            .max_connections(20)
            .acquire_timeout(Duration::from_secs(5))
            .connect_with(options)
            .await?;
        let version: String = sqlx::query_scalar("SELECT current_setting('server_version_num')")
            .fetch_one(&pool)
            .await?;
        if version.parse::<u32>().is_ok_and(|version| version < OLDEST) {
            return Err(refused("Postgres 13 or later is needed"));
        }
        Ok(Self::Postgres(pool))
    }
}

/// A pool that gives no connection of which sqlx thinks that a transaction is open: SQLite ends one by itself when the
/// disk is full, sqlx goes on counting it, and none could be begun on that connection any more.
fn sqlite_pool() -> SqlitePoolOptions {
    SqlitePoolOptions::new().before_acquire(|connection, _| {
        let is_free = !connection.is_in_transaction();
        Box::pin(std::future::ready(Ok(is_free)))
    })
}

fn refused(problem: &'static str) -> StoreError {
    StoreError::Database(sqlx::Error::Configuration(problem.into()))
}

/// Makes the file, when it is not there, for its owner alone: it holds keys and password hashes.
fn make_private(path: &Path) -> StoreResult<()> {
    let mut file = std::fs::OpenOptions::new();
    file.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut file, 0o600);
    match file.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(sqlx::Error::Io(error).into()),
    }
}

impl Store {
    /// Begins a transaction that writes.
    pub(crate) async fn begin(&self) -> StoreResult<Transaction> {
        Ok(match self.backend() {
            Backend::Sqlite { writer, .. } => {
                Transaction::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await?)
            }
            Backend::Postgres(pool) => Transaction::Postgres(pool.begin().await?),
        })
    }

    /// Begins a transaction for a change that is audited. On Postgres such changes wait for one another in all nodes,
    /// as they do on SQLite: so they cannot lock rows against each other, and what one reads stays true.
    pub(crate) async fn begin_change(&self) -> StoreResult<Transaction> {
        // With the schema's name, so that installations in one database do not wait for each other.
        const QUEUE: &str = "SELECT pg_advisory_xact_lock(hashtextextended('flagstaff change ' || current_schema(), 0))";
        let mut transaction = self.begin().await?;
        if let Transaction::Postgres(transaction) = &mut transaction {
            sqlx::query(QUEUE).execute(&mut **transaction).await?;
        }
        Ok(transaction)
    }

    /// Begins a transaction in which every read sees the same moment.
    pub(crate) async fn begin_reading(&self) -> StoreResult<Transaction> {
        Ok(match self.backend() {
            Backend::Sqlite { readers, .. } => Transaction::Sqlite(readers.begin().await?),
            Backend::Postgres(pool) => Transaction::Postgres(
                pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                    .await?,
            ),
        })
    }
}
