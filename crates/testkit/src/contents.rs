//! What a database holds, found out from its own catalogue and not through the store; and rows in every table.

use crate::Database;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};
use std::fmt::Write as _;

/// A table by its name, with what was asked of it.
pub type OfTable = (String, Vec<String>);

/// A column as SQLite tells of it.
#[derive(sqlx::FromRow)]
struct Column {
    name: String,
    #[sqlx(rename = "type")]
    declared: String,
    is_required: bool,
    is_key: bool,
    is_reference: bool,
}

const SQLITE_TABLES: &str = "
    SELECT name FROM pragma_table_list
    WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name <> '_sqlx_migrations'
    ORDER BY name";

impl Database {
    /// All tables in the order of their names, with the names of their columns, sorted. What sqlx keeps for itself is
    /// left out.
    pub async fn catalogue(&self) -> Vec<OfTable> {
        const POSTGRES: &str = "
            SELECT CAST(table_name AS TEXT), string_agg(CAST(column_name AS TEXT), ' ' ORDER BY CAST(column_name AS TEXT) COLLATE \"C\")
            FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
            WHERE table_schema = current_schema() AND table_type = 'BASE TABLE' AND table_name <> '_sqlx_migrations'
            GROUP BY table_name ORDER BY CAST(table_name AS TEXT) COLLATE \"C\"";
        const SQLITE: &str = "SELECT name FROM pragma_table_info($1) ORDER BY name";
        if self.is_server() {
            let mut connection = PgConnection::connect(self.url())
                .await
                .expect("Postgres answers");
            let found: Vec<(String, String)> = sqlx::query_as(POSTGRES)
                .fetch_all(&mut connection)
                .await
                .expect("the catalogue is read");
            connection.close().await.expect("connection closes");
            let tables = found.into_iter();
            return tables
                .map(|(table, columns)| (table, columns.split(' ').map(str::to_owned).collect()))
                .collect();
        }
        let mut connection = self.file().await;
        let mut tables = Vec::new();
        for table in tables_of(&mut connection).await {
            let columns = sqlx::query_scalar(SQLITE)
                .bind(&table)
                .fetch_all(&mut connection)
                .await
                .expect("columns are read");
            tables.push((table, columns));
        }
        connection.close().await.expect("the file closes");
        tables
    }

    /// Every row of every table as a text that the database itself makes of it, sorted; comparable between databases of
    /// one kind.
    pub async fn contents(&self) -> Vec<OfTable> {
        let mut tables = Vec::new();
        for (table, columns) in self.catalogue().await {
            let rows = if self.is_server() {
                let sql = format!("SELECT CAST(each AS TEXT) FROM {table} AS each ORDER BY 1");
                let mut connection = PgConnection::connect(self.url())
                    .await
                    .expect("Postgres answers");
                let rows = sqlx::query_scalar(AssertSqlSafe(sql))
                    .fetch_all(&mut connection)
                    .await
                    .expect("rows are read");
                connection.close().await.expect("connection closes");
                rows
            } else {
                let values: Vec<_> = columns
                    .iter()
                    .map(|name| format!("quote(\"{name}\")"))
                    .collect();
                let sql = format!(
                    "SELECT {} FROM {table} ORDER BY 1",
                    values.join(" || ' ' || ")
                );
                let mut connection = self.file().await;
                let rows = sqlx::query_scalar(AssertSqlSafe(sql))
                    .fetch_all(&mut connection)
                    .await
                    .expect("rows are read");
                connection.close().await.expect("the file closes");
                rows
            };
            tables.push((table, rows));
        }
        tables
    }

    /// Puts `rows` rows into every table, with awkward values. They mean nothing to the product, but each refers to rows that
    /// are there; the first leaves out whatever may be left out.
    pub async fn fill(&self, rows: i64) {
        // Columns are the same in both databases; SQLite tells of them in fewer words.
        let scratch = Self::sqlite().await;
        let mut connection = scratch.file().await;
        // One transaction: a disk takes its time for each.
        let mut statements = "BEGIN;\n".to_owned();
        for table in made_order(&mut connection).await {
            // It has its one row.
            if table == "instance" {
                continue;
            }
            let columns = columns_of(&mut connection, &table).await;
            for row in 1..=rows {
                statements.push_str(&insert(&table, &columns, row));
            }
        }
        connection.close().await.expect("the file closes");
        scratch.remove().await;
        statements.push_str("COMMIT;");
        self.execute(&statements).await;
        self.close_gaps().await;
    }

    async fn file(&self) -> SqliteConnection {
        SqliteConnection::connect(self.url())
            .await
            .expect("the file opens")
    }
}

async fn tables_of(connection: &mut SqliteConnection) -> Vec<String> {
    sqlx::query_scalar(SQLITE_TABLES)
        .fetch_all(connection)
        .await
        .expect("tables are read")
}

/// Tables in the order in which migrations made them: what one refers to stands before it.
async fn made_order(connection: &mut SqliteConnection) -> Vec<String> {
    const SQL: &str = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY rowid";
    let known = tables_of(connection).await;
    let made: Vec<String> = sqlx::query_scalar(SQL)
        .fetch_all(connection)
        .await
        .expect("tables are read");
    made.into_iter()
        .filter(|name| known.contains(name))
        .collect()
}

async fn columns_of(connection: &mut SqliteConnection, table: &str) -> Vec<Column> {
    const SQL: &str = "
        SELECT name, type, \"notnull\" = 1 AS is_required, pk > 0 AS is_key,
            EXISTS (SELECT 1 FROM pragma_foreign_key_list($1) WHERE \"from\" = info.name) AS is_reference
        FROM pragma_table_info($1) AS info ORDER BY cid";
    sqlx::query_as(SQL)
        .bind(table)
        .fetch_all(connection)
        .await
        .expect("columns are read")
}

fn insert(table: &str, columns: &[Column], row: i64) -> String {
    let (mut names, mut values) = (Vec::new(), Vec::new());
    for column in columns {
        let is_needed = column.is_required || column.is_key;
        // What refers to something and may be left out is: checks forbid some of them together.
        if !is_needed && (row == 1 || column.is_reference) {
            continue;
        }
        names.push(format!("\"{}\"", column.name));
        values.push(value(column, row));
    }
    let mut statement = String::new();
    let (names, values) = (names.join(", "), values.join(", "));
    let _ = writeln!(
        statement,
        "INSERT INTO {table} ({names}) VALUES ({values});"
    );
    statement
}

fn value(column: &Column, row: i64) -> String {
    match column.declared.as_str() {
        "BOOLEAN" => ["TRUE", "FALSE"][usize::from(row % 2 == 0)].to_owned(),
        // No finite number of digits in base two.
        "DOUBLE PRECISION" => format!("{}.1", row - 3),
        "TEXT" => format!(
            "'{} {row}: it''s \"quoted\" \\ back\nline\t{{é}} 😀 %s $1 NaN'",
            column.name
        ),
        _ if column.is_reference || column.is_key => row.to_string(),
        // Beyond what a JavaScript number holds.
        _ => format!("{}", i64::MAX - row),
    }
}
