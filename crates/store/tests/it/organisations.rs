use crate::assert_not_found;
use flagstaff_core::{OrganisationId, Role};
use flagstaff_store::Noun;
use flagstaff_testkit::{NOW, Shop, contract, later, new_member, new_organisation};

contract! {
    async fn an_organisation_starts_with_the_usual_settings(store: Store) {
        let shop = Shop::open(&store).await;

        let stored = store.organisation(shop.organisation.id).await.unwrap().unwrap();

        assert_eq!(stored, shop.organisation);
        assert!(stored.persist_trait_data);
        assert!(!stored.stop_serving_flags && !stored.force_2fa);
        assert_eq!(stored.created_at, NOW);
    }

    async fn changed_fields_are_stored(store: Store) {
        let shop = Shop::open(&store).await;
        let mut changed = shop.organisation.clone();
        changed.name = "Äcme".to_owned();
        changed.webhook_notification_email = Some("ops@example.com".to_owned());
        changed.persist_trait_data = false;
        changed.restrict_project_create_to_admin = true;
        changed.force_2fa = true;
        changed.stop_serving_flags = true;

        let mut write = shop.write().await;
        write.update_organisation(&changed).await.unwrap();
        shop.commit(write).await;

        assert_eq!(store.organisation(changed.id).await.unwrap(), Some(changed));
    }

    async fn two_organisations_may_have_one_name(store: Store) {
        let shop = Shop::open(&store).await;
        let mut write = shop.write().await;
        let second = write.insert_organisation(&new_organisation("Acme"), NOW).await.unwrap();
        shop.commit(write).await;

        let all = store.all_organisations().await.unwrap();

        assert_eq!(all, [shop.organisation, second]);
    }

    async fn a_member_sees_the_organisations_they_belong_to(store: Store) {
        let shop = Shop::open(&store).await;
        let mut write = shop.write().await;
        write.insert_organisation(&new_organisation("Others"), NOW).await.unwrap();
        let ada = write.insert_member(&new_member("ada@example.com"), NOW).await.unwrap();
        write
            .insert_membership(shop.organisation.id, ada.id, Role::Admin, NOW).await.unwrap();
        shop.commit(write).await;

        let own = store.organisations_of(ada.id).await.unwrap();

        assert_eq!(own, [shop.organisation]);
    }

    async fn deleting_takes_projects_and_environments_along(store: Store) {
        let shop = Shop::open(&store).await;
        let mut write = shop.write().await;
        write.delete_organisation(shop.organisation.id, later(1)).await.unwrap();
        shop.commit(write).await;

        assert_eq!(store.organisation(shop.organisation.id).await.unwrap(), None);
        assert_eq!(store.project(shop.project.id).await.unwrap(), None);
        assert_eq!(store.environment(shop.id()).await.unwrap(), None);
        assert!(store.all_organisations().await.unwrap().is_empty());
        let mut write = shop.write().await;
        assert_not_found(
            write.delete_organisation(shop.organisation.id, later(2)).await,
            Noun::Organisation,
        );
    }

    async fn what_is_not_there_cannot_be_changed(store: Store) {
        let shop = Shop::open(&store).await;
        let mut missing = shop.organisation.clone();
        missing.id = OrganisationId::new(4711);

        let mut write = shop.write().await;

        assert_not_found(write.update_organisation(&missing).await, Noun::Organisation);
    }

    async fn it_is_found_by_its_stable_id_until_it_is_deleted(store: Store) {
        let shop = Shop::open(&store).await;
        let uuid = shop.organisation.uuid;

        let found = store.organisation_by_uuid(uuid).await.unwrap();
        let mut write = shop.write().await;
        write.delete_organisation(shop.organisation.id, later(1)).await.unwrap();
        shop.commit(write).await;

        assert_eq!(found.map(|found| found.id), Some(shop.organisation.id));
        assert_eq!(store.organisation_by_uuid(uuid).await.unwrap(), None);
        assert_eq!(store.organisation_by_uuid(uuid::Uuid::new_v4()).await.unwrap(), None);
    }
}
