//! Bringing the database to this version.

use crate::backend::{Transaction, on_backend, on_transaction};
use crate::{Store, StoreResult};
use flagstaff_core::Timestamp;
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
        let rows: i64 = on_transaction!(&mut self.transaction, |connection| {
            sqlx::query_scalar(EMPTY).fetch_one(connection).await
        })?;
        Ok(rows == 0)
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
        const LONG: &str = "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0";
        const QUEUE: &str = "
            SELECT pg_advisory_xact_lock(hashtextextended('flagstaff migration ' || current_schema(), 0))";
        let mut transaction = self.begin().await?;
        match &mut transaction {
            Transaction::Sqlite(transaction) => {
                unlocked(&SQLITE)
                    .run_direct(None, &mut **transaction, false)
                    .await?;
            }
            Transaction::Postgres(transaction) => {
                sqlx::raw_sql(LONG).execute(&mut **transaction).await?;
                sqlx::query(QUEUE).execute(&mut **transaction).await?;
                unlocked(&POSTGRES)
                    .run_direct(None, &mut **transaction, false)
                    .await?;
            }
        }
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
