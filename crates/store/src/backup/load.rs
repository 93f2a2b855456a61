//! A backup on its way into a database: one transaction, in which everything that was written is read again and compared.

use super::dump::read_table;
use super::schema::{Table, quoted, tables};
use super::{
    BackupError, BackupResult, BackupSummary, Cell, Header, Nobody, Receiver, TableSummary,
};
use crate::Store;
use crate::backend::{Transaction, on_transaction};
use crate::migrate::known_migrations;
use crate::text::value_rows;
use flagstaff_core::Timestamp;
use sqlx::AssertSqlSafe;

/// The most rows and parameters in one statement, and the bytes of rows that are held until it is run.
const BATCH_ROWS: usize = 500;
const BATCH_PARAMETERS: usize = 8_000;
const BATCH_BYTES: usize = 2 * 1024 * 1024;

/// Fills a database.
pub(crate) struct Load<'s> {
    store: &'s Store,
    now: Timestamp,
    /// From the beginning to the end.
    transaction: Option<Transaction>,
    /// What ties rows to others, taken away while they come in.
    references: Vec<Reference>,
    waiting: Vec<Vec<Cell>>,
    waiting_bytes: usize,
}

/// A foreign key of Postgres.
struct Reference {
    table: String,
    name: String,
    definition: String,
}

impl<'s> Load<'s> {
    pub(crate) const fn new(store: &'s Store, now: Timestamp) -> Self {
        Self {
            store,
            now,
            transaction: None,
            references: Vec::new(),
            waiting: Vec::new(),
            waiting_bytes: 0,
        }
    }

    fn transaction(&mut self) -> BackupResult<&mut Transaction> {
        let open = self.transaction.as_mut();
        open.ok_or_else(|| sqlx::Error::BeginFailed.into())
    }

    /// Writes the rows that wait.
    async fn flush(&mut self, table: &Table) -> BackupResult<()> {
        let rows = std::mem::take(&mut self.waiting);
        self.waiting_bytes = 0;
        if rows.is_empty() {
            return Ok(());
        }
        let transaction = self.transaction()?;
        let sql = transaction.in_order(format!(
            "INSERT INTO {} ({}) VALUES {}",
            quoted(&table.name),
            table.column_list(),
            value_rows(table.columns.len(), rows.len())
        ));
        on_transaction!(transaction, |connection| {
            let mut insert = sqlx::query(AssertSqlSafe(sql));
            for cell in rows.into_iter().flatten() {
                insert = match cell {
                    Cell::Integer(value) => insert.bind(value),
                    Cell::Real(value) => insert.bind(value),
                    Cell::Boolean(value) => insert.bind(value),
                    Cell::Text(value) => insert.bind(value),
                };
            }
            insert.execute(connection).await.map(drop)
        })?;
        Ok(())
    }
}

impl Receiver for Load<'_> {
    async fn begin(&mut self, header: &Header, tables: &[Table]) -> BackupResult<()> {
        let mut transaction = self.store.begin_change().await?;
        transaction.wait_for_migrations().await?;
        transaction.clear_away().await?;
        transaction.migrate_to(Some(header.schema_version)).await?;
        self.references = transaction.untie(tables).await?;
        // Migrations may make rows too; those of the backup take their place.
        transaction.delete_rows(tables).await?;
        self.transaction = Some(transaction);
        Ok(())
    }

    async fn begin_table(&mut self, _table: &Table) -> BackupResult<()> {
        Ok(())
    }

    async fn row(&mut self, table: &Table, line: &[u8], cells: Vec<Cell>) -> BackupResult<()> {
        self.waiting.push(cells);
        self.waiting_bytes += line.len();
        let parameters = self.waiting.len() * table.columns.len();
        let is_full = self.waiting.len() >= BATCH_ROWS
            || parameters + table.columns.len() > BATCH_PARAMETERS
            || self.waiting_bytes >= BATCH_BYTES;
        if is_full {
            self.flush(table).await?;
        }
        Ok(())
    }

    async fn end_table(&mut self, table: &Table, summary: &TableSummary) -> BackupResult<()> {
        self.flush(table).await?;
        let transaction = self.transaction()?;
        if let Some(last_id) = summary.last_id {
            transaction.go_on_after(&table.name, last_id).await?;
        }
        let stored = read_table(transaction, table, &mut Nobody).await?;
        if stored != *summary {
            let problem = format!(
                "{} of {} rows are there, and they or the next id differ",
                stored.rows, summary.rows
            );
            return Err(BackupError::Unfaithful {
                table: table.name.clone(),
                problem,
            });
        }
        Ok(())
    }

    async fn end(&mut self, _summary: &BackupSummary) -> BackupResult<()> {
        let Some(mut transaction) = self.transaction.take() else {
            return Ok(());
        };
        transaction.tie(&self.references).await?;
        transaction.migrate_to(None).await?;
        transaction.commit().await?;
        // What every migrated database has; nothing where the backup brought it.
        self.store.migrate(self.now).await?;
        Ok(())
    }
}

