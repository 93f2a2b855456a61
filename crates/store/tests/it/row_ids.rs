use flagstaff_core::{EnvironmentId, FeatureId, IdentityId, OptionId, ProjectId};
use flagstaff_testkit::{
    NOW, Shop, contract, later, new_environment, new_feature, new_identity, new_option, new_project,
};

contract! {
    async fn an_imported_id_is_kept_where_it_is_free(store: Store) {
        let shop = Shop::open(&store).await;
        let mut write = shop.write().await;
        let mut project = new_project(shop.organisation.id, "import");
        project.id = Some(ProjectId::new(700));
        let mut environment = new_environment(ProjectId::new(700), "import");
        environment.id = Some(EnvironmentId::new(800));
        let mut feature = new_feature(ProjectId::new(700), "import");
        feature.id = Some(FeatureId::new(900));
        feature.options = vec![new_option("a", 1.0)];
        feature.options[0].id = Some(OptionId::new(1000));
        let mut identity = new_identity(EnvironmentId::new(800), "import");
        identity.id = Some(IdentityId::new(1100));

        let project = write.insert_project(&project, NOW).await.unwrap();
        let environment = write.insert_environment(&environment, NOW).await.unwrap();
        let feature = write.insert_feature(&feature, NOW).await.unwrap();
        let identity = write.insert_identity(&identity).await.unwrap();
        shop.commit(write).await;

        assert_eq!(project.id.get(), 700);
        assert_eq!(environment.id.get(), 800);
        assert_eq!(feature.id.get(), 900);
        assert_eq!(store.options(feature.id).await.unwrap()[0].id.get(), 1000);
        assert_eq!(identity.id.get(), 1100);
    }

    async fn ids_given_after_an_import_are_higher(store: Store) {
        let shop = Shop::open(&store).await;
        let mut write = shop.write().await;
        let mut imported = new_feature(shop.project.id, "imported");
        imported.id = Some(FeatureId::new(5000));
        write.insert_feature(&imported, NOW).await.unwrap();

        let next = write.insert_feature(&new_feature(shop.project.id, "next"), NOW).await.unwrap();
        let mut low = new_feature(shop.project.id, "low");
        low.id = Some(FeatureId::new(20));
        let low = write.insert_feature(&low, NOW).await.unwrap();
        let last = write.insert_feature(&new_feature(shop.project.id, "last"), NOW).await.unwrap();
        shop.commit(write).await;

        assert!(next.id.get() > 5000);
        assert_eq!(low.id.get(), 20);
        assert!(last.id > next.id);
    }

    async fn a_taken_impossible_or_once_used_id_is_replaced(store: Store) {
        let shop = Shop::open(&store).await;
        let taken = shop.feature("taken").await;
        let deleted = shop.feature("deleted").await;
        let mut write = shop.write().await;
        write.delete_feature(deleted.id, later(1)).await.unwrap();

        for id in [taken.id.get(), deleted.id.get(), 0, -1, 1 << 31, i64::MAX] {
            let mut new = new_feature(shop.project.id, &format!("wants {id}"));
            new.id = Some(FeatureId::new(id));
            let feature = write.insert_feature(&new, NOW).await.unwrap();
            assert_ne!(feature.id.get(), id);
            assert!(feature.id > deleted.id);
        }
        shop.commit(write).await;
    }

    async fn ids_of_deleted_rows_are_not_given_again(store: Store) {
        let shop = Shop::open(&store).await;
        let bob = shop.identity("bob").await;
        let mut write = shop.write().await;
        write.delete_identity(bob.id, later(1)).await.unwrap();
        shop.commit(write).await;

        let again = shop.identity("bob").await;

        assert!(again.id > bob.id);
    }
}
