use crate::{assert_conflict, assert_not_found};
use flagstaff_core::{Feature, FeatureKind, ProjectId, StateValue};
use flagstaff_store::{FeatureFilter, FeatureSort, Noun, PageRequest, Store};
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
        new.owners = vec![ada.id];
        new.options = vec![new_option("blue", 30.0), new_option("green", 20.0)];
        new.options[1].key = Some("g".to_owned());
        new.options[1].value = StateValue::of_integer(7);

        let feature = shop.insert_feature(&new).await;

        let stored = store.feature(feature.id).await.unwrap().unwrap();
        assert_eq!(stored, feature);
        assert_eq!((stored.uuid, stored.name), (new.uuid, new.name));
        assert_eq!(stored.kind, FeatureKind::Multivariate);
        assert!(stored.default_enabled && stored.is_archived && stored.is_server_key_only);
        assert_eq!(stored.initial_value.as_deref(), Some("rot"));
        let options = store.options(feature.id).await.unwrap();
        assert_eq!(options.len(), 2);
        assert_eq!((options[0].uuid, options[1].uuid), (new.options[0].uuid, new.options[1].uuid));
        assert_eq!(options[1].key.as_deref(), Some("g"));
        assert_eq!(options[1].value, StateValue::of_integer(7));
        assert!(options[0].id < options[1].id);
        assert_eq!(store.feature_owners(feature.id).await.unwrap(), [ada]);
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
        assert!(store.feature_segments(shop.id(), feature.id).await.unwrap().is_empty());
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

    async fn overrides_are_counted(store: Store) {
        let shop = Shop::open(&store).await;
        let feature = shop.feature("checkout").await;
        let (pro, beta) = (shop.segment("pro").await, shop.segment("beta").await);
        shop.override_for_segment(&feature, &pro, 0).await;
        shop.override_for_segment(&feature, &beta, 1).await;
        let bob = shop.identity("bob").await;
        shop.override_for_identity(&feature, &bob).await;
        let other = shop.environment("production").await;

        let here = store.count_overrides(feature.id, Some(shop.id())).await.unwrap();
        let everywhere = store.count_overrides(feature.id, None).await.unwrap();
        let there = store.count_overrides(feature.id, Some(other.id)).await.unwrap();

        assert_eq!((here.segments, here.identities), (2, 1));
        assert_eq!(everywhere, here);
        assert_eq!((there.segments, there.identities), (0, 0));
    }

    async fn a_name_is_kept_as_it_was_written(store: Store) {
        let shop = Shop::open(&store).await;

        let feature = shop.feature("Mixed Case/and slash").await;

        let stored = store.feature(feature.id).await.unwrap().unwrap();
        assert_eq!(stored.name, name("Mixed Case/and slash"));
    }
}