impl Transaction {
    /// Removes the tables of a database in which nobody has anything yet.
    async fn clear_away(&mut self) -> BackupResult<()> {
        let had = self.migrations_had().await?;
        let Some(newest) = had.last().copied() else {
            return Ok(());
        };
        let known = known_migrations().last().copied().unwrap_or_default();
        if newest > known {
            return Err(BackupError::NewerSchema {
                found: newest,
                known,
            });
        }
        // What counts as empty is asked of the newest tables.
        self.migrate_to(None).await?;
        if !self.is_empty().await? {
            return Err(BackupError::NotEmpty);
        }
        let tables = tables(known).await?;
        self.untie(&tables).await?;
        self.delete_rows(&tables).await?;
        let names = tables.iter().rev().map(|table| table.name.as_str());
        for name in names.chain(["_sqlx_migrations"]) {
            let sql = format!("DROP TABLE {}", quoted(name));
            self.execute(sql).await?;
        }
        Ok(())
    }

    /// Lets rows come in any order. On SQLite they have to fit together in the end; Postgres would keep a list of every
    /// reference in memory until then, so there the foreign keys are taken away and made again.
    async fn untie(&mut self, tables: &[Table]) -> BackupResult<Vec<Reference>> {
        const DEFER: &str = "PRAGMA defer_foreign_keys = ON";
        const REFERENCES: &str = "
            SELECT CAST(relname AS TEXT), CAST(conname AS TEXT), pg_get_constraintdef(pg_constraint.oid)
            FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid
            WHERE contype = 'f' AND CAST(CAST(relnamespace AS regnamespace) AS TEXT) = current_schema()
            ORDER BY relname, conname";
        let found: Vec<(String, String, String)> = match self {
            Self::Sqlite(transaction) => {
                sqlx::query(DEFER).execute(&mut **transaction).await?;
                return Ok(Vec::new());
            }
            Self::Postgres(transaction) => {
                sqlx::query_as(REFERENCES)
                    .fetch_all(&mut **transaction)
                    .await?
            }
        };
        let mut references = Vec::with_capacity(found.len());
        for (table, name, definition) in found {
            // Somebody else's table may be in the same schema.
            if !tables.iter().any(|ours| ours.name == table) {
                continue;
            }
            let (at, which) = (quoted(&table), quoted(&name));
            self.execute(format!("ALTER TABLE {at} DROP CONSTRAINT {which}"))
                .await?;
            references.push(Reference {
                table,
                name,
                definition,
            });
        }
        Ok(references)
    }

    /// Makes the foreign keys again, which looks whether every reference leads somewhere.
    async fn tie(&mut self, references: &[Reference]) -> BackupResult<()> {
        for reference in references {
            let (at, which) = (quoted(&reference.table), quoted(&reference.name));
            let definition = &reference.definition;
            let sql = format!("ALTER TABLE {at} ADD CONSTRAINT {which} {definition}");
            let tied = self.execute(sql).await;
            tied.map_err(|error| error.at(&reference.table))?;
        }
        Ok(())
    }

    async fn delete_rows(&mut self, tables: &[Table]) -> BackupResult<()> {
        for table in tables.iter().rev() {
            self.execute(format!("DELETE FROM {}", quoted(&table.name)))
                .await?;
        }
        Ok(())
    }

    /// Makes a table give ids after this one, even where the rows that had them are gone.
    async fn go_on_after(&mut self, table: &str, last_id: i64) -> BackupResult<()> {
        if last_id == 0 {
            return Ok(());
        }
        match self {
            Self::Sqlite(transaction) => {
                for sql in [
                    "DELETE FROM sqlite_sequence WHERE name = $1",
                    "INSERT INTO sqlite_sequence (name, seq) VALUES ($1, $2)",
                ] {
                    sqlx::query(sql)
                        .bind(table)
                        .bind(last_id)
                        .execute(&mut **transaction)
                        .await?;
                }
            }
            Self::Postgres(transaction) => {
                const SET: &str = "SELECT setval(pg_get_serial_sequence($1, 'id'), $2)";
                let _: i64 = sqlx::query_scalar(SET)
                    .bind(table)
                    .bind(last_id)
                    .fetch_one(&mut **transaction)
                    .await?;
            }
        }
        Ok(())
    }

    async fn execute(&mut self, sql: String) -> BackupResult<()> {
        on_transaction!(self, |connection| {
            sqlx::query(AssertSqlSafe(sql))
                .execute(connection)
                .await
                .map(drop)
        })?;
        Ok(())
    }
}
