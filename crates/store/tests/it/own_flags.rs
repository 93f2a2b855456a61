use flagstaff_store::{OWN_ENVIRONMENT, OWN_ORGANISATION, OWN_PROJECT, OwnFlag, Store, Touched};
use flagstaff_testkit::{NOW, Shop, change, contract, new_organisation};

const FLAGS: [OwnFlag; 2] = [
    OwnFlag {
        name: "on",
        enabled: true,
    },
    OwnFlag {
        name: "off",
        enabled: false,
    },
];

async fn make(store: &Store, flags: &[OwnFlag]) {
    let mut write = store.write().await.unwrap();
    write.insert_own_flags(flags, "own-key", NOW).await.unwrap();
    let touched = Touched {
        environments: vec![OWN_ENVIRONMENT],
        ..Touched::default()
    };
    write.commit(change(touched)).await.unwrap();
}

contract! {
    async fn own_flags_are_made_once_and_further_ones_are_added(store: Store) {
        make(&store, &FLAGS[..1]).await;
        make(&store, &FLAGS).await;
        make(&store, &FLAGS).await;

        assert_eq!(store.count_own_flags().await.unwrap(), 2);
        assert_eq!(store.own_client_key().await.unwrap().as_deref(), Some("own-key"));
        let loaded = store.snapshot(OWN_ENVIRONMENT, None, NOW).await.unwrap();
        let (rows, _) = loaded.unwrap();
        let mut told = Vec::new();
        for state in &rows.states {
            let feature = rows.features.iter().find(|feature| feature.id == state.feature_id);
            told.push((feature.unwrap().name.as_str(), state.enabled));
        }
        told.sort_unstable();
        assert_eq!(told, [("off", false), ("on", true)]);
    }

    async fn own_flags_are_shown_to_nobody_and_make_no_database_full(store: Store) {
        make(&store, &FLAGS).await;

        assert!(store.is_empty().await.unwrap());
        assert!(store.all_organisations().await.unwrap().is_empty());
        assert!(store.organisation(OWN_ORGANISATION).await.unwrap().is_none());
        assert!(store.projects(OWN_ORGANISATION).await.unwrap().is_empty());
        assert!(store.project(OWN_PROJECT).await.unwrap().is_none());
        assert!(store.environments(OWN_PROJECT).await.unwrap().is_empty());
        assert!(store.environment(OWN_ENVIRONMENT).await.unwrap().is_none());
        assert!(store.environment_by_key("own-key").await.unwrap().is_none());
    }

    async fn own_flags_take_no_ids_from_others(store: Store) {
        make(&store, &FLAGS).await;

        let mut write = store.write().await.unwrap();
        let new = new_organisation("Acme");
        let first = write.insert_organisation(&new, NOW).await.unwrap();
        write.commit(change(Touched::default())).await.unwrap();
        let shop = Shop::open(&store).await;

        assert_eq!(first.id.get(), 1);
        assert_eq!((shop.project.id.get(), shop.environment.id.get()), (1, 1));
    }
}
