use crate::{assert_conflict, assert_not_found};
use flagstaff_store::Noun;
use flagstaff_testkit::{NOW, Shop, contract, later, new_organisation, new_project};

contract! {
    async fn a_project_starts_with_the_usual_settings(store: Store) {
        let shop = Shop::open(&store).await;

        let stored = store.project(shop.project.id).await.unwrap().unwrap();

        assert_eq!(stored, shop.project);
        assert_eq!((stored.revision, stored.stale_flags_limit_days), (0, 30));
        assert!(stored.only_allow_lower_case_feature_names);
    }

    async fn changed_fields_are_stored(store: Store) {
        let shop = Shop::open(&store).await;
        let mut changed = shop.project.clone();
        changed.name = "Laden".to_owned();
        changed.hide_disabled_flags = true;
        changed.prevent_flag_defaults = true;
        changed.only_allow_lower_case_feature_names = false;
        changed.feature_name_regex = Some("^[a-z]+$".to_owned());
        changed.stale_flags_limit_days = 7;
        changed.minimum_change_request_approvals = Some(2);
        changed.enforce_feature_owners = true;
        changed.enable_realtime_updates = true;
        changed.show_edge_identity_overrides_for_feature = true;

        let mut write = shop.write().await;
        write.update_project(&changed).await.unwrap();
        shop.commit(write).await;

        assert_eq!(store.project(changed.id).await.unwrap(), Some(changed));
    }

    async fn a_slug_is_unique_within_its_organisation(store: Store) {
        let shop = Shop::open(&store).await;
        let mut write = shop.write().await;
        let others = write.insert_organisation(&new_organisation("Others"), NOW).await.unwrap();
        write.insert_project(&new_project(others.id, "shop"), NOW).await.unwrap();

        let again = write.insert_project(&new_project(shop.organisation.id, "shop"), NOW).await;

        assert_conflict(again, Noun::Project);
    }

    async fn two_projects_may_have_one_name(store: Store) {
        let shop = Shop::open(&store).await;
        let mut namesake = new_project(shop.organisation.id, "shop");
        namesake.slug = "shop-2".to_owned();
        let mut write = shop.write().await;
        let namesake = write.insert_project(&namesake, NOW).await.unwrap();
        shop.commit(write).await;

        let projects = store.projects(shop.organisation.id).await.unwrap();

        assert_eq!(projects, [shop.project, namesake]);
    }

    async fn deleting_takes_environments_along_and_frees_the_slug(store: Store) {
        let shop = Shop::open(&store).await;
        let mut write = shop.write().await;
        write.delete_project(shop.project.id, later(1)).await.unwrap();
        shop.commit(write).await;

        let mut write = shop.write().await;
        let next = write
            .insert_project(&new_project(shop.organisation.id, "shop"), NOW).await.unwrap();
        assert_not_found(write.delete_project(shop.project.id, later(2)).await, Noun::Project);
        shop.commit(write).await;

        assert_eq!(store.environment(shop.id()).await.unwrap(), None);
        assert!(next.id > shop.project.id, "ids are not given again");
        assert_eq!(store.projects(shop.organisation.id).await.unwrap(), [next]);
    }

    async fn it_is_found_by_its_stable_id_until_it_is_deleted(store: Store) {
        let shop = Shop::open(&store).await;
        let uuid = shop.project.uuid;

        let found = store.project_by_uuid(uuid).await.unwrap();
        let mut write = shop.write().await;
        write.delete_project(shop.project.id, later(1)).await.unwrap();
        shop.commit(write).await;

        assert_eq!(found.map(|found| found.id), Some(shop.project.id));
        assert_eq!(store.project_by_uuid(uuid).await.unwrap(), None);
        assert_eq!(store.project_by_uuid(uuid::Uuid::new_v4()).await.unwrap(), None);
    }
}
