//! Writing what no function of the store writes.

use flagstaff_store::Store;
use sqlx::{Connection as _, SqliteConnection};

/// Runs SQL statements on the file of a SQLite store, beside its connections.
///
/// # Panics
/// When the store is no file, or a statement fails.
#[expect(
    clippy::expect_used,
    reason = "a test that cannot be prepared has to fail"
)]
pub async fn execute(store: &Store, statements: &'static str) {
    let path = store.path().expect("a SQLite store");
    let url = format!("sqlite:{}", path.display());
    let mut connection = SqliteConnection::connect(&url)
        .await
        .expect("the file opens");
    sqlx::raw_sql(statements)
        .execute(&mut connection)
        .await
        .expect("the statements run");
    connection.close().await.expect("the file closes");
}
