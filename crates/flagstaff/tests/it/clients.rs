//! Unmodified Flagsmith SDKs against the real binary, on SQLite and on Postgres.
//!
//! What happens is in the scripts under `tests/clients`; each runs against a server of its own, whose environment
//! was imported from `tests/clients/environment.json`.

use crate::database::Database;
use crate::http::{block_on, get};
use crate::server::{Server, flagstaff, succeed};
use crate::skipped::required;
use flagstaff_core::{EnvironmentId, FeatureId, Timestamp};
use flagstaff_store::Store;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

const CLIENT_KEY: &str = "RealClientsKey22345678";
const SERVER_KEY: &str = "ser.RealClientsServer22345";
const EMAIL: &str = "admin@example.com";
const PASSWORD: &str = "a long pass phrase";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients")
}

/// An interpreter and the script it runs.
enum Language {
    Python,
    Node,
}

impl Language {
    /// The command for a script; `None` when the SDK is not there.
    fn command(&self, script: &str) -> Option<Command> {
        match self {
            Self::Python => {
                let mut command = Command::new(required("FLAGSTAFF_CLIENTS_PYTHON")?);
                command
                    .arg("-B")
                    .arg(folder().join("python").join(format!("{script}.py")));
                Some(command)
            }
            Self::Node => {
                let packages = required("FLAGSTAFF_CLIENTS_NODE")?;
                let mut command = Command::new("node");
                command
                    .env("NODE_FOLDER", packages)
                    .arg(folder().join("node").join(format!("{script}.mjs")));
                Some(command)
            }
        }
    }
}

/// A server with the environment that the scripts know, and a member who may change it.
fn prepared(database: &Database) -> Server {
    let document = folder().join("environment.json");
    succeed(flagstaff(database).args([
        "bootstrap",
        "--organisation",
        "Client tests",
        "--admin-email",
        EMAIL,
        "--admin-password",
        PASSWORD,
    ]));
    succeed(
        flagstaff(database)
            .args(["import", "flagsmith", "--server-key", SERVER_KEY])
            .arg(document),
    );
    Server::start(database)
}

/// Runs a script to its end. What SDKs count is flushed when the server stops, and looked for then.
fn run(language: &Language, script: &str, database: Option<Database>) {
    let (Some(database), Some(mut command)) = (database, language.command(script)) else {
        return;
    };
    let server = prepared(&database);
    let output = command
        .env("SERVER_URL", &server.url)
        .env("CLIENT_KEY", CLIENT_KEY)
        .env("SERVER_KEY", SERVER_KEY)
        .env("ADMIN_EMAIL", EMAIL)
        .env("ADMIN_PASSWORD", PASSWORD)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{script}: {}\n{}\n{}\nserver:\n{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
        server.log()
    );
    let asked_for =
        (script == "analytics").then(|| get(&format!("{}/api/v1/flags/", server.url), CLIENT_KEY));
    server.stop();
    if let Some((_, flags)) = asked_for {
        let counts =
            ["dark-mode", "page-size", "banner"].map(|name| evaluations(&database, &flags, name));
        assert_eq!(counts, [7, 3, 0]);
    }
}

/// How often a feature was evaluated, as the database has it.
fn evaluations(database: &Database, flags: &Value, name: &str) -> i64 {
    let mut flags = flags.as_array().unwrap().iter();
    let flag = flags.find(|flag| flag["feature"]["name"] == name).unwrap();
    let environment = EnvironmentId::new(flag["environment"].as_i64().unwrap());
    let feature = FeatureId::new(flag["feature"]["id"].as_i64().unwrap());
    block_on(async {
        let store = Store::connect(&database.url()).await.unwrap();
        let since = Timestamp::from_micros(0);
        store
            .count_evaluations(environment, feature, since)
            .await
            .unwrap()
    })
}

macro_rules! scripts {
    ($language:ident: $($script:ident),* $(,)?) => {
        mod on_sqlite {
            $(#[test]
            fn $script() {
                super::super::run(&super::super::Language::$language, stringify!($script), Some(crate::database::Database::sqlite()));
            })*
        }
        mod on_postgres {
            $(#[test]
            fn $script() {
                super::super::run(&super::super::Language::$language, stringify!($script), crate::database::Database::postgres());
            })*
        }
    };
}

mod python {
    scripts! {
        Python: analytics, environment_flags, identity_flags, local_equals_remote, multivariate,
        offline, overrides, realtime, transient, wrong_key,
    }
}

mod node {
    scripts! {
        Node: analytics, environment_flags, identity_flags, local_equals_remote, multivariate,
        offline, overrides, refresh, transient, wrong_key,
    }
}
