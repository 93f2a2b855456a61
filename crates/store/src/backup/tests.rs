//! Backups of older versions, which only this crate can make.

use super::schema::tables;
use crate::backend::Backend;
use crate::migrate::known_migrations;
use crate::{BackupError, Store};
use flagstaff_core::Timestamp;

const NOW: Timestamp = Timestamp::from_micros(1_795_000_000_000_000);

async fn store(folder: &tempfile::TempDir, name: &str) -> Store {
    let url = format!("sqlite:{}", folder.path().join(name).display());
    Store::connect(&url).await.unwrap()
}

async fn execute(store: &Store, sql: &'static str) {
    let Backend::Sqlite { writer, .. } = store.backend() else {
        unreachable!("a file was opened");
    };
    sqlx::raw_sql(sql).execute(writer).await.unwrap();
}

#[tokio::test]
async fn a_backup_of_an_older_version_is_brought_to_this_one() {
    let folder = tempfile::tempdir().unwrap();
    let old = store(&folder, "old.db").await;
    let mut transaction = old.begin().await.unwrap();
    transaction.migrate_to(Some(9)).await.unwrap();
    transaction.commit().await.unwrap();
    execute(
        &old,
        "INSERT INTO instance (id, uuid, created_at) VALUES (1, 'old', 1);
        INSERT INTO organisations (uuid, name, created_at) VALUES ('a', 'Acme', 1);
        INSERT INTO projects (uuid, organisation_id, name, slug, updated_at, created_at)
        VALUES ('b', 1, 'Shop', 'shop', 1, 1);
        INSERT INTO features (uuid, project_id, name, name_folded, kind, created_at)
        VALUES ('c', 1, 'checkout', 'checkout', 'standard', 1);",
    )
    .await;
    let mut file = Vec::new();
    let written = old.back_up(&mut file, NOW).await.unwrap();
    let new = store(&folder, "new.db").await;

    let restored = new.restore(&*file, NOW).await.unwrap();

    assert_eq!(restored, written);
    assert_eq!(restored.schema_version, 9);
    let state = new.migration_state().await.unwrap();
    assert_eq!(state.applied, state.known);
    assert_eq!(new.instance_id().await.unwrap(), "old");
    // A column that came later has its default.
    let Backend::Sqlite { readers, .. } = new.backend() else {
        unreachable!("a file was opened");
    };
    let value_type: String = sqlx::query_scalar("SELECT value_type FROM features WHERE id = 1")
        .fetch_one(readers)
        .await
        .unwrap();
    assert_eq!(value_type, "auto");
}

#[tokio::test]
async fn a_database_of_a_later_version_is_neither_backed_up_nor_filled() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder, "later.db").await;
    store.migrate(NOW).await.unwrap();
    let mut file = Vec::new();
    store.back_up(&mut file, NOW).await.unwrap();
    execute(
        &store,
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
        VALUES (9999, 'later', TRUE, x'00', 0)",
    )
    .await;

    let refused = store.back_up(&mut Vec::new(), NOW).await;
    assert!(matches!(
        refused,
        Err(BackupError::NewerSchema { found: 9999, .. })
    ));
    let refused = store.restore(&*file, NOW).await;
    assert!(matches!(
        refused,
        Err(BackupError::NewerSchema { found: 9999, .. })
    ));
}

#[tokio::test]
async fn tables_of_every_version_can_be_carried() {
    for version in known_migrations() {
        for table in tables(version).await.unwrap() {
            assert!(!table.key.is_empty(), "{} has no primary key", table.name);
            assert_eq!(
                table.id_column().is_some(),
                table.gives_ids,
                "{}",
                table.name
            );
        }
    }
}
