//! Bringing the database to this version.

use crate::backend::{Backend, on_backend, on_transaction};
use crate::{Store, StoreResult};
use flagstaff_core::Timestamp;
use sqlx::migrate::{Migrate, Migrator};
use uuid::Uuid;

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

impl crate::Write {
    /// True when there is neither a member nor an organisation; others that ask wait until this change has ended.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn is_first(&mut self) -> StoreResult<bool> {
        // A lock on the one row that is always there.
        const LOCK: &str = "UPDATE instance SET id = id WHERE id = 1";
        on_transaction!(&mut self.transaction, |connection| {
            sqlx::query(LOCK).execute(connection).await.map(drop)
        })?;
        let rows: i64 = on_transaction!(&mut self.transaction, |connection| {
            sqlx::query_scalar(EMPTY).fetch_one(connection).await
        })?;
        Ok(rows == 0)
    }
}

/// Members and organisations, deleted ones too.
const EMPTY: &str = "
    SELECT (SELECT COUNT(*) FROM members) + (SELECT COUNT(*) FROM organisations)";

/// How a database stands to this version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MigrationState {
    /// Migrations this version knows.
    pub known: usize,
    /// Migrations the database has had.
    pub applied: usize,
}

impl Store {
    /// Runs the migrations the database has not had. Processes that start together take turns: sqlx locks a
    /// Postgres database, SQLite has one writer.
    ///
    /// # Errors
    /// When a migration fails, or the database was written by a newer version.
    pub async fn migrate(&self, now: Timestamp) -> StoreResult<()> {
        match self.backend() {
            Backend::Sqlite { writer, .. } => SQLITE.run(writer).await?,
            Backend::Postgres(pool) => POSTGRES.run(pool).await?,
        }
        const SQL: &str = "
            INSERT INTO instance (id, uuid, created_at) VALUES (1, $1, $2)
            ON CONFLICT (id) DO NOTHING";
        crate::backend::on_writer!(self, |pool| {
            sqlx::query(SQL)
                .bind(Uuid::new_v4().to_string())
                .bind(now.micros())
                .execute(pool)
                .await
                .map(drop)
        })?;
        Ok(())
    }

    /// Compares the database with this version, without changing it.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn migration_state(&self) -> StoreResult<MigrationState> {
        Ok(match self.backend() {
            Backend::Sqlite { writer, .. } => {
                let mut connection = writer.acquire().await?;
                connection
                    .ensure_migrations_table("_sqlx_migrations")
                    .await?;
                let applied = connection
                    .list_applied_migrations("_sqlx_migrations")
                    .await?;
                MigrationState {
                    known: SQLITE.iter().count(),
                    applied: applied.len(),
                }
            }
            Backend::Postgres(pool) => {
                let mut connection = pool.acquire().await?;
                connection
                    .ensure_migrations_table("_sqlx_migrations")
                    .await?;
                let applied = connection
                    .list_applied_migrations("_sqlx_migrations")
                    .await?;
                MigrationState {
                    known: POSTGRES.iter().count(),
                    applied: applied.len(),
                }
            }
        })
    }

    /// True when there is neither a member nor an organisation.
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
