//! Unmodified Flagsmith SDKs against the real binary, on SQLite and on Postgres.
//!
//! What happens is in the scripts under `tests/clients`; each runs against a server of its own, whose environment
//! was imported from `tests/clients/environment.json`.

mod differences;
mod environments;
mod generated;
mod local_equals_remote;
mod sdk;

use crate::database::Database;
use crate::http::{block_on, get};
use crate::server::{Server, flagstaff, succeed};
use flagstaff_core::{EnvironmentId, FeatureId, Timestamp};
use flagstaff_store::Store;
use sdk::Sdk;
pub(crate) use sdk::folder;
use serde_json::Value;
use std::path::Path;
use std::process::Command;

pub(crate) const CLIENT_KEY: &str = "RealClientsKey22345678";
pub(crate) const SERVER_KEY: &str = "ser.RealClientsServer22345";
pub(crate) const EMAIL: &str = "admin@example.com";
pub(crate) const PASSWORD: &str = "a long pass phrase";

/// A database with the environment that the scripts know, and a member who may change it.
fn prepare(database: &Database) {
    bootstrap(database);
    import(database, &folder().join("environment.json"), SERVER_KEY);
}

/// Adds a member who may do everything.
pub(crate) fn bootstrap(database: &Database) {
    succeed(flagstaff(database).args([
        "bootstrap",
        "--organisation",
        "Client tests",
        "--admin-email",
        EMAIL,
        "--admin-password",
        PASSWORD,
    ]));
}

/// Adds a project with one environment.
pub(crate) fn import(database: &Database, document: &Path, server_key: &str) {
    succeed(
        flagstaff(database)
            .args(["import", "flagsmith", "--server-key", server_key])
            .arg(document),
    );
}

/// Runs a script to its end and insists that it succeeds.
fn run(script: &str, server: &Server, command: &mut Command) {
    let output = tell(command, &server.url).output().unwrap();
    assert!(
        output.status.success(),
        "{script}: {}\n{}\n{}\nserver:\n{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
        server.log()
    );
}

/// Says what every script needs to know.
pub(crate) fn tell<'a>(command: &'a mut Command, url: &str) -> &'a mut Command {
    command
        .env("SERVER_URL", url)
        .env("CLIENT_KEY", CLIENT_KEY)
        .env("SERVER_KEY", SERVER_KEY)
        .env("ADMIN_EMAIL", EMAIL)
        .env("ADMIN_PASSWORD", PASSWORD)
}

/// One script against one server.
fn journey(sdk: Sdk, script: &str, database: Option<Database>) {
    let (Some(database), Some(mut command)) = (database, sdk.command(script)) else {
        return;
    };
    prepare(&database);
    let server = Server::start(&database);
    run(script, &server, &mut command);
    let asked_for =
        (script == "analytics").then(|| get(&format!("{}/api/v1/flags/", server.url), CLIENT_KEY));
    server.stop();
    // What SDKs count is flushed when the server stops, and looked for then.
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
    ($sdk:ident: $($script:ident),* $(,)?) => {
        mod on_sqlite {
            $(#[test]
            fn $script() {
                super::super::journey(super::super::Sdk::$sdk, stringify!($script), Some(crate::database::Database::sqlite()));
            })*
        }
        mod on_postgres {
            $(#[test]
            fn $script() {
                super::super::journey(super::super::Sdk::$sdk, stringify!($script), crate::database::Database::postgres());
            })*
        }
    };
}

/// What only an SDK with an engine of its own can do.
macro_rules! engine {
    ($sdk:ident) => {
        #[test]
        fn local_equals_remote_on_sqlite() {
            super::local_equals_remote::check(
                super::Sdk::$sdk,
                Some(crate::database::Database::sqlite()),
            );
        }
        #[test]
        fn local_equals_remote_on_postgres() {
            super::local_equals_remote::check(
                super::Sdk::$sdk,
                crate::database::Database::postgres(),
            );
        }
        #[test]
        fn each_named_difference_is_the_engine_s_own() {
            super::differences::check_alone(super::Sdk::$sdk);
        }
    };
}

mod python {
    engine!(Python);
    scripts! {
        Python: analytics, environment_flags, identity_flags, multivariate,
        offline, overrides, realtime, transient, wrong_key,
    }
}

mod node {
    engine!(Node);
    scripts! {
        Node: analytics, environment_flags, identity_flags, multivariate,
        offline, overrides, refresh, transient, wrong_key,
    }
}

mod browser {
    scripts! {
        Browser: analytics, cache, environment_flags, identity_flags, multivariate,
        overrides, realtime, transient, wrong_key,
    }
}

mod rust {
    engine!(Rust);
    scripts! {
        Rust: analytics, environment_flags, identity_flags, multivariate,
        offline, overrides, refresh, transient, wrong_key,
    }
}

mod go {
    engine!(Go);
    scripts! {
        Go: analytics, environment_flags, identity_flags, multivariate,
        offline, overrides, realtime, refresh, transient, wrong_key,
    }
}

mod java {
    engine!(Java);
    scripts! {
        Java: analytics, cache, environment_flags, identity_flags, multivariate,
        offline, overrides, refresh, transient, wrong_key,
    }
}
