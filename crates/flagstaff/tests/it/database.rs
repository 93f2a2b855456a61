//! An empty database for one test: a SQLite file in a folder of its own, or a database of the Postgres server.

use crate::server::succeed;
use crate::skipped::required;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use tempfile::TempDir;

/// The variable that says where Postgres is.
const POSTGRES: &str = "FLAGSTAFF_TEST_POSTGRES";

/// Gone with everything in it when it is dropped.
pub struct Database {
    folder: TempDir,
    /// Where the file is, when it is elsewhere.
    file: Option<PathBuf>,
    postgres: Option<Postgres>,
}

struct Postgres {
    /// The server, by a database that is there anyway.
    server: String,
    name: String,
}

impl Database {
    pub fn sqlite() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            file: None,
            postgres: None,
        }
    }

    /// A file in a folder that somebody else made, and that stays.
    pub fn sqlite_in(folder: &Path) -> Self {
        Self {
            file: Some(folder.join("flagstaff.db")),
            ..Self::sqlite()
        }
    }

    /// A new database; `None` where there is no Postgres.
    pub fn postgres() -> Option<Self> {
        Some(Self::on(&required(POSTGRES)?))
    }

    /// A new database on a Postgres server.
    pub fn on(server: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let server = server.to_owned();
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("flagstaff_it_{}_{number}", std::process::id());
        let postgres = Postgres { server, name };
        postgres.say("CREATE DATABASE");
        Self {
            folder: tempfile::tempdir().unwrap(),
            file: None,
            postgres: Some(postgres),
        }
    }

    /// What `server.database_url` is set to.
    pub fn url(&self) -> String {
        match &self.postgres {
            None => {
                let file = self.file.clone();
                let file = file.unwrap_or_else(|| self.folder().join("flagstaff.db"));
                format!("sqlite:{}", file.display())
            }
            Some(postgres) => {
                let mut url = url::Url::parse(&postgres.server).unwrap();
                url.set_path(&postgres.name);
                url.to_string()
            }
        }
    }

    /// Runs SQL on Postgres, beside any server, and gives what it prints: values without decoration.
    pub fn sql(&self, sql: &str) -> String {
        let url = self.url();
        succeed(Command::new("psql").args(["-X", "-q", "-A", "-t", "-d", &url, "-c", sql]))
    }

    /// Where the server runs, and what else a test writes.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Postgres {
    fn say(&self, what: &str) {
        let sql = format!("{what} {}", self.name);
        succeed(Command::new("psql").args(["-X", "-q", "-d", &self.server, "-c", &sql]));
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let sql = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let _ = Command::new("psql")
            .args(["-X", "-q", "-d", &self.server, "-c", &sql])
            .output();
    }
}
