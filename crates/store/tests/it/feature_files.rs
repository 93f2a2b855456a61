use crate::assert_not_found;
use flagstaff_core::{FileStatus, ImportStrategy, StateValue, TagId};
use flagstaff_store::{NewFeatureExport, NewFeatureImport, NewWeight, Noun, PageRequest};
use flagstaff_testkit::{NOW, Shop, contract, later, name, new_feature, new_option};

fn new_export(shop: &Shop) -> NewFeatureExport {
    NewFeatureExport {
        environment_id: shop.id(),
        name: "development".to_owned(),
        tags: vec![TagId::new(3), TagId::new(7)],
    }
}

fn new_import(shop: &Shop, strategy: ImportStrategy) -> NewFeatureImport {
    NewFeatureImport {
        environment_id: shop.id(),
        strategy,
        document: "[]".to_owned(),
    }
}

contract! {
    async fn an_export_waits_until_it_is_made(store: Store) {
        let shop = Shop::open(&store).await;
        let mut write = shop.write().await;
        let first = write.insert_feature_export(&new_export(&shop), NOW).await.unwrap();
        let mut all = new_export(&shop);
        all.tags.clear();
        let second = write.insert_feature_export(&all, later(1)).await.unwrap();
        shop.commit(write).await;

        let waiting = store.next_feature_export().await.unwrap().unwrap();
        assert_eq!((&waiting.export, &waiting.tags), (&first, &new_export(&shop).tags));
        assert_eq!(first.status, FileStatus::Processing);
        assert_eq!(store.feature_export_document(first.id).await.unwrap(), None);

        let mut write = shop.write().await;
        write.finish_feature_export(first.id, Some("[1]")).await.unwrap();
        shop.commit(write).await;
        let waiting = store.next_feature_export().await.unwrap().unwrap();
        assert_eq!((waiting.export.id, waiting.tags), (second.id, vec![]));
        let mut write = shop.write().await;
        write.finish_feature_export(second.id, None).await.unwrap();
        shop.commit(write).await;

        assert_eq!(store.next_feature_export().await.unwrap(), None);
        let made = store.feature_export(first.id).await.unwrap().unwrap();
        assert_eq!((made.status, made.name), (FileStatus::Success, first.name));
        let document = store.feature_export_document(first.id).await.unwrap();
        assert_eq!(document.as_deref(), Some("[1]"));
        assert_eq!(store.feature_export_document(second.id).await.unwrap(), None);
        let all = store.feature_exports(&[shop.id()], PageRequest::first()).await.unwrap();
        let states = all.items.iter().map(|export| (export.id, export.status));
        let expected = [(second.id, FileStatus::Failed), (first.id, FileStatus::Success)];
        assert_eq!(states.collect::<Vec<_>>(), expected);
        let again = shop.write().await.finish_feature_export(first.id, None).await;
        assert_not_found(again, Noun::FeatureExport);
    }

    async fn an_import_waits_with_its_file(store: Store) {
        let shop = Shop::open(&store).await;
        let mut write = shop.write().await;
        let skip = new_import(&shop, ImportStrategy::Skip);
        let skip = write.insert_feature_import(&skip, NOW).await.unwrap();
        let overwrite = new_import(&shop, ImportStrategy::Overwrite);
        let overwrite = write.insert_feature_import(&overwrite, NOW).await.unwrap();
        shop.commit(write).await;

        let waiting = store.next_feature_import().await.unwrap().unwrap();
        assert_eq!((&waiting.import, waiting.document.as_str()), (&skip, "[]"));
        assert_eq!(overwrite.strategy, ImportStrategy::Overwrite);
        let mut write = shop.write().await;
        write.finish_feature_import(skip.id, FileStatus::Success).await.unwrap();
        write.finish_feature_import(overwrite.id, FileStatus::Failed).await.unwrap();
        shop.commit(write).await;

        assert_eq!(store.next_feature_import().await.unwrap(), None);
        let page = PageRequest { page: 2, size: 1 };
        let page = store.feature_imports(&[shop.id()], page).await.unwrap();
        assert_eq!((page.total, page.items[0].status), (2, FileStatus::Success));
        let nobody = store.feature_imports(&[], PageRequest::first()).await.unwrap();
        assert_eq!((nobody.total, nobody.items.len()), (0, 0));
        let again = shop.write().await.finish_feature_import(skip.id, FileStatus::Success).await;
        assert_not_found(again, Noun::FeatureImport);
    }

    async fn files_are_removed_after_their_time(store: Store) {
        let shop = Shop::open(&store).await;
        let mut write = shop.write().await;
        write.insert_feature_export(&new_export(&shop), NOW).await.unwrap();
        let kept = write.insert_feature_export(&new_export(&shop), later(10)).await.unwrap();
        let old = new_import(&shop, ImportStrategy::Skip);
        write.insert_feature_import(&old, later(9)).await.unwrap();
        shop.commit(write).await;

        let deleted = store.delete_old_feature_files(later(10)).await.unwrap();

        assert_eq!(deleted, 2);
        let exports = store.feature_exports(&[shop.id()], PageRequest::first()).await.unwrap();
        assert_eq!(exports.items, [kept]);
        assert_eq!(store.next_feature_import().await.unwrap(), None);
    }

    async fn a_new_feature_is_given_its_first_state_in_one_environment(store: Store) {
        let shop = Shop::open(&store).await;
        let other = shop.environment("production").await;
        let mut new = new_feature(shop.project.id, "colour");
        new.options = vec![new_option("blue", 10.0)];
        let mut write = shop.write().await;
        let feature = write.insert_feature(&new, NOW).await.unwrap();
        write.start_feature(&feature, false, &StateValue::default(), NOW).await.unwrap();
        let option = write.insert_option(feature.id, &new_option("green", 5.0), NOW).await.unwrap();
        let weights = [NewWeight::from((option, 50.0))];
        let value = StateValue::of_integer(7);
        write.set_first_state(&feature, shop.id(), true, &value, &weights).await.unwrap();
        let found = write.feature_named(shop.project.id, &name("COLOUR")).await.unwrap();
        let missing = write.feature_named(shop.project.id, &name("colours")).await.unwrap();
        shop.commit(write).await;

        assert_eq!((found, missing), (Some(feature.id), None));
        let here = store.default_state(shop.id(), feature.id, NOW).await.unwrap().unwrap();
        let there = store.default_state(other.id, feature.id, NOW).await.unwrap().unwrap();
        assert!(here.enabled && !there.enabled);
        assert_eq!((here.value, there.value), (value, StateValue::default()));
        let weights = here.weights.iter().map(|weight| weight.percentage_allocation);
        assert_eq!(weights.collect::<Vec<_>>(), [10.0, 50.0]);
    }
}
