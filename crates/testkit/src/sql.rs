//! Writing what no function of the store writes.

use flagstaff_store::Store;
use sqlx::{AssertSqlSafe, Connection as _, Decode, Sqlite, SqliteConnection, Type};

/// Runs SQL statements on the file of a SQLite store, beside its connections.
///
/// # Panics
/// When the store is no file, or a statement fails.
#[expect(
    clippy::expect_used,
    reason = "a test that cannot be prepared has to fail"
)]
pub async fn execute(store: &Store, statements: &str) {
    let path = store.path().expect("a SQLite store");
    let url = format!("sqlite:{}", path.display());
    let mut connection = SqliteConnection::connect(&url)
        .await
        .expect("the file opens");
    sqlx::raw_sql(AssertSqlSafe(statements.to_owned()))
        .execute(&mut connection)
        .await
        .expect("the statements run");
    connection.close().await.expect("the file closes");
}

/// What SQLite finds wrong with a file that nobody has open: `ok` when it is nothing.
///
/// # Panics
/// When the file cannot be opened.
#[expect(
    clippy::expect_used,
    reason = "a test that cannot be prepared has to fail"
)]
pub async fn integrity(path: &std::path::Path) -> Vec<String> {
    let url = format!("sqlite:{}", path.display());
    let mut connection = SqliteConnection::connect(&url)
        .await
        .expect("the file opens");
    let findings = sqlx::query_scalar("PRAGMA integrity_check")
        .fetch_all(&mut connection)
        .await
        .expect("the file is looked through");
    connection.close().await.expect("the file closes");
    findings
}

/// What a statement counts in the file of a SQLite store.
///
/// # Panics
/// When the store is no file, or the statement counts nothing.
#[expect(
    clippy::expect_used,
    reason = "a test that cannot be prepared has to fail"
)]
pub async fn count(store: &Store, statement: &'static str) -> i64 {
    let count = first(store, statement).await;
    count.expect("the statement counts")
}

/// The text that a statement finds first in the file of a SQLite store.
///
/// # Panics
/// When the store is no file, or the statement finds something else.
pub async fn text(store: &Store, statement: &'static str) -> Option<String> {
    first(store, statement).await
}

#[expect(
    clippy::expect_used,
    reason = "a test that cannot be prepared has to fail"
)]
async fn first<T>(store: &Store, statement: &'static str) -> Option<T>
where
    T: for<'r> Decode<'r, Sqlite> + Type<Sqlite> + Send + Unpin,
{
    let path = store.path().expect("a SQLite store");
    let url = format!("sqlite:{}", path.display());
    let mut connection = SqliteConnection::connect(&url)
        .await
        .expect("the file opens");
    let found = sqlx::query_scalar(statement)
        .fetch_optional(&mut connection)
        .await
        .expect("the statement runs");
    connection.close().await.expect("the file closes");
    found
}
