use flagstaff_store::Store;
use flagstaff_testkit::contract;

contract! {
    async fn a_database_answers(store: Store) {
        store.ping().await.unwrap();
        store.close().await;

        let gone = store.ping().await.unwrap_err();

        assert!(gone.is_unavailable());
    }
}

#[test]
fn a_file_is_made_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("private.db");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();

    runtime.block_on(async {
        let store = Store::connect(&format!("sqlite:{}", path.display()))
            .await
            .unwrap();
        store.close().await;
    });

    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::mode(&path.metadata().unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn a_database_in_memory_or_of_another_kind_is_refused() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();

    runtime.block_on(async {
        for url in [
            "sqlite::memory:",
            "sqlite:x?mode=memory",
            "mysql://localhost/x",
        ] {
            let refused = Store::connect(url).await.unwrap_err();
            assert!(!refused.is_unavailable(), "{url}");
        }
        let away = Store::connect("postgres://127.0.0.1:1/x")
            .await
            .unwrap_err();
        assert!(away.is_unavailable());
    });
}
