use flagstaff_store::{MigrationState, Store};
use flagstaff_testkit::{NOW, contract};

contract! {
    async fn a_migrated_database_is_up_to_date(store: Store) {
        let MigrationState { known, applied } = store.migration_state().await.unwrap();

        assert!(known > 0);
        assert_eq!(applied, known);
    }

    async fn migrating_again_changes_nothing(store: Store) {
        let before = store.instance_id().await.unwrap();

        store.migrate(NOW).await.unwrap();

        assert_eq!(store.instance_id().await.unwrap(), before);
        assert!(store.is_empty().await.unwrap());
    }

    async fn processes_that_start_together_take_turns(database: Database) {
        let mut tasks = Vec::new();
        for _ in 0..4 {
            let store = database.open().await;
            tasks.push(tokio::spawn(async move {
                let migrated = store.migrate(NOW).await;
                store.close().await;
                migrated
            }));
        }

        for task in tasks {
            task.await.unwrap().unwrap();
        }
    }
}

/// A file that no process has migrated yet.
#[test]
fn a_new_file_is_migrated_by_several_processes_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("new.db").display());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();

    runtime.block_on(async {
        let first = Store::connect(&url).await.unwrap();
        let state = first.migration_state().await.unwrap();
        assert_eq!(state.applied, 0, "looking changes nothing");
        let mut tasks = Vec::new();
        for _ in 0..4 {
            let store = Store::connect(&url).await.unwrap();
            tasks.push(tokio::spawn(async move { store.migrate(NOW).await }));
        }

        for task in tasks {
            task.await.unwrap().unwrap();
        }

        let state = first.migration_state().await.unwrap();
        assert_eq!(state.applied, state.known);
    });
}
