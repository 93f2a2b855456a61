//! One test body for both databases.

use crate::Database;
use flagstaff_store::Store;
use std::future::Future;
use std::panic::resume_unwind;
use std::sync::Arc;

/// Makes two tests of one body, named `sqlite` and `postgres` in a module of the body's name. The Postgres one is
/// skipped aloud where there is no server, and fails with `CI=true`.
///
/// The body takes a store, two stores on one database as two nodes have them, or the database itself.
#[macro_export]
macro_rules! contract {
    ($($(#[$attribute:meta])* async fn $name:ident($($argument:ident: $type:ident),+) $body:block)+) => {$(
        #[cfg(test)]
        mod $name {
            #[allow(unused_imports, reason = "a body may stand on its own")]
            use super::*;

            $(#[$attribute])*
            async fn body($($argument: $crate::contract!(@type $type)),+) $body

            #[test]
            fn sqlite() {
                $crate::on_sqlite(|_database, mut _stores| {
                    body($($crate::contract!(@argument $argument: $type, _database, _stores)),+)
                });
            }

            #[test]
            fn postgres() {
                $crate::on_postgres(|_database, mut _stores| {
                    body($($crate::contract!(@argument $argument: $type, _database, _stores)),+)
                });
            }
        }
    )+};
    (@type Store) => {
        ::flagstaff_store::Store
    };
    (@type Database) => {
        ::std::sync::Arc<$crate::Database>
    };
    (@argument $argument:ident: Store, $database:ident, $stores:ident) => {
        ::std::iter::Iterator::next(&mut $stores).expect("a contract takes at most two stores")
    };
    (@argument $argument:ident: Database, $database:ident, $stores:ident) => {
        $database
    };
}

/// Runs a body on a SQLite file of its own.
pub fn on_sqlite<F>(body: impl FnOnce(Arc<Database>, std::vec::IntoIter<Store>) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    runtime().block_on(async {
        let database = Database::sqlite().await;
        run(database, body).await;
    });
}

/// Runs a body on a Postgres schema of its own, or says aloud that it is skipped.
pub fn on_postgres<F>(body: impl FnOnce(Arc<Database>, std::vec::IntoIter<Store>) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    runtime().block_on(async {
        if let Some(database) = Database::postgres().await {
            run(database, body).await;
        }
    });
}

/// Several threads, because tests of concurrency need real concurrency.
fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime")
}

/// Runs the body and removes the database also when it fails.
async fn run<F>(
    database: Database,
    body: impl FnOnce(Arc<Database>, std::vec::IntoIter<Store>) -> F,
) where
    F: Future<Output = ()> + Send + 'static,
{
    let database = Arc::new(database);
    let stores = vec![database.open().await, database.open().await];
    let ended = tokio::spawn(body(Arc::clone(&database), stores.clone().into_iter())).await;
    for store in stores {
        store.close().await;
    }
    if let Some(database) = Arc::into_inner(database) {
        database.remove().await;
    }
    if let Err(error) = ended {
        resume_unwind(error.into_panic());
    }
}
