//! The tables of a version of the schema, learned by making them: the migrations are run on an empty SQLite database
//! in memory. A list kept by hand would be forgotten some day; and the columns of older versions are needed too, to read
//! older backups.

use super::{BackupError, BackupResult};
use crate::migrate::migrate_sqlite;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};

/// A table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) name: String,
    /// In the order in which they were made.
    pub(crate) columns: Vec<Column>,
    /// Columns of the primary key, which is what rows are ordered by.
    pub(crate) key: Vec<String>,
    /// Whether it gives out ids, in a column called `id`.
    pub(crate) gives_ids: bool,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: Kind,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Integer,
    Real,
    Boolean,
    Text,
}

impl Kind {
    /// The kind of a column by the type it was declared with.
    fn declared(text: &str) -> Option<Self> {
        Some(match text {
            "INTEGER" | "BIGINT" => Self::Integer,
            "DOUBLE PRECISION" => Self::Real,
            "BOOLEAN" => Self::Boolean,
            "TEXT" => Self::Text,
            _ => return None,
        })
    }

    /// The word that files use.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Integer => "integer",
            Self::Real => "real",
            Self::Boolean => "boolean",
            Self::Text => "text",
        }
    }
}

impl Table {
    /// Names of the columns, quoted, with commas between.
    pub(crate) fn column_list(&self) -> String {
        let names: Vec<_> = self.columns.iter().map(|each| quoted(&each.name)).collect();
        names.join(", ")
    }

    /// Reads all rows, in the order of the key.
    pub(crate) fn select(&self) -> String {
        let key: Vec<_> = self.key.iter().map(|name| quoted(name)).collect();
        let (columns, table, key) = (self.column_list(), quoted(&self.name), key.join(", "));
        format!("SELECT {columns} FROM {table} ORDER BY {key}")
    }

    /// Place of the column with the ids.
    pub(crate) fn id_column(&self) -> Option<usize> {
        let mut columns = self.columns.iter();
        self.gives_ids
            .then(|| columns.position(|column| column.name == "id"))?
    }
}

/// A name as both databases take it, whatever words they keep for themselves.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// All tables as they are after the migrations up to this one, in the order in which they were made.
pub(crate) async fn tables(schema_version: i64) -> BackupResult<Vec<Table>> {
    // Tables of a search index belong to SQLite alone, and are filled by themselves.
    const TABLES: &str = "
        SELECT list.name, made.sql LIKE '%AUTOINCREMENT%'
        FROM pragma_table_list AS list
        JOIN sqlite_schema AS made ON made.name = list.name AND made.type = 'table'
        WHERE list.schema = 'main' AND list.type = 'table'
            AND list.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND list.name <> '_sqlx_migrations'
        ORDER BY made.rowid";
    let options = SqliteConnectOptions::new().in_memory(true);
    let mut connection = options.connect().await?;
    migrate_sqlite(&mut connection, Some(schema_version)).await?;
    let found: Vec<(String, bool)> = sqlx::query_as(TABLES).fetch_all(&mut connection).await?;
    let mut tables = Vec::with_capacity(found.len());
    for (name, gives_ids) in found {
        tables.push(table(&mut connection, name, gives_ids).await?);
    }
    connection.close().await?;
    Ok(tables)
}

async fn table(
    connection: &mut SqliteConnection,
    name: String,
    gives_ids: bool,
) -> BackupResult<Table> {
    let sql = format!(
        "SELECT name, type, pk FROM pragma_table_info({}) ORDER BY cid",
        quoted(&name)
    );
    let found: Vec<(String, String, i64)> = sqlx::query_as(AssertSqlSafe(sql))
        .fetch_all(connection)
        .await?;
    let mut columns = Vec::with_capacity(found.len());
    let mut key = Vec::new();
    for (column, declared, place) in found {
        let Some(kind) = Kind::declared(&declared) else {
            let problem = format!("column `{name}.{column}` is of type {declared}");
            return Err(BackupError::from(sqlx::Error::Configuration(
                problem.into(),
            )));
        };
        if place > 0 {
            key.push((place, column.clone()));
        }
        columns.push(Column { name: column, kind });
    }
    key.sort_unstable();
    Ok(Table {
        name,
        columns,
        key: key.into_iter().map(|(_, column)| column).collect(),
        gives_ids,
    })
}
