//! Unmodified OpenFeature providers against the real binary, on SQLite and on Postgres.
//!
//! Each provider is one script under `tests/clients/openfeature`, which runs through all it has to do against a server
//! of its own. What it needs done meanwhile it says in lines of its standard output: see `conversation.rs`. The real
//! flagd stands between the server and a client in `daemon.rs`.

mod conversation;
mod daemon;
mod flagd;
mod provider;
mod stage;

use crate::database::Database;
use provider::Provider;
use stage::Stage;

/// One script from beginning to end.
fn journey(provider: &Provider, database: Option<Database>) {
    let (Some(database), Some(mut command)) = (database, provider.command()) else {
        return;
    };
    let mut stage = Stage::prepare(&database, provider.hash);
    let said = conversation::hold(&mut command, &mut stage);
    assert!(said.is_ok(), "{}: {}", provider.script, said.unwrap_err());
    stage.stop();
}

macro_rules! providers {
    ($language:ident: $($script:ident with $hash:literal),* $(,)?) => {
        mod on_sqlite {
            use crate::database::Database;
            use crate::openfeature::{journey, provider::{Language, Provider}};
            $(#[test]
            fn $script() {
                journey(&Provider::new(Language::$language, stringify!($script), $hash), Some(Database::sqlite()));
            })*
        }
        mod on_postgres {
            use crate::database::Database;
            use crate::openfeature::{journey, provider::{Language, Provider}};
            $(#[test]
            fn $script() {
                journey(&Provider::new(Language::$language, stringify!($script), $hash), Database::postgres());
            })*
        }
    };
}

mod python {
    providers! {
        Python: rpc with "flagd-v3", in_process with "flagd-v3", ofrep with "flagsmith",
        over_flagsmith with "flagsmith",
    }
}

mod node {
    providers! {
        Node: rpc with "flagd-v2", in_process with "flagd-v2", web with "flagsmith", ofrep with "flagsmith",
        ofrep_web with "flagsmith",
    }
}

mod rust {
    providers! {
        Rust: rpc with "flagd-v3", in_process with "flagd-v3", ofrep with "flagsmith",
    }
}

mod java {
    providers! {
        Java: rpc with "flagd-v2", in_process with "flagd-v2",
    }
}

mod go {
    providers! {
        Go: rpc with "flagd-v2", in_process with "flagd-v2",
    }
}
