//! One set of functions over two databases.

use crate::{Store, StoreResult};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

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

pub(crate) use {on_backend, on_transaction, on_writer};

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

    /// True where other nodes write too, and rows that are compared have to be locked.
    pub(crate) const fn is_shared(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }
}

impl Backend {
    pub(crate) async fn connect(url: &str) -> StoreResult<Self> {
        if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            let options = PgConnectOptions::from_str(url)?.application_name("flagstaff");
            let pool = PgPoolOptions::new()
                .max_connections(20)
                .acquire_timeout(Duration::from_secs(5))
                .connect_with(options)
                .await?;
            return Ok(Self::Postgres(pool));
        }
        let options = SqliteConnectOptions::from_str(url)?
            .create_if_missing(true)
            .foreign_keys(true)
            .journal_mode(SqliteJournalMode::Wal)
            // Acknowledged means stored, even when the machine loses power.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(10));
        let path = options.get_filename().to_path_buf();
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(Duration::from_secs(30))
            .connect_with(options.clone())
            .await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(8)
            .acquire_timeout(Duration::from_secs(10))
            .connect_with(options.create_if_missing(false))
            .await?;
        Ok(Self::Sqlite {
            path,
            readers,
            writer,
        })
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
