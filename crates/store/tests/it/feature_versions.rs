use flagstaff_core::{Feature, FeatureState, FeatureVersion, StateOwner, StateValue, Timestamp};
use flagstaff_store::{
    NewFeatureVersion, NewStateOwner, Noun, PageRequest, StateFilter, Store, StoreError,
    VersionFilter,
};
use flagstaff_testkit::{Shop, change, contract, later, new_feature, new_option, new_state};
use uuid::Uuid;

/// A shop whose environment changes by versions, with one feature that has an override for a segment.
async fn versioned(store: &Store) -> (Shop, Feature) {
    let shop = Shop::open(store).await;
    let feature = shop.feature("checkout").await;
    let segment = shop.segment("pro").await;
    shop.override_for_segment(&feature, &segment, 3).await;
    let mut write = shop.write().await;
    write.enable_versions(shop.id(), later(1)).await.unwrap();
    shop.commit(write).await;
    (shop, feature)
}

/// A copy of what is live, published for a time or a draft, with a value of its own.
async fn version(
    shop: &Shop,
    feature: &Feature,
    value: &str,
    live_from: Option<Timestamp>,
) -> FeatureVersion {
    let live = shop
        .store
        .live_feature_version(shop.id(), feature.id, later(1))
        .await;
    let states = shop
        .store
        .feature_version_states(live.unwrap().unwrap().id)
        .await
        .unwrap();
    let new = NewFeatureVersion {
        uuid: Uuid::new_v4(),
        environment_id: shop.id(),
        feature_id: feature.id,
        description: Some(value.to_owned()),
        created_by: None,
        live_from,
        is_published: live_from.is_some(),
    };
    let mut write = shop.write().await;
    let version = write.insert_feature_version(&new, later(1)).await.unwrap();
    let mut copies = write
        .copy_states(&states, &version, later(1))
        .await
        .unwrap();
    copies[0].value = StateValue::of_text(Some(value));
    write.update_feature_state(&copies[0]).await.unwrap();
    shop.commit(write).await;
    version
}

async fn value(shop: &Shop, feature: &Feature, now: Timestamp) -> Option<String> {
    let state = shop.store.default_state(shop.id(), feature.id, now).await;
    state.unwrap().and_then(|state| state.value.text)
}

async fn listed(shop: &Shop, feature: &Feature, is_live: Option<bool>) -> Vec<Option<String>> {
    let page = shop
        .store
        .feature_versions(
            shop.id(),
            feature.id,
            VersionFilter { is_live },
            later(50),
            PageRequest::first(),
        )
        .await
        .unwrap();
    assert_eq!(page.total, i64::try_from(page.items.len()).unwrap());
    page.items
        .into_iter()
        .map(|version| version.description)
        .collect()
}

async fn snapshot_states(shop: &Shop, now: Timestamp) -> Vec<FeatureState> {
    shop.store
        .snapshot(shop.id(), None, now)
        .await
        .unwrap()
        .unwrap()
        .0
        .states
}

