//! Databases that last as long as a test.

use flagstaff_store::Store;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};
use tempfile::TempDir;
use uuid::Uuid;

/// Says where a Postgres for tests is: `cargo xtask test` sets it.
pub const POSTGRES_VARIABLE: &str = "FLAGSTAFF_TEST_POSTGRES";

const CLOSE_GAPS: &str = "DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT table_name FROM information_schema.columns
        WHERE table_schema = current_schema() AND column_name = 'id' AND is_identity = 'YES'
    LOOP
        EXECUTE format('SELECT setval(pg_get_serial_sequence(%L, ''id''), MAX(id)) FROM %I HAVING MAX(id) > 0', name, name);
    END LOOP;
END $$";

/// A database of a test's own, migrated and empty.
#[derive(Debug)]
pub struct Database {
    url: String,
    place: Place,
}

#[derive(Debug)]
enum Place {
    /// A file in a folder that goes with it.
    Folder(TempDir),
    /// A schema of a shared server.
    Schema { server: String, name: String },
}

impl Database {
    /// A SQLite file in a temporary folder: not in memory, because WAL, lock and two pools are part of what is tested.
    pub async fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("flagstaff.db");
        let database = Self {
            url: format!("sqlite:{}", file.display()),
            place: Place::Folder(folder),
        };
        database.migrate().await;
        database
    }

    /// A schema of the server that `FLAGSTAFF_TEST_POSTGRES` names; `None`, said aloud, where it names none.
    ///
    /// # Panics
    /// On a build machine (`CI=true`), where nothing may be skipped.
    pub async fn postgres() -> Option<Self> {
        let Ok(server) = std::env::var(POSTGRES_VARIABLE) else {
            if std::env::var("CI").is_ok_and(|ci| ci == "true") {
                panic!("{POSTGRES_VARIABLE} is not set, and with CI=true nothing may be skipped");
            }
            eprintln!(
                "skipped: {POSTGRES_VARIABLE} names no Postgres; `cargo xtask test` starts one"
            );
            return None;
        };
        let name = format!("test_{}", Uuid::new_v4().simple());
        execute(&server, &format!("CREATE SCHEMA {name}")).await;
        let separator = if server.contains('?') { '&' } else { '?' };
        let database = Self {
            url: format!("{server}{separator}options=-c%20search_path%3D{name}"),
            place: Place::Schema { server, name },
        };
        database.migrate().await;
        Some(database)
    }

    /// Where it is, as [`Store::connect`] takes it.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// True where it is a schema of a server.
    pub(crate) const fn is_server(&self) -> bool {
        matches!(self.place, Place::Schema { .. })
    }

    /// Opens it, as another process would.
    pub async fn open(&self) -> Store {
        Store::connect(&self.url).await.expect("database opens")
    }

    /// Runs SQL statements beside every store, for what no function of the store writes.
    pub async fn execute(&self, statements: &str) {
        match &self.place {
            Place::Folder(_) => {
                let mut connection = SqliteConnection::connect(&self.url)
                    .await
                    .expect("the file opens");
                sqlx::raw_sql(AssertSqlSafe(statements))
                    .execute(&mut connection)
                    .await
                    .expect("statements succeed");
                connection.close().await.expect("the file closes");
            }
            Place::Schema { .. } => execute(&self.url, statements).await,
        }
    }

    /// Makes the next row of a table get the id after `id`.
    pub async fn set_last_id(&self, table: &str, id: i64) {
        let statements = match &self.place {
            Place::Folder(_) => format!(
                "DELETE FROM sqlite_sequence WHERE name = '{table}';
                INSERT INTO sqlite_sequence (name, seq) VALUES ('{table}', {id})"
            ),
            Place::Schema { .. } => {
                format!(
                    "ALTER TABLE {table} ALTER COLUMN id RESTART WITH {}",
                    id + 1
                )
            }
        };
        self.execute(&statements).await;
    }

    /// Makes ids go on after the highest there is: what was rolled back uses up ids on Postgres, and none on SQLite.
    pub async fn close_gaps(&self) {
        if let Place::Schema { .. } = self.place {
            self.execute(CLOSE_GAPS).await;
        }
    }

    /// Removes it with everything in it.
    pub async fn remove(self) {
        match self.place {
            Place::Folder(folder) => folder.close().expect("temporary folder goes"),
            Place::Schema { server, name } => {
                execute(&server, &format!("DROP SCHEMA {name} CASCADE")).await;
            }
        }
    }

    async fn migrate(&self) {
        let store = self.open().await;
        store.migrate(crate::NOW).await.expect("database migrates");
        store.close().await;
    }
}

async fn execute(server: &str, sql: &str) {
    let mut connection = PgConnection::connect(server)
        .await
        .expect("Postgres answers");
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(&mut connection)
        .await
        .expect("statements succeed");
    connection.close().await.expect("connection closes");
}
