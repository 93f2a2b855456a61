use flagstaff_core::{FeatureKind, StateOwner};
use flagstaff_store::NewStateOwner;
use flagstaff_testkit::{
    NOW, Shop, contract, later, new_feature, new_option, new_project, new_segment, new_state,
};
use std::sync::Arc;

contract! {
    async fn a_snapshot_has_everything_of_its_environment(store: Store) {
        let shop = Shop::open(&store).await;
        let mut colour = new_feature(shop.project.id, "colour");
        colour.kind = FeatureKind::Multivariate;
        colour.options = vec![new_option("blue", 30.0), new_option("green", 20.0)];
        let colour = shop.insert_feature(&colour).await;
        let banner = shop.feature("banner").await;
        let segment = shop.segment("pro").await;
        let over = shop.override_for_segment(&banner, &segment, 0).await;
        let again = shop.override_for_segment(&banner, &segment, 1).await;
        let bob = shop.identity("bob").await;
        shop.identity("nobody").await;
        let for_bob = shop.override_for_identity(&colour, &bob).await;

        let (rows, identities) = store.snapshot(shop.id(), None, NOW).await.unwrap().unwrap();

        assert_eq!(rows.organisation.id, shop.organisation.id);
        assert_eq!(rows.project.id, shop.project.id);
        let environment = store.environment(shop.id()).await.unwrap();
        assert_eq!(Some(rows.environment), environment);
        assert_eq!(rows.features, [colour.clone(), banner]);
        assert_eq!(rows.options, store.options(colour.id).await.unwrap());
        assert_eq!(rows.states.len(), 4);
        assert_eq!(rows.states[0].weights.len(), 2);
        assert_eq!(rows.states[2..], [over, again], "two overrides for one segment both count");
        assert_eq!(rows.segments, [segment]);
        assert_eq!(identities.len(), 1);
        assert_eq!((&identities[0].identity, &identities[0].states), (&bob, &vec![for_bob]));
    }

    async fn there_is_no_snapshot_of_what_is_deleted(store: Store) {
        let shop = Shop::open(&store).await;
        let mut write = shop.write().await;
        write.delete_project(shop.project.id, later(1)).await.unwrap();
        shop.commit(write).await;

        assert!(store.snapshot(shop.id(), None, NOW).await.unwrap().is_none());
    }

    async fn only_some_identities_can_be_asked_for(store: Store) {
        let shop = Shop::open(&store).await;
        let feature = shop.feature("checkout").await;
        let mut write = shop.write().await;
        for number in 0..1100 {
            let identity = flagstaff_testkit::new_identity(shop.id(), &format!("user-{number}"));
            let identity = write.insert_identity(&identity).await.unwrap();
            let owner = NewStateOwner::Identity(identity.id);
            let state = new_state(shop.id(), feature.id, owner);
            write.insert_feature_state(&state, NOW).await.unwrap();
        }
        shop.commit(write).await;
        let some: Vec<Arc<str>> = (0..1200).step_by(2).map(|n| format!("user-{n}").into()).collect();
        let asked = |only: Option<Vec<Arc<str>>>| {
            let (store, id) = (store.clone(), shop.id());
            async move {
                let snapshot = store.snapshot(id, only.as_deref(), NOW).await.unwrap();
                snapshot.unwrap().1
            }
        };

        assert_eq!(asked(None).await.len(), 1100);
        assert_eq!(asked(Some(Vec::new())).await.len(), 0);
        let found = asked(Some(some)).await;
        assert_eq!(found.len(), 550);
        assert!(found.iter().all(|identity| identity.states.len() == 1));
        assert!(found.is_sorted_by_key(|identity| identity.identity.id));
    }

    async fn what_is_deleted_is_left_out(store: Store) {
        let shop = Shop::open(&store).await;
        let (kept, gone) = (shop.feature("kept").await, shop.feature("gone").await);
        let segment = shop.segment("pro").await;
        shop.override_for_segment(&kept, &segment, 0).await;
        let (alice, bob) = (shop.identity("alice").await, shop.identity("bob").await);
        shop.override_for_identity(&gone, &alice).await;
        shop.override_for_identity(&kept, &bob).await;
        let mut write = shop.write().await;
        write.delete_feature(gone.id, later(1)).await.unwrap();
        write.delete_segment(segment.id, later(1)).await.unwrap();
        write.delete_identity(bob.id, later(1)).await.unwrap();
        shop.commit(write).await;

        let (rows, identities) = store.snapshot(shop.id(), None, NOW).await.unwrap().unwrap();

        assert_eq!(rows.features, [kept]);
        assert_eq!(rows.states.len(), 1);
        assert_eq!(rows.states[0].owner, StateOwner::Environment);
        assert!(rows.segments.is_empty() && identities.is_empty());
    }

    async fn a_segment_of_one_feature_is_there_only_where_it_overrides(store: Store) {
        let shop = Shop::open(&store).await;
        let feature = shop.feature("checkout").await;
        let mut write = shop.write().await;
        let mut own = new_segment(shop.project.id, "own");
        own.feature_id = Some(feature.id);
        let used = write.insert_segment(&own, NOW).await.unwrap();
        own.uuid = uuid::Uuid::new_v4();
        write.insert_segment(&own, NOW).await.unwrap();
        shop.commit(write).await;
        shop.override_for_segment(&feature, &used, 0).await;
        let other = shop.environment("production").await;

        let (here, _) = store.snapshot(shop.id(), None, NOW).await.unwrap().unwrap();
        let (there, _) = store.snapshot(other.id, None, NOW).await.unwrap().unwrap();

        assert_eq!(here.segments, [used]);
        assert!(there.segments.is_empty());
    }

    async fn another_projects_rows_are_left_out(store: Store) {
        let shop = Shop::open(&store).await;
        let mut write = shop.write().await;
        let blog = write
            .insert_project(&new_project(shop.organisation.id, "blog"), NOW).await.unwrap();
        write.insert_feature(&new_feature(blog.id, "checkout"), NOW).await.unwrap();
        write.insert_segment(&new_segment(blog.id, "pro"), NOW).await.unwrap();
        shop.commit(write).await;

        let (rows, _) = store.snapshot(shop.id(), None, NOW).await.unwrap().unwrap();

        assert!(rows.features.is_empty() && rows.segments.is_empty() && rows.options.is_empty());
    }

    async fn what_another_node_made_true_is_true_for_a_clock_that_is_behind(store: Store) {
        let shop = Shop::open(&store).await;
        let feature = shop.feature("checkout").await;
        let mut state = new_state(shop.id(), feature.id, NewStateOwner::Environment);
        (state.version, state.live_from) = (2, later(5_000_000));
        shop.state(&state).await;
        let version = |now| {
            let (store, id) = (store.clone(), shop.id());
            async move {
                let (rows, _) = store.snapshot(id, None, now).await.unwrap().unwrap();
                rows.states[0].version
            }
        };
        assert_eq!(version(NOW).await, Some(1));

        store.apply_due_changes(later(5_000_000)).await.unwrap();

        assert_eq!(version(NOW).await, Some(2));
    }
}
