use flagstaff_core::{FeatureState, Timestamp};
use flagstaff_store::NewStateOwner;
use flagstaff_testkit::{Shop, contract, later, new_state};

/// A second version of the feature's default that becomes true at a time.
async fn scheduled(shop: &Shop, feature: &str, version: i64, live_from: Timestamp) -> FeatureState {
    let feature = match shop
        .store
        .feature_states(
            shop.id(),
            &flagstaff_store::StateFilter {
                feature_name: Some(feature.to_owned()),
                ..flagstaff_store::StateFilter::default()
            },
            later(0),
            flagstaff_store::PageRequest::first(),
        )
        .await
        .unwrap()
        .items
        .first()
    {
        Some(state) => state.feature_id,
        None => shop.feature(feature).await.id,
    };
    let mut state = new_state(shop.id(), feature, NewStateOwner::Environment);
    (state.version, state.live_from) = (version, live_from);
    shop.state(&state).await
}

contract! {
    async fn the_next_scheduled_change_is_known(store: Store) {
        let shop = Shop::open(&store).await;
        assert_eq!(store.next_change().await.unwrap(), None);

        scheduled(&shop, "late", 2, later(500)).await;
        scheduled(&shop, "early", 2, later(100)).await;

        assert_eq!(store.next_change().await.unwrap(), Some(later(100)));
        let environment = store.environment(shop.id()).await.unwrap().unwrap();
        assert_eq!(environment.next_change_at, Some(later(100)));
    }

    async fn nothing_happens_before_its_time(store: Store) {
        let shop = Shop::open(&store).await;
        scheduled(&shop, "checkout", 2, later(100)).await;
        let before = store.revisions(&[shop.id()]).await.unwrap();

        let flipped = store.apply_due_changes(later(99)).await.unwrap();

        assert!(flipped.is_empty());
        assert_eq!(store.revisions(&[shop.id()]).await.unwrap(), before);
    }

    async fn a_due_change_has_a_revision_a_time_and_a_system_entry(store: Store) {
        let shop = Shop::open(&store).await;
        scheduled(&shop, "one", 2, later(100)).await;
        scheduled(&shop, "two", 2, later(200)).await;
        let before = store.revisions(&[shop.id()]).await.unwrap()[0].revision;

        let flipped = store.apply_due_changes(later(150)).await.unwrap();

        assert_eq!(flipped.len(), 1);
        assert_eq!((flipped[0].id, flipped[0].revision), (shop.id(), before + 1));
        let environment = store.environment(shop.id()).await.unwrap().unwrap();
        assert_eq!(environment.updated_at, later(150));
        assert_eq!(environment.next_change_at, Some(later(200)), "the next one waits");
        let log = store.audit_entries(Some(shop.organisation.id), 0, 10).await.unwrap();
        assert_eq!(log.len(), 1);
        assert_eq!((log[0].actor_kind.as_str(), log[0].environment_id), ("system", Some(shop.id().get())));
        assert!(store.apply_due_changes(later(150)).await.unwrap().is_empty(), "once");
    }

    async fn a_deleted_scheduled_state_is_no_longer_waited_for(store: Store) {
        let shop = Shop::open(&store).await;
        let state = scheduled(&shop, "checkout", 2, later(100)).await;

        let mut write = shop.write().await;
        write.delete_feature_state(state.id, later(1)).await.unwrap();
        shop.commit(write).await;

        assert_eq!(store.next_change().await.unwrap(), None);
        assert!(store.apply_due_changes(later(100)).await.unwrap().is_empty());
    }

    async fn a_deleted_environment_has_no_schedule(store: Store) {
        let shop = Shop::open(&store).await;
        scheduled(&shop, "checkout", 2, later(100)).await;

        let mut write = shop.write().await;
        write.delete_environment(shop.id(), later(1)).await.unwrap();
        shop.commit(write).await;

        assert_eq!(store.next_change().await.unwrap(), None);
        assert!(store.apply_due_changes(later(100)).await.unwrap().is_empty());
    }

    async fn a_change_made_after_the_time_does_not_hide_the_flip(store: Store) {
        let shop = Shop::open(&store).await;
        scheduled(&shop, "checkout", 2, later(100)).await;
        let change = flagstaff_store::Change {
            at: later(150),
            ..flagstaff_testkit::change(shop.touched())
        };

        shop.write().await.commit(change).await.unwrap();

        assert_eq!(store.apply_due_changes(later(160)).await.unwrap().len(), 1);
    }
}
