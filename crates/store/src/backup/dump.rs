//! Everything in a database as of one moment, handed on piece by piece: never more than one row is held.

use super::line::write_row;
use super::schema::{Kind, Table, tables};
use super::{BackupError, BackupResult, BackupSummary, Cell, Header, Receiver, TableSummary};
use crate::Store;
use crate::backend::{Transaction, on_transaction};
use crate::migrate::known_migrations;
use crate::text::hexadecimal;
use flagstaff_core::Timestamp;
use futures::TryStreamExt as _;
use sha2::{Digest as _, Sha256};
use sqlx::{AssertSqlSafe, ColumnIndex, Decode, Row, Type};

/// Hands on everything in a database.
pub(crate) async fn dump(
    store: &Store,
    now: Timestamp,
    receiver: &mut impl Receiver,
) -> BackupResult<BackupSummary> {
    const INSTANCE: &str = "SELECT uuid FROM instance WHERE id = 1";
    let mut reading = store.begin_reading().await?;
    reading.may_take_long().await?;
    let schema_version = version(&mut reading).await?;
    let tables = tables(schema_version).await?;
    let instance = on_transaction!(&mut reading, |connection| {
        sqlx::query_scalar(INSTANCE)
            .fetch_optional(connection)
            .await
    })?;
    let header = Header {
        schema_version,
        made_at: now,
        instance,
    };
    receiver.begin(&header, &tables).await?;
    let mut summary = BackupSummary {
        schema_version,
        tables: Vec::with_capacity(tables.len()),
    };
    for table in &tables {
        let dumped = dump_table(&mut reading, table, receiver).await;
        summary
            .tables
            .push(dumped.map_err(|error| error.at(&table.name))?);
    }
    receiver.end(&summary).await?;
    reading.roll_back().await?;
    Ok(summary)
}

/// The newest migration that a database has had, and all before it.
async fn version(reading: &mut Transaction) -> BackupResult<i64> {
    let had = reading.migrations_had().await?;
    let known = known_migrations();
    let newest = had.last().copied().unwrap_or_default();
    let newest_known = known.last().copied().unwrap_or_default();
    if newest > newest_known {
        return Err(BackupError::NewerSchema {
            found: newest,
            known: newest_known,
        });
    }
    if had.is_empty() {
        return Err(BackupError::NoTables);
    }
    let mut expected = known.into_iter().filter(|number| *number <= newest);
    match expected.find(|number| !had.contains(number)) {
        Some(missing) => Err(BackupError::MissingMigration { missing }),
        None => Ok(newest),
    }
}

/// Hands on one table.
async fn dump_table(
    reading: &mut Transaction,
    table: &Table,
    receiver: &mut impl Receiver,
) -> BackupResult<TableSummary> {
    receiver.begin_table(table).await?;
    let summary = read_table(reading, table, receiver).await?;
    receiver.end_table(table, &summary).await?;
    Ok(summary)
}

/// Reads one table in the order of its key, row by row.
pub(crate) async fn read_table(
    reading: &mut Transaction,
    table: &Table,
    receiver: &mut impl Receiver,
) -> BackupResult<TableSummary> {
    let sql = table.select();
    let id_column = table.id_column();
    let mut digest = Sha256::new();
    let mut line = Vec::new();
    let (mut rows, mut highest) = (0, 0);
    on_transaction!(&mut *reading, |connection| {
        let mut found = sqlx::query(AssertSqlSafe(sql)).fetch(connection);
        while let Some(row) = found.try_next().await? {
            let cells = cells(table, &row)?;
            if let Some(Cell::Integer(Some(id))) = id_column.and_then(|place| cells.get(place)) {
                highest = highest.max(*id);
            }
            write_row(&mut line, &cells)?;
            digest.update(&line);
            rows += 1;
            receiver.row(table, &line, cells).await?;
        }
    });
    // Rows with higher ids may have been removed, or be written now: what the database remembers counts too.
    let last_id = match id_column {
        Some(_) => Some(highest.max(reading.last_given_id(&table.name).await?)),
        None => None,
    };
    Ok(TableSummary {
        name: table.name.clone(),
        rows,
        sha256: hexadecimal(&digest.finalize()),
        last_id,
    })
}

fn cells<R>(table: &Table, row: &R) -> Result<Vec<Cell>, sqlx::Error>
where
    R: Row,
    usize: ColumnIndex<R>,
    for<'r> i64: Decode<'r, R::Database> + Type<R::Database>,
    for<'r> f64: Decode<'r, R::Database> + Type<R::Database>,
    for<'r> bool: Decode<'r, R::Database> + Type<R::Database>,
    for<'r> String: Decode<'r, R::Database> + Type<R::Database>,
{
    let columns = table.columns.iter().enumerate();
    columns
        .map(|(place, column)| {
            Ok(match column.kind {
                Kind::Integer => Cell::Integer(row.try_get(place)?),
                Kind::Real => Cell::Real(row.try_get(place)?),
                Kind::Boolean => Cell::Boolean(row.try_get(place)?),
                Kind::Text => Cell::Text(row.try_get(place)?),
            })
        })
        .collect()
}

impl Transaction {
    /// Nothing that follows is cut off for taking long: a file may be on a slow disk.
    async fn may_take_long(&mut self) -> BackupResult<()> {
        const LONG: &str = "
            SET LOCAL statement_timeout = 0;
            SET LOCAL idle_in_transaction_session_timeout = 0";
        if let Self::Postgres(transaction) = self {
            sqlx::raw_sql(LONG).execute(&mut **transaction).await?;
        }
        Ok(())
    }

    /// The highest id that a table is known to have given; 0 where it gave none.
    async fn last_given_id(&mut self, table: &str) -> BackupResult<i64> {
        const SQLITE: &str =
            "SELECT CAST(COALESCE(MAX(seq), 0) AS BIGINT) FROM sqlite_sequence WHERE name = $1";
        const SEQUENCE: &str = "SELECT pg_get_serial_sequence($1, 'id')";
        Ok(match self {
            Self::Sqlite(transaction) => {
                sqlx::query_scalar(SQLITE)
                    .bind(table)
                    .fetch_one(&mut **transaction)
                    .await?
            }
            Self::Postgres(transaction) => {
                // It comes with its schema, in quotes where it needs them.
                let sequence: String = sqlx::query_scalar(SEQUENCE)
                    .bind(table)
                    .fetch_one(&mut **transaction)
                    .await?;
                // One that was set and not used yet tells the next id.
                let sql = format!(
                    "SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END FROM {sequence}"
                );
                sqlx::query_scalar(AssertSqlSafe(sql))
                    .fetch_one(&mut **transaction)
                    .await?
            }
        })
    }
}
