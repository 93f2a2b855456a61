use crate::{assert_conflict, assert_not_found};
use flagstaff_core::{FeatureKind, StateOwner, StateValue, ValueKind};
use flagstaff_store::{NewStateOwner, NewWeight, Noun, PageRequest, StateFilter, StateOwners};
use flagstaff_testkit::{NOW, Shop, contract, later, new_feature, new_option, new_state};

contract! {
    async fn a_value_keeps_its_three_columns(store: Store) {
        let shop = Shop::open(&store).await;
        let feature = shop.feature("limit").await;
        let mut state = store.default_state(shop.id(), feature.id, NOW).await.unwrap().unwrap();
        state.enabled = true;
        state.value = StateValue {
            kind: ValueKind::Integer,
            text: Some("früher".to_owned()),
            integer: Some(-2_147_483_648),
            boolean: Some(false),
        };
        state.updated_at = later(3);

        let mut write = shop.write().await;
        write.update_feature_state(&state).await.unwrap();
        shop.commit(write).await;

        assert_eq!(store.feature_state(state.id).await.unwrap(), Some(state));
    }

    async fn a_state_is_hashed_by_its_id_unless_a_seed_is_given(store: Store) {
        let shop = Shop::open(&store).await;
        let feature = shop.feature("limit").await;
        let bob = shop.identity("bob").await;
        let owner = NewStateOwner::Identity(bob.id);
        let mut imported = new_state(shop.id(), feature.id, owner);
        imported.hash_seed = Some("4711".into());

        let imported = shop.state(&imported).await;

        let own = store.default_state(shop.id(), feature.id, NOW).await.unwrap().unwrap();
        assert_eq!(*own.hash_seed, *own.id.to_string());
        assert_eq!(&*imported.hash_seed, "4711");
    }

    async fn weights_are_laid_out_in_the_order_they_were_given(store: Store) {
        let shop = Shop::open(&store).await;
        let mut colour = new_feature(shop.project.id, "colour");
        colour.kind = FeatureKind::Multivariate;
        colour.options = vec![new_option("blue", 30.0), new_option("green", 20.0)];
        let colour = shop.insert_feature(&colour).await;
        let options = store.options(colour.id).await.unwrap();
        let bob = shop.identity("bob").await;
        let owner = NewStateOwner::Identity(bob.id);
        let mut new = new_state(shop.id(), colour.id, owner);
        new.weights = vec![
            NewWeight::from((options[1].id, 99.9)),
            NewWeight::from((options[0].id, 0.1)),
        ];

        let state = shop.state(&new).await;

        let laid: Vec<_> = state.weights.iter()
            .map(|weight| (weight.option_id, weight.percentage_allocation)).collect();
        assert_eq!(laid, [(options[1].id, 99.9), (options[0].id, 0.1)]);
        assert!(state.weights[0].id < state.weights[1].id);
    }

    async fn a_changed_weight_keeps_its_row(store: Store) {
        let shop = Shop::open(&store).await;
        let mut colour = new_feature(shop.project.id, "colour");
        colour.options = vec![new_option("blue", 30.0), new_option("green", 20.0)];
        let colour = shop.insert_feature(&colour).await;
        let before = store.default_state(shop.id(), colour.id, NOW).await.unwrap().unwrap();

        let mut write = shop.write().await;
        let option = before.weights[0].option_id;
        write.set_weight(before.id, option, 55.5).await.unwrap();
        shop.commit(write).await;

        let after = store.feature_state(before.id).await.unwrap().unwrap();
        let mut expected = before;
        expected.weights[0].percentage_allocation = 55.5;
        assert_eq!(after, expected);
    }

    async fn an_owner_has_one_state_of_a_version(store: Store) {
        let shop = Shop::open(&store).await;
        let feature = shop.feature("checkout").await;
        let segment = shop.segment("pro").await;
        let over = shop.override_for_segment(&feature, &segment, 0).await;
        let StateOwner::Segment(link) = over.owner else { panic!("not a segment's") };
        let bob = shop.identity("bob").await;
        shop.override_for_identity(&feature, &bob).await;
        let owners = [
            NewStateOwner::Environment,
            NewStateOwner::Segment(link.id),
            NewStateOwner::Identity(bob.id),
        ];

        for owner in owners {
            let again = new_state(shop.id(), feature.id, owner);
            let again = shop.write().await.insert_feature_state(&again, NOW).await;
            assert_conflict(again, Noun::FeatureState);
        }
    }

    async fn a_deleted_override_makes_room_for_another(store: Store) {
        let shop = Shop::open(&store).await;
        let feature = shop.feature("checkout").await;
        let bob = shop.identity("bob").await;
        let first = shop.override_for_identity(&feature, &bob).await;
        let mut write = shop.write().await;
        write.delete_feature_state(first.id, later(1)).await.unwrap();
        shop.commit(write).await;

        let second = shop.override_for_identity(&feature, &bob).await;

        assert!(second.id > first.id, "ids are not given again");
        assert_eq!(store.feature_state(first.id).await.unwrap(), None);
        let states = store.identity_states(shop.id(), bob.id, NOW).await.unwrap();
        assert_eq!(states, [second]);
        let mut write = shop.write().await;
        assert_not_found(
            write.delete_feature_state(first.id, later(2)).await,
            Noun::FeatureState,
        );
        assert_not_found(write.update_feature_state(&first).await, Noun::FeatureState);
    }

    async fn the_newest_live_version_counts(store: Store) {
        let shop = Shop::open(&store).await;
        let feature = shop.feature("checkout").await;
        for (version, live_from) in [(2, later(-50)), (3, later(10)), (4, later(10)), (5, later(99))] {
            let mut state = new_state(shop.id(), feature.id, NewStateOwner::Environment);
            (state.version, state.live_from) = (version, live_from);
            shop.state(&state).await;
        }
        let live_at = |now| {
            let (store, id, feature) = (store.clone(), shop.id(), feature.id);
            async move { store.default_state(id, feature, now).await.unwrap().unwrap().version }
        };

        assert_eq!(live_at(NOW).await, Some(1), "version 2 was true before");
        assert_eq!(live_at(later(10)).await, Some(4), "the higher version of two");
        assert_eq!(live_at(later(98)).await, Some(4));
        assert_eq!(live_at(later(99)).await, Some(5));
    }

    async fn states_of_an_environment_are_listed(store: Store) {
        let shop = Shop::open(&store).await;
        let (one, two) = (shop.feature("one").await, shop.feature("two").await);
        let gone = shop.feature("gone").await;
        let segment = shop.segment("pro").await;
        let for_pro = shop.override_for_segment(&one, &segment, 0).await;
        let (alice, bob) = (shop.identity("alice").await, shop.identity("bob").await);
        let for_alice = shop.override_for_identity(&one, &alice).await;
        let for_bob = shop.override_for_identity(&two, &bob).await;
        let mut write = shop.write().await;
        write.delete_feature(gone.id, later(1)).await.unwrap();
        shop.commit(write).await;
        let list = |filter: StateFilter, page| {
            let (store, id) = (store.clone(), shop.id());
            async move { store.feature_states(id, &filter, later(5), page).await.unwrap() }
        };
        let any = || StateFilter { owners: StateOwners::Identities, ..StateFilter::default() };
        let all = PageRequest::first();

        let defaults = list(StateFilter::default(), all).await;
        let features: Vec<_> = defaults.items.iter().map(|state| state.feature_id).collect();
        assert_eq!((defaults.total, features), (2, vec![one.id, two.id]));
        let second = list(StateFilter::default(), PageRequest { page: 2, size: 1 }).await;
        assert_eq!((second.total, second.items), (2, defaults.items[1..].to_vec()));
        assert_eq!(list(any(), all).await.items, [for_alice.clone(), for_bob.clone()]);
        let of_two = StateFilter { feature: Some(two.id), ..any() };
        assert_eq!(list(of_two, all).await.items, std::slice::from_ref(&for_bob));
        let every = || StateFilter { owners: StateOwners::All, ..StateFilter::default() };
        let mut everyones = defaults.items.clone();
        everyones.extend([for_pro.clone(), for_alice, for_bob]);
        assert_eq!(list(every(), all).await.items, everyones);
        let StateOwner::Segment(link) = &for_pro.owner else { panic!("not a segment's") };
        let linked = StateFilter { feature_segment: Some(link.id), ..every() };
        assert_eq!(list(linked, all).await.items, [for_pro]);
        let named = |name: &str| StateFilter {
            feature_name: Some(name.to_owned()),
            ..StateFilter::default()
        };
        assert_eq!(list(named("two"), all).await.items, defaults.items[1..]);
        assert_eq!(list(named("TWO"), all).await.items, defaults.items[1..]);
        assert_eq!(list(named("tw"), all).await.total, 0);
        assert_eq!(list(named("a\0"), all).await.total, 0);
    }

    async fn an_override_of_an_identity_names_it(store: Store) {
        let shop = Shop::open(&store).await;
        let feature = shop.feature("checkout").await;
        let bob = shop.identity("bob").await;

        let state = shop.override_for_identity(&feature, &bob).await;

        let owner = StateOwner::Identity { id: bob.id, identifier: "bob".into() };
        assert_eq!(state.owner, owner);
        assert_eq!(store.feature_state(state.id).await.unwrap(), Some(state));
    }

    async fn a_state_is_found_by_its_stable_id_until_it_is_deleted(store: Store) {
        let shop = Shop::open(&store).await;
        let feature = shop.feature("checkout").await;
        let segment = shop.segment("pro").await;
        let state = shop.override_for_segment(&feature, &segment, 0).await;
        let find = |uuid| {
            let store = store.clone();
            async move { store.feature_state_by_uuid(uuid).await.unwrap() }
        };

        assert_eq!(find(state.uuid).await, Some(state.clone()));
        assert_eq!(find(feature.uuid).await, None);
        let mut write = shop.write().await;
        write.delete_feature_state(state.id, later(1)).await.unwrap();
        shop.commit(write).await;
        assert_eq!(find(state.uuid).await, None);
    }

    async fn the_segment_overrides_of_one_feature_are_listed(store: Store) {
        let shop = Shop::open(&store).await;
        let (one, two) = (shop.feature("one").await, shop.feature("two").await);
        let (pro, free) = (shop.segment("pro").await, shop.segment("free").await);
        let weak = shop.override_for_segment(&one, &pro, 7).await;
        let strong = shop.override_for_segment(&one, &free, 0).await;
        shop.override_for_segment(&two, &pro, 0).await;
        let bob = shop.identity("bob").await;
        shop.override_for_identity(&one, &bob).await;

        let listed = store.segment_states(shop.id(), one.id, NOW).await.unwrap();

        assert_eq!(listed, [weak, strong]);
        let elsewhere = shop.environment("staging").await;
        let listed = store.segment_states(elsewhere.id, one.id, NOW).await.unwrap();
        assert_eq!(listed, []);
    }
}
