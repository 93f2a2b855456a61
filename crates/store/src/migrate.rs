//! Bringing the database to this version.

use crate::backend::{Transaction, on_backend, on_transaction};
use crate::{Store, StoreResult};
use flagstaff_core::Timestamp;
use sqlx::SqliteConnection;
use sqlx::migrate::Migrator;
use uuid::Uuid;

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

impl crate::Write {
    /// True when there never was a member or an organisation. Changes come one at a time, on all nodes: what this one
    /// makes because of the answer is made once, however many processes start together.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn is_first(&mut self) -> StoreResult<bool> {
        self.transaction.is_empty().await
    }
}

/// Members and organisations, deleted ones too. What the product keeps for itself makes no database non-empty.
const EMPTY: &str = "
    SELECT (SELECT COUNT(*) FROM members) + (SELECT COUNT(*) FROM organisations WHERE id > 0)";

/// How a database stands to this version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MigrationState {
    /// Migrations this version knows.
    pub known: usize,
    /// Migrations the database has had.
    pub applied: usize,
}

impl Store {
    /// Runs the migrations the database has not had, in one transaction. Processes that start together take turns.
    ///
    /// # Errors
    /// When a migration fails, which leaves nothing of it, or the database was written by a newer version.
    pub async fn migrate(&self, now: Timestamp) -> StoreResult<()> {
        const INSTANCE: &str = "
            INSERT INTO instance (id, uuid, created_at) VALUES (1, $1, $2)
            ON CONFLICT (id) DO NOTHING";
        let mut transaction = self.begin().await?;
        transaction.wait_for_migrations().await?;
        transaction.migrate_to(None).await?;
        on_transaction!(&mut transaction, |connection| {
            sqlx::query(INSTANCE)
                .bind(Uuid::new_v4().to_string())
                .bind(now.micros())
                .execute(connection)
                .await
                .map(drop)
        })?;
        transaction.commit().await
    }

    /// Compares the database with this version, without changing it.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn migration_state(&self) -> StoreResult<MigrationState> {
        const SQL: &str = "SELECT COUNT(*) FROM _sqlx_migrations";
        let applied: Result<i64, sqlx::Error> = on_backend!(self, |pool| {
            sqlx::query_scalar(SQL).fetch_one(pool).await
        });
        let applied = match applied.map_err(crate::StoreError::from) {
            Ok(applied) => applied,
            Err(error) if error.is_unavailable() => return Err(error),
            // A new database has no table of migrations yet.
            Err(_) => 0,
        };
        Ok(MigrationState {
            known: SQLITE.iter().count(),
            applied: usize::try_from(applied).unwrap_or_default(),
        })
    }

    /// True when there never was a member or an organisation.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn is_empty(&self) -> StoreResult<bool> {
        let rows: i64 = on_backend!(self, |pool| {
            sqlx::query_scalar(EMPTY).fetch_one(pool).await
        })?;
        Ok(rows == 0)
    }
}

impl Transaction {
    /// Waits until no other process migrates this database, and keeps others waiting until this transaction ends.
    /// Nothing that follows in it is cut off for taking long.
    pub(crate) async fn wait_for_migrations(&mut self) -> StoreResult<()> {
        const LONG: &str = "
            SET LOCAL statement_timeout = 0;
            SET LOCAL lock_timeout = 0;
            SET LOCAL idle_in_transaction_session_timeout = 0";
        const QUEUE: &str = "
            SELECT pg_advisory_xact_lock(hashtextextended('flagstaff migration ' || current_schema(), 0))";
        // A transaction that writes is alone on SQLite.
        if let Self::Postgres(transaction) = self {
            sqlx::raw_sql(LONG).execute(&mut **transaction).await?;
            sqlx::query(QUEUE).execute(&mut **transaction).await?;
        }
        Ok(())
    }

    /// Runs the migrations the database has not had, up to this one, or all.
    pub(crate) async fn migrate_to(&mut self, target: Option<i64>) -> StoreResult<()> {
        match self {
            Self::Sqlite(transaction) => migrate_sqlite(transaction, target).await,
            Self::Postgres(transaction) => Ok(unlocked(&POSTGRES)
                .run_direct(target, &mut **transaction, false)
                .await?),
        }
    }

    /// Numbers of the migrations the database has had, ascending; none for a database that is new.
    pub(crate) async fn migrations_had(&mut self) -> StoreResult<Vec<i64>> {
        const SQLITE: &str = "SELECT COUNT(*) FROM sqlite_schema WHERE name = '_sqlx_migrations'";
        const POSTGRES: &str = "
            SELECT COUNT(*) FROM pg_tables
            WHERE tablename = '_sqlx_migrations' AND schemaname = current_schema()";
        const SQL: &str = "SELECT version FROM _sqlx_migrations ORDER BY version";
        let tables: i64 = match self {
            Self::Sqlite(transaction) => {
                sqlx::query_scalar(SQLITE)
                    .fetch_one(&mut **transaction)
                    .await?
            }
            Self::Postgres(transaction) => {
                sqlx::query_scalar(POSTGRES)
                    .fetch_one(&mut **transaction)
                    .await?
            }
        };
        if tables == 0 {
            return Ok(Vec::new());
        }
        Ok(on_transaction!(self, |connection| {
            sqlx::query_scalar(SQL).fetch_all(connection).await
        })?)
    }

    /// True when there never was a member or an organisation.
    pub(crate) async fn is_empty(&mut self) -> StoreResult<bool> {
        let rows: i64 = on_transaction!(self, |connection| {
            sqlx::query_scalar(EMPTY).fetch_one(connection).await
        })?;
        Ok(rows == 0)
    }
}

/// Numbers of all migrations this version knows, ascending. Both databases have the same.
pub(crate) fn known_migrations() -> Vec<i64> {
    SQLITE.iter().map(|migration| migration.version).collect()
}

/// Runs the migrations that a SQLite database has not had, up to this one, or all.
pub(crate) async fn migrate_sqlite(
    connection: &mut SqliteConnection,
    target: Option<i64>,
) -> StoreResult<()> {
    unlocked(&SQLITE)
        .run_direct(target, connection, false)
        .await?;
    Ok(())
}

/// The migrations without sqlx's lock, which would cover all installations of a Postgres database and nothing on
/// SQLite.
fn unlocked(migrator: &Migrator) -> Migrator {
    let mut unlocked = Migrator {
        migrations: migrator.migrations.clone(),
        ..Migrator::DEFAULT
    };
    unlocked.set_locking(false);
    unlocked
}
