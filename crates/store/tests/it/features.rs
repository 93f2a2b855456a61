use crate::{assert_conflict, assert_not_found};
use flagstaff_core::{Feature, FeatureId, FeatureKind, Hash, ProjectId, StateValue, ValueType};
use flagstaff_store::{FeatureFilter, FeatureSort, Noun, Overrides, PageRequest, Store};
use flagstaff_testkit::{
    NOW, Shop, contract, later, name, new_feature, new_member, new_option, new_project, new_segment,
};

fn names(features: &[Feature]) -> Vec<&str> {
    features
        .iter()
        .map(|feature| feature.name.as_str())
        .collect()
}

async fn listed(store: &Store, project: ProjectId, filter: FeatureFilter) -> Vec<String> {
    let page = store
        .features(project, &filter, PageRequest::first())
        .await
        .unwrap();
    assert_eq!(page.total, i64::try_from(page.items.len()).unwrap());
    names(&page.items).into_iter().map(str::to_owned).collect()
}

contract! {
    async fn a_feature_is_stored_with_everything(store: Store) {
        let shop = Shop::open(&store).await;
        let mut write = shop.write().await;
        let ada = write.insert_member(&new_member("ada@example.com"), NOW).await.unwrap();
        shop.commit(write).await;
        let mut new = new_feature(shop.project.id, "größe/und weite");
        new.kind = FeatureKind::Multivariate;
        new.default_enabled = true;
        new.initial_value = Some("rot".to_owned());
        new.description = Some("wie groß".to_owned());
        new.is_archived = true;
        new.is_server_key_only = true;
        new.hash = Some(Hash::Flipt);
        new.value_type = ValueType::Json;
        new.expected_removal = Some(later(7));
        new.owners = vec![ada.id];
        new.options = vec![new_option("blue", 30.0), new_option("green", 20.0)];
        new.options[1].key = Some("g".to_owned());
        new.options[1].value = StateValue::of_integer(7);

        let feature = shop.insert_feature(&new).await;

        let stored = store.feature(feature.id).await.unwrap().unwrap();
        assert_eq!(stored, feature);
        assert_eq!((stored.uuid, stored.name), (new.uuid, new.name));
        assert_eq!(stored.kind, FeatureKind::Multivariate);
        assert_eq!((stored.hash, stored.value_type), (Some(Hash::Flipt), ValueType::Json));
        assert_eq!(stored.expected_removal, Some(later(7)));
        assert!(stored.default_enabled && stored.is_archived && stored.is_server_key_only);
        assert_eq!(stored.initial_value.as_deref(), Some("rot"));
        let options = store.options(feature.id).await.unwrap();
        assert_eq!(options.len(), 2);
        assert_eq!((options[0].uuid, options[1].uuid), (new.options[0].uuid, new.options[1].uuid));
        assert_eq!(options[1].key.as_deref(), Some("g"));
        assert_eq!(options[1].value, StateValue::of_integer(7));
        assert!(options[0].id < options[1].id);
        assert_eq!(store.feature_owners(&[feature.id]).await.unwrap(), [(feature.id, ada)]);
    }

    async fn a_name_is_unique_within_its_project(store: Store) {
        let shop = Shop::open(&store).await;
        let mut write = shop.write().await;
        let blog = write
            .insert_project(&new_project(shop.organisation.id, "blog"), NOW).await.unwrap();
        write.insert_feature(&new_feature(shop.project.id, "checkout"), NOW).await.unwrap();
        write.insert_feature(&new_feature(blog.id, "checkout"), NOW).await.unwrap();

        let again = write.insert_feature(&new_feature(shop.project.id, "checkout"), NOW).await;

        assert_conflict(again, Noun::Feature);
    }

    async fn names_are_compared_without_regard_to_case_in_every_script(store: Store) {
        let shop = Shop::open(&store).await;
        for (first, second) in [("straße", "STRASSE"), ("ΟΔΟΣ", "οδος"), ("Ünïcode", "üNÏCODE")] {
            shop.feature(first).await;

            let again = shop.write().await
                .insert_feature(&new_feature(shop.project.id, second), NOW).await;

            assert_conflict(again, Noun::Feature);
        }
    }

    async fn names_of_two_thousand_characters_are_told_apart(store: Store) {
        let shop = Shop::open(&store).await;
        // Random enough that no compression brings it below the limit of Postgres' indexes.
        let long = |last: char| -> String {
            let letters = (0..1999_u32).map(|number| {
                char::from_u32(0x4e00 + number.wrapping_mul(7919) % 20_000).unwrap()
            });
            letters.chain([last]).collect()
        };
        shop.feature(&long('a')).await;

        shop.feature(&long('b')).await;
        let again = shop.write().await
            .insert_feature(&new_feature(shop.project.id, &long('A')), NOW).await;

        assert_eq!(store.count_features(shop.project.id).await.unwrap(), 2);
        assert_conflict(again, Noun::Feature);
    }

    async fn a_deleted_feature_frees_its_name_and_takes_its_own_along(store: Store) {
        let shop = Shop::open(&store).await;
        let feature = shop.feature("checkout").await;
        let mut own = new_segment(shop.project.id, "own");
        own.feature_id = Some(feature.id);
        let mut write = shop.write().await;
        let own = write.insert_segment(&own, NOW).await.unwrap();
        shop.commit(write).await;
        let over = shop.override_for_segment(&feature, &own, 0).await;
        let bob = shop.identity("bob").await;
        shop.override_for_identity(&feature, &bob).await;
        let mut write = shop.write().await;
        write.delete_feature(feature.id, later(1)).await.unwrap();
        shop.commit(write).await;

        let next = shop.feature("checkout").await;

        assert!(next.id > feature.id, "ids are not given again");
        assert_eq!(store.feature(feature.id).await.unwrap(), None);
        assert_eq!(store.feature_state(over.id).await.unwrap(), None);
        assert_eq!(store.segment(own.id).await.unwrap(), None);
        assert!(store.feature_segments(shop.id(), feature.id, later(0)).await.unwrap().is_empty());
        assert!(store.identity_states(shop.id(), bob.id, later(9)).await.unwrap().is_empty());
        assert_not_found(
            shop.write().await.delete_feature(feature.id, later(2)).await,
            Noun::Feature,
        );
    }

    async fn changed_fields_are_stored(store: Store) {
        let shop = Shop::open(&store).await;
        let mut feature = shop.feature("checkout").await;
        feature.description = Some("neu".to_owned());
        feature.is_archived = true;
        feature.is_server_key_only = true;
        feature.hash = Some(Hash::Fnv1a32);
        feature.value_type = ValueType::Number;
        feature.expected_removal = Some(later(9));

        let mut write = shop.write().await;
        write.update_feature(&feature).await.unwrap();
        shop.commit(write).await;

        assert_eq!(store.feature(feature.id).await.unwrap(), Some(feature));
    }

    async fn lists_are_filtered_sorted_and_paged(store: Store) {
        let shop = Shop::open(&store).await;
        for text in ["beta", "Alpha", "100%_sure", "Größe"] {
            shop.feature(text).await;
        }
        let mut archived = new_feature(shop.project.id, "old");
        archived.is_archived = true;
        shop.insert_feature(&archived).await;
        let project = shop.project.id;
        let by = |sort| FeatureFilter { sort, ..FeatureFilter::default() };
        let like = |text: &str| FeatureFilter {
            search: Some(text.to_owned()),
            ..FeatureFilter::default()
        };
        let are = |is_archived| FeatureFilter { is_archived, ..FeatureFilter::default() };

        let created = ["beta", "Alpha", "100%_sure", "Größe", "old"];
        assert_eq!(listed(&store, project, by(FeatureSort::Created)).await, created);
        let mut reversed = created;
        reversed.reverse();
        assert_eq!(listed(&store, project, by(FeatureSort::CreatedDescending)).await, reversed);
        let named = ["100%_sure", "Alpha", "beta", "Größe", "old"];
        assert_eq!(listed(&store, project, by(FeatureSort::Name)).await, named);
        let mut reversed = named;
        reversed.reverse();
        assert_eq!(listed(&store, project, by(FeatureSort::NameDescending)).await, reversed);
        assert_eq!(listed(&store, project, like("GRÖSS")).await, ["Größe"]);
        assert_eq!(listed(&store, project, like("%_")).await, ["100%_sure"]);
        assert!(listed(&store, project, like("a\0")).await.is_empty());
        assert!(listed(&store, project, like(&"x".repeat(60_000))).await.is_empty());
        assert_eq!(listed(&store, project, are(Some(true))).await, ["old"]);
        assert_eq!(listed(&store, project, are(Some(false))).await, created[..4]);
        let second = PageRequest { page: 2, size: 2 };
        let page = store.features(project, &by(FeatureSort::Created), second).await.unwrap();
        assert_eq!((page.total, names(&page.items)), (5, vec!["100%_sure", "Größe"]));
    }

    async fn an_option_key_is_unique_within_its_feature(store: Store) {
        let shop = Shop::open(&store).await;
        let mut new = new_feature(shop.project.id, "colour");
        new.options = vec![new_option("blue", 1.0), new_option("green", 1.0)];
        for option in &mut new.options {
            option.key = Some("same".to_owned());
        }

        let feature = shop.write().await.insert_feature(&new, NOW).await;

        assert_conflict(feature, Noun::MultivariateOption);
    }

    async fn a_feature_and_an_option_are_found_by_their_stable_ids(store: Store) {
        let shop = Shop::open(&store).await;
        let mut new = new_feature(shop.project.id, "colour");
        new.options = vec![new_option("blue", 1.0)];
        let feature = shop.insert_feature(&new).await;

        let found = store.feature_by_uuid(new.uuid).await.unwrap();
        let option = store.option_by_uuid(new.options[0].uuid).await.unwrap();

        assert_eq!(found.as_ref(), Some(&feature));
        assert_eq!(option.unwrap().feature_id, feature.id);
        assert_eq!(store.feature_by_uuid(new.options[0].uuid).await.unwrap(), None);
        assert_eq!(store.option_by_uuid(new.uuid).await.unwrap(), None);
    }

    async fn an_option_is_changed_and_deleted_with_its_weights(store: Store) {
        let shop = Shop::open(&store).await;
        let mut new = new_feature(shop.project.id, "colour");
        new.options = vec![new_option("blue", 30.0), new_option("green", 20.0)];
        new.options[0].key = Some("b".to_owned());
        let feature = shop.insert_feature(&new).await;
        let mut options = store.options(feature.id).await.unwrap();
        let blue = options.remove(0);
        let bob = shop.identity("bob").await;
        let own = shop.override_for_identity(&feature, &bob).await;
        let mut green = options.remove(0);
        green.value = StateValue::of_integer(7);
        green.default_percentage_allocation = 4.0;
        let mut write = shop.write().await;
        write.update_option(&green).await.unwrap();
        write.set_weight(own.id, blue.id, 100.0).await.unwrap();
        write.delete_option(blue.id, later(1)).await.unwrap();
        shop.commit(write).await;

        assert_eq!(store.options(feature.id).await.unwrap(), [green.clone()]);
        assert_eq!(store.option_by_uuid(blue.uuid).await.unwrap(), None);
        let own = store.feature_state(own.id).await.unwrap().unwrap();
        assert!(own.weights.is_empty());
        let default = store.default_state(shop.id(), feature.id, later(2)).await.unwrap().unwrap();
        assert_eq!(default.weights.len(), 1);
        assert_eq!(default.weights[0].percentage_allocation, 20.0, "weights stay as they are");
        green.key = Some("b".to_owned());
        let mut write = shop.write().await;
        write.update_option(&green).await.unwrap();
        shop.commit(write).await;
        assert_not_found(shop.write().await.update_option(&blue).await, Noun::MultivariateOption);
        let again = shop.write().await.delete_option(blue.id, later(3)).await;
        assert_not_found(again, Noun::MultivariateOption);
    }

    async fn a_key_cannot_become_that_of_another_option(store: Store) {
        let shop = Shop::open(&store).await;
        let mut new = new_feature(shop.project.id, "colour");
        new.options = vec![new_option("blue", 30.0), new_option("green", 20.0)];
        new.options[0].key = Some("b".to_owned());
        let feature = shop.insert_feature(&new).await;
        let mut green = store.options(feature.id).await.unwrap().remove(1);
        green.key = Some("b".to_owned());

        let updated = shop.write().await.update_option(&green).await;

        assert_conflict(updated, Noun::MultivariateOption);
    }

    async fn a_new_option_weighs_in_every_default_and_in_no_override(store: Store) {
        let shop = Shop::open(&store).await;
        let mut new = new_feature(shop.project.id, "colour");
        new.options = vec![new_option("blue", 90.0)];
        let other = shop.environment("production").await;
        let feature = shop.insert_feature(&new).await;
        let pro = shop.segment("pro").await;
        let over = shop.override_for_segment(&feature, &pro, 0).await;
        let there = store.default_state(other.id, feature.id, NOW).await.unwrap().unwrap();
        let mut write = shop.write().await;
        write.set_weight(there.id, there.weights[0].option_id, 20.0).await.unwrap();
        let black = write
            .insert_option(feature.id, &new_option("black", 30.0), NOW).await.unwrap();
        write.weigh_option_in_defaults(feature.id, black, 30.0).await.unwrap();
        shop.commit(write).await;

        for (environment, expected) in [(shop.id(), [90.0, 10.0]), (other.id, [20.0, 30.0])] {
            let state = store.default_state(environment, feature.id, NOW).await.unwrap().unwrap();
            let weights = state.weights.iter().map(|weight| weight.percentage_allocation);
            assert_eq!(weights.collect::<Vec<_>>(), expected);
            assert_eq!(state.weights[1].option_id, black);
        }
        let over = store.feature_state(over.id).await.unwrap().unwrap();
        assert!(over.weights.is_empty());
    }

    async fn overrides_are_counted(store: Store) {
        let shop = Shop::open(&store).await;
        let feature = shop.feature("checkout").await;
        let (pro, beta) = (shop.segment("pro").await, shop.segment("beta").await);
        shop.override_for_segment(&feature, &pro, 0).await;
        shop.override_for_segment(&feature, &beta, 1).await;
        let bob = shop.identity("bob").await;
        shop.override_for_identity(&feature, &bob).await;
        let other = shop.environment("production").await;
        let both = [feature.id, shop.feature("search").await.id];

        let here = store.count_overrides(&both, Some(shop.id()), later(0)).await.unwrap();
        let everywhere = store.count_overrides(&both, None, later(0)).await.unwrap();
        let there = store.count_overrides(&both, Some(other.id), later(0)).await.unwrap();

        let expected = Overrides { segments: 2, identities: 1 };
        assert_eq!(here, [(feature.id, expected)].into());
        assert_eq!(everywhere, here);
        assert!(there.is_empty());
    }

    async fn parts_of_more_features_than_one_statement_takes_are_found(store: Store) {
        let shop = Shop::open(&store).await;
        let mut new = new_feature(shop.project.id, "colour");
        new.options = vec![new_option("blue", 90.0), new_option("black", 10.0)];
        let colour = shop.insert_feature(&new).await;
        let search = shop.feature("search").await;
        let mut ids: Vec<FeatureId> = (1_000..1_600).map(FeatureId::new).collect();
        ids.insert(0, search.id);
        ids.push(colour.id);

        let features = store.features_by_id(&ids).await.unwrap();
        let options = store.options_of_features(&ids).await.unwrap();

        assert_eq!(features, [search, colour.clone()]);
        assert_eq!(options, store.options(colour.id).await.unwrap());
    }

    async fn features_are_due_by_their_day_the_earliest_first_unless_archived_or_deleted(store: Store) {
        let shop = Shop::open(&store).await;
        let due = async |name: &str, after: i64, is_archived| {
            let mut new = new_feature(shop.project.id, name);
            new.expected_removal = Some(later(after));
            new.is_archived = is_archived;
            shop.insert_feature(&new).await.id
        };
        let second = due("second", 5, false).await;
        let first = due("first", 1, false).await;
        due("later", 6, false).await;
        due("archived", 1, true).await;
        let deleted = due("deleted", 1, false).await;
        shop.feature("never").await;
        let mut write = shop.write().await;
        write.delete_feature(deleted, later(2)).await.unwrap();
        shop.commit(write).await;

        let found = store.features_due(shop.project.id, later(5)).await.unwrap();

        assert_eq!(found, [first, second]);
    }

    async fn a_name_is_kept_as_it_was_written(store: Store) {
        let shop = Shop::open(&store).await;

        let feature = shop.feature("Mixed Case/and slash").await;

        let stored = store.feature(feature.id).await.unwrap().unwrap();
        assert_eq!(stored.name, name("Mixed Case/and slash"));
    }

    async fn a_feature_is_found_by_its_exact_name_in_its_project(store: Store) {
        let shop = Shop::open(&store).await;
        let feature = shop.feature("Checkout").await;
        let find = |project, text: &str| {
            let (store, text) = (store.clone(), name(text));
            async move { store.feature_by_name(project, &text).await.unwrap() }
        };

        assert_eq!(find(shop.project.id, "Checkout").await, Some(feature.clone()));
        assert_eq!(find(shop.project.id, "checkout").await, None);
        assert_eq!(find(ProjectId::new(9_999), "Checkout").await, None);
        let mut write = shop.write().await;
        write.delete_feature(feature.id, later(1)).await.unwrap();
        shop.commit(write).await;
        assert_eq!(find(shop.project.id, "Checkout").await, None);
    }
}