contract! {
    async fn what_is_live_goes_into_a_first_version_and_keeps_its_rows(store: Store) {
        let shop = Shop::open(&store).await;
        let feature = shop.feature("checkout").await;
        let segment = shop.segment("pro").await;
        let identity = shop.identity("ada").await;
        let over = shop.override_for_segment(&feature, &segment, 3).await;
        let own = shop.override_for_identity(&feature, &identity).await;
        let before = store.default_state(shop.id(), feature.id, later(1)).await.unwrap().unwrap();

        let mut write = shop.write().await;
        write.enable_versions(shop.id(), later(1)).await.unwrap();
        shop.commit(write).await;

        let live = store.live_feature_version(shop.id(), feature.id, later(1)).await.unwrap().unwrap();
        assert!(live.is_published() && live.is_live(later(1)));
        let states = store.feature_version_states(live.id).await.unwrap();
        assert_eq!(states.iter().map(|state| state.id).collect::<Vec<_>>(), [before.id, over.id]);
        let after = store.default_state(shop.id(), feature.id, later(1)).await.unwrap().unwrap();
        assert_eq!(after, FeatureState { feature_version: Some(live.uuid), ..before });
        let filter = StateFilter::default();
        let listed = store.feature_states(shop.id(), &filter, later(1), PageRequest::first());
        assert_eq!(listed.await.unwrap().items, [after]);
        let own_after = store.identity_states(shop.id(), identity.id, later(1)).await.unwrap();
        assert_eq!(own_after, [own], "identity overrides stand for themselves");
        let links = store.feature_segments(shop.id(), feature.id, later(1)).await.unwrap();
        assert_eq!(links.len(), 1);
        assert_eq!(snapshot_states(&shop, later(1)).await, states);
        assert!(store.environment(shop.id()).await.unwrap().unwrap().use_v2_feature_versioning);
    }

    async fn what_was_planned_is_planned_as_a_version(store: Store) {
        let shop = Shop::open(&store).await;
        let feature = shop.feature("checkout").await;
        let segment = shop.segment("pro").await;
        let over = shop.override_for_segment(&feature, &segment, 3).await;
        let mut planned = new_state(shop.id(), feature.id, NewStateOwner::Environment);
        (planned.version, planned.live_from) = (2, later(100));
        planned.value = StateValue::of_text(Some("planned"));
        shop.state(&planned).await;

        let mut write = shop.write().await;
        write.enable_versions(shop.id(), later(1)).await.unwrap();
        shop.commit(write).await;

        assert_eq!(store.next_change().await.unwrap(), Some(later(100)));
        assert_eq!(value(&shop, &feature, later(99)).await, None);
        assert_eq!(value(&shop, &feature, later(100)).await.as_deref(), Some("planned"));
        let overrides = store.segment_states(shop.id(), feature.id, later(100)).await.unwrap();
        assert_eq!(overrides.len(), 1, "the override goes along");
        assert_ne!(overrides[0].id, over.id);
        assert_eq!(overrides[0].hash_seed, over.hash_seed);
    }

    async fn copies_keep_seeds_weights_and_priorities(store: Store) {
        let shop = Shop::open(&store).await;
        let mut new = new_feature(shop.project.id, "colour");
        new.options = vec![new_option("blue", 30.0), new_option("green", 20.0)];
        let feature = shop.insert_feature(&new).await;
        let segment = shop.segment("pro").await;
        shop.override_for_segment(&feature, &segment, 3).await;
        let mut write = shop.write().await;
        write.enable_versions(shop.id(), later(1)).await.unwrap();
        shop.commit(write).await;
        let live = store.live_feature_version(shop.id(), feature.id, later(1)).await.unwrap().unwrap();
        let states = store.feature_version_states(live.id).await.unwrap();

        let draft = version(&shop, &feature, "draft", None).await;

        let copies = store.feature_version_states(draft.id).await.unwrap();
        assert_eq!(copies.len(), states.len());
        for (copy, state) in copies.iter().zip(&states) {
            assert_ne!((copy.id, copy.uuid), (state.id, state.uuid));
            assert_eq!(copy.hash_seed, state.hash_seed);
            assert_eq!((copy.version, copy.live_from), (Some(1), None));
            assert_eq!(copy.feature_version, Some(draft.uuid));
            let shares = |state: &FeatureState| -> Vec<_> {
                let weights = state.weights.iter();
                weights.map(|weight| (weight.option_id, weight.percentage_allocation)).collect()
            };
            assert_eq!(shares(copy), shares(state));
            match (&copy.owner, &state.owner) {
                (StateOwner::Segment(copy), StateOwner::Segment(link)) => {
                    assert_ne!(copy.id, link.id);
                    assert_eq!((copy.segment_id, copy.priority), (link.segment_id, link.priority));
                }
                (copy, owner) => assert_eq!(copy, owner),
            }
        }
        assert_eq!(shares_of_default(&states), 2);
    }

    async fn nobody_sees_a_draft(store: Store) {
        let (shop, feature) = versioned(&store).await;
        let before = snapshot_states(&shop, later(2)).await;

        version(&shop, &feature, "draft", None).await;

        assert_eq!(snapshot_states(&shop, later(2)).await, before);
        assert_eq!(store.feature_segments(shop.id(), feature.id, later(2)).await.unwrap().len(), 1);
        let counted = store.count_overrides(&[feature.id], None, later(2)).await.unwrap();
        assert_eq!(counted[&feature.id].segments, 1);
        assert_eq!(store.next_change().await.unwrap(), None);
    }

    async fn the_published_version_whose_time_came_last_is_live(store: Store) {
        let (shop, feature) = versioned(&store).await;
        version(&shop, &feature, "second", Some(later(200))).await;
        version(&shop, &feature, "first", Some(later(100))).await;
        version(&shop, &feature, "past", Some(later(0))).await;
        version(&shop, &feature, "tie", Some(later(200))).await;

        assert_eq!(value(&shop, &feature, later(99)).await, None, "an earlier one is not live again");
        assert_eq!(value(&shop, &feature, later(100)).await.as_deref(), Some("first"));
        assert_eq!(value(&shop, &feature, later(199)).await.as_deref(), Some("first"));
        assert_eq!(value(&shop, &feature, later(200)).await.as_deref(), Some("tie"), "made last");
        let states = snapshot_states(&shop, later(150)).await;
        assert_eq!(states.len(), 2, "one default and one override");
        assert_eq!(states[0].value.text.as_deref(), Some("first"));
    }

    async fn planned_versions_flip_one_after_the_other_once(store: Store) {
        let (shop, feature) = versioned(&store).await;
        version(&shop, &feature, "second", Some(later(200))).await;
        version(&shop, &feature, "first", Some(later(100))).await;

        assert_eq!(store.next_change().await.unwrap(), Some(later(100)));
        assert!(store.apply_due_changes(later(99)).await.unwrap().is_empty());
        assert_eq!(store.apply_due_changes(later(100)).await.unwrap().len(), 1);
        assert!(store.apply_due_changes(later(101)).await.unwrap().is_empty(), "once");
        assert_eq!(store.next_change().await.unwrap(), Some(later(200)));
        assert_eq!(store.apply_due_changes(later(1000)).await.unwrap().len(), 1);
        assert_eq!(store.next_change().await.unwrap(), None);
    }

    async fn a_flip_that_another_change_has_shown_already_is_still_told(store: Store) {
        let (shop, feature) = versioned(&store).await;
        version(&shop, &feature, "planned", Some(later(100))).await;
        // A node whose clock is ahead changes something, and then one whose clock is behind.
        for at in [150, 50] {
            let change = flagstaff_store::Change { at: later(at), ..change(shop.touched()) };
            shop.write().await.commit(change).await.unwrap();
        }

        assert_eq!(store.next_change().await.unwrap(), Some(later(100)));
        assert_eq!(store.apply_due_changes(later(100)).await.unwrap().len(), 1);
    }

    async fn lists_begin_with_drafts_and_go_back_in_time(store: Store) {
        let (shop, feature) = versioned(&store).await;
        version(&shop, &feature, "live", Some(later(40))).await;
        version(&shop, &feature, "planned", Some(later(60))).await;
        version(&shop, &feature, "draft", None).await;
        let names = |names: &[&str]| -> Vec<Option<String>> {
            names.iter().map(|name| (!name.is_empty()).then(|| (*name).to_owned())).collect()
        };

        assert_eq!(listed(&shop, &feature, None).await, names(&["draft", "planned", "live", ""]));
        assert_eq!(listed(&shop, &feature, Some(true)).await, names(&["live", ""]));
        assert_eq!(listed(&shop, &feature, Some(false)).await, names(&["draft", "planned"]));
    }

    async fn options_come_into_and_leave_every_version(store: Store) {
        let (shop, feature) = versioned(&store).await;
        version(&shop, &feature, "draft", None).await;
        let mut write = shop.write().await;
        let option = write
            .insert_option(feature.id, &new_option("blue", 40.0), later(5)).await.unwrap();
        write.weigh_option_in_defaults(feature.id, option, 40.0).await.unwrap();
        shop.commit(write).await;
        let shares = async || {
            let mut shares = Vec::new();
            for version in store
                .feature_versions(shop.id(), feature.id, VersionFilter::default(), later(9), PageRequest::first())
                .await.unwrap().items
            {
                let states = store.feature_version_states(version.id).await.unwrap();
                shares.push(shares_of_default(&states));
            }
            shares
        };

        let with_option = shares().await;
        let live = store.default_state(shop.id(), feature.id, later(9)).await.unwrap().unwrap();
        let mut write = shop.write().await;
        write.delete_option(option, later(10)).await.unwrap();
        shop.commit(write).await;

        assert_eq!(with_option, [1, 1]);
        assert_eq!(live.weights[0].percentage_allocation, 40.0);
        assert_eq!(shares().await, [0, 0]);
    }

    async fn the_time_of_the_last_change_is_that_of_the_live_version(store: Store) {
        let (shop, feature) = versioned(&store).await;
        let first = store.last_version_times(&[feature.id], later(1000)).await.unwrap();
        assert_eq!(first.len(), 1);
        version(&shop, &feature, "second", Some(later(2000))).await;

        let before = store.last_version_times(&[feature.id], later(1999)).await.unwrap();
        let after = store.last_version_times(&[feature.id], later(2000)).await.unwrap();

        assert_eq!(before, first);
        assert_eq!(after, [(feature.id, shop.id(), later(2000))]);
        let unversioned = shop.environment("production").await;
        assert!(after.iter().all(|(_, environment, _)| *environment != unversioned.id));
    }

    async fn a_version_is_found_by_its_uuid_and_knows_what_went_before(store: Store) {
        let (shop, feature) = versioned(&store).await;
        let first = store.live_feature_version(shop.id(), feature.id, later(1)).await.unwrap().unwrap();
        let planned = version(&shop, &feature, "planned", Some(later(60))).await;
        let draft = version(&shop, &feature, "draft", None).await;

        assert_eq!(store.feature_version(planned.uuid).await.unwrap(), Some(planned.clone()));
        assert_eq!(store.feature_version(Uuid::new_v4()).await.unwrap(), None);
        let before = store.previous_feature_version(&planned, later(2)).await.unwrap();
        assert_eq!(before.as_ref(), Some(&first));
        let before = store.previous_feature_version(&draft, later(2)).await.unwrap();
        assert_eq!(before.as_ref(), Some(&first));
        assert_eq!(store.previous_feature_version(&first, later(2)).await.unwrap(), None);
    }

    async fn publishing_is_written_and_an_unknown_version_is_not_found(store: Store) {
        let (shop, feature) = versioned(&store).await;
        let mut draft = version(&shop, &feature, "draft", None).await;
        (draft.published_at, draft.live_from) = (Some(later(5)), Some(later(5)));
        draft.updated_at = later(5);

        let mut write = shop.write().await;
        write.update_feature_version(&draft).await.unwrap();
        shop.commit(write).await;

        assert_eq!(store.feature_version(draft.uuid).await.unwrap(), Some(draft.clone()));
        assert_eq!(value(&shop, &feature, later(5)).await.as_deref(), Some("draft"));
        let mut write = shop.write().await;
        draft.id = flagstaff_core::FeatureVersionId::new(99_999);
        let unknown = write.update_feature_version(&draft).await;
        assert!(matches!(unknown, Err(StoreError::NotFound { noun: Noun::FeatureVersion })));
    }

    async fn a_deleted_version_takes_its_states_and_its_plan_along(store: Store) {
        let (shop, feature) = versioned(&store).await;
        let planned = version(&shop, &feature, "planned", Some(later(60))).await;

        let mut write = shop.write().await;
        write.delete_feature_version(planned.id, later(2)).await.unwrap();
        let again = write.delete_feature_version(planned.id, later(2)).await;
        assert!(matches!(again, Err(StoreError::NotFound { noun: Noun::FeatureVersion })));
        shop.commit(write).await;

        assert_eq!(store.feature_version(planned.uuid).await.unwrap(), None);
        assert!(store.feature_version_states(planned.id).await.unwrap().is_empty());
        assert_eq!(store.next_change().await.unwrap(), None);
        assert_eq!(value(&shop, &feature, later(60)).await, None);
    }

    async fn what_is_live_stays_alone_when_versions_end(store: Store) {
        let (shop, feature) = versioned(&store).await;
        version(&shop, &feature, "live", Some(later(40))).await;
        version(&shop, &feature, "planned", Some(later(60))).await;
        version(&shop, &feature, "draft", None).await;
        store.apply_due_changes(later(50)).await.unwrap();
        let before = snapshot_states(&shop, later(50)).await;

        let mut write = shop.write().await;
        write.disable_versions(shop.id(), later(50)).await.unwrap();
        let change = flagstaff_store::Change { at: later(50), ..change(shop.touched()) };
        write.commit(change).await.unwrap();

        let after = snapshot_states(&shop, later(50)).await;
        assert_eq!(after.len(), 2);
        for (after, before) in after.iter().zip(before) {
            let expected = FeatureState {
                live_from: Some(later(50)),
                feature_version: None,
                ..before
            };
            assert_eq!(*after, expected);
        }
        assert_eq!(value(&shop, &feature, later(1000)).await.as_deref(), Some("live"));
        assert_eq!(listed(&shop, &feature, None).await, Vec::<Option<String>>::new());
        assert_eq!(store.next_change().await.unwrap(), None);
        assert_eq!(store.feature_segments(shop.id(), feature.id, later(50)).await.unwrap().len(), 1);
        assert!(!store.environment(shop.id()).await.unwrap().unwrap().use_v2_feature_versioning);
    }

    async fn versions_can_begin_again_after_they_ended(store: Store) {
        let (shop, feature) = versioned(&store).await;
        version(&shop, &feature, "live", Some(later(40))).await;

        let mut write = shop.write().await;
        write.disable_versions(shop.id(), later(50)).await.unwrap();
        shop.commit(write).await;
        let mut write = shop.write().await;
        write.enable_versions(shop.id(), later(51)).await.unwrap();
        shop.commit(write).await;

        assert_eq!(value(&shop, &feature, later(60)).await.as_deref(), Some("live"));
        assert_eq!(snapshot_states(&shop, later(60)).await.len(), 2);
    }

    async fn a_feature_made_later_starts_with_a_version(store: Store) {
        let (shop, _) = versioned(&store).await;
        let other = shop.environment("production").await;

        let feature = shop.feature("late").await;

        let here = store.live_feature_version(shop.id(), feature.id, later(1)).await.unwrap();
        assert_eq!(here.unwrap().live_from, Some(later(0)));
        assert!(store.default_state(shop.id(), feature.id, later(1)).await.unwrap().is_some());
        let there = store.live_feature_version(other.id, feature.id, later(1)).await.unwrap();
        assert_eq!(there, None);
        assert!(store.default_state(other.id, feature.id, later(1)).await.unwrap().is_some());
    }

    async fn a_deleted_feature_takes_its_versions_along(store: Store) {
        let (shop, feature) = versioned(&store).await;
        let planned = version(&shop, &feature, "planned", Some(later(60))).await;

        let mut write = shop.write().await;
        write.delete_feature(feature.id, later(2)).await.unwrap();
        shop.commit(write).await;

        assert_eq!(store.feature_version(planned.uuid).await.unwrap(), None);
        assert_eq!(store.next_change().await.unwrap(), None);
        assert!(snapshot_states(&shop, later(60)).await.is_empty());
    }

    async fn a_deleted_segment_takes_its_overrides_out_of_every_version(store: Store) {
        let (shop, feature) = versioned(&store).await;
        let planned = version(&shop, &feature, "planned", Some(later(60))).await;
        let links = store.feature_segments(shop.id(), feature.id, later(2)).await.unwrap();

        let mut write = shop.write().await;
        write.delete_segment(links[0].segment_id, later(2)).await.unwrap();
        shop.commit(write).await;

        assert_eq!(snapshot_states(&shop, later(2)).await.len(), 1);
        assert_eq!(store.feature_version_states(planned.id).await.unwrap().len(), 1);
    }
}

fn shares_of_default(states: &[FeatureState]) -> usize {
    let mut states = states.iter();
    let default = states.find(|state| state.owner == StateOwner::Environment);
    default.map_or(0, |state| state.weights.len())
}
